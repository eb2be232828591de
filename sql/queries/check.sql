-- What `proaltoctl db check` asks: prepared on an empty database too.

-- name: check_roles
-- Of whoever migrates. Columns: may own the schema, or make it; roles of sql/roles.sql that are missing (NULL:
-- none).
SELECT coalesce((SELECT pg_has_role(current_user, n.nspowner, 'USAGE') FROM pg_namespace n WHERE n.nspname = 'proalto'),
		has_database_privilege(current_database(), 'CREATE')),
	(SELECT string_agg(r, ', ') FROM unnest(ARRAY['proalto_owner', 'proalto', 'proalto_retention',
		'proalto_report']) r WHERE NOT EXISTS (SELECT FROM pg_roles p WHERE p.rolname = r));

-- name: check_locks
-- Transactions that hold locks on the schema's tables; who is asked again later and still there would hold up
-- a migration. Columns: transaction, process (NULL: a prepared one), application.
SELECT DISTINCT l.virtualtransaction, l.pid, coalesce(a.application_name, '')
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE n.nspname = 'proalto' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid() LIMIT 100;

-- name: check_size
-- Columns: bytes of this database.
SELECT pg_database_size(current_database());
