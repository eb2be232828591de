/* SPDX-License-Identifier: Apache-2.0 */
#include "media/fetcher.h"

#include "base/err.h"
#include "base/pack.h"
#include "base/str.h"
#include "host/host.h"
#include "io/clock.h"
#include "io/db.h"
#include "io/log.h"
#include "media/keep.h"
#include "queue/complaint.h"
#include "queue/connect.h"
#include "queue/mailbox.h"
#include "queue/writer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAUSE_NS NS_PER_S
#define FILE_ARENA_CAP ((size_t)4 << 20)
#define CALL_MS 2000  /* for the pure functions of a channel */
#define ASK_MS 10000  /* where does it lie? */
#define LOAD_MS 60000 /* the file itself */
#define BACK_OFF_NS NS_PER_S
#define BACK_OFF_MAX_NS (10 * NS_PER_MINUTE)
#define DIGEST_TRIES 3 /* then it is not the file that was sent */

#define CLAIM_ID 1
#define CLAIM_SHA256 2
#define CLAIM_TYPE 3
#define CLAIM_NAME 4

struct fetcher {
	struct fetcher_options options;
	struct db *db;
	struct complaint complaint;
	struct mailbox box; /* never holds anything: poked to end the pause */
	pthread_t thread;
	_Atomic bool is_stopping;
};

/* ---- the provider's claim ---- */

void file_claim_pack(struct buf *out, const pa_event *event)
{
	pack_str(out, CLAIM_ID, event->media_id);
	pack_str(out, CLAIM_SHA256, event->media_sha256);
	pack_str(out, CLAIM_TYPE, event->media_type);
	pack_str(out, CLAIM_NAME, event->media_name);
}

static bool claim_unpack(pa_str packed, pa_str *ret_id, pa_str *ret_sha256)
{
	struct unpack in = unpack_from(packed);

	*ret_id = *ret_sha256 = PA_STR_ABSENT;
	while (unpack_next(&in)) {
		if (in.field == CLAIM_ID)
			*ret_id = in.str;
		else if (in.field == CLAIM_SHA256)
			*ret_sha256 = in.str;
	}
	return !in.is_broken && ret_id->len;
}

/* The alphabet of URLs, without padding: what base64url_decode reads. */
static pa_str as_base64url(struct arena *arena, pa_str text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t len = text.len;

	while (len && text.ptr[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++)
		copy[i] = (char)(text.ptr[i] == '+' ? '-' : text.ptr[i] == '/' ? '_' : text.ptr[i]);
	return (pa_str){copy, len};
}

bool file_digest_fits(pa_str claimed, const uint8_t digest[DIGEST_BYTES])
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(4096);
	pa_str found = {(const char *)digest, DIGEST_BYTES}, bytes;

	if (!claimed.len)
		return true;
	if (claimed.len > (size_t)2 * DIGEST_BYTES)
		return false;
	if (hex_decode(arena, claimed, &bytes) == PA_OK && bytes.len == DIGEST_BYTES)
		return str_equal(bytes, found);
	return base64url_decode(arena, as_base64url(arena, claimed), &bytes) == PA_OK &&
	       str_equal(bytes, found);
}

/* ---- fetching ---- */

struct fetching {
	struct fetcher *fetcher;
	struct kept_file *file;
	struct channel *channel;
	pa_str media_id, sha256;
};

/* One of the plugin's two functions: answer NULL for the first. */
static pa_status make_request(struct fetching *f, const pa_http_response *answer,
			      pa_http_request *ret, pa_error *err)
{
	const pa_channel_ops *ops = f->channel->ops;
	pa_call *call = plugin_call_begin(f->channel->plugin, f->file->arena, CALL_MS);
	pa_status status;

	if (!call)
		return error_set(err, PA_RETRY, "the channel is busy");
	status =
		answer ? ops->download_next(call_self(call), call, answer, ret, err)
		       : ops->download(call_self(call), call, str_from(f->channel->config->account),
				       f->media_id, ret, err);
	plugin_call_end(call);
	if (status != PA_OK)
		plugin_error_clean(err);
	return status;
}

static pa_status load(struct fetching *f, const pa_http_request *request, pa_error *err)
{
	struct fetcher *fetcher = f->fetcher;
	struct http_sink sink = {.fd = f->file->fd,
				 .max = fetcher->options.max_bytes,
				 .is_unwanted = &fetcher->is_stopping};
	pa_http_response answer = {.size = sizeof(answer)};
	uint32_t failure;
	pa_status status = http_client_fetch(fetcher->options.http, request, LOAD_MS, &sink,
					     f->file->arena, &answer, &failure, err);

	if (sink.is_over) {
		f->file->record = (struct inspect_record){.verdict = INSPECT_TOO_BIG};
		return PA_OK;
	}
	if (status != PA_OK)
		return PA_RETRY;
	if (answer.status != 200)
		return error_set(err, PA_RETRY, "the file's address answered %u", answer.status);
	f->file->len = sink.len;
	return PA_OK;
}

/* PA_OK: it is there, or its record says why it is refused. PA_REJECTED: it will never be. */
static pa_status download(struct fetching *f, pa_error *err)
{
	pa_http_request request = {.size = sizeof(request)};
	pa_http_response answer = {.size = sizeof(answer)};
	struct http_sink sink = {.fd = -1, .is_unwanted = &f->fetcher->is_stopping};
	uint32_t failure;
	pa_status status = make_request(f, NULL, &request, err);

	if (status != PA_OK)
		return status;
	if (http_client_fetch(f->fetcher->options.http, &request, ASK_MS, &sink, f->file->arena,
			      &answer, &failure, err) != PA_OK)
		return PA_RETRY;
	request = (pa_http_request){.size = sizeof(request)};
	status = make_request(f, &answer, &request, err);
	return status == PA_OK ? load(f, &request, err) : status;
}

static pa_status take_digest(struct fetching *f, pa_error *err)
{
	struct kept_file *file = f->file;
	void *bytes = mmap(NULL, file->len ? file->len : 1, PROT_READ, MAP_PRIVATE, file->fd, 0);

	if (bytes == MAP_FAILED)
		return error_set(err, PA_RETRY, "no room for the file: %s", strerrordesc_np(errno));
	sha256((pa_str){bytes, file->len}, file->digest);
	munmap(bytes, file->len ? file->len : 1);
	if (file_digest_fits(f->sha256, file->digest))
		return PA_OK;
	return error_set(err, file->tries < DIGEST_TRIES ? PA_RETRY : PA_REJECTED,
			 "what came is not what the provider announced");
}

static pa_status judge(struct fetching *f, pa_error *err)
{
	pa_status status = take_digest(f, err);

	return status == PA_OK ? inspector_judge(&f->fetcher->options.inspector, f->file->fd,
						 &f->file->record, &f->file->clean, err)
			       : status;
}

static int64_t back_off_ns(int64_t tries)
{
	int64_t pause_ns = BACK_OFF_NS;

	while (--tries > 0 && pause_ns < BACK_OFF_MAX_NS)
		pause_ns *= 2;
	return pause_ns < BACK_OFF_MAX_NS ? pause_ns : BACK_OFF_MAX_NS;
}

static void tell_log(const struct kept_file *file, pa_status status, const pa_error *err)
{
	const struct log_ids *ids = LOG_IDS(.conversation = file->conversation);

	if (status == PA_OK && file->record.verdict == INSPECT_SOUND)
		log_info(ids, "file %lld is sound", (long long)file->id);
	else if (status == PA_OK)
		log_notice(ids, "file %lld is refused: %s", (long long)file->id,
			   inspect_verdict_word(file->record.verdict));
	else
		log_warning(ids, "file %lld could not be had: %s", (long long)file->id,
			    error_text(err));
}

/* Fetches and judges; leaves the result in the store. */
static pa_status take(struct fetching *f, pa_error *err)
{
	struct kept_file *file = f->file;
	pa_error why = ERROR_INIT;
	pa_status status = PA_OK;

	if (file->record.verdict == INSPECT_SOUND)
		status = download(f, &why);
	if (status == PA_OK && file->record.verdict == INSPECT_SOUND)
		status = judge(f, &why);
	if (atomic_load(&f->fetcher->is_stopping) && status != PA_OK)
		return PA_OK; /* the next start takes it up */
	tell_log(file, status, &why);
	file->reason = str_from(error_text(&why));
	if (status == PA_OK)
		return keep_result(file, err);
	if (status == PA_REJECTED || clock_now_ns() >= file->expires_ns)
		return keep_nothing(file, err);
	return keep_for_later(file, clock_now_ns() + back_off_ns(file->tries), err);
}

/* ---- the thread ---- */

static size_t own_channels(const struct fetcher *fetcher, struct arena *arena, int16_t **ret)
{
	const struct channels *channels = fetcher->options.channels;
	size_t count = 0;

	*ret = ARENA_ARRAY(arena, int16_t, channels->count);
	for (size_t i = 0; i < channels->count; i++) {
		const struct channel *channel = &channels->list[i];

		/* The keeper numbers them before it takes the first lease. */
		if (channel_is_leased(channel) && channel->ops->download &&
		    !atomic_load(&channel->is_disabled))
			(*ret)[count++] = channel->number;
	}
	return count;
}

static bool connect_store(struct fetcher *fetcher, pa_error *err)
{
	static const char *const sets[] = {"files", "turn", NULL};

	if (fetcher->db && db_is_alive(fetcher->db))
		return true;
	db_close(fetcher->db);
	fetcher->db = NULL;
	return queue_connect(fetcher->options.database, "proaltod files", sets, &fetcher->db,
			     err) == PA_OK;
}

/* PA_OK: there may be more; PA_DEADLINE: nothing is due. */
static pa_status work_off_one(struct fetcher *fetcher, pa_error *err)
{
	struct arena *arena PA_CLEANUP(arena_done) = arena_new(FILE_ARENA_CAP);
	struct kept_file file PA_CLEANUP(kept_file_done) = {.fd = -1, .clean = -1, .arena = arena};
	struct fetching f = {.fetcher = fetcher, .file = &file};
	int16_t *channels;
	size_t count = own_channels(fetcher, arena, &channels);
	pa_str claim;
	pa_status status;

	if (!count || !keyring_is_ready(fetcher->options.ring))
		return PA_DEADLINE;
	if (!connect_store(fetcher, err))
		return PA_RETRY;
	file.db = fetcher->db;
	file.ring = fetcher->options.ring;
	file.node = writer_node(fetcher->options.writer);
	status = keep_claim(&file, channels, count, &claim, err);
	if (status != PA_OK)
		return status;
	f.channel = channel_by_number(fetcher->options.channels,
				      conversation_channel(file.conversation));
	if (!file.contact || !f.channel || !claim_unpack(claim, &f.media_id, &f.sha256))
		return keep_nothing(&file, err);
	file.fd = memfd_create("file", MFD_CLOEXEC);
	if (file.fd < 0)
		return error_set(err, PA_RETRY, "no room for a file: %s", strerrordesc_np(errno));
	status = take(&f, err);
	if (status == PA_OK && file.has_told)
		fetcher->options.told(fetcher->options.arg);
	return status;
}

static void *fetcher_main(void *arg)
{
	struct fetcher *fetcher = arg;

	while (!atomic_load(&fetcher->is_stopping)) {
		pa_error err = ERROR_INIT;
		pa_status status = work_off_one(fetcher, &err);

		if (status == PA_OK)
			continue;
		if (status != PA_DEADLINE && complaint_note(&fetcher->complaint, error_text(&err)))
			log_warning(LOG_NO_IDS, "files wait: %s", error_text(&err));
		mailbox_take(&fetcher->box, clock_monotonic_ns() + PAUSE_NS);
	}
	db_close(fetcher->db);
	return NULL;
}

struct fetcher *fetcher_new(const struct fetcher_options *options)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		abort();
	fetcher->options = *options;
	mailbox_init(&fetcher->box);
	complaint_init(&fetcher->complaint);
	if (pthread_create(&fetcher->thread, NULL, fetcher_main, fetcher) != 0)
		abort();
	pthread_setname_np(fetcher->thread, "files");
	return fetcher;
}

void fetcher_poke(struct fetcher *fetcher)
{
	mailbox_poke(&fetcher->box);
}

void fetcher_stop(struct fetcher *fetcher)
{
	atomic_store(&fetcher->is_stopping, true);
	mailbox_poke(&fetcher->box);
	pthread_join(fetcher->thread, NULL);
}

void fetcher_free(struct fetcher *fetcher)
{
	mailbox_done(&fetcher->box);
	complaint_done(&fetcher->complaint);
	free(fetcher);
}
