/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/channel.h"

struct channel *channel_by_name(const struct channels *channels, pa_str name)
{
	for (size_t i = 0; i < channels->count; i++)
		if (str_equal(str_from(channels->list[i].name), name))
			return &channels->list[i];
	return NULL;
}

struct channel *channel_by_number(const struct channels *channels, int16_t number)
{
	for (size_t i = 0; i < channels->count; i++)
		if (channels->list[i].number == number)
			return &channels->list[i];
	return NULL;
}

uint32_t channel_medium(const struct channel *channel)
{
	static const uint32_t preferred[] = {PA_MEDIUM_CHAT, PA_MEDIUM_SMS, PA_MEDIUM_EMAIL};

	for (size_t i = 0; i < ARRAY_COUNT(preferred); i++)
		if (channel->ops->media & preferred[i])
			return preferred[i];
	return PA_MEDIUM_CHAT;
}
