-- The daemon's own role may read all that it owns no right to change, so that it can make backups
-- (pg_dump reads each partition by itself). It saw the same rows through their tables before.
SET LOCAL search_path = proalto;

GRANT SELECT ON ALL TABLES IN SCHEMA proalto TO proalto;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA proalto TO proalto;
ALTER DEFAULT PRIVILEGES IN SCHEMA proalto GRANT SELECT ON TABLES TO proalto;
ALTER DEFAULT PRIVILEGES IN SCHEMA proalto GRANT SELECT ON SEQUENCES TO proalto;
