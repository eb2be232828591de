-- Statements of `proaltoctl setup` inside the store's database.

-- name: setup_store_is_used
-- Whether something is sealed there already: the store's own key is from a daemon's first start on.
-- Columns: is_used.
SELECT EXISTS (SELECT FROM master_key) OR EXISTS (SELECT FROM contact) AS is_used;

-- name: setup_store_keys
-- The names of the master keys that it is sealed under. Columns: id.
SELECT id FROM master_key;
