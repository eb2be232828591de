-- Statements of the master key and its rotation (queue/rotation.c).

-- name: master_key_list
-- The master keys of the store, the one in force first. Columns: id, store_key, since, done_to, resealed,
-- finished_at.
SELECT id, store_key, since, done_to, resealed, finished_at FROM master_key ORDER BY since DESC NULLS LAST;

-- name: master_key_first
-- The first one of a store. Where a daemon of before ran, which may come back, everything is hashed under the
-- master key itself. $1 id, $2 a new store key, $3 the master key, both sealed under it, $4 now.
INSERT INTO master_key (id, store_key, is_first, since, finished_at)
SELECT $1::bytea, CASE WHEN EXISTS (SELECT FROM node) THEN $3::bytea ELSE $2::bytea END, true,
	$4::timestamptz, $4
WHERE NOT EXISTS (SELECT FROM master_key)
ON CONFLICT DO NOTHING;

-- name: master_key_add
-- One to come. $1 id, $2 the store's key, sealed under it.
INSERT INTO master_key (id, store_key) VALUES ($1::bytea, $2::bytea) ON CONFLICT DO NOTHING;

-- name: node_keys
-- Which master keys this node has, and under which it seals. $1 node, $2 ids, $3 id.
UPDATE node SET keys = $2::bytea[], seals = $3::bytea WHERE id = $1::bigint;

-- name: master_key_switch
-- From now on it is in force, if every living node has it. $1 id, $2 now. Columns: 1, or no row.
UPDATE master_key m SET since = greatest($2::timestamptz,
	(SELECT max(o.since) FROM master_key o) + interval '1 microsecond')
WHERE m.id = $1::bytea AND m.since IS NULL AND NOT EXISTS (
	SELECT FROM node n WHERE n.alive_until > now() AND NOT coalesce($1 = ANY (n.keys), false))
RETURNING 1;

-- name: master_key_retire
-- Nothing new may be sealed under another one, as soon as no living node does. $1 id. Columns: this
-- transaction, or no row.
WITH agreed AS (
	SELECT WHERE NOT EXISTS (
		SELECT FROM node n WHERE n.alive_until > now() AND n.seals IS DISTINCT FROM $1::bytea)
), gone AS (
	DELETE FROM master_key m WHERE m.id <> $1 AND m.since IS NOT NULL AND EXISTS (SELECT FROM agreed)
)
SELECT pg_current_xact_id()::text::bigint FROM agreed;

-- name: transactions_passed
-- Whether all that wrote before a transaction have ended. $1 it. Columns: have they?
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > $1::bigint;

-- name: rotation_is_mine
-- Whether this node is the one that seals anew. $1 node. Columns: is it?
SELECT $1::bigint = (SELECT min(n.id) FROM node n WHERE n.alive_until > now());

-- name: contact_keys
-- Contacts' keys in the order of their ids. $1 after which id, $2 how many. Columns: id, sealed_key.
SELECT id, sealed_key FROM contact WHERE id > $1::bigint AND sealed_key IS NOT NULL ORDER BY id
LIMIT $2::bigint;

-- name: contact_reseal
-- The same keys under another master key; who was erased meanwhile stays so. $1 ids, $2 as they were,
-- $3 as they are now. Columns: id; a row for each that was changed.
UPDATE contact c SET sealed_key = v.new
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) v(id, old, new)
WHERE c.id = v.id AND c.id = ANY ($1) AND c.sealed_key = v.old
RETURNING c.id;

-- name: master_key_progress
-- How far it is. $1 id, $2 up to which contact, $3 how many more, $4 when the last was done (infinity: not yet).
UPDATE master_key SET done_to = $2::bigint, resealed = resealed + $3::bigint,
	finished_at = nullif($4::timestamptz, 'infinity')
WHERE id = $1::bytea;
