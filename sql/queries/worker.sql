-- name: person_locked_until
-- Until when a person may not be verified. $1 person. Columns: until.
SELECT until FROM person_lock WHERE person = $1::bytea;

-- name: code_quota_take
-- Takes one code out of a person's hourly quota, once for one reason. $1 person, $2 is the owner, $3 now,
-- $4 quota an hour, $5 inbox id of what asks. Columns: granted.
SELECT code_quota_take($1::bytea, $2::boolean, $3::timestamptz, $4::integer, $5::bigint);

-- name: case_number_next
-- The next radicado. Columns: the number.
SELECT nextval('case_number');
