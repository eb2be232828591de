# make lint: format, house rules, static analysis; under three minutes, and only what changed since
# the last time for the slow part.
#
#   make lint-format   clang-format has nothing to change
#   make lint-rules    layers, foreign headers, banned calls, lengths (tests/lint/rules.awk)
#   make lint-cppcheck cppcheck's warnings, portability and performance
#   make lint-tidy     clang-tidy with .clang-tidy, a stamp a file under build/tidy
LINT_SRC = $(shell find daemon plugins -name '*.[ch]' | sort)
LINT_FORMAT = $(LINT_SRC) $(shell find tests -name '*.[ch]' | sort)
TIDY_SRC = $(filter %.c,$(LINT_SRC))

.PHONY: lint lint-format lint-rules lint-cppcheck lint-tidy
lint: lint-format lint-rules lint-cppcheck lint-tidy

lint-format:
	@echo "  LINT    format"
	@clang-format --dry-run -Werror $(LINT_FORMAT)

lint-rules:
	@echo "  LINT    rules"
	@awk -f tests/lint/rules.awk $(LINT_FORMAT)

# Macros of the build stand for themselves; unknown includes are the libraries'.
lint-cppcheck: $(GEN_HDR)
	@echo "  LINT    cppcheck"
	@cppcheck --quiet --enable=warning,portability,performance --std=c11 --inline-suppr \
		--suppress=missingIncludeSystem --error-exitcode=1 -D_GNU_SOURCE -Idaemon \
		-Iplugins/include -I$(B)/gen daemon plugins

tidy-pkgs = $(if $(filter plugins/%,$(1)),$(call plugin-pkgs,$(word 2,$(subst /, ,$(1)))),$(PKGS))
lint-tidy: $(TIDY_SRC:%=$(B)/tidy/%.ok)
$(B)/tidy/%.c.ok: %.c .clang-tidy $(filter %.h,$(LINT_SRC)) | $(GEN_HDR)
	@mkdir -p $(@D)
	@echo "  TIDY    $<"
	@clang-tidy --quiet $< -- $(CPPFLAGS) -std=c17 \
		$(if $(call tidy-pkgs,$<),$(shell pkg-config --cflags $(call tidy-pkgs,$<))) \
		>$@.log 2>&1 || { grep -v 'warnings generated' $@.log; exit 1; }
	@touch $@
