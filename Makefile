# proaltod: everything is built out of tree, under build/.
#
#   make                build the daemon, proaltoctl and the plugins
#   make run            a demonstration with a synthetic core, in the browser
#   make check          install what the tests need, build, test (under 10 minutes)
#   make lint           format, static analysis, layers
#   make asan|tsan      the tests under the sanitizers      make fuzz   short fuzzing
#   make bench          measurements (docs/performance.md)  make install DESTDIR=
#   make deb            the Debian packages, in build/deb
#
# CC=clang works. WERROR=1 turns warnings into errors (check and CI do). V=1 shows commands.

VERSION := 0.2.0
B ?= build
CC ?= gcc
Q := $(if $(V),,@)
PREFIX ?= /usr
PLUGINDIR ?= $(PREFIX)/lib/proalto/plugins
SHAREDIR ?= $(PREFIX)/share/proalto

cc-option = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Walloca -Wcast-qual -Wpointer-arith \
	-Wwrite-strings -Wundef -Wformat=2 -Wnull-dereference -Wimplicit-fallthrough -Wswitch-enum \
	-Wdouble-promotion -Wframe-larger-than=8192
WARNINGS += $(foreach w,-Wcast-align=strict -Wformat-signedness -Wduplicated-cond \
	-Wduplicated-branches -Wlogical-op,$(call cc-option,$(w)))
WARNINGS += $(if $(WERROR),-Werror)
HARDEN := -fstack-protector-strong -fno-common -fvisibility=hidden \
	$(foreach f,-fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero,$(call cc-option,$(f)))
SANITIZE ?=
FORTIFY := $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
OPT ?= -O2 -g

PKGS := libconfig libpq libmicrohttpd gnutls libcurl libsystemd jansson libsodium openssl libutf8proc
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PKGS))
# What opens customers' files is a program of its own, and the only one with these.
INSPECT_LIBS = $(shell pkg-config --libs libmagic libturbojpeg libpng libqpdf libseccomp)

CPPFLAGS += -D_GNU_SOURCE $(FORTIFY) -DPROALTO_VERSION='"$(VERSION)"' -Iplugins/include -Idaemon -I$(B)/gen
CFLAGS_ALL = -std=c17 $(OPT) $(WARNINGS) $(HARDEN) $(SANITIZE) $(CFLAGS)
LDFLAGS_ALL = -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed $(SANITIZE) $(LDFLAGS)
LDLIBS = $(PKG_LIBS) -pthread -ldl -lm

DAEMON_SRC := $(filter-out daemon/main.c daemon/ctl/% daemon/inspect/%,$(wildcard daemon/*.c daemon/*/*.c))
INSPECT_SRC := $(filter-out daemon/inspect/main.c,$(wildcard daemon/inspect/*.c))
CTL_SRC := $(wildcard daemon/ctl/*.c)
PLUGINS := $(patsubst plugins/%/,%,$(filter-out plugins/include/,$(wildcard plugins/*/)))
UNIT_SRC := $(wildcard tests/unit/test_*.c)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

# The libraries of a plugin: plugins/NAME/libs holds pkg-config names.
plugin-pkgs = $(shell cat plugins/$(1)/libs 2>/dev/null)
plugin-src = $(wildcard plugins/$(1)/*.c)

.DEFAULT_GOAL := all
.PHONY: all
all: $(B)/proaltod $(B)/proaltoctl $(B)/proalto-inspect $(PLUGINS:%=$(B)/plugins/%.so)

# ---- generated: every statement of sql/queries as data --------------------------------------------
SQL_FILES := $(wildcard sql/queries/*.sql)
MIGRATIONS := $(wildcard sql/migrations/*.sql)
$(B)/gen/sql_statements.h $(B)/gen/sql_statements.c &: sql/embed.awk $(SQL_FILES)
	@mkdir -p $(B)/gen
	$(Q)awk -v out=$(B)/gen/sql_statements -f sql/embed.awk $(SQL_FILES)
# ... and which schemas the daemon runs on.
include sql/schema.mk
$(B)/gen/schema_range.h: sql/schema.mk $(MIGRATIONS)
	@mkdir -p $(B)/gen
	$(Q)echo '$(lastword $(sort $(notdir $(MIGRATIONS))))' | awk '{ print "#define SCHEMA_OLDEST $(SCHEMA_OLDEST)"; \
		print "#define SCHEMA_NEWEST", $$0 + 0 }' >$@
GEN_HDR := $(B)/gen/sql_statements.h $(B)/gen/schema_range.h
GEN_OBJ := $(B)/gen/sql_statements.o
$(B)/gen/%.o: $(B)/gen/%.c
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -fPIE -c -o $@ $<

# ---- objects --------------------------------------------------------------------------------------
# The flags are part of what an object depends on.
$(B)/obj/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS_ALL)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS_ALL)' >$@
.PHONY: FORCE
FORCE:

$(B)/obj/daemon/%.o: daemon/%.c $(B)/obj/flags | $(GEN_HDR)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS_ALL) -fPIE -MMD -MP -c -o $@ $<

$(B)/obj/tests/%.o: tests/%.c $(B)/obj/flags | $(GEN_HDR)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) -Itests $(PKG_CFLAGS) $(CFLAGS_ALL) -fPIE -MMD -MP -c -o $@ $<

$(B)/libproaltod.a: $(call obj,$(DAEMON_SRC)) $(GEN_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(B)/proaltod: $(B)/obj/daemon/main.o $(B)/libproaltod.a
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS)

$(B)/proaltoctl: $(call obj,$(CTL_SRC)) $(B)/libproaltod.a
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS)

$(B)/libinspect.a: $(call obj,$(INSPECT_SRC))
	@rm -f $@
	@ar rcs $@ $^

$(B)/proalto-inspect: $(B)/obj/daemon/inspect/main.o $(B)/libinspect.a
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ $(INSPECT_LIBS)

# ---- plugins: shared objects that see plugins/include only ------------------------------------------
define plugin-rules
$(B)/obj/plugins/$(1)/%.o: plugins/$(1)/%.c $(B)/obj/flags
	@mkdir -p $$(@D)
	@echo "  CC      $$<"
	$(Q)$$(CC) -D_GNU_SOURCE $$(FORTIFY) -Iplugins/include $(if $(call plugin-pkgs,$(1)),$$(shell pkg-config --cflags $(call plugin-pkgs,$(1)))) $$(CFLAGS_ALL) -fPIC -MMD -MP -c -o $$@ $$<
$(B)/plugins/$(1).so: $(call obj,$(call plugin-src,$(1)))
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	$(Q)$$(CC) $$(CFLAGS_ALL) -shared $$(LDFLAGS_ALL) $(if $(SANITIZE),,-Wl$(comma)-z$(comma)defs) -o $$@ $$^ $(if $(call plugin-pkgs,$(1)),$$(shell pkg-config --libs $(call plugin-pkgs,$(1)))) -pthread
endef
comma := ,
$(foreach p,$(PLUGINS),$(eval $(call plugin-rules,$(p))))

# ---- unit tests: one program a file, against the daemon's own objects --------------------------------
$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(B)/libproaltod.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LDLIBS)

$(B)/tests/unit/test_sql: | $(B)/proaltoctl
$(B)/tests/unit/test_inspect: $(B)/libinspect.a | $(B)/proalto-inspect
$(B)/tests/unit/test_inspect: LDLIBS += $(INSPECT_LIBS) -lz

include systemd/install.mk debian/packages.mk
include $(wildcard tests/*.mk)

.PHONY: clean
clean:
	rm -rf $(B)

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
