-- Statements of `proaltoctl retention run`, under the role proalto_retention, which may do nothing else.

-- name: retention_partitions
-- The partitions of this month and the next twelve. Columns: how many were made.
SELECT keep_partitions();

-- name: retention_step
-- Takes one thing whose time is over. Columns: class, table, before, rows; no row: nothing is left to take.
SELECT class, what, before, rows_count FROM retention_step();
