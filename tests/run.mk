# The demonstration: see etc/demo/run. Nothing is built here, for the compiler may still be missing.
PORT ?= 8765
PACKAGES ?= yes

.PHONY: run
run:
	@B='$(B)' CC='$(CC)' PORT='$(PORT)' PACKAGES='$(PACKAGES)' etc/demo/run
