-- Statements that io/db.c runs on each new connection, before it prepares what was asked for.

-- name: session_settings
-- What every connection of the house runs under. A commit is only a commit once it is on disk;
-- plans are made once and kept; nothing is looked up outside the house's schema.
SELECT set_config('synchronous_commit', 'on', false),
	set_config('jit', 'off', false),
	set_config('plan_cache_mode', 'force_generic_plan', false),
	set_config('search_path', 'proalto', false),
	set_config('idle_in_transaction_session_timeout', '60s', false);

-- name: session_check
-- Whether the server keeps what it promises.
-- Columns: is_synchronous; unlogged, the name of an unlogged table of the schema or NULL.
SELECT current_setting('synchronous_commit') = 'on' AS is_synchronous,
	(SELECT c.relname::text
	   FROM pg_class c
	   JOIN pg_namespace n ON n.oid = c.relnamespace
	  WHERE n.nspname = 'proalto' AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence = 'u'
	  ORDER BY c.relname
	  LIMIT 1) AS unlogged;

-- name: session_set
-- Sets a run-time parameter of the session.
-- $1 name, $2 value; returns the value set.
SELECT set_config($1::text, $2::text, false);
