-- Statements of what an operator asks of a conversation (proaltoctl conversation).

-- name: operator_conversation
-- The conversation that an operator names, by its own number or by that of a case opened in it, with
-- the key that seals what is written about it. $1 number. Columns: id, sealed_key.
SELECT c.id, k.sealed_key FROM conversation c JOIN contact k ON k.id = c.id / 256
WHERE c.id = coalesce((SELECT s.conversation_id FROM service_case s WHERE s.number = $1::text),
	CASE WHEN $1 ~ '^[0-9]{1,18}$' THEN $1::bigint END);

-- name: operator_tell
-- A job for it, which the keeper of its node finds. $1 id, $2 now, $3 conversation, $4 payload (sealed).
WITH stored AS (
	INSERT INTO inbox (id, at, channel, conversation_id, kind, payload)
	VALUES ($1::bigint, $2::timestamptz, ($3::bigint % 256)::smallint, $3, 100, $4::bytea)
)
INSERT INTO work (id, conversation_id, at) VALUES ($1, $3, $2);
