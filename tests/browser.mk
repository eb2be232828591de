# The simulator's page in a real browser (chromium and chromedriver), and what the simulator's tests
# are made of.

SIMULATOR_OBJ := $(call obj,$(call plugin-src,channel-simulator))

# .incbin is invisible to the compiler's dependency files.
$(B)/obj/plugins/channel-simulator/page_files.o: $(wildcard $(addprefix \
	plugins/channel-simulator/,*.html *.css *.js *.svg))

$(B)/tests/unit/test_channel_simulator $(B)/tests/unit/test_simulator_messages: $(addprefix \
	$(B)/obj/tests/browser/,simulator_rig.o session_fake.o raw_http.o) $(SIMULATOR_OBJ)

$(B)/tests/unit/test_simulator_options: $(B)/obj/tests/browser/session_fake.o $(SIMULATOR_OBJ)

$(B)/tests/unit/test_simulator_limits: $(B)/obj/plugins/channel-simulator/limits.o

# What anybody can see of the main job, on a demonstration of its own (make run), which it ends.
# Against one that runs, and that nobody has written to yet: make browser URL=http://127.0.0.1:8765/
.PHONY: browser
browser:
	$(Q)B='$(B)' python3 -B tests/browser/chat_test.py $(if $(URL),--url '$(URL)')
