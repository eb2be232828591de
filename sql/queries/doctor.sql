-- What proaltoctl doctor asks of the store; never the daemon.

-- name: doctor_server
-- The server itself. Columns: version (150004), fsync and full_page_writes are on, synchronous standbys
-- are named, standbys connected, its clock.
SELECT current_setting('server_version_num')::integer, current_setting('fsync')::boolean
		AND current_setting('full_page_writes')::boolean,
	current_setting('synchronous_standby_names') <> '', (SELECT count(*) FROM pg_stat_replication),
	clock_timestamp();

-- name: doctor_partitions
-- What is missing or astray. $1 now. Columns: month partitions missing of this month and the next two, rows in
-- default partitions (1,000 of each at most).
SELECT (SELECT count(*) FROM unnest(ARRAY['inbox', 'outbox', 'receipt', 'evidence_batch']) p,
		generate_series(0, 2) i
	WHERE to_regclass(format('%s_%s', p, to_char($1::timestamptz AT TIME ZONE 'UTC'
		+ i * interval '1 month', 'YYYY_MM'))) IS NULL),
	(SELECT count(*) FROM (SELECT FROM inbox_default LIMIT 1000) a)
	+ (SELECT count(*) FROM (SELECT FROM outbox_default LIMIT 1000) b);

-- name: doctor_charges
-- Plugins charged three times in ten minutes with the daemon's death. $1 now. Columns: plugin.
SELECT plugin FROM plugin_charge WHERE at > $1::timestamptz - interval '10 minutes'
GROUP BY plugin HAVING count(*) >= 3;

-- name: doctor_indexes
-- Indexes that some months lack (index_missing makes them). Columns: how many.
SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
WHERE c.relnamespace = 'proalto'::regnamespace AND c.relkind = 'I' AND NOT x.indisvalid;
