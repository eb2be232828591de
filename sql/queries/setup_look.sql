-- Statements of `proaltoctl setup` inside a database that may be anybody's.

-- name: setup_tables
-- Which of the store's tables are there; one of the first release has no record of its key.
-- Columns: has_contacts, has_keys.
SELECT count(*) FILTER (WHERE c.relname = 'contact') > 0 AS has_contacts,
	count(*) FILTER (WHERE c.relname = 'master_key') > 0 AS has_keys
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'proalto';
