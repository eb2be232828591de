# make check-unit: the units as systemd reads them, and a ceiling for what they leave open.
# systemd-analyze's exposure, times ten
SECURITY_CEILING := 15
UNITS := proalto.service proalto.socket proalto@.service proalto-backup.service proalto-backup.timer

.PHONY: check-unit
check-unit: $(B)/systemd/proalto@.service
	@mkdir -p $(B)/systemd/read
	@# The programs are not installed here: any that exist stand for them.
	@for unit in $(UNITS); do \
		file=systemd/$$unit; [ -e $$file ] || file=$(B)/systemd/$$unit; \
		sed 's|^\(Exec[A-Za-z]*=\)/usr/s*bin/proalto[a-z]*|\1/bin/true|' $$file >$(B)/systemd/read/$$unit; \
	done
	@# An instance, for a template can't be looked at.
	@cp $(B)/systemd/read/proalto@.service $(B)/systemd/read/proalto@one.service
	@# What it doesn't understand it only mentions.
	@for unit in proalto.service proalto.socket proalto@one.service proalto-backup.service proalto-backup.timer; do \
		said=$$(systemd-analyze verify --man=no $(B)/systemd/read/$$unit 2>&1); \
		[ -z "$$said" ] || { echo "$$said"; exit 1; }; \
	done
	@for unit in proalto.service proalto@one.service proalto-backup.service; do \
		systemd-analyze security --offline=true --threshold=$(SECURITY_CEILING) --no-pager \
			$(B)/systemd/read/$$unit >$(B)/systemd/security.log || \
			{ grep -v '^✓' $(B)/systemd/security.log; exit 1; }; \
	done
	@! grep -q '/proalto\.conf\|proalto\.socket\|RuntimeDirectory=proalto$$' $(B)/systemd/proalto@.service || \
		{ echo "the template names what is the first daemon's"; exit 1; }
	@systemd-sysusers --dry-run $(CURDIR)/systemd/proalto.sysusers >$(B)/systemd/sysusers.log 2>&1
	@echo "ok - the units are understood and confined"
