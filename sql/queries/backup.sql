-- Statements of proaltoctl backup, beside pg_dump.

-- name: backup_lock
-- Two lists of erasures are read and written one after the other: the file is the newer one.
SELECT pg_advisory_xact_lock(4822678189205111);

-- name: erasure_list
-- Who was erased, in the order of their ids. $1 after which contact, $2 how many. Columns: contact_id, at,
-- reason.
SELECT contact_id, at, reason FROM erasure WHERE contact_id > $1::bigint ORDER BY contact_id
LIMIT $2::bigint;
