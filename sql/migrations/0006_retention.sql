-- How long records are kept, and who takes them away when their time is over: the role proalto_retention,
-- by functions that choose by themselves what may go, and write down what they took.
SET LOCAL search_path = proalto;

-- Periods are legal data with dates. Of those in force for a class the longest counts: a house may add a
-- longer one, and shortens nothing. Evidence, consents, contacts and erasures have no class: they stay.
CREATE TABLE retention_period (
	class text NOT NULL CHECK (class IN ('correspondence', 'raw_body', 'operator_act', 'case', 'lock')),
	months integer NOT NULL CHECK (months > 0),
	valid_from date NOT NULL,
	valid_until date, -- NULL: still in force
	basis text NOT NULL,
	PRIMARY KEY (class, months, valid_from)
);
INSERT INTO retention_period (class, months, valid_from, basis) VALUES
	('correspondence', 120, '2005-07-08',
	 'Código de Comercio art. 60 y Ley 962 de 2005 art. 28: diez años'),
	('correspondence', 264, '2005-07-08',
	 'Diseño: expediente de libranza, vida del crédito y diez años más; el servicio no sabe cuándo termina un'
	 ' crédito y cuenta doce años'),
	('raw_body', 36, '2005-07-08',
	 'Diseño: registros de operación, tres años; lo entendido y su hora quedan con la correspondencia'),
	('operator_act', 60, '2012-10-17',
	 'Diseño: registros de acceso, tres años; cinco para un banco vigilado'),
	('case', 120, '2012-10-17', 'Diseño: consultas y reclamos, diez años después de cerrados'),
	('lock', 1, '2012-10-17', 'Ley 1581 de 2012 art. 4: un bloqueo vencido ya no es necesario');

-- What was taken. Append-only; numbers and names of tables, no content.
CREATE TABLE retention_act (
	id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	class text NOT NULL,
	what text NOT NULL, -- the table
	before timestamptz NOT NULL, -- all of it was older
	months integer NOT NULL, -- the period
	rows_count bigint NOT NULL,
	is_last boolean NOT NULL, -- nothing of this kind is left there
	next_page bigint -- of the table, where the next step goes on
);
CREATE INDEX retention_act_last ON retention_act (class, what, is_last, id);

-- Before when a class may go.
CREATE FUNCTION retention_before(kind text) RETURNS timestamptz LANGUAGE sql STABLE SET search_path = proalto, pg_temp AS $$
	SELECT date_trunc('month', now() - max(months) * interval '1 month', 'UTC') FROM retention_period
	WHERE class = kind AND valid_from <= current_date AND (valid_until IS NULL OR valid_until > current_date)
$$;

-- What may go now, the oldest first. A month goes when it is over, has nothing left to do, and nothing in it is
-- waited for. Nothing may go if nothing was done for a month, or in the month before this one: then it is the
-- clock that is wrong, and the daemon may have gone on by it since.
CREATE FUNCTION retention_due() RETURNS TABLE (class text, what text, before timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = proalto, pg_temp AS $$
DECLARE
	part record;
	ends timestamptz;
BEGIN
	IF NOT EXISTS (SELECT FROM evidence_batch e WHERE e.at > now() - interval '31 days' AND e.at < now() + interval '1 day'
		       AND e.node <> 0)
	   OR NOT EXISTS (SELECT FROM evidence_batch e WHERE e.at >= date_trunc('month', now(), 'UTC') - interval '1 month'
			  AND e.at < date_trunc('month', now(), 'UTC') AND e.node <> 0) THEN
		RETURN;
	END IF;
	FOR part IN
		SELECT c.relname::text AS name, p.relname::text AS parent FROM pg_inherits i
			JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
		WHERE p.relnamespace = 'proalto'::regnamespace AND p.relname IN ('inbox', 'outbox', 'receipt')
			AND c.relname ~ '^(inbox|outbox|receipt)_[0-9]{4}_[0-9]{2}$'
		ORDER BY right(c.relname, 7), c.relname
	LOOP
		ends := to_timestamp(right(part.name, 7) || ' +00', 'YYYY_MM TZH') + interval '1 month';
		IF ends <= retention_before('correspondence') THEN
			IF part.parent = 'outbox' AND EXISTS (SELECT FROM outbox o WHERE o.is_open AND o.at < ends)
			   OR part.parent = 'inbox' AND (EXISTS (SELECT FROM work w WHERE w.at < ends)
				OR EXISTS (SELECT FROM set_aside s WHERE s.inbox_at < ends)) THEN
				CONTINUE;
			END IF;
			RETURN QUERY SELECT 'correspondence', part.name, ends;
		ELSIF part.parent <> 'outbox' AND ends <= retention_before('raw_body') AND NOT EXISTS (
			SELECT FROM retention_act a WHERE a.class = 'raw_body' AND a.what = part.name AND a.is_last) THEN
			RETURN QUERY SELECT 'raw_body', part.name, ends;
		END IF;
	END LOOP;
	RETURN QUERY SELECT 'correspondence', 'attempt', retention_before('correspondence')
	WHERE EXISTS (SELECT FROM attempt t WHERE t.at < retention_before('correspondence'));
	RETURN QUERY SELECT 'operator_act', 'operator_act', retention_before('operator_act')
	WHERE EXISTS (SELECT FROM operator_act t WHERE t.at < retention_before('operator_act'));
	RETURN QUERY SELECT 'case', 'service_case', retention_before('case')
	WHERE EXISTS (SELECT FROM service_case t WHERE t.closed_at < retention_before('case'));
	RETURN QUERY SELECT 'lock', 'person_lock', retention_before('lock')
	WHERE EXISTS (SELECT FROM person_lock t WHERE t.until < retention_before('lock'));
END
$$;

-- Bytes as the daemon packs them: an integer, and an entry of evidence (its kind is 10).
CREATE FUNCTION pack_varint(value bigint) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	bytes bytea := '';
BEGIN
	WHILE value > 127 LOOP
		bytes := bytes || set_byte('\x00', 0, (value & 127 | 128)::integer);
		value := value >> 7;
	END LOOP;
	RETURN bytes || set_byte('\x00', 0, value::integer);
END
$$;
CREATE FUNCTION pack_removal(act bigint, instant timestamptz, rows_count bigint, class text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = proalto, pg_temp AS $$
DECLARE
	entry bytea := '\x0814' || '\x10'::bytea || pack_varint(act * 2)
		|| '\x18'::bytea || pack_varint((extract(epoch FROM instant) * 1000000)::bigint * 2000)
		|| '\x20'::bytea || pack_varint(rows_count * 2)
		|| '\x2a'::bytea || pack_varint(length(class)) || convert_to(class, 'UTF8');
BEGIN
	RETURN '\x0a'::bytea || pack_varint(length(entry)) || entry;
END
$$;

-- Takes one thing away, a few thousand rows or a month, and tells what; no row: there is nothing more that can
-- be taken now. Who has a table locked is not disturbed for longer than a moment.
CREATE FUNCTION retention_step() RETURNS TABLE (class text, what text, before timestamptz, rows_count bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = proalto, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
	most CONSTANT integer := 5000;
	stretch CONSTANT integer := 20; -- pages
	due record;
	found_rows bigint;
	changed bigint;
	is_over boolean;
	page bigint;
	act bigint;
BEGIN
	FOR due IN SELECT * FROM retention_due() LOOP
		BEGIN
			page := NULL;
			IF due.class = 'correspondence' AND due.what <> 'attempt' THEN
				is_over := true;
				EXECUTE format('SELECT count(*) FROM %I', due.what) INTO found_rows;
				EXECUTE format('DROP TABLE %I', due.what);
			ELSIF due.class = 'raw_body' THEN
				-- On from the last step's page: each is read once, however many steps it takes. A restored
				-- table has its rows on other pages, so in the end all are looked at.
				SELECT coalesce((SELECT a.next_page FROM retention_act a WHERE a.class = due.class
					AND a.what = due.what AND NOT a.is_last ORDER BY a.id DESC LIMIT 1), 0) INTO page;
				found_rows := 0;
				LOOP
					is_over := page >= pg_relation_size(due.what::regclass)
						/ current_setting('block_size')::bigint;
					EXIT WHEN is_over OR found_rows >= most;
					EXECUTE format('UPDATE %I SET body = NULL WHERE ctid >= ''(%s,0)'' AND ctid < ''(%s,0)'''
						' AND body IS NOT NULL', due.what, page, page + stretch);
					GET DIAGNOSTICS changed = ROW_COUNT;
					found_rows := found_rows + changed;
					page := page + stretch;
				END LOOP;
				IF is_over THEN
					EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I WHERE body IS NOT NULL)', due.what) INTO is_over;
					page := 0;
				END IF;
			ELSE
				EXECUTE format('DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %2$I < %3$L'
					' LIMIT %4$s))', due.what, CASE due.class WHEN 'case' THEN 'closed_at' WHEN 'lock' THEN 'until'
					ELSE 'at' END, due.before, most);
				GET DIAGNOSTICS found_rows = ROW_COUNT;
				is_over := found_rows < most;
			END IF;
		EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
			CONTINUE;
		END;
		act := nextval('id_block') * 65536;
		INSERT INTO retention_act (id, at, class, what, before, months, rows_count, is_last, next_page)
		SELECT act, now(), due.class, due.what, due.before, max(p.months), found_rows, is_over, page
		FROM retention_period p WHERE p.class = due.class AND p.valid_from <= current_date
			AND (p.valid_until IS NULL OR p.valid_until > current_date);
		INSERT INTO evidence_batch (id, at, node, entries_count, entries)
		VALUES (act + 1, now(), 0, 1, pack_removal(act, now(), found_rows, due.class));
		RETURN QUERY SELECT due.class, due.what, due.before, found_rows;
		RETURN;
	END LOOP;
END
$$;

-- The daemon makes partitions ahead; so does the nightly run, should no daemon be there.
CREATE FUNCTION keep_partitions() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = proalto, pg_temp AS $$
	SELECT make_partitions(now(), now() + interval '12 months')
$$;

REVOKE EXECUTE ON FUNCTION retention_before(text), retention_due(), retention_step(), keep_partitions(),
	pack_varint(bigint), pack_removal(bigint, timestamptz, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_step(), keep_partitions() TO proalto_retention;
GRANT EXECUTE ON FUNCTION retention_due(), retention_before(text) TO proalto;
GRANT SELECT ON retention_period, retention_act TO proalto;
