# make install DESTDIR=: what the package takes. The configuration is installed only where there is
# none. PLUGINDIR and SHAREDIR come from the Makefile.
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
DOCDIR ?= $(PREFIX)/share/doc/proalto
SYSCONFDIR ?= /etc
# For demonstrations; a package of its own installs it.
INSTALL_PLUGINS := $(filter-out channel-simulator example,$(PLUGINS))

install-dir = install -d $(DESTDIR)$(1)
install-program = install -D -m 0755 $(1) $(DESTDIR)$(2)
install-file = install -D -m 0644 $(1) $(DESTDIR)$(2)

.PHONY: install install-programs install-data install-configuration
install: install-programs install-data install-configuration

install-programs: all
	$(call install-program,$(B)/proaltod,$(SBINDIR)/proaltod)
	$(call install-program,$(B)/proaltoctl,$(BINDIR)/proaltoctl)
	$(call install-dir,$(PLUGINDIR))
	for name in $(INSTALL_PLUGINS); do \
		$(call install-file,$(B)/plugins/$$name.so,$(PLUGINDIR)/$$name.so) || exit 1; \
	done

install-data:
	$(call install-dir,$(INCLUDEDIR)/proalto)
	install -m 0644 plugins/include/proalto/*.h $(DESTDIR)$(INCLUDEDIR)/proalto/
	$(call install-dir,$(SHAREDIR)/sql/migrations)
	install -m 0644 sql/migrations/*.sql $(DESTDIR)$(SHAREDIR)/sql/migrations/
	$(call install-file,sql/roles.sql,$(SHAREDIR)/sql/roles.sql)
	$(call install-file,systemd/proalto.service,$(UNITDIR)/proalto.service)
	$(call install-file,systemd/proalto.sysusers,$(SYSUSERSDIR)/proalto.conf)
	for file in README.md $(wildcard docs/*.md); do \
		[ ! -e $$file ] || $(call install-file,$$file,$(DOCDIR)/$$file) || exit 1; \
	done

# It holds no secret: everybody may read it.
install-configuration:
	$(call install-dir,$(SYSCONFDIR)/proalto)
	[ -e $(DESTDIR)$(SYSCONFDIR)/proalto.conf ] || \
		install -m 0644 etc/proalto.conf $(DESTDIR)$(SYSCONFDIR)/proalto.conf
	for folder in flows texts; do \
		$(call install-dir,$(SYSCONFDIR)/proalto/$$folder) || exit 1; \
		for file in etc/$$folder/*; do \
			target=$(DESTDIR)$(SYSCONFDIR)/proalto/$$folder/$${file##*/}; \
			[ -e "$$target" ] || [ ! -e "$$file" ] || install -m 0644 "$$file" "$$target" || exit 1; \
		done; \
	done
