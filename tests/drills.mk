# What goes wrong in a house, played under load: too slow for make check, together under six minutes.
#
#   make drills    each closes like a suite; logs are in build/log
#   make soak      500,000 turns, 200 reloads, 50 restarts of PostgreSQL: what grows meanwhile (SOAK=...)
drill = "$(LISTED) tests/integration/$(1)"
DRILLS = $(call drill,drills.py postgres_away) $(call drill,failover.py) $(call drill,edge.py) \
	$(call drill,node_drills.py killed_in_turns) $(call drill,node_drills.py clock_jumps) \
	$(call drill,drills.py token_expired adapter_crashes disk_full) $(call drill,soak.py) \
	$(call drill,doctor.py drills) $(call drill,rotation.py) $(call drill,backup.py) \
	$(call drill,nodes.py drained_under_load drained_with_a_code_in_line drained_with_a_turn_that_lasts)
SOAK ?= 500000 200 50

.PHONY: drills soak
drills:
	@PACKAGES='$(PACKAGES)' tests/support/install $(PACKAGE_LISTS) tests/drills-packages
	@$(MAKE) --no-print-directory $(HOUSE)
	@tests/run-tests -t 360 -j 2 -l $(CHECK_LOG) $(DRILLS)

soak:
	@$(MAKE) --no-print-directory $(HOUSE)
	@$(LISTED) tests/integration/soak.py $(SOAK)
