# The suites together.
#
#   make check     installs what it needs, builds, and runs everything that is quick (minutes)
#   make asan      the same suites under AddressSanitizer and UndefinedBehaviorSanitizer
#   make tsan      ... and under ThreadSanitizer
#   make kills     100 kills at random instants under load (KILLS=...); a provider away for a minute
#
# Each closes with one line, "N passed, N failed, N skipped"; logs are in build/log.
KILLS ?= 100
CHECK_JOBS ?= $(shell nproc)
CHECK_LOG ?= $(B)/log
PACKAGE_LISTS := etc/demo/packages tests/packages
LISTED := env B='$(B)'

UNIT_TESTS := $(UNIT_SRC:%.c=$(B)/%)
# Other files name some of these: read late.
HOUSE = all peers $(FIXTURES) $(SCRIPTED)/proaltod

# What runs against the whole daemon, slowest first.
HOUSE_TESTS = tests/integration/trouble.py tests/integration/stuck.py tests/scenario/run.py tests/integration/intake.py \
	tests/integration/leaks.py tests/integration/metrics.py tests/integration/scripted.py tests/integration/start.py tests/integration/nodes.py \
	tests/integration/statements.py tests/integration/setup.py tests/integration/upkeep.py tests/integration/operations.py \
	tests/integration/doctor.py tests/integration/files.py
SUITES = $(foreach t,$(HOUSE_TESTS),"$(LISTED) $(t)") "$(LISTED) tests/integration/crash.py 10" \
	"$(LISTED) tests/integration/backup.py quick" \
	$(foreach t,$(UNIT_TESTS) $(CORE_TESTS),"$(t)")
# These look at the sources, or bring their own build.
STATIC_SUITES = $(foreach t,contract abi fuzz-replay check-unit compliance,"$(MAKE) --no-print-directory $(t)")

.PHONY: check check-build check-suites check-static
check:
	@PACKAGES='$(PACKAGES)' tests/support/install $(PACKAGE_LISTS)
	@$(MAKE) --no-print-directory WERROR=1 -j$(CHECK_JOBS) check-build
	@$(MAKE) --no-print-directory -j$(CHECK_JOBS) fuzz-build $(B)/proalto-plugin-check
	@$(MAKE) --no-print-directory WERROR=1 check-static

check-build:
	@$(MAKE) --no-print-directory $(HOUSE) $(UNIT_TESTS) $(CORE_TESTS)

# Three at a time on two cores: they mostly wait.
check-static:
	@tests/run-tests -t 600 -j 3 -l $(CHECK_LOG) $(SUITES) $(STATIC_SUITES)

check-suites:
	@tests/run-tests -t 1500 -j 2 -l $(CHECK_LOG) $(SUITES)

.PHONY: kills
kills:
	@$(MAKE) --no-print-directory $(HOUSE)
	@tests/run-tests -t 1200 -l $(CHECK_LOG) "$(LISTED) tests/integration/crash.py $(KILLS)" \
		"$(LISTED) OUTAGE_S=60 tests/integration/trouble.py 'down for a while'"

# ---- sanitizers ------------------------------------------------------------------------------------
# PATIENCE stretches what tests wait for. The daemon's own reports are looked for when a house ends.
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
TSAN_FLAGS := -fsanitize=thread -fno-omit-frame-pointer
ASAN_ENV := ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1 \
	UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/support/lsan.supp
TSAN_ENV := TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$(CURDIR)/tests/support/tsan.supp

sanitized = $(2) PATIENCE=6 $(MAKE) --no-print-directory B='$(3)' SANITIZE='$(1)' OPT='-O1 -g' \
	CFLAGS=-Wno-frame-larger-than

.PHONY: asan tsan
asan:
	@$(call sanitized,$(ASAN_FLAGS),env,build/asan) -j$(CHECK_JOBS) check-build
	@$(call sanitized,$(ASAN_FLAGS),env $(ASAN_ENV),build/asan) check-suites

tsan:
	@$(call sanitized,$(TSAN_FLAGS),env,build/tsan) -j$(CHECK_JOBS) check-build
	@$(call sanitized,$(TSAN_FLAGS),env $(TSAN_ENV),build/tsan) check-suites
