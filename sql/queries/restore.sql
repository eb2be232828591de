-- Statements of proaltoctl restore that must work on an empty database.

-- name: restore_look
-- What is there. Columns: the database's name, is there a store in it, roles of ours, is a daemon at work.
SELECT current_database()::text, to_regnamespace('proalto') IS NOT NULL,
	(SELECT count(*) FROM pg_roles
	WHERE rolname IN ('proalto_owner', 'proalto', 'proalto_retention', 'proalto_report')),
	EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
		AND application_name LIKE 'proaltod%');

-- name: restore_drop
-- Makes room, after the administrator has said twice that he wants it.
DROP SCHEMA proalto CASCADE;
