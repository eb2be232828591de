# The plugin contract's tests, and plugins linked into the programs.
#
#   make contract   the suite of tests/contract over every plugin in build/plugins
#   make abi        the headers alone, as C11, C17 and C++17, and the frozen layout
#   make STATIC=1   plugins inside the programs instead of shared objects (sanitizers, valgrind)

# ---- fixtures: plugins of test_host, most of which must be refused ----------------------------------
FIXTURE_SRC := $(wildcard tests/support/plugins/*.c)
FIXTURES := $(FIXTURE_SRC:tests/support/plugins/%.c=$(B)/tests/plugins/%.so)

$(B)/tests/plugins/%.so: tests/support/plugins/%.c $(wildcard tests/support/plugins/*.h) $(B)/obj/flags
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) -D_GNU_SOURCE -Iplugins/include $(filter-out -DPROALTO_STATIC,$(CFLAGS_ALL)) -fPIC -shared $(LDFLAGS_ALL) -o $@ $<

$(B)/tests/unit/test_host: | $(FIXTURES)

# ---- plugins linked into the programs ----------------------------------------------------------------
# Each plugin becomes one object whose only global symbol is its descriptor, so that two plugins may
# use the same names inside.
ifdef STATIC
CFLAGS_ALL += -DPROALTO_STATIC
static-ident = $(subst -,_,$(1))
STATIC_OBJ := $(PLUGINS:%=$(B)/static/%.o) $(B)/static/table.o

define static-rules
$(B)/static/$(1).o: $(call obj,$(call plugin-src,$(1)))
	@mkdir -p $$(@D)
	$(Q)$$(LD) -r -o $$@.all $$^
	$(Q)objcopy --keep-global-symbol=proalto_plugin_$(call static-ident,$(1)) $$@.all $$@
	@rm -f $$@.all
endef
$(foreach p,$(PLUGINS),$(eval $(call static-rules,$(p))))

$(B)/static/table.c: tests/contract.mk plugins
	@mkdir -p $(@D)
	@{ echo '#include <proalto/plugin.h>'; \
	$(foreach p,$(PLUGINS),echo 'extern const pa_plugin proalto_plugin_$(call static-ident,$(p));';) \
	echo 'extern const pa_plugin *const host_static_plugins[];'; \
	echo 'const pa_plugin *const host_static_plugins[] = {'; \
	$(foreach p,$(PLUGINS),echo '&proalto_plugin_$(call static-ident,$(p)),';) \
	echo '0};'; } >$@
$(B)/static/table.o: $(B)/static/table.c
	$(Q)$(CC) -Iplugins/include $(CFLAGS_ALL) -fPIE -c -o $@ $<

$(B)/proaltod: $(STATIC_OBJ)
LDLIBS += $(if $(strip $(foreach p,$(PLUGINS),$(call plugin-pkgs,$(p)))),$(shell pkg-config --libs \
	$(sort $(foreach p,$(PLUGINS),$(call plugin-pkgs,$(p))))))
endif

# ---- the checker -------------------------------------------------------------------------------------
CHECK_SRC := $(wildcard tests/contract/*.c) tests/support/fake_host.c
$(B)/proalto-plugin-check: $(call obj,$(CHECK_SRC)) $(B)/libproaltod.a
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS)

# Settings for plugins whose defaults don't suffice, and bodies to begin from, by the plugin's name.
check-settings = $(addprefix -s ,$(wildcard tests/contract/settings/$(1).conf))
check-bodies = $(addprefix -b ,$(wildcard tests/contract/bodies/$(1)/*))

.PHONY: contract contract-itself contract-guide
contract: contract-itself contract-guide $(PLUGINS:%=contract-%)

# The suite must see what is wrong with the careless plugin, and nothing wrong with the sound one.
contract-itself: $(B)/proalto-plugin-check $(FIXTURES)
	@for fixture in sound careless leave crash; do \
		$(B)/proalto-plugin-check $(B)/tests/plugins/$$fixture.so; done | \
		sed -n 's,$(B)/tests/,,; /ok/p' | grep -v '^#' | \
		diff tests/contract/itself.expected - && echo "ok - the suite sees what is wrong"

# The plugin that docs/plugin.md shows, compiled from its very lines.
$(B)/tests/guide/scan-magic.so: docs/plugin.md $(B)/obj/flags
	@mkdir -p $(@D)
	@sed -n '/^```c$$/,/^```$$/p' $< | sed '/^```/d' >$(@D)/scan-magic.c
	$(Q)$(CC) -Iplugins/include $(filter-out -DPROALTO_STATIC,$(CFLAGS_ALL)) -fPIC -shared $(LDFLAGS_ALL) -o $@ $(@D)/scan-magic.c
contract-guide: $(B)/proalto-plugin-check $(B)/tests/guide/scan-magic.so
	@$(B)/proalto-plugin-check $(B)/tests/guide/scan-magic.so

.PHONY: $(PLUGINS:%=contract-%)
$(PLUGINS:%=contract-%): contract-%: $(B)/proalto-plugin-check $(B)/plugins/%.so
	@$(B)/proalto-plugin-check $(call check-settings,$*) $(call check-bodies,$*) $(B)/plugins/$*.so

# ---- the headers -------------------------------------------------------------------------------------
HEADERS := $(wildcard plugins/include/proalto/*.h)
ABI_FLAGS := -Iplugins/include -Wall -Wextra -Wpedantic -Werror -Wconversion -Wshadow -fsyntax-only

.PHONY: abi
abi:
	@for header in $(notdir $(HEADERS)); do \
		for language in c:c11 c:c17 c++:c++17; do \
			printf '#include <proalto/%s>\n' $$header | $(CC) $(ABI_FLAGS) \
				-x $${language%%:*} -std=$${language##*:} - || exit 1; \
		done; \
	done
	@for language in c:c11 c:c17 c++:c++17; do \
		$(CC) $(ABI_FLAGS) -x $${language%%:*} -std=$${language##*:} tests/abi/layout.c || exit 1; \
	done
	@echo "ok - $(words $(HEADERS)) headers stand alone in C11, C17 and C++17; the layout is that of major 1"
