# make compliance: docs/compliance.md names every requirement, and only tests that exist.
.PHONY: compliance
compliance:
	@python3 -B tests/compliance.py
