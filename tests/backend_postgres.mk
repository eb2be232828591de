# The integration tests of backend-postgres load the plugin and link nothing of the daemon; each
# brings a PostgreSQL of its own.
CORE_TESTS := $(B)/tests/integration/test_backend_postgres $(B)/tests/integration/test_backend_postgres_trouble

$(CORE_TESTS): $(B)/tests/integration/%: $(B)/obj/tests/integration/%.o \
		$(B)/obj/tests/integration/backend_postgres_rig.o | $(B)/plugins/backend-postgres.so
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $^ -lcmocka \
		$(shell pkg-config --libs libconfig libpq) -ldl -pthread

.PHONY: check-backend-postgres
check-backend-postgres: $(CORE_TESTS)
	$(Q)for program in $(CORE_TESTS); do $$program || exit 1; done
