# What goes wrong in a house, played under load: too slow for make check, together under six minutes.
#
#   make drills    each closes like a suite; logs are in build/log
drill = "$(LISTED) tests/integration/$(1)"
DRILLS = $(call drill,drills.py postgres_away) $(call drill,failover.py) $(call drill,edge.py) \
	$(call drill,drills.py disk_full) $(call drill,doctor.py drills) $(call drill,rotation.py) \
	$(call drill,backup.py) $(call drill,nodes.py drained_under_load)

.PHONY: drills
drills:
	@PACKAGES='$(PACKAGES)' tests/support/install $(PACKAGE_LISTS) tests/drills-packages
	@$(MAKE) --no-print-directory $(HOUSE)
	@tests/run-tests -t 360 -j 2 -l $(CHECK_LOG) $(DRILLS)
