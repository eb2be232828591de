-- The record of migrations, kept by io/migrate.c.

-- name: migration_list
-- What was applied.
-- Columns: number, name, sha256 of the file, applied_at.
SELECT number, name, sha256, applied_at FROM proalto.schema_migration ORDER BY number;

-- name: migration_record
-- Notes a migration, in its own transaction.
-- $1 number, $2 name, $3 sha256 of the file; returns applied_at.
INSERT INTO proalto.schema_migration (number, name, sha256)
VALUES ($1::integer, $2::text, $3::bytea)
RETURNING applied_at;
