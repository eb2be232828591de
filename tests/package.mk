# make package: the Debian packages as somebody will get them. As root, with .ci/packages; several
# minutes, of which the first time takes two more for a bare system under $(B)/package.
.PHONY: package package-manuals package-contents package-boot package-piuparts package-reproducible
package: package-manuals package-contents package-boot package-piuparts package-reproducible

package-manuals: $(MANUALS) $(B)/proaltoctl
	@mandoc -T lint -W warning $(MANUALS)
	@for name in $$($(B)/proaltoctl --help | sed -n 's/^  proaltoctl \([a-z-]*\).*/\1/p'); do \
		grep -q "^\.It Cm $$name\b" docs/man/proaltoctl.1 || \
			{ echo "not ok - proaltoctl(1) does not tell of $$name"; exit 1; }; \
	done
	@echo "ok - mandoc has nothing to say of $(words $(MANUALS)) manual pages"

package-contents: deb
	@echo "ok - lintian has nothing to say of the packages"
	@tests/package/contents '$(DEB_B)'

package-boot: deb peers
	@tests/package/boot '$(DEB_B)' '$(B)' inside
	@tests/package/boot '$(DEB_B)' '$(B)' upgrade

# In the bare system that package-boot has made, without systemd running.
package-piuparts: package-boot
	@if [ ! -d '$(B)/package/base' ]; then \
		echo "ok - piuparts # skip there is no bare system"; \
	elif piuparts -e '$(B)/package/base' -d bookworm --keep-sources-list --no-eatmydata --no-upgrade-test \
		--skip-minimize '$(DEB_B)'/proalto_*.deb '$(DEB_B)'/proalto-simulator_*.deb \
		'$(DEB_B)'/proalto-dev_*.deb >'$(B)/package/piuparts.log' 2>&1; then \
		echo "ok - piuparts: what is installed and purged leaves nothing"; \
	else \
		tail -n 30 '$(B)/package/piuparts.log'; echo "not ok - piuparts"; exit 1; \
	fi

package-reproducible: deb
	@tests/package/reproducible '$(DEB_B)'
