-- Statements of proaltoctl restore on the store that it has brought back.

-- name: restored_settle
-- Nobody of then is alive, and no number that was given away since is given away again: ids of messages that
-- customers and providers have seen or that the list of erasures has, and radicados. Columns: two that mean nothing.
WITH dead AS (
	UPDATE node SET alive_until = '-infinity'
)
SELECT setval('id_block', greatest(nextval('id_block'), (SELECT max(contact_id) FROM erasure) / 65536) + 1048576),
	setval('case_number', nextval('case_number') + 10000);

-- name: restored_erase
-- Erases a person again. Who is not there is noted, too: the list must serve newer backups. $1 contact, $2 when
-- he was erased, $3 why. Columns: how many contacts were there.
WITH noted AS (
	INSERT INTO erasure (contact_id, at, reason) VALUES ($1::bigint, $2::timestamptz, $3::text)
	ON CONFLICT DO NOTHING
)
SELECT erase_contact($1::bigint, $2::timestamptz, $3::text);

-- name: restored_waiting
-- What goes on as soon as a daemon starts. Columns: events for a turn, messages to send.
SELECT (SELECT count(*) FROM work), (SELECT count(*) FROM outbox WHERE is_open);

-- name: restored_open
-- Lets the others in, as the first migration does.
GRANT USAGE ON SCHEMA proalto TO proalto, proalto_retention, proalto_report;

-- name: restored_forget
-- What restore_put_aside kept.
DROP SCHEMA proalto_before CASCADE;
