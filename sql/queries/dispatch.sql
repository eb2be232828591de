-- name: attempt_begin
-- Attempts that are about to leave, other than those born with their message. None is made of a message
-- that is done by now, or of whose last attempt there is a word (another node may have got it), nor on a
-- channel that another node sends on by now. $1 outbox ids, $2 numbers,
-- $3 now, $4 the gate's answers, $5 and $6 first and last outbox time, $7 node.
-- Columns: outbox id of one that may go; or, without one, the number of a channel that is not this node's.
WITH started AS (
	UPDATE outbox o SET state = 1, started_at = $3::timestamptz,
		tries = ($2::smallint[])[array_position($1::bigint[], o.id)],
		gate = ($4::text[])[array_position($1, o.id)]
	WHERE o.id = ANY ($1) AND o.at >= $5::timestamptz AND o.at <= $6::timestamptz AND o.is_open
		AND NOT (o.state IN (1, 2) AND o.statuses <> 0)
		AND EXISTS (SELECT FROM channel c WHERE c.number = o.channel AND c.owner = $7::bigint)
	RETURNING o.id, o.tries
), noted AS (
	INSERT INTO attempt (outbox_id, number, at) SELECT id, tries, $3 FROM started WHERE tries > 1
	ON CONFLICT (outbox_id, number) DO NOTHING
)
SELECT id, NULL::smallint FROM started
UNION ALL
SELECT NULL, number FROM channel WHERE owner IS DISTINCT FROM $7;

-- name: outcome_update
-- What became of attempts; sent and failed by a receipt already is failed. A secret payload is wiped when nothing
-- more is to be done.
-- $1 outbox ids, ascending, $2 states, $3 open?, $4 external ids (sealed), $5 codes, $6 reasons, $7 now,
-- $8 the gate's answers (NULL: as it was), $9 and $10 first and last outbox time.
UPDATE outbox o SET
	state = CASE WHEN ($2::smallint[])[width_bucket(o.id, $1::bigint[])] = 3 AND o.statuses & 30 = 16 THEN 4
		ELSE ($2)[width_bucket(o.id, $1)] END,
	is_open = ($3::boolean[])[width_bucket(o.id, $1)],
	external = coalesce(($4::bytea[])[width_bucket(o.id, $1)], o.external),
	code = nullif(($5::bigint[])[width_bucket(o.id, $1)], 0),
	reason = ($6::text[])[width_bucket(o.id, $1)],
	gate = coalesce(($8::text[])[width_bucket(o.id, $1)], o.gate),
	finished_at = $7::timestamptz,
	payload = CASE WHEN o.is_secret AND NOT ($3::boolean[])[width_bucket(o.id, $1)] THEN NULL
		ELSE o.payload END
WHERE o.id = ANY ($1) AND o.at >= $9::timestamptz AND o.at <= $10::timestamptz AND o.is_open;

-- name: attempt_finish
-- The same for attempts after the first. $1 outbox ids, $2 numbers, $3 now, $4 results, $5 codes,
-- $6 reasons.
UPDATE attempt a SET finished_at = $3::timestamptz, result = v.result, code = nullif(v.code, 0),
	reason = v.reason
FROM unnest($1::bigint[], $2::smallint[], $4::smallint[], $5::bigint[], $6::text[])
	v(id, number, result, code, reason)
WHERE a.outbox_id = v.id AND a.number = v.number AND a.outbox_id = ANY ($1::bigint[]);

-- name: external_id_insert
-- By which ids of the provider's receipts will name messages; the newest message of an id is meant, also
-- of those in one call.
-- $1 tags, $2 outbox ids, $3 outbox times, $4 now.
INSERT INTO external_id (tag, outbox_id, outbox_at, at)
SELECT DISTINCT ON (t) t, o, a, $4::timestamptz
FROM unnest($1::bytea[], $2::bigint[], $3::timestamptz[]) v(t, o, a)
ORDER BY t, o DESC
ON CONFLICT (tag) DO UPDATE SET outbox_id = excluded.outbox_id, outbox_at = excluded.outbox_at,
	at = excluded.at;

-- name: early_receipt_insert
-- Receipts that name their message by the provider's id, until early_receipt_match. $1 tags, $2 receipt
-- ids, $3 PA_STATUS_*, $4 provider times, $5 codes, $6 payloads, $7 bodies, $8 now.
WITH awaited AS (
	INSERT INTO external_id AS e (tag, at) SELECT t, $8::timestamptz FROM unnest($1::bytea[]) t ORDER BY t
	ON CONFLICT (tag) DO UPDATE SET at = e.at -- waits for whoever is just telling whose id it is
)
INSERT INTO early_receipt (tag, status, id, at, provider_at, code, payload, body)
SELECT v.tag, v.status, v.id, $8, v.provider_at, nullif(v.code, 0), v.payload, v.body
FROM unnest($1, $2::bigint[], $3::smallint[], $4::timestamptz[], $5::bigint[], $6::bytea[], $7::bytea[])
	v(tag, id, status, provider_at, code, payload, body)
ON CONFLICT (tag, status) DO NOTHING;

-- name: early_receipt_match
-- Receipts and messages that have found each other; a status seen before changes nothing. Behind each of
-- the two statements above, in their transaction. $1 tags, $2 now.
WITH matched AS (
	DELETE FROM early_receipt r USING external_id e
	WHERE r.tag = ANY ($1::bytea[]) AND e.tag = r.tag AND e.outbox_id IS NOT NULL
	RETURNING e.outbox_id, e.outbox_at, r.id, r.status, r.provider_at, r.code, r.payload, r.body
), fresh AS (
	SELECT m.* FROM matched m JOIN outbox o ON o.id = m.outbox_id AND o.at = m.outbox_at
	WHERE o.id = ANY (ARRAY(SELECT outbox_id FROM matched))
		AND o.at >= (SELECT min(outbox_at) FROM matched) AND o.at <= (SELECT max(outbox_at) FROM matched)
		AND o.statuses & (1 << (m.status - 1)) = 0
), moved AS (
	UPDATE outbox o SET statuses = o.statuses
		| (SELECT bit_or(1 << (f.status - 1)) FROM fresh f WHERE f.outbox_id = o.id)::smallint
	WHERE o.id = ANY (ARRAY(SELECT outbox_id FROM fresh))
		AND o.at >= (SELECT min(outbox_at) FROM fresh) AND o.at <= (SELECT max(outbox_at) FROM fresh)
)
INSERT INTO receipt (id, at, outbox_id, status, provider_at, code, payload, body)
SELECT id, $2::timestamptz, outbox_id, status, provider_at, code, payload, body FROM fresh;

-- name: undelivered_tell
-- Messages that failed, by their outcome or by a receipt: what was sent has failed from then on, and if their
-- conversation wants to hear of it, an event for it, once. $1 outbox ids, $2 outbox times, $3 tags of provider's ids, $4 first of as many
-- ids for events, $5 now.
WITH named AS (
	SELECT id, at FROM unnest($1::bigint[], $2::timestamptz[]) v(id, at)
	UNION ALL
	SELECT outbox_id, outbox_at FROM external_id WHERE tag = ANY ($3::bytea[])
), failed AS (
	SELECT o.id, o.at, o.conversation_id, o.what_for FROM outbox o
	WHERE o.id = ANY (ARRAY(SELECT id FROM named)) AND o.at >= (SELECT min(at) FROM named)
		AND o.at <= (SELECT max(at) FROM named) AND (o.what_for IS NOT NULL OR o.state = 3)
		AND (o.state IN (4, 5, 6) OR o.statuses & 16 <> 0) AND o.statuses & 14 = 0
	FOR UPDATE
), told AS (
	UPDATE outbox o SET what_for = NULL, state = CASE o.state WHEN 3 THEN 4 ELSE o.state END,
		reason = CASE o.state WHEN 3 THEN 'failed, by a receipt' ELSE o.reason END
	WHERE o.id = ANY (ARRAY(SELECT id FROM failed)) AND o.at >= (SELECT min(at) FROM failed)
		AND o.at <= (SELECT max(at) FROM failed)
), event AS (
	SELECT $4::bigint + row_number() OVER (ORDER BY id) - 1 AS id, conversation_id, what_for FROM failed
	WHERE what_for IS NOT NULL
), stored AS (
	INSERT INTO inbox (id, at, channel, conversation_id, kind, payload)
	SELECT id, $5::timestamptz, (conversation_id % 256)::smallint, conversation_id, 102,
		convert_to(what_for, 'UTF8')
	FROM event
)
INSERT INTO work (id, conversation_id, at) SELECT id, conversation_id, $5 FROM event;
