-- Statements of `proaltoctl setup` inside the store's database.

-- name: setup_store_is_used
-- Whether something is sealed there already.
-- Columns: is_used.
SELECT EXISTS (SELECT FROM contact) AS is_used;
