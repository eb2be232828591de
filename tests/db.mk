# test_db runs io/db.c over statements of its own (tests/unit/sql) instead of the daemon's.
DB_TEST_GEN := $(B)/gen-test_db
DB_TEST_SQL := sql/queries/session.sql $(wildcard tests/unit/sql/*.sql)
DB_TEST_SRC := tests/unit/test_db.c $(wildcard daemon/io/db*.c)

$(DB_TEST_GEN)/sql_statements.h $(DB_TEST_GEN)/sql_statements.c &: sql/embed.awk $(DB_TEST_SQL)
	@mkdir -p $(@D)
	$(Q)awk -v out=$(DB_TEST_GEN)/sql_statements -f sql/embed.awk $(DB_TEST_SQL)

$(B)/tests/unit/test_db: $(DB_TEST_SRC) $(wildcard daemon/io/db*.h) $(DB_TEST_GEN)/sql_statements.c \
		$(B)/libproaltod.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) -I$(DB_TEST_GEN) $(CPPFLAGS) -Itests $(PKG_CFLAGS) $(CFLAGS_ALL) -fPIE -pie \
		$(LDFLAGS_ALL) -o $@ $(DB_TEST_SRC) $(DB_TEST_GEN)/sql_statements.c \
		$(B)/libproaltod.a -lcmocka $(LDLIBS)
