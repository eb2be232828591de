-- For psql, run by `proaltoctl rollback --to-backup` on the database and on what the backup brings back:
-- what there is of each kind, and the first and the last that came after :since. Columns: is_message, kind,
-- count, first, last. A database without later rows has no first.
\pset tuples_only on
\pset format unaligned
\pset fieldsep '|'
SET TimeZone = 'America/Bogota';
SELECT 1, 'inbox', count(*), min(at) FILTER (WHERE at > :'since'), max(at) FROM proalto.inbox WHERE kind BETWEEN 1 AND 99
UNION ALL
SELECT 1, 'outbox', count(*), min(at) FILTER (WHERE at > :'since'), max(at) FROM proalto.outbox
UNION ALL
SELECT 0, 'receipt', count(*), min(at) FILTER (WHERE at > :'since'), max(at) FROM proalto.receipt
UNION ALL
SELECT 0, 'consent', count(*), min(at) FILTER (WHERE at > :'since'), max(at) FROM proalto.consent
UNION ALL
SELECT 0, 'service_case', count(*), min(at) FILTER (WHERE at > :'since'), max(at) FROM proalto.service_case
UNION ALL
SELECT 0, 'evidence_batch', count(*), min(at) FILTER (WHERE at > :'since'), max(at) FROM proalto.evidence_batch;
