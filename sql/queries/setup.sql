-- Statements of `proaltoctl setup`, as the server's superuser and outside the store's database. What
-- takes a name or a password as an identifier or a literal is written here and run afterwards.

-- name: setup_database_make
-- The statement that makes the database; no row if there is one of that name.
-- $1 name. Columns: statement.
SELECT format('CREATE DATABASE %I OWNER proalto_owner TEMPLATE template0 ENCODING ''UTF8''', $1::text) AS statement
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1::text);

-- name: setup_password_make
-- The statement that gives the daemon's role a password.
-- $1 its SCRAM verifier. Columns: statement.
SELECT format('ALTER ROLE proalto PASSWORD %L', $1::text) AS statement;
