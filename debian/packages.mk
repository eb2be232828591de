# make deb: the packages, under build/deb, with what lintian says of them. They are made from a copy of
# the sources, since dpkg writes among them; its folder leaves no trace in them.
#
#	DEB_B=FOLDER   where to build instead of build/deb
#
# make deb-bundle KEY=...: one signed archive with the packages and all that they need, for a server
# without a network.
DEB_B ?= build/deb
LINTIAN ?= lintian

.PHONY: deb
deb:
	@[ '$(VERSION)' = "$$(dpkg-parsechangelog -S Version)" ] || \
		{ echo "Makefile and debian/changelog name different versions"; exit 1; }
	@rm -rf '$(DEB_B)'
	@mkdir -p '$(DEB_B)/proalto'
	@tar -c --exclude-vcs --exclude='./build' --exclude='./build-*' --exclude=__pycache__ . | \
		tar -x -C '$(DEB_B)/proalto'
	@cd '$(DEB_B)/proalto' && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		DEB_BUILD_OPTIONS="parallel=$$(nproc)" dpkg-buildpackage -us -uc -b >../build.log 2>&1 || \
		{ tail -n 30 ../build.log; exit 1; }
	@rm -rf '$(DEB_B)/proalto'
	@$(LINTIAN) --fail-on error,warning --allow-root '$(DEB_B)'/*.changes
	@ls '$(DEB_B)'/*.deb

.PHONY: deb-bundle
deb-bundle: deb
	@debian/bundle '$(DEB_B)' '$(KEY)'
