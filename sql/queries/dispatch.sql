-- name: attempt_begin
-- Attempts that are about to leave, other than those born with their message. None is made of a message
-- that is done by now, nor on a channel that another node sends on by now. $1 outbox ids, $2 numbers,
-- $3 now, $4 the gate's answers, $5 and $6 first and last outbox time, $7 node.
-- Columns: outbox id; a row for each that may go.
WITH started AS (
	UPDATE outbox o SET state = 1, started_at = $3::timestamptz,
		tries = ($2::smallint[])[array_position($1::bigint[], o.id)],
		gate = ($4::text[])[array_position($1, o.id)]
	WHERE o.id = ANY ($1) AND o.at >= $5::timestamptz AND o.at <= $6::timestamptz AND o.is_open
		AND EXISTS (SELECT FROM channel c WHERE c.number = o.channel AND c.owner = $7::bigint)
	RETURNING o.id, o.tries
), noted AS (
	INSERT INTO attempt (outbox_id, number, at) SELECT id, tries, $3 FROM started WHERE tries > 1
	ON CONFLICT (outbox_id, number) DO NOTHING
)
SELECT id FROM started;

-- name: outcome_update
-- What became of attempts. A secret payload is wiped when nothing more is to be done.
-- $1 outbox ids, $2 states, $3 open?, $4 external ids (sealed), $5 codes, $6 reasons, $7 now,
-- $8 the gate's answers (NULL: as it was), $9 and $10 first and last outbox time.
UPDATE outbox o SET
	state = ($2::smallint[])[array_position($1::bigint[], o.id)],
	is_open = ($3::boolean[])[array_position($1, o.id)],
	external = coalesce(($4::bytea[])[array_position($1, o.id)], o.external),
	code = nullif(($5::bigint[])[array_position($1, o.id)], 0),
	reason = ($6::text[])[array_position($1, o.id)],
	gate = coalesce(($8::text[])[array_position($1, o.id)], o.gate),
	finished_at = $7::timestamptz,
	payload = CASE WHEN o.is_secret AND NOT ($3::boolean[])[array_position($1, o.id)] THEN NULL
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
