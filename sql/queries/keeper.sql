-- name: id_block_next
-- A block of 65,536 ids. Columns: its number.
SELECT nextval('id_block');

-- name: node_insert
-- This start of this daemon; earlier starts of the same name are dead. $1 id, $2 name, $3 milliseconds.
WITH dead AS (
	UPDATE node SET alive_until = '-infinity' WHERE name = $2::text AND id <> $1::bigint
)
INSERT INTO node (id, name, alive_until)
VALUES ($1::bigint, $2::text, now() + $3::bigint * interval '1 millisecond');

-- name: node_beat
-- Still here. Columns: 1, or no row if this node was declared dead. $1 id, $2 milliseconds. What lasts longer
-- than any lease is of before the clock was put back: if its node is dead, nobody is to wait an hour for it.
WITH cut AS (
	UPDATE node SET alive_until = now() + $2::bigint * interval '1 millisecond'
	WHERE id <> $1::bigint AND alive_until > now() + 2 * $2::bigint * interval '1 millisecond'
)
UPDATE node SET alive_until = now() + $2::bigint * interval '1 millisecond'
WHERE id = $1::bigint AND alive_until > '-infinity' RETURNING 1;

-- name: node_end
-- This node writes no more: its leases are free at once. $1 id.
UPDATE node SET alive_until = '-infinity' WHERE id = $1::bigint;

-- name: channel_number
-- The number of a channel, which is made at its first use. $1 name. Columns: number.
INSERT INTO channel (number, name)
SELECT coalesce(max(number), 0) + 1, $1::text FROM channel
ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING number;

-- name: channel_lease
-- Takes or keeps the right to send on channels; nobody has it on one that a person has paused.
-- $1 numbers, $2 node. Columns: number.
UPDATE channel c SET owner = $2::bigint
WHERE c.number = ANY ($1::smallint[]) AND c.paused_at IS NULL AND (c.owner IS NULL OR c.owner = $2 OR NOT EXISTS (
	SELECT FROM node n WHERE n.id = c.owner AND n.alive_until > now()))
RETURNING c.number;

-- name: work_find
-- Work that is older than it should be and that no other living node has. $1 node, $2 how many,
-- $3 at or before, $4 after this id. Columns: id, conversation_id, deaths.
SELECT w.id, w.conversation_id, w.deaths
FROM work w JOIN conversation c ON c.id = w.conversation_id
WHERE w.id > $4::bigint AND w.at <= $3::timestamptz AND (c.owner = $1::bigint OR c.owner IS NULL OR NOT EXISTS (
	SELECT FROM node n WHERE n.id = c.owner AND n.alive_until > now()))
ORDER BY w.id LIMIT $2::bigint;

-- name: conversation_claim
-- Leases conversations to this node and reads them. $1 ids, $2 node. Columns: id, epoch, state,
-- sealed_key, who, last_inbound_at, strays, was it another node's.
WITH free AS (
	SELECT c.id, c.owner IS DISTINCT FROM $2::bigint AS is_taken_over FROM conversation c
	WHERE c.id = ANY ($1::bigint[]) AND (
		c.owner = $2 OR c.owner IS NULL OR NOT EXISTS (
		SELECT FROM node n WHERE n.id = c.owner AND n.alive_until > now()))
	ORDER BY c.id FOR UPDATE SKIP LOCKED
), claimed AS (
	UPDATE conversation c SET owner = $2, epoch = c.epoch + (c.owner IS DISTINCT FROM $2)::int
	FROM free f WHERE c.id = f.id AND c.id = ANY ($1) RETURNING c.id, c.epoch, c.state, c.last_inbound_at,
		c.strays, f.is_taken_over
)
SELECT l.id, l.epoch, l.state, k.sealed_key, k.who, l.last_inbound_at, l.strays, l.is_taken_over FROM claimed l JOIN contact k ON k.id = l.id / 256;

-- name: event_load
-- The work of conversations that were just claimed, some at a time, each one's in the order in which it came.
-- $1 ids, $2 to $4 after this conversation, time and id, $5 how many. Columns: id, conversation_id, at, kind,
-- payload.
SELECT i.id, w.conversation_id, i.at, i.kind, i.payload
FROM (
	SELECT w.id, w.conversation_id, w.at FROM work w
	WHERE w.conversation_id IN (SELECT unnest($1::bigint[]))
		AND (w.conversation_id, w.at, w.id) > ($2::bigint, $3::timestamptz, $4::bigint)
	ORDER BY w.conversation_id, w.at, w.id LIMIT $5::bigint
) w JOIN inbox i ON i.id = w.id AND i.at = w.at
ORDER BY w.conversation_id, w.at, w.id;

-- name: others_tell
-- Other nodes look for what they have to do. $1 node.
SELECT pg_notify('proalto', $1::bigint::text);

-- name: others_hear
-- This node hears of it.
LISTEN proalto;

-- name: timer_fire
-- Turns timers that are due into work. $1 now, $2 how many, $3 first id to give them. Columns: the ids.
WITH due AS (
	DELETE FROM timer WHERE (conversation_id, name) IN (
		SELECT conversation_id, name FROM timer WHERE due <= $1::timestamptz ORDER BY due
		LIMIT $2::bigint FOR UPDATE SKIP LOCKED)
	RETURNING conversation_id, name
), fired AS (
	SELECT $3::bigint + row_number() OVER () - 1 AS id, conversation_id, name FROM due
), stored AS (
	INSERT INTO inbox (id, at, channel, conversation_id, kind, payload)
	SELECT id, $1, (conversation_id % 256)::smallint, conversation_id, 101, convert_to(name, 'UTF8')
	FROM fired
)
INSERT INTO work (id, conversation_id, at) SELECT id, conversation_id, $1 FROM fired RETURNING id;

-- name: timer_hasten
-- Whoever waits for the core has his turn now. $1 now.
UPDATE timer SET due = $1::timestamptz WHERE name = 'nucleo' AND due > $1;

-- name: outbox_find
-- Messages with something still to be done, on channels of this node. $1 channels, $2 at or before,
-- $3 and $4 after this time and id, $5 how many. Columns: id, at, conversation_id, channel.
SELECT o.id, o.at, o.conversation_id, o.channel FROM outbox o
WHERE o.is_open AND (o.at, o.id) > ($3::timestamptz, $4::bigint) AND o.at >= $3
	AND o.at <= $2::timestamptz AND o.channel = ANY ($1::smallint[])
ORDER BY o.at, o.id LIMIT $5::bigint;

-- name: outbox_load
-- The same in full. $1 ids, $2 and $3 first and last time. Columns: id, at, conversation_id, channel, class,
-- is_secret, state, tries, not_after, payload, sealed_key, who, last_inbound_at, statuses, when the last
-- attempt began or was last heard of (NULL: none did).
SELECT o.id, o.at, o.conversation_id, o.channel, o.class, o.is_secret, o.state, o.tries, o.not_after,
	o.payload, k.sealed_key, k.who, c.last_inbound_at, o.statuses, greatest(o.started_at, o.finished_at)
FROM outbox o JOIN contact k ON k.id = o.conversation_id / 256
	JOIN conversation c ON c.id = o.conversation_id
WHERE o.id = ANY ($1::bigint[]) AND o.at >= $2::timestamptz AND o.at <= $3::timestamptz AND o.is_open
ORDER BY o.at, o.id;

-- name: outbox_drop
-- A message that nobody can open. $1 id, $2 its time, $3 now, $4 reason. Columns: 1, or no row if it is done.
UPDATE outbox SET state = 6, is_open = false, finished_at = $3::timestamptz, reason = $4::text,
	payload = CASE WHEN is_secret THEN NULL ELSE payload END
WHERE id = $1::bigint AND at = $2::timestamptz AND is_open RETURNING 1;

-- name: death_charge
-- The daemon died with this event in hand. $1 inbox id. Columns: how often so far.
UPDATE work SET deaths = deaths + 1 WHERE id = $1::bigint RETURNING deaths;

-- name: event_set_aside
-- An event that kills the daemon. $1 inbox id, $2 now, $3 reason. Columns: conversation_id.
WITH gone AS (
	DELETE FROM work WHERE id = $1::bigint RETURNING id, conversation_id, at
)
INSERT INTO set_aside (id, conversation_id, inbox_at, at, reason)
SELECT id, conversation_id, at, $2::timestamptz, $3::text FROM gone RETURNING conversation_id;

-- name: plugin_charge
-- The daemon died in a call to this plugin. $1 plugin, $2 now. Columns: how often in ten minutes.
WITH charged AS (
	INSERT INTO plugin_charge (plugin, at) VALUES ($1::text, $2::timestamptz)
)
SELECT count(*) + 1 FROM plugin_charge WHERE plugin = $1 AND at > $2::timestamptz - interval '10 minutes';

-- name: plugin_charges
-- Plugins charged three times in ten minutes. $1 now. Columns: plugin.
SELECT plugin FROM plugin_charge WHERE at > $1::timestamptz - interval '10 minutes'
GROUP BY plugin HAVING count(*) >= 3;

-- name: partitions_make
-- The partitions of this month and the next twelve. $1 now. Columns: how many were made.
SELECT make_partitions($1::timestamptz, $1::timestamptz + interval '12 months');

-- name: partitions_stray
-- Rows that found no month: an alarm. Columns: how many (1,000 at most).
SELECT (SELECT count(*) FROM (SELECT FROM inbox_default LIMIT 1000) a)
	+ (SELECT count(*) FROM (SELECT FROM outbox_default LIMIT 1000) b);

-- name: dedup_expire
-- Forgets keys that no provider repeats any more.
-- On a stretch of the table's pages, so that a round costs the same however large it is, and no index does.
-- $1 first page, $2 how many, $3 before. Columns: the table's pages.
WITH old AS (
	DELETE FROM dedup WHERE ctid >= format('(%s,0)', $1::bigint)::tid
		AND ctid < format('(%s,0)', $1 + $2::bigint)::tid AND at < $3::timestamptz
)
SELECT pg_relation_size('dedup') / current_setting('block_size')::bigint;

-- name: external_id_expire
-- The same for ids of messages of which no receipt comes any more.
WITH old AS (
	DELETE FROM external_id WHERE ctid >= format('(%s,0)', $1::bigint)::tid
		AND ctid < format('(%s,0)', $1 + $2::bigint)::tid AND at < $3::timestamptz
)
SELECT pg_relation_size('external_id') / current_setting('block_size')::bigint;

-- name: early_receipt_expire
-- The same for receipts of nobody's messages.
WITH old AS (
	DELETE FROM early_receipt WHERE ctid >= format('(%s,0)', $1::bigint)::tid
		AND ctid < format('(%s,0)', $1 + $2::bigint)::tid AND at < $3::timestamptz
)
SELECT pg_relation_size('early_receipt') / current_setting('block_size')::bigint;

-- name: code_sent_expire
-- The same for codes that count no more.
WITH old AS (
	DELETE FROM code_sent WHERE ctid >= format('(%s,0)', $1::bigint)::tid
		AND ctid < format('(%s,0)', $1 + $2::bigint)::tid AND at < $3::timestamptz
)
SELECT pg_relation_size('code_sent') / current_setting('block_size')::bigint;

-- name: secret_wipe
-- One-time codes whose time is over, whatever became of them. $1 now.
UPDATE outbox SET payload = NULL, is_open = false, state = CASE WHEN state < 3 THEN 6 ELSE state END
WHERE is_open AND is_secret AND not_after < $1::timestamptz;
