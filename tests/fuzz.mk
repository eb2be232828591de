# Fuzzing with libFuzzer, under AddressSanitizer and UndefinedBehaviorSanitizer. Needs clang.
#
#   make fuzz-build                    every tests/fuzz/fuzz_NAME.c
#   make fuzz FUZZ_SECONDS=30          each of them so long, from tests/fuzz/corpus/NAME
#   make fuzz-replay                   only what is in the corpora
#   ... FUZZ="whatsapp_webhook x y"    only these
#
# A new target is a new file and a folder with its corpus, nothing else. It is linked with the
# daemon, all plugins (linked in: proalto_plugin_NAME) and tests/support; what is not used stays
# out. What a run finds beyond the corpus is kept in build/fuzz/corpus, what breaks in
# build/fuzz/found: put a file that broke something into the corpus with its repair.
FUZZ_B ?= build/fuzz
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 30
FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SANITIZE := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
# A program that hangs for 10 s on one input, or wants 2 GB, is broken.
FUZZ_LIMITS := -timeout=10 -rss_limit_mb=2048 -max_len=16384

.PHONY: fuzz-build fuzz fuzz-replay
fuzz-build:
	$(Q)$(MAKE) --no-print-directory B='$(FUZZ_B)' CC='$(FUZZ_CC)' SANITIZE='$(FUZZ_SANITIZE)' \
		OPT='-O1 -g' WERROR= STATIC=1 FUZZING=1 FUZZ='$(FUZZ)' fuzz-programs

fuzz: fuzz-build
	@mkdir -p $(FUZZ_B)/found
	@for name in $(FUZZ); do \
		mkdir -p $(FUZZ_B)/corpus/$$name; \
		echo "  FUZZ    $$name, $(FUZZ_SECONDS) s"; \
		$(FUZZ_B)/tests/fuzz/fuzz_$$name $(FUZZ_LIMITS) -max_total_time=$(FUZZ_SECONDS) \
			-verbosity=0 -print_final_stats=1 -artifact_prefix=$(FUZZ_B)/found/$$name- \
			$(FUZZ_B)/corpus/$$name tests/fuzz/corpus/$$name || exit 1; \
	done

fuzz-replay: fuzz-build
	@for name in $(FUZZ); do \
		count=$$(ls tests/fuzz/corpus/$$name 2>/dev/null | wc -l); \
		[ $$count -gt 0 ] || { echo "tests/fuzz/corpus/$$name is empty"; exit 1; }; \
		$(FUZZ_B)/tests/fuzz/fuzz_$$name $(FUZZ_LIMITS) -runs=0 -verbosity=0 \
			tests/fuzz/corpus/$$name || exit 1; \
		echo "ok - fuzz_$$name: $$count inputs"; \
	done

ifdef FUZZING
FUZZ_PROGRAMS := $(FUZZ:%=$(B)/tests/fuzz/fuzz_%)
# script_turn.c stands for the turn itself, which is what is fuzzed here.
FUZZ_SUPPORT := $(call obj,$(filter-out %/script_turn.c,$(wildcard tests/support/*.c)))

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

$(B)/libsupport.a: $(FUZZ_SUPPORT)
	@rm -f $@
	@ar rcs $@ $^

$(B)/libplugins.a: $(STATIC_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(B)/tests/fuzz/fuzz_inspect: $(B)/libinspect.a
$(B)/tests/fuzz/fuzz_inspect: LDLIBS += $(INSPECT_LIBS)

$(FUZZ_PROGRAMS): $(B)/%: $(B)/obj/%.o $(B)/libsupport.a $(B)/libplugins.a $(B)/libproaltod.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -fsanitize=fuzzer -pie $(LDFLAGS_ALL) -o $@ $< \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
endif
