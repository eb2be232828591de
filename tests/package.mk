# make package: the Debian packages as somebody will get them. As root, with .ci/packages; several
# minutes, of which the first time takes two more for a bare system under $(B)/package.
.PHONY: package package-manuals package-contents package-boot package-reproducible
package: package-manuals package-contents package-boot package-reproducible

package-manuals: $(MANUALS)
	@mandoc -T lint -W warning $(MANUALS)
	@echo "ok - mandoc has nothing to say of $(words $(MANUALS)) manual pages"

package-contents: deb
	@echo "ok - lintian has nothing to say of the packages"
	@tests/package/contents '$(DEB_B)'

package-boot: deb peers
	@tests/package/boot '$(DEB_B)' '$(B)'

package-reproducible: deb
	@tests/package/reproducible '$(DEB_B)'
