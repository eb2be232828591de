# The oldest schema on which this tree's daemon runs: the number of the last migration that its
# statements need. Whoever uses something new in sql/queries raises it; a test prepares every statement
# on it. The newest that it knows is the last file of sql/migrations.
SCHEMA_OLDEST := 8
