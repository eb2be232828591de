-- Statements of what operators ask and do (proaltoctl), run by the daemon for them.

-- name: operator_note
-- Who did what and why, with its evidence. $1 id, $2 now, $3 user id, $4 user, $5 action, $6 object,
-- $7 conversation (0: none), $8 reason (sealed), $9 id for the evidence, $10 node, $11 how many entries,
-- $12 entries.
WITH noted AS (
	INSERT INTO operator_act (id, at, uid, user_name, action, object, conversation_id, reason)
	VALUES ($1::bigint, $2::timestamptz, $3::bigint, $4::text, $5::text, $6::text, nullif($7::bigint, 0), $8::bytea)
)
INSERT INTO evidence_batch (id, at, node, entries_count, entries)
VALUES ($9::bigint, $2, $10::bigint, $11::integer, $12::bytea);

-- name: operator_acts
-- The last acts, newest first. $1 of this conversation (0: all), $2 how many.
-- Columns: id, at, uid, user_name, action, object, conversation_id, reason.
SELECT id, at, uid, user_name, action, object, conversation_id, reason FROM operator_act
WHERE $1::bigint = 0 OR conversation_id = $1 ORDER BY at DESC, id DESC LIMIT $2::bigint;

-- name: operator_conversation
-- The conversation that an operator names, by its own number or by that of a case opened in it, with
-- the key that seals what is written about it. $1 number. Columns: id, sealed_key.
SELECT c.id, k.sealed_key FROM conversation c JOIN contact k ON k.id = c.id / 256
WHERE c.id = coalesce((SELECT s.conversation_id FROM service_case s WHERE s.number = $1::text),
	CASE WHEN $1 ~ '^[0-9]{1,18}$' THEN $1::bigint END);

-- name: operator_person
-- The conversations of whoever has an address, on each channel. $1 tag. Columns: as above.
SELECT c.id, k.sealed_key
FROM address a JOIN contact m ON m.id = a.contact_id JOIN contact k ON k.id = coalesce(m.merged_into, m.id)
	JOIN conversation c ON c.id BETWEEN k.id * 256 AND k.id * 256 + 255
WHERE a.tag = $1::bytea ORDER BY c.id;

-- name: operator_tell
-- A job for it, which the keeper of its node finds. $1 id, $2 now, $3 conversation, $4 payload (sealed).
WITH stored AS (
	INSERT INTO inbox (id, at, channel, conversation_id, kind, payload)
	VALUES ($1::bigint, $2::timestamptz, ($3::bigint % 256)::smallint, $3, 100, $4::bytea)
)
INSERT INTO work (id, conversation_id, at) VALUES ($1, $3, $2);

-- name: operator_state
-- How a conversation is. $1 id. Columns: channel, node that has it (NULL: none that lives), last_inbound_at,
-- state (sealed), events that wait, events set aside.
SELECT ch.name, (SELECT n.name FROM node n WHERE n.id = c.owner AND n.alive_until > now()), c.last_inbound_at, c.state,
	(SELECT count(*) FROM work w WHERE w.conversation_id = c.id),
	(SELECT count(*) FROM set_aside s WHERE s.conversation_id = c.id)
FROM conversation c LEFT JOIN channel ch ON ch.number = c.id % 256 WHERE c.id = $1::bigint;

-- name: operator_timers
-- What it waits for. $1 conversation. Columns: name, due.
SELECT name, due FROM timer WHERE conversation_id = $1::bigint ORDER BY due;

-- name: operator_cases
-- Its cases. $1 conversation. Columns: number, kind, at, due, closed_at.
SELECT number, kind, at, due, closed_at FROM service_case WHERE conversation_id = $1::bigint ORDER BY at;

-- name: operator_consents
-- The person's last word on each purpose there. $1 conversation. Columns: purpose, action, at, text_version.
SELECT DISTINCT ON (purpose) purpose, action, at, text_version FROM consent
WHERE contact_id = $1::bigint / 256 AND channel = ($1 % 256)::smallint ORDER BY purpose, id DESC;

-- name: operator_inbound
-- The last messages that came in it, newest first. $1 conversation, $2 how many.
-- Columns: id, at, kind, payload.
SELECT id, at, kind, payload FROM inbox WHERE conversation_id = $1::bigint AND kind < 100
ORDER BY at DESC, id DESC LIMIT $2::bigint;

-- name: operator_outbound
-- The last messages to it, newest first; codes without their content. $1 conversation, $2 how many.
-- Columns: id, at, class, is_open, state, statuses, tries, started_at, finished_at, code, reason, gate, is_secret,
-- payload.
SELECT id, at, class, is_open, state, statuses, tries, started_at, finished_at, code, reason, gate, is_secret,
	CASE WHEN NOT is_secret THEN payload END
FROM outbox WHERE conversation_id = $1::bigint ORDER BY at DESC, id DESC LIMIT $2::bigint;

-- name: inbox_list
-- What came in after an id, receipts too, oldest first, with the keys that open it.
-- $1 after which id, $2 how many, $3 with bodies.
-- Columns: id, at, channel, kind (0: receipt), contact id, sealed key, payload, body.
SELECT r.id, r.at, ch.name, r.kind, c.id, c.sealed_key, r.payload, r.body
FROM (
	(SELECT i.id, i.at, i.channel, i.kind, i.conversation_id, i.payload,
		CASE WHEN $3::boolean THEN coalesce(i.body, (SELECT b.body FROM inbox b WHERE b.id = i.body_of)) END AS body
	FROM inbox i WHERE i.id > $1::bigint AND i.kind < 100 ORDER BY i.id LIMIT $2::bigint)
	UNION ALL
	(SELECT t.id, t.at, o.channel, 0::smallint, o.conversation_id, t.payload,
		CASE WHEN $3 THEN t.body END
	FROM receipt t LEFT JOIN outbox o ON o.id = t.outbox_id
	WHERE t.id > $1 ORDER BY t.id LIMIT $2)
) r
LEFT JOIN contact c ON c.id = r.conversation_id >> 8
LEFT JOIN channel ch ON ch.number = r.channel
ORDER BY r.id LIMIT $2;

-- name: queues_work
-- Events that wait for a turn, timers and events set aside. $1 now. Columns: events, oldest, how many the
-- daemon has died with; timers, of these due, the oldest of them; set aside, the oldest of them.
SELECT count(*), min(w.at), count(*) FILTER (WHERE w.deaths > 0),
	(SELECT count(*) FROM timer), (SELECT count(*) FROM timer WHERE due <= $1::timestamptz),
	(SELECT min(due) FROM timer WHERE due <= $1), (SELECT count(*) FROM set_aside), (SELECT min(at) FROM set_aside)
FROM work w;

-- name: queues_channels
-- The channels. Columns: name, node that sends on it (NULL: none that lives), paused_at.
SELECT c.name, (SELECT n.name FROM node n WHERE n.id = c.owner AND n.alive_until > now()), c.paused_at
FROM channel c ORDER BY c.number;

-- name: queues_outbox
-- Messages by channel and state: those to be sent, and since $1 those that are done and did not arrive for
-- sure. Columns: channel, state, is_open, how many, oldest, newest.
SELECT coalesce(c.name, o.channel::text), o.state, o.is_open, count(*), min(o.at), max(o.at)
FROM (
	SELECT channel, state, is_open, at FROM outbox WHERE is_open
	UNION ALL
	SELECT channel, state, is_open, at FROM outbox
	WHERE NOT is_open AND state IN (2, 4, 5, 6) AND at >= $1::timestamptz
) o LEFT JOIN channel c ON c.number = o.channel
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- name: outbox_list
-- The same one by one, oldest first. $1 channel (NULL: all), $2 states, $3 since, $4 how many. Columns: id, at,
-- conversation_id, channel, class, state, is_open, statuses, tries, code, reason, gate, not_after.
SELECT o.id, o.at, o.conversation_id, c.name, o.class, o.state, o.is_open, o.statuses, o.tries, o.code, o.reason,
	o.gate, o.not_after
FROM (
	SELECT id, at, conversation_id, channel, class, state, is_open, statuses, tries, code, reason, gate, not_after
	FROM outbox WHERE is_open AND at >= $3::timestamptz
	UNION ALL
	SELECT id, at, conversation_id, channel, class, state, is_open, statuses, tries, code, reason, gate, not_after
	FROM outbox WHERE NOT is_open AND state IN (2, 4, 5, 6) AND at >= $3
) o LEFT JOIN channel c ON c.number = o.channel
WHERE ($1::text IS NULL OR c.name = $1) AND o.state = ANY ($2::smallint[])
ORDER BY o.at, o.id LIMIT $4::bigint;

-- name: outbox_retry
-- A message that did not leave, or perhaps did, or failed by a receipt, is to be sent anew; of somebody erased none
-- is. $1 id, $2 now.
-- Columns: id, conversation_id.
UPDATE outbox SET state = 0, is_open = true, statuses = 0, started_at = NULL, finished_at = NULL, gate = NULL,
	code = NULL, reason = NULL
WHERE id = $1::bigint AND NOT is_open AND payload IS NOT NULL AND NOT is_secret
	AND state IN (2, 4, 5, 6) AND statuses & 14 = 0
	AND EXISTS (SELECT FROM contact k WHERE k.id = conversation_id / 256 AND k.sealed_key IS NOT NULL)
	AND (not_after IS NULL OR not_after > $2::timestamptz)
RETURNING id, conversation_id;

-- name: outbox_retry_many
-- The same for all of a channel in one state, the oldest first. $1 channel, $2 state, $3 since, $4 now,
-- $5 how many. Columns: id, conversation_id.
UPDATE outbox o SET state = 0, is_open = true, statuses = 0, started_at = NULL, finished_at = NULL, gate = NULL,
	code = NULL, reason = NULL
FROM (
	SELECT d.id, d.at FROM outbox d JOIN channel c ON c.number = d.channel
		JOIN contact k ON k.id = d.conversation_id / 256 AND k.sealed_key IS NOT NULL
	WHERE NOT d.is_open AND d.state IN (2, 4, 5, 6) AND d.statuses & 14 = 0 AND d.at >= $3::timestamptz AND c.name = $1::text
		AND d.state = $2::integer AND d.payload IS NOT NULL AND NOT d.is_secret
		AND (d.not_after IS NULL OR d.not_after > $4::timestamptz)
	ORDER BY d.at, d.id LIMIT $5::bigint FOR UPDATE OF d
) v
WHERE o.id = v.id AND o.at = v.at RETURNING o.id, o.conversation_id;

-- name: outbox_give_up
-- A message that waits is not to be sent. One that is under way just now is not touched. $1 id, $2 now.
-- Columns: id, conversation_id.
UPDATE outbox SET state = 6, is_open = false, finished_at = $2::timestamptz, reason = 'given up by an operator',
	payload = CASE WHEN is_secret THEN NULL ELSE payload END
WHERE id = $1::bigint AND is_open AND state IN (0, 2) RETURNING id, conversation_id;

-- name: outbox_give_up_many
-- The same for all of a channel in one state. $1 channel, $2 state, $3 since, $4 now, $5 how many.
-- Columns: id, conversation_id.
UPDATE outbox o SET state = 6, is_open = false, finished_at = $4::timestamptz, reason = 'given up by an operator',
	payload = CASE WHEN o.is_secret THEN NULL ELSE o.payload END
FROM (
	SELECT d.id, d.at FROM outbox d JOIN channel c ON c.number = d.channel
	WHERE d.is_open AND d.state IN (0, 2) AND d.at >= $3::timestamptz AND c.name = $1::text AND d.state = $2::integer
	ORDER BY d.at, d.id LIMIT $5::bigint FOR UPDATE OF d
) v
WHERE o.id = v.id AND o.at = v.at RETURNING o.id, o.conversation_id;

-- name: outbox_settle
-- What became of a message of which nobody knew, a person says. $1 id, $2 state (3 sent, 4 failed), $3 now.
-- Columns: id, conversation_id.
UPDATE outbox SET state = $2::integer, finished_at = $3::timestamptz, reason = 'settled by an operator'
WHERE id = $1::bigint AND NOT is_open AND state = 2 RETURNING id, conversation_id;

-- name: set_aside_list
-- Events that were taken out of the way, oldest first. $1 how many.
-- Columns: id, conversation_id, inbox_at, at, reason.
SELECT id, conversation_id, inbox_at, at, reason FROM set_aside ORDER BY at, id LIMIT $1::bigint;

-- name: set_aside_retry
-- One of them has its turn after all. $1 id. Columns: id, conversation_id.
WITH back AS (
	DELETE FROM set_aside WHERE id = $1::bigint RETURNING id, conversation_id, inbox_at
)
INSERT INTO work (id, conversation_id, at) SELECT id, conversation_id, inbox_at FROM back
RETURNING id, conversation_id;

-- name: set_aside_drop
-- One of them never will. It stays in the inbox. $1 id. Columns: id, conversation_id.
DELETE FROM set_aside WHERE id = $1::bigint RETURNING id, conversation_id;

-- name: channel_pause
-- Nothing is sent on it from now on, by no node. $1 name, $2 now. Columns: name.
UPDATE channel SET paused_at = $2::timestamptz, owner = NULL WHERE name = $1::text AND paused_at IS NULL RETURNING name;

-- name: channel_resume
-- What waits for it goes. $1 name. Columns: name.
UPDATE channel SET paused_at = NULL WHERE name = $1::text AND paused_at IS NOT NULL RETURNING name;

-- name: retention_periods
-- The periods in force, the longest of each class. Columns: class, months, basis, before when it may go.
SELECT DISTINCT ON (class) class, months, basis, retention_before(class) FROM retention_period
WHERE valid_from <= current_date AND (valid_until IS NULL OR valid_until > current_date)
ORDER BY class, months DESC;

-- name: retention_list
-- What may go now and will with the next run. Columns: class, table, before.
SELECT class, what, before FROM retention_due();

-- name: retention_acts
-- What was taken, the newest first. $1 how many. Columns: at, class, table, before, rows.
SELECT at, class, what, before, rows_count FROM retention_act ORDER BY id DESC LIMIT $1::bigint;
