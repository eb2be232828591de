# make install DESTDIR=: what the packages hold (debian/*.install says which holds what). Nothing goes
# to /etc: what the house decides is written by the house, from the sample in SHAREDIR.
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
PKGCONFIGDIR ?= $(PREFIX)/share/pkgconfig
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
# example is there to be copied, not to be loaded.
INSTALL_PLUGINS := $(filter-out example,$(PLUGINS))

install-program = install -D -m 0755 $(1) $(DESTDIR)$(2)
install-file = install -D -m 0644 $(1) $(DESTDIR)$(2)
# $(call install-files,FILES,DIRECTORY)
install-files = install -d $(DESTDIR)$(2) && install -m 0644 $(1) $(DESTDIR)$(2)

.PHONY: install install-programs install-data install-units install-manuals install-development
install: install-programs install-data install-units install-manuals install-development

install-programs: all
	$(call install-program,$(B)/proaltod,$(SBINDIR)/proaltod)
	$(call install-program,$(B)/proaltoctl,$(BINDIR)/proaltoctl)
	$(call install-program,$(B)/proalto-inspect,$(PREFIX)/lib/proalto/proalto-inspect)
	$(call install-files,$(INSTALL_PLUGINS:%=$(B)/plugins/%.so),$(PLUGINDIR))

install-data:
	$(call install-file,etc/proalto.conf,$(SHAREDIR)/proalto.conf)
	$(call install-files,$(wildcard etc/flows/*),$(SHAREDIR)/flows)
	$(call install-files,$(wildcard etc/texts/*),$(SHAREDIR)/texts)
	$(call install-files,$(wildcard sql/migrations/*.sql),$(SHAREDIR)/sql/migrations)
	$(call install-file,sql/roles.sql,$(SHAREDIR)/sql/roles.sql)
	$(call install-files,$(wildcard sql/rollback/*.sql),$(SHAREDIR)/sql/rollback)
	$(call install-files,$(wildcard sql/demo/*.sql),$(SHAREDIR)/sql/demo)
	$(call install-file,etc/backend-postgres.demo.conf,$(SHAREDIR)/demo/backend-postgres.demo.conf)
	$(call install-file,etc/demo/proalto.conf.in,$(SHAREDIR)/demo/proalto.conf.in)
	$(call install-file,etc/demo/house.sh,$(SHAREDIR)/demo/house.sh)
	$(call install-program,etc/demo/installed,$(SHAREDIR)/demo/run)

# The template is the service itself with the instance's name in it, and without a socket: an instance
# opens the port of its own configuration.
$(B)/systemd/proalto@.service: systemd/proalto.service systemd/instance.sed
	@mkdir -p $(@D)
	$(Q)sed -f systemd/instance.sed $< >$@

install-units: $(B)/systemd/proalto@.service
	$(call install-files,systemd/proalto.service systemd/proalto.socket \
		systemd/proalto-backup.service systemd/proalto-backup.timer \
		systemd/proalto-maintenance.service systemd/proalto-maintenance.timer $<,$(UNITDIR))
	$(call install-file,systemd/proalto.sysusers,$(SYSUSERSDIR)/proalto.conf)

# What the keys mean, the daemon itself says.
$(B)/man/proalto.conf.5: docs/man/proalto.conf.5.in docs/man/keys.awk $(B)/proaltod
	@mkdir -p $(@D)
	$(Q)LC_ALL=C $(B)/proaltod --options | awk -f docs/man/keys.awk - $< >$@

MANUALS := $(wildcard docs/man/*.[1-8]) $(B)/man/proalto.conf.5
install-manuals: $(MANUALS)
	for page in $(MANUALS); do \
		$(call install-file,$$page,$(MANDIR)/man$${page##*.}/$${page##*/}) || exit 1; \
	done

# For authors of plugins.
install-development: $(B)/proalto-plugin-check
	$(call install-program,$(B)/proalto-plugin-check,$(BINDIR)/proalto-plugin-check)
	$(call install-files,$(wildcard plugins/include/proalto/*.h),$(INCLUDEDIR)/proalto)
	install -d $(DESTDIR)$(PKGCONFIGDIR)
	printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$(INCLUDEDIR)' 'plugindir=$(PLUGINDIR)' '' \
		'Name: proalto-plugin' 'Description: Contract of the plugins of proaltod' \
		'Version: $(VERSION)' 'Cflags: -I$${includedir}' \
		>$(DESTDIR)$(PKGCONFIGDIR)/proalto-plugin.pc
