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
CREATE SCHEMA proalto AUTHORIZATION proalto_owner;

-- name: restore_drop
-- Takes away what could not be restored to its end.
DROP SCHEMA proalto CASCADE;

-- name: restore_put_back
-- After restore_drop: the store as it was.
ALTER SCHEMA proalto_before RENAME TO proalto;

-- name: restore_who
-- Who has logged in, whatever his role is now, and how else the server can be reached. Columns: is he a superuser,
-- does he come over the local socket, port, listen_addresses, the database's name.
SELECT rolsuper, inet_server_addr() IS NULL, current_setting('port'), current_setting('listen_addresses'),
	current_database()::text
FROM pg_roles WHERE rolname = session_user;

-- name: restore_role_make
-- The statement that makes the login under which a dump's SQL runs (daemon/ctl/once.h).
-- $1 its SCRAM verifier. Columns: statement.
SELECT format('CREATE ROLE proalto_restore LOGIN NOINHERIT IN ROLE proalto_owner PASSWORD %L VALID UNTIL %L',
	$1::text, now() + interval '1 minute') AS statement;

-- name: restore_role_drop
-- Takes it away, with whatever a dump had it own.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'proalto_restore') THEN
		DROP OWNED BY proalto_restore CASCADE;
		DROP ROLE proalto_restore;
	END IF;
END
$$;
