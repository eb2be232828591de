-- For test_db.c.

-- name: probe_unprepared
-- Stands in a set that nobody asks for.
SELECT 1;
