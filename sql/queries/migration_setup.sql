-- Statements of io/migrate.c that must work on an empty database.

-- name: migration_is_ready
-- Whether there is a record of migrations.
-- Columns: is_ready.
SELECT to_regclass('proalto.schema_migration') IS NOT NULL AS is_ready;

-- name: migration_lock
-- Waits until no other session migrates this database; held until the session ends. The number is
-- "proalto" in ASCII.
SELECT pg_advisory_lock(31651020093027439);

-- name: migration_make_schema
-- The schema of everything; the role that migrates owns it.
CREATE SCHEMA IF NOT EXISTS proalto;

-- name: migration_make_record
-- The record of migrations.
CREATE TABLE IF NOT EXISTS proalto.schema_migration (
	number integer PRIMARY KEY CHECK (number BETWEEN 1 AND 9999),
	name text NOT NULL,
	sha256 bytea NOT NULL CHECK (length(sha256) = 32),
	applied_at timestamptz NOT NULL DEFAULT now()
);
