-- For psql, under proalto_owner and while the daemon serves: makes the indexes that months lack because they
-- were too large when a migration declared them. It can be stopped and run again; when there is nothing to
-- do it does nothing. What an interrupted run left is dropped first.
\set ON_ERROR_STOP on

-- A row is a month and an index; its columns run one after another.
SELECT format('DROP INDEX CONCURRENTLY IF EXISTS proalto.%I', m.name),
	regexp_replace(m.definition, '^CREATE INDEX \S+ ON ONLY \S+',
		format('CREATE INDEX CONCURRENTLY %I ON proalto.%I', m.name, m.part)),
	format('ALTER INDEX proalto.%I ATTACH PARTITION proalto.%I', m.index, m.name)
FROM (
	SELECT c.relname AS index, p.relname AS part, pg_get_indexdef(c.oid) AS definition,
		p.relname || substr(c.relname, length(t.relname) + 1) AS name
	FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
		JOIN pg_inherits i ON i.inhparent = t.oid JOIN pg_class p ON p.oid = i.inhrelid
	WHERE c.relnamespace = 'proalto'::regnamespace AND c.relkind = 'I' AND NOT x.indisvalid
		AND NOT EXISTS (
			SELECT FROM pg_inherits a JOIN pg_index y ON y.indexrelid = a.inhrelid
			WHERE a.inhparent = c.oid AND y.indrelid = p.oid)
	ORDER BY p.relname DESC, c.relname
) m \gexec
