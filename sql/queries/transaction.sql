-- name: begin
-- Begins the writer's transaction of one cycle.
BEGIN;

-- name: commit
-- Ends it.
COMMIT;
