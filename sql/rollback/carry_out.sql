-- For psql: what must not come back with a backup, as statements for the database that it became. Who was
-- erased stays so; no number is given twice, since those of cases are known to customers, and receipts name
-- messages by theirs; what was answered or sent since is not answered or sent again.
\pset tuples_only on
\pset format unaligned
SELECT format('UPDATE proalto.contact SET sealed_key = NULL, who = NULL WHERE id = %s; '
	'DELETE FROM proalto.address WHERE contact_id = %1$s;', id)
FROM proalto.contact WHERE sealed_key IS NULL;
SELECT to_regclass('proalto.erasure') IS NOT NULL AS has_erasures \gset
\if :has_erasures
SELECT format('DO $$ BEGIN IF to_regclass(''proalto.erasure'') IS NOT NULL THEN '
	'INSERT INTO proalto.erasure VALUES (%s, %L, %L) ON CONFLICT DO NOTHING; END IF; END $$;', contact_id, at, reason)
FROM proalto.erasure;
\endif
SELECT format('SELECT setval(%L, %s);', 'proalto.id_block', last_value) FROM proalto.id_block WHERE is_called;
SELECT format('SELECT setval(%L, %s);', 'proalto.case_number', last_value) FROM proalto.case_number WHERE is_called;
SELECT format('DELETE FROM proalto.work WHERE id <> ALL (%L::bigint[]);', coalesce(array_agg(id), '{}'))
FROM proalto.work;
SELECT format('DELETE FROM proalto.timer WHERE conversation_id || name <> ALL (%L::text[]);',
	coalesce(array_agg(conversation_id || name), '{}'))
FROM proalto.timer;
SELECT format('UPDATE proalto.outbox SET is_open = false, state = 6, finished_at = now(), '
	'reason = ''settled after the backup'', payload = CASE WHEN is_secret THEN NULL ELSE payload END '
	'WHERE is_open AND id <> ALL (%L::bigint[]);', coalesce(array_agg(id), '{}'))
FROM proalto.outbox WHERE is_open;
