-- Statements of proaltoctl, for support: run by hand, never by the daemon.

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
