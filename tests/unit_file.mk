# make check-unit: the service file as systemd reads it, and a ceiling for what it leaves open.
# systemd-analyze's exposure, times ten
SECURITY_CEILING := 20
.PHONY: check-unit
check-unit:
	@mkdir -p $(B)/systemd
	@# The programs are not installed here: any that exist stand for them.
	@sed 's|^\(Exec[A-Za-z]*=\)/usr/s*bin/proalto[a-z]*|\1/bin/true|' systemd/proalto.service >$(B)/systemd/proalto.service
	@# What it doesn't understand it only mentions.
	@said=$$(systemd-analyze verify --man=no $(B)/systemd/proalto.service 2>&1); \
		[ -z "$$said" ] || { echo "$$said"; exit 1; }
	@systemd-analyze security --offline=true --threshold=$(SECURITY_CEILING) --no-pager \
		$(B)/systemd/proalto.service >$(B)/systemd/security.log || \
		{ grep -v '^✓' $(B)/systemd/security.log; exit 1; }
	@systemd-sysusers --dry-run $(CURDIR)/systemd/proalto.sysusers >$(B)/systemd/sysusers.log 2>&1
	@echo "ok - the service file is understood and confined"
