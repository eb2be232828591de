-- What the daemon asks of a database before anything else.

-- name: schema_range
-- Which schema this is, and which daemons it serves (those that know at least that migration).
-- Columns: number, since.
SELECT (SELECT max(number) FROM schema_migration), (SELECT since FROM schema_serves);
