# proaltod with a turn that does what customers tell it (tests/support/script_turn.c), in a build
# directory of its own beside the usual parts, for tests/integration/scripted.py.
SCRIPTED := $(B)/tests/scripted

$(SCRIPTED)/proaltod: $(B)/obj/daemon/main.o $(B)/obj/tests/support/script_turn.o $(B)/libproaltod.a
	@mkdir -p $(@D)/tests
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS)
	$(Q)ln -sfn ../../plugins $(@D)/plugins
	$(Q)ln -sfn ../../proaltoctl $(@D)/proaltoctl
	$(Q)ln -sfn ../../peers $(@D)/tests/peers

.PHONY: check-scripted
check-scripted: $(SCRIPTED)/proaltod $(B)/proaltoctl $(PLUGINS:%=$(B)/plugins/%.so) peers
	$(Q)B='$(B)' tests/integration/scripted.py
