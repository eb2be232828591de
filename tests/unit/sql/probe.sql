-- Statements of test_db.c: they replace the daemon's own in that program.

-- name: probe_scalars
-- Gives back one value of each type.
-- $1 int8, $2 int4 (its upper half comes back as int2), $3 bool, $4 time, $5 text, $6 bytes
SELECT $1::bigint, $2::integer, ($2::integer >> 16)::smallint, $3::boolean, $4::timestamptz, $5::text,
	$6::bytea;

-- name: probe_numbers
-- Gives back arrays of numbers, element by element.
-- $1 int8[], $2 int2[], $3 time[], $4 bool[]
SELECT a, b, c, d
  FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::boolean[]) AS u (a, b, c, d);

-- name: probe_slices
-- Gives back arrays of slices.
-- $1 bytes[], $2 text[]
SELECT a, b FROM unnest($1::bytea[], $2::text[]) AS u (a, b);

-- name: probe_other_types
-- Types that text and bytes fit.
-- $1 varchar, $2 json, $3 uuid
SELECT $1::varchar::text, $2::json::text, $3::uuid::text;

-- name: probe_time_text
-- A time as the server writes it.
-- $1 time
SELECT $1::timestamptz::text;

-- name: probe_divide
-- Fails for 0.
-- $1 int8, $2 a bit of ballast, $3 how much of it comes back
SELECT 100 / $1::bigint, substr($2::text, 1, $3::integer);

-- name: probe_cast
-- Fails with the value in the server's message.
-- $1 text
SELECT $1::text::bigint;

-- name: probe_insert
-- Into a table with a check at commit.
-- $1 id, $2 parent
INSERT INTO probe (id, parent) VALUES ($1::bigint, $2::bigint);

-- name: probe_count
-- Rows of the table.
SELECT count(*) FROM probe;

-- name: probe_begin
-- Begins.
BEGIN;

-- name: probe_commit
-- Ends.
COMMIT;

-- name: probe_settings
-- What the session runs under.
SELECT current_setting('synchronous_commit'), current_setting('jit'),
	current_setting('plan_cache_mode'), current_setting('search_path'),
	current_setting('application_name'), current_setting('enable_seqscan'),
	current_setting('idle_in_transaction_session_timeout');

-- name: probe_sleep
-- Takes its time.
-- $1 seconds
SELECT 1 FROM pg_sleep($1::integer);
