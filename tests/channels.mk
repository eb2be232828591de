# The unit tests of the channels over HTTP link the plugin's own objects and the fake host.
WHATSAPP_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_channel_whatsapp*.c))
SMS_HTTP_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_channel_sms_http*.c))
CHANNEL_RIG := $(call obj,tests/support/channel_rig.c tests/support/fake_host.c)

$(WHATSAPP_TESTS): $(call obj,$(call plugin-src,channel-whatsapp)) $(CHANNEL_RIG)
$(WHATSAPP_TESTS): $(call obj,tests/support/whatsapp_rig.c tests/support/event_json.c)
$(SMS_HTTP_TESTS): $(call obj,$(call plugin-src,channel-sms-http)) $(CHANNEL_RIG)
# The rig needs the daemon's library, which make puts before it.
$(WHATSAPP_TESTS) $(SMS_HTTP_TESTS): private LDLIBS = $(B)/libproaltod.a $(PKG_LIBS) -pthread -ldl -lm
