-- Statements of `proaltoctl setup`, as the server's superuser and outside the store's database. What
-- takes a name or a password as an identifier or a literal is written here and run afterwards.

-- name: setup_server
-- What is there already.
-- $1 name of the database. Columns: has_database, has_role.
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1::text) AS has_database,
	EXISTS (SELECT FROM pg_roles WHERE rolname = 'proalto') AS has_role;

-- name: setup_password_is_set
-- Whether the daemon's role has a password; not everybody who makes roles may read that.
-- Columns: is_set.
SELECT rolpassword IS NOT NULL AS is_set FROM pg_authid WHERE rolname = 'proalto';

-- name: setup_database_make
-- The statement that makes the database; no row if there is one of that name.
-- $1 name. Columns: statement.
SELECT format('CREATE DATABASE %I OWNER proalto_owner TEMPLATE template0 ENCODING ''UTF8''', $1::text) AS statement
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1::text);

-- name: setup_password_make
-- The statement that gives the daemon's role a password.
-- $1 its SCRAM verifier. Columns: statement.
SELECT format('ALTER ROLE proalto PASSWORD %L', $1::text) AS statement;
