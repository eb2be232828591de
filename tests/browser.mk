# The simulator's page in a real browser (chromium and chromedriver), and what the simulator's tests
# are made of.

SIMULATOR_OBJ := $(call obj,$(call plugin-src,channel-simulator))
SIMULATOR_LIBS = $(shell pkg-config --libs $(call plugin-pkgs,channel-simulator))

# .incbin is invisible to the compiler's dependency files.
$(B)/obj/plugins/channel-simulator/page_files.o: $(wildcard $(addprefix \
	plugins/channel-simulator/,*.html *.css *.js *.svg))

$(B)/tests/unit/test_channel_simulator $(B)/tests/unit/test_simulator_messages: $(addprefix \
	$(B)/obj/tests/browser/,simulator_rig.o session_fake.o raw_http.o) $(SIMULATOR_OBJ)

$(B)/tests/unit/test_simulator_options: $(B)/obj/tests/browser/session_fake.o $(SIMULATOR_OBJ)

$(B)/tests/unit/test_simulator_limits: $(B)/obj/plugins/channel-simulator/limits.o

$(B)/tests/browser/demo_bot: $(B)/obj/tests/browser/demo_bot.o \
	$(B)/obj/tests/browser/session_fake.o $(SIMULATOR_OBJ)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ $(SIMULATOR_LIBS) -pthread

# Against a running simulator: make browser URL=http://127.0.0.1:8765/
# Without URL: against demo_bot.
.PHONY: browser
browser: $(if $(URL),,$(B)/tests/browser/demo_bot)
	$(Q)python3 -B tests/browser/chat_test.py $(if $(URL),--url '$(URL)',--bot $(B)/tests/browser/demo_bot)
