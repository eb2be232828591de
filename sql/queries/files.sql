-- name: file_claim
-- Takes the file that is due longest and that no living node has in hand. $1 node, $2 now, $3 channels,
-- $4 how many a person may send in a day. Columns: id, conversation_id, channel, tries, expires, claim,
-- sealed_key (NULL: erased), who, whether it is one too many.
UPDATE file f SET owner = $1::bigint, tries = least(f.tries + 1, 32767) FROM contact k
WHERE k.id = f.conversation_id / 256 AND f.id = (
	SELECT g.id FROM file g
	WHERE g.state = 0 AND g.due <= $2::timestamptz AND g.channel = ANY ($3::smallint[])
		AND (g.owner IS NULL OR g.owner = $1 OR NOT EXISTS (
			SELECT FROM node n WHERE n.id = g.owner AND n.alive_until > now()))
	ORDER BY g.due LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING f.id, f.conversation_id, f.channel, f.tries, f.expires, f.claim, k.sealed_key, k.who,
	(SELECT count(*) FROM file d WHERE d.conversation_id = f.conversation_id AND d.at > f.at - interval '1 day'
		AND d.id < f.id) >= $4::integer;

-- name: file_again
-- It could not be had now. $1 id, $2 node, $3 not before, $4 why.
UPDATE file SET owner = NULL, due = $3::timestamptz, reason = $4::text
WHERE id = $1::bigint AND owner = $2::bigint AND state = 0;

-- name: file_same
-- The kept file with this content of this person, which counts as come again now. $1 tag, $2 now. Columns: id.
UPDATE file SET at = greatest(at, $2::timestamptz) WHERE tag = $1::bytea AND state = 1 RETURNING id;

-- name: file_finish
-- What became of it; no row if another node has it. $1 id, $2 node, $3 now, $4 state, $5 verdict, $6 kind,
-- $7 pages, $8 width, $9 height, $10 bytes, $11 same as (0: none), $12 reason, $13 tag, $14 header. Columns: 1.
UPDATE file SET owner = NULL, finished_at = $3::timestamptz, state = $4::integer, verdict = $5::integer,
	kind = $6::integer, pages = $7::integer, width = $8::integer, height = $9::integer, bytes = $10::bigint,
	same_as = nullif($11::bigint, 0), reason = $12::text, tag = $13::bytea, header = $14::bytea
WHERE id = $1::bigint AND owner = $2::bigint AND state = 0 RETURNING 1;

-- name: file_piece_insert
-- A piece of the sealed stream. $1 file, $2 number, $3 bytes.
INSERT INTO file_piece (file_id, number, bytes) VALUES ($1::bigint, $2::integer, $3::bytea);
