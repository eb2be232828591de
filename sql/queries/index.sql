-- What `proaltoctl db index` does, as the owner and while the daemon serves.

-- name: index_lock
-- One at a time. Columns: is it ours, until the connection ends.
SELECT pg_try_advisory_lock(hashtextextended('proaltoctl db index', 0));

-- name: index_missing
-- The indexes that months lack because they were too large when a migration declared them, the newest month first.
-- What an interrupted run left has the same name and is dropped first. Columns: the index, its month, the month's
-- bytes; statements to run one after another, none in a transaction.
SELECT m.name, m.part, m.bytes,
	format('DROP INDEX CONCURRENTLY IF EXISTS proalto.%I', m.name),
	regexp_replace(m.definition, '^CREATE INDEX \S+ ON ONLY \S+',
		format('CREATE INDEX CONCURRENTLY %I ON proalto.%I', m.name, m.part)),
	format('ALTER INDEX proalto.%I ATTACH PARTITION proalto.%I', m.index, m.name)
FROM (
	SELECT c.relname AS index, p.relname AS part, pg_get_indexdef(c.oid) AS definition,
		p.relname || substr(c.relname, length(t.relname) + 1) AS name, pg_relation_size(p.oid) AS bytes
	FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
		JOIN pg_inherits i ON i.inhparent = t.oid JOIN pg_class p ON p.oid = i.inhrelid
	WHERE c.relnamespace = 'proalto'::regnamespace AND c.relkind = 'I' AND NOT x.indisvalid
		AND NOT EXISTS (
			SELECT FROM pg_inherits a JOIN pg_index y ON y.indexrelid = a.inhrelid
			WHERE a.inhparent = c.oid AND y.indrelid = p.oid)
) m
ORDER BY m.part DESC, m.name;
