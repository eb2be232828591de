-- name: turn_fence
-- New states of conversations that this node still leases; fails (PA001) unless it leases them all.
-- $1 conversation ids, $2 epochs, $3 states, $4 node, $5 how many. Columns: how many.
WITH fence AS (
	UPDATE conversation c SET
		state = ($3::bytea[])[array_position($1::bigint[], c.id)],
		epoch = c.epoch + 1
	WHERE c.id = ANY ($1) AND c.owner = $4::bigint
		AND c.epoch = ($2::bigint[])[array_position($1, c.id)]
	RETURNING c.id
)
SELECT expect_rows((SELECT count(*) FROM fence), $5::bigint);

-- name: turn_epochs
-- Whether turns of a commit in doubt were committed; waits for one that still is under way on the server.
-- $1 conversation ids. Columns: id, owner, epoch.
SELECT id, owner, epoch FROM conversation WHERE id = ANY ($1::bigint[]) ORDER BY id FOR SHARE;

-- name: outbox_insert
-- Messages to send. $1 ids, $2 now, $3 conversation ids, $4 channels, $5 classes, $6 secret?, $7 states,
-- $8 tries, $9 inbox ids, $10 not_after (epoch: none), $11 payloads, $12 what for (NULL: nobody cares).
INSERT INTO outbox (id, at, conversation_id, channel, class, is_open, is_secret, state, tries,
	reply_to_inbox, not_after, started_at, payload, what_for)
SELECT v.id, $2::timestamptz, v.conversation_id, v.channel, v.class, true, v.is_secret, v.state, v.tries,
	v.inbox_id, nullif(v.not_after, 'epoch'), CASE WHEN v.state = 1 THEN $2::timestamptz END, v.payload,
	v.what_for
FROM unnest($1::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::boolean[], $7::smallint[],
	$8::smallint[], $9::bigint[], $10::timestamptz[], $11::bytea[], $12::text[])
	v(id, conversation_id, channel, class, is_secret, state, tries, inbox_id, not_after, payload, what_for);

-- name: work_delete
-- Events that turns have consumed. $1 inbox ids.
DELETE FROM work WHERE id = ANY ($1::bigint[]);

-- name: strays_settle
-- Conversations of turns just fenced, of which nothing is left to be found in the store. $1 ids.
UPDATE conversation c SET strays = 0 WHERE c.id = ANY ($1::bigint[]) AND c.strays > 0
	AND NOT EXISTS (SELECT FROM work w WHERE w.conversation_id = c.id);

-- name: inbox_redact
-- What of events may stay; the raw body, wherever it lies, goes. $1 inbox ids, $2 payloads (sealed).
WITH kept AS (
	UPDATE inbox i SET body = NULL,
		payload = ($2::bytea[])[array_position($1::bigint[], i.id)]
	WHERE i.id = ANY ($1) RETURNING i.body_of
)
UPDATE inbox i SET body = NULL
WHERE i.id = ANY (ARRAY(SELECT k.body_of FROM kept k)) AND i.id <> ALL ($1);

-- name: event_insert
-- What the daemon tells itself: jobs, undelivered messages. $1 ids, $2 now, $3 conversation ids,
-- $4 channels, $5 kinds, $6 payloads.
WITH stored AS (
	INSERT INTO inbox (id, at, channel, conversation_id, kind, payload)
	SELECT v.id, $2::timestamptz, v.channel, v.conversation_id, v.kind, v.payload
	FROM unnest($1::bigint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::bytea[])
		v(id, conversation_id, channel, kind, payload)
)
INSERT INTO work (id, conversation_id, at) SELECT i, c, $2 FROM unnest($1, $3) v(i, c);

-- name: timer_set
-- One timer of a name a conversation. $1 conversation ids, $2 names, $3 due.
INSERT INTO timer (conversation_id, name, due)
SELECT c, n, d FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) v(c, n, d)
ON CONFLICT (conversation_id, name) DO UPDATE SET due = excluded.due;

-- name: timer_delete
-- Timers that are no longer wanted. $1 conversation ids, $2 names: as pairs.
DELETE FROM timer t USING unnest($1::bigint[], $2::text[]) v(c, n)
WHERE t.conversation_id = v.c AND t.name = v.n AND t.conversation_id = ANY ($1::bigint[]);

-- name: consent_insert
-- Consent events, each chained to its conversation's last one (HD-02): one a conversation in one call.
-- $1 ids, $2 now, $3 contacts, $4 channels, $5 purposes, $6 actions, $7 text versions, $8 outbox ids of
-- the questions (0: unknown), $9 inbox ids of the answers, $10 words (sealed). The hash covers every
-- column before it.
INSERT INTO consent (id, at, contact_id, channel, purpose, action, text_version, question_outbox,
	inbox_id, words, previous, hash)
SELECT v.id, $2::timestamptz, v.contact_id, v.channel, v.purpose, v.action, v.text_version,
	nullif(v.question, 0), v.answer, v.words, p.hash,
	sha256(convert_to(concat_ws('|', v.id, extract(epoch FROM $2), v.contact_id, v.channel, v.purpose,
		v.action, v.text_version, v.question, v.answer, encode(v.words, 'hex'),
		encode(p.hash, 'hex')), 'UTF8'))
FROM unnest($1::bigint[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::bigint[],
	$9::bigint[], $10::bytea[])
	v(id, contact_id, channel, purpose, action, text_version, question, answer, words)
LEFT JOIN LATERAL (
	SELECT c.hash FROM consent c WHERE c.contact_id = v.contact_id AND c.channel = v.channel
	ORDER BY c.id DESC LIMIT 1) p ON true;

-- name: case_insert
-- Cases for a person to look after. $1 ids, $2 now, $3 numbers, $4 conversation ids, $5 inbox ids, $6 kinds, $7 due (epoch: none),
-- $8 summaries (sealed).
INSERT INTO service_case (id, at, number, conversation_id, inbox_id, kind, due, summary)
SELECT v.id, $2::timestamptz, v.number, v.conversation_id, v.inbox_id, v.kind, nullif(v.due, 'epoch'),
	v.summary
FROM unnest($1::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::timestamptz[],
	$8::bytea[]) v(id, number, conversation_id, inbox_id, kind, due, summary);

-- name: file_insert
-- Files to be fetched. $1 ids, $2 now, $3 conversation ids, $4 inbox ids, $5 channels, $6 expire,
-- $7 claims (sealed).
INSERT INTO file (id, at, conversation_id, inbox_id, channel, state, due, expires, claim)
SELECT v.id, $2::timestamptz, v.conversation_id, v.inbox_id, v.channel, 0, $2, v.expires, v.claim
FROM unnest($1::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::timestamptz[], $7::bytea[])
	v(id, conversation_id, inbox_id, channel, expires, claim)
ON CONFLICT (inbox_id) DO NOTHING;

-- name: person_lock_set
-- Locks persons; a longer lock stays. $1 persons, $2 until.
INSERT INTO person_lock (person, until)
SELECT p, u FROM unnest($1::bytea[], $2::timestamptz[]) v(p, u)
ON CONFLICT (person) DO UPDATE SET until = greatest(person_lock.until, excluded.until);

-- name: evidence_insert
-- The packed entries of one commit. $1 id, $2 now, $3 node, $4 how many, $5 entries.
INSERT INTO evidence_batch (id, at, node, entries_count, entries)
VALUES ($1::bigint, $2::timestamptz, $3::bigint, $4::integer, $5::bytea);
