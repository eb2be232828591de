-- What a person wants to know of the store at a glance. Bounded: also for the day on which all waits.

-- name: overview_waiting
-- What waits, what is in doubt, what was set aside (10,000 of each at most).
-- Columns: events and the oldest one's time, messages and the oldest one's time, how many of them uncertain,
-- events set aside.
SELECT w.n, w.oldest, o.n, o.oldest, o.uncertain, s.n
FROM (SELECT count(*) AS n, min(at) AS oldest FROM (SELECT at FROM work ORDER BY id LIMIT 10000) x) w,
	(SELECT count(*) AS n, min(at) AS oldest, count(*) FILTER (WHERE state = 2) AS uncertain
	FROM (SELECT at, state FROM outbox WHERE is_open ORDER BY at, id LIMIT 10000) x) o,
	(SELECT count(*) AS n FROM (SELECT FROM set_aside LIMIT 10000) x) s;

-- name: overview_nodes
-- The nodes of the last week, by name. Columns: name, started_at, is_alive.
SELECT DISTINCT ON (name) name, started_at, alive_until > now() FROM node
WHERE started_at > now() - interval '7 days' OR alive_until > now()
ORDER BY name, started_at DESC LIMIT 16;
