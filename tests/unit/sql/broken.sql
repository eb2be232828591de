-- For test_db.c.

-- name: probe_broken
-- Can't be prepared: there is no such table.
SELECT 1 FROM no_such_table;
