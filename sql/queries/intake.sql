-- name: contact_find
-- Contacts by address; of two that turned out to be one person, the one that was kept. $1 tags bytea[].
-- Columns: tag, contact_id, sealed_key, who.
SELECT a.tag, c.id, c.sealed_key, c.who
FROM address a JOIN contact m ON m.id = a.contact_id
	JOIN contact c ON c.id = coalesce(m.merged_into, m.id)
WHERE a.tag = ANY ($1::bytea[]);

-- name: contact_insert
-- New contacts, or what more is known of old ones; fails (PA001) if nothing may be sealed under their master
-- key any more. $1 ids, $2 at, $3 sealed keys, $4 who (sealed), $5 the master key's id, $6 how many.
-- Columns: how many.
WITH put AS (
	INSERT INTO contact (id, created_at, sealed_key, who)
	SELECT i, $2::timestamptz, k, w FROM unnest($1::bigint[], $3::bytea[], $4::bytea[]) v(i, k, w)
	WHERE EXISTS (SELECT FROM master_key m WHERE m.id = $5::bytea)
	ON CONFLICT (id) DO UPDATE SET who = excluded.who RETURNING id
)
SELECT expect_rows((SELECT count(*) FROM put), $6::bigint);

-- name: address_insert
-- New addresses; fails (PA001) if one belongs to another contact by now. $1 tags, $2 contact ids,
-- $3 how many. Columns: how many.
WITH put AS (
	INSERT INTO address (tag, contact_id) SELECT t, c FROM unnest($1::bytea[], $2::bigint[]) v(t, c)
	ON CONFLICT (tag) DO UPDATE SET contact_id = address.contact_id RETURNING tag, contact_id
)
SELECT expect_rows((SELECT count(*) FROM put p JOIN unnest($1, $2) v(t, c)
	ON v.t = p.tag AND v.c = p.contact_id), $3::bigint);

-- name: address_move
-- Points addresses at another contact: a new phone, a new user id, two contacts that are one.
-- $1 tags, $2 contact ids.
INSERT INTO address (tag, contact_id) SELECT t, c FROM unnest($1::bytea[], $2::bigint[]) v(t, c)
ON CONFLICT (tag) DO UPDATE SET contact_id = excluded.contact_id;

-- name: address_drop
-- Addresses that are nobody's any more: their contact has another one, and whoever gets them next is
-- another person. $1 tags, $2 contact ids.
DELETE FROM address a USING unnest($1::bytea[], $2::bigint[]) v(t, c)
WHERE a.tag = v.t AND a.contact_id = v.c AND a.tag = ANY ($1::bytea[]);

-- name: contact_update_who
-- What is known of a contact. $1 ids, $2 who (sealed).
UPDATE contact SET who = ($2::bytea[])[array_position($1::bigint[], id)] WHERE id = ANY ($1::bigint[]);

-- name: contact_choose
-- Which of two contacts that are one person is kept: the one whose word on consent is the last, else the
-- one who wrote last. The conversation that goes on is his. $1 ids. Columns: id.
SELECT c.id FROM contact c WHERE c.id = ANY ($1::bigint[])
ORDER BY (SELECT max(k.at) FROM consent k WHERE k.contact_id = c.id) DESC NULLS LAST,
	(SELECT max(v.last_inbound_at) FROM conversation v WHERE v.id BETWEEN c.id * 256 AND c.id * 256 + 255)
		DESC NULLS LAST, c.id
LIMIT 1;

-- name: contact_merge
-- The second contact of a pair was the first one all along, and so was whoever was the second one.
-- $1 ids kept, $2 ids merged into them.
UPDATE contact SET merged_into = nullif(($1::bigint[])[array_position($2::bigint[],
	CASE WHEN id = ANY ($2) THEN id ELSE merged_into END)], id)
WHERE id = ANY ($2) OR merged_into = ANY ($2);

-- name: inbox_insert
-- What came in, less what was seen before. A new conversation is leased to this node, and so is one that
-- this node had before its last start; an event for any other one is a stray, which its owner, or whoever
-- takes it over, finds in the store. Keys are unique within one call.
-- $1 dedup keys, $2 ids, $3 conversation ids (0: none), $4 channels, $5 kinds, $6 body_of (0: none),
-- $7 payloads, $8 bodies, $9 now, $10 node, $11 is it work for a turn,
-- $12 the provider's times (the 24 h window counts from them).
-- Columns: id, owner, epoch, state, strays; a row for each one accepted, owner NULL if it is about nobody.
WITH fresh AS (
	INSERT INTO dedup (key, at) SELECT k, $9::timestamptz FROM unnest($1::bytea[]) k
	ON CONFLICT DO NOTHING RETURNING key
), item AS (
	SELECT v.* FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::smallint[], $5::smallint[],
		$6::bigint[], $7::bytea[], $8::bytea[], $11::boolean[], $12::timestamptz[])
		v(key, id, conversation_id, channel, kind, body_of, payload, body, is_work, happened)
	JOIN fresh USING (key)
), stored AS (
	INSERT INTO inbox (id, at, channel, conversation_id, kind, body_of, payload, body)
	SELECT id, $9, channel, nullif(conversation_id, 0), kind, nullif(body_of, 0), payload, body FROM item
), queued AS (
	INSERT INTO work (id, conversation_id, at) SELECT id, conversation_id, $9 FROM item WHERE is_work
), leased AS (
	INSERT INTO conversation AS c (id, owner, epoch, last_inbound_at)
	SELECT conversation_id, $10::bigint, 1, max(happened) FROM item WHERE is_work
	GROUP BY conversation_id
	ON CONFLICT (id) DO UPDATE SET
		last_inbound_at = greatest(c.last_inbound_at, excluded.last_inbound_at),
		epoch = c.epoch + (c.owner IS DISTINCT FROM $10 AND EXISTS (
			SELECT FROM node n JOIN node me USING (name) WHERE n.id = c.owner AND me.id = $10))::int,
		strays = c.strays + (c.owner IS DISTINCT FROM $10 AND NOT EXISTS (
			SELECT FROM node n JOIN node me USING (name) WHERE n.id = c.owner AND me.id = $10))::int,
		owner = CASE WHEN c.owner = $10 OR EXISTS (
			SELECT FROM node n JOIN node me USING (name) WHERE n.id = c.owner AND me.id = $10)
			THEN $10 ELSE c.owner END
	RETURNING c.id, c.owner, c.epoch, c.state, c.strays
)
SELECT i.id, l.owner, l.epoch, l.state, l.strays FROM item i LEFT JOIN leased l ON l.id = i.conversation_id AND i.is_work;

-- name: receipt_insert
-- What became of messages of ours: one receipt a message in one call. A status seen before changes
-- nothing. $1 outbox ids, ascending (width_bucket halves where array_position would walk: a batch has a
-- hundred), $2 status bits, $3 receipt ids, $4 PA_STATUS_*, $5 provider times, $6 codes,
-- $7 payloads, $8 bodies, $9 now, $10 and $11 first and last outbox time.
-- Columns: outbox id, conversation id; a row for each that was new, or is of a message that is still open:
-- whoever waits for a word on it may have missed the first one, in a commit whose answer was lost.
WITH moved AS (
	UPDATE outbox o SET
		statuses = o.statuses | ($2::smallint[])[width_bucket(o.id, $1::bigint[])]
	WHERE o.id = ANY ($1) AND o.at >= $10::timestamptz AND o.at <= $11::timestamptz
		AND o.statuses & ($2::smallint[])[width_bucket(o.id, $1)] = 0
	RETURNING o.id, o.conversation_id
), stored AS (
	INSERT INTO receipt (id, at, outbox_id, status, provider_at, code, payload, body)
	SELECT v.id, $9::timestamptz, v.outbox_id, v.status, v.provider_at, nullif(v.code, 0), v.payload, v.body
	FROM unnest($1, $3::bigint[], $4::smallint[], $5::timestamptz[], $6::bigint[], $7::bytea[], $8::bytea[])
		v(outbox_id, id, status, provider_at, code, payload, body)
	JOIN moved m ON m.id = v.outbox_id
)
SELECT id, conversation_id FROM moved
UNION ALL
SELECT o.id, o.conversation_id FROM outbox o
WHERE (SELECT count(*) FROM moved) < cardinality($1) -- else not even looked for
	AND o.id = ANY ($1) AND o.at >= $10 AND o.at <= $11 AND o.is_open
	AND NOT EXISTS (SELECT FROM moved m WHERE m.id = o.id);
