-- So many people (:conversations) have written before: three messages and answers each in the last
-- months. Rows as the daemon leaves them; sealed bytes are bytes of the usual lengths. Ids lie below
-- those that the daemon will draw.
SET search_path = proalto;
SELECT setval('id_block', 10000);

CREATE TEMPORARY TABLE sealed AS
SELECT b AS b600, substr(b, 1, 300) AS b300, substr(b, 1, 72) AS b72
FROM (SELECT string_agg(sha256(i::text::bytea), '') AS b FROM generate_series(1, 19) i) v;

INSERT INTO contact (id, created_at, sealed_key, who)
SELECT i, now(), b72, b72 FROM generate_series(1, :conversations) i, sealed;

INSERT INTO address (tag, contact_id)
SELECT decode(md5('address' || i), 'hex'), i FROM generate_series(1, :conversations) i;

INSERT INTO conversation (id, owner, epoch, last_inbound_at, state)
SELECT i * 256 + 1, NULL, 6, now() - random() * interval '90 days', b300
FROM generate_series(1, :conversations) i, sealed;

INSERT INTO dedup (key, at)
SELECT decode(md5('event' || i), 'hex'), now() - random() * interval '8 days'
FROM generate_series(1, :conversations * 3) i;

INSERT INTO inbox (id, at, channel, conversation_id, kind, payload, body)
SELECT 10000000 + i, now() - random() * interval '30 days', 1, i / 3 * 256 + 1, 1, b300, b600
FROM generate_series(1, :conversations * 3) i, sealed;

INSERT INTO outbox (id, at, conversation_id, channel, class, is_open, is_secret, state, statuses, tries,
	reply_to_inbox, started_at, finished_at, reason, external, payload)
SELECT 20000000 + i, now() - random() * interval '30 days', i / 3 * 256 + 1, 1, 0, false, false, 3, 7, 1,
	10000000 + i, now(), now(), '', b72, b600
FROM generate_series(1, :conversations * 3) i, sealed;

VACUUM ANALYZE;
CHECKPOINT;
