-- What the metrics tell of the store. Looked at when they are read, on a connection of its own.

-- name: metrics_store
-- What waits, and who is there; 10,000 rows of each are counted at most.
-- Columns: work waiting, its oldest time (NULL: none), timers, the first one's time (NULL: none), events
-- set aside, living nodes.
SELECT w.n, w.oldest, t.n, t.first, s.n, n.n
FROM (SELECT count(*) AS n, min(at) AS oldest FROM (SELECT at FROM work ORDER BY id LIMIT 10000) x) w,
	(SELECT count(*) AS n, min(due) AS first FROM (SELECT due FROM timer ORDER BY due LIMIT 10000) x) t,
	(SELECT count(*) AS n FROM (SELECT FROM set_aside LIMIT 10000) x) s,
	(SELECT count(*) AS n FROM node WHERE alive_until > now()) n;

-- name: metrics_outbox
-- Messages with something still to be done, the oldest 10,000 of all. Columns: name of the channel,
-- how many, the oldest one's time.
SELECT c.name, count(*), min(o.at)
FROM (SELECT channel, at FROM outbox WHERE is_open ORDER BY at, id LIMIT 10000) o
	JOIN channel c ON c.number = o.channel
GROUP BY c.name;
