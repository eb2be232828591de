-- Statements of proaltoctl restore that must work on an empty database.

-- name: restore_look
-- What is there. Columns: the database's name, is there a store in it, roles of ours, is a daemon at work,
-- is there what a restore that was cut short had put aside.
SELECT current_database()::text, to_regnamespace('proalto') IS NOT NULL,
	(SELECT count(*) FROM pg_roles
	WHERE rolname IN ('proalto_owner', 'proalto', 'proalto_retention', 'proalto_report')),
	EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
		AND application_name LIKE 'proaltod%'),
	to_regnamespace('proalto_before') IS NOT NULL;

-- name: restore_put_aside
-- Makes room, after the administrator has said twice that he wants it. What was there goes when the other is in
-- force (restored_forget).
ALTER SCHEMA proalto RENAME TO proalto_before;

-- name: restore_make
-- A schema that only its owner may use: no daemon finds the tables in it before restored_open.
CREATE SCHEMA proalto;

-- name: restore_drop
-- Takes away what could not be restored to its end.
DROP SCHEMA proalto CASCADE;

-- name: restore_put_back
-- After restore_drop: the store as it was.
ALTER SCHEMA proalto_before RENAME TO proalto;
