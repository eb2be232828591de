# Measurements: docs/performance.md says what they mean. Nothing here is a test.
BENCH := env B='$(B)' /usr/bin/python3 tests/bench/run.py

GROWTH = $(BENCH) --script tests/bench/menu.txt --rate 2000 --repeat 1

.PHONY: bench
bench: all peers
	@PACKAGES='$(PACKAGES)' tests/support/install etc/demo/packages tests/bench/packages
	@echo "menu, Graph at 0 ms"; $(BENCH) --script tests/bench/menu.txt --rate 3000
	@echo "menu, Graph at 50 ms"; $(BENCH) --script tests/bench/menu.txt --rate 3000 --latency-ms 50
	@echo "menu, 20 a second"; $(BENCH) --script tests/bench/menu.txt --rate 20 --customers 2000
	@echo "identity and balance"; $(BENCH) --rate 1500
	@echo "ten thousand conversations"; $(GROWTH) --conversations 10000
	@echo "two million conversations"; $(GROWTH) --conversations 2000000
	@echo "look-ups"; env B='$(B)' /usr/bin/python3 tests/bench/lookup.py
	@echo "start, and idle"; env B='$(B)' /usr/bin/python3 tests/bench/start.py
	@echo "the rival"; env B='$(B)' /usr/bin/python3 tests/bench/rival.py
