# make package: the Debian packages as somebody will get them. Needs .ci/packages.
.PHONY: package package-manuals package-reproducible
package: deb package-manuals package-reproducible

package-manuals: $(MANUALS)
	@mandoc -T lint -W warning $(MANUALS)
	@echo "ok - mandoc has nothing to say of $(words $(MANUALS)) manual pages"

package-reproducible: deb
	@tests/package/reproducible '$(DEB_B)'
