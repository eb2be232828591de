-- Customers' files: fetched from the provider, judged, and kept sealed under the person's key.
SET LOCAL search_path = proalto;

-- One row a file that came in, made by the turn that consumed its message. What is refused leaves its row
-- and nothing else.
CREATE TABLE file (
	id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	conversation_id bigint NOT NULL,
	inbox_id bigint NOT NULL, -- the message that brought it
	channel smallint NOT NULL,
	state smallint NOT NULL,  -- 0 to be fetched, 1 kept, 2 refused, 3 could not be had, 4 the same as another
	owner bigint,             -- the node that has it in hand
	tries smallint NOT NULL DEFAULT 0,
	due timestamptz NOT NULL,     -- not before
	expires timestamptz NOT NULL, -- the provider keeps it no longer
	finished_at timestamptz,
	verdict smallint, -- daemon/inspect/inspect.h
	kind smallint,    -- the same: 1 JPEG, 2 PNG, 3 PDF
	pages integer,
	width integer,
	height integer,
	bytes bigint,     -- of what is kept
	same_as bigint,   -- file.id
	reason text,      -- of the last failure; no personal datum
	tag bytea,        -- keyed hash of person and content as it came: equal files are kept once
	header bytea,     -- where the sealed stream of file_piece begins
	claim bytea       -- sealed: the provider's id of it, and what was said of it
);
CREATE UNIQUE INDEX file_inbox ON file (inbox_id);
CREATE INDEX file_due ON file (due) WHERE state = 0;
CREATE INDEX file_conversation ON file (conversation_id, at);
CREATE UNIQUE INDEX file_tag ON file (tag) WHERE state = 1;

CREATE TABLE file_piece (
	file_id bigint NOT NULL REFERENCES file ON DELETE CASCADE,
	number integer NOT NULL,
	bytes bytea NOT NULL,
	PRIMARY KEY (file_id, number)
);
ALTER TABLE file_piece ALTER bytes SET STORAGE EXTERNAL;

GRANT SELECT, INSERT, UPDATE ON file TO proalto;
GRANT SELECT, INSERT ON file_piece TO proalto;

ALTER TABLE retention_period DROP CONSTRAINT retention_period_class_check;
ALTER TABLE retention_period ADD CONSTRAINT retention_period_class_check CHECK (class IN ('correspondence', 'raw_body',
	'operator_act', 'case', 'lock', 'file'));
INSERT INTO retention_period (class, months, valid_from, basis) VALUES
	('file', 120, '2005-07-08', 'Código de Comercio art. 60 y Ley 962 de 2005 art. 28: diez años');

-- What may go now, the oldest first. A month goes when it is over, has nothing left to do, and nothing in it is
-- waited for. Nothing may go if nothing was done for a month, or in the month before this one: then it is the
-- clock that is wrong, and the daemon may have gone on by it since.
CREATE OR REPLACE FUNCTION retention_due() RETURNS TABLE (class text, what text, before timestamptz)
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
	RETURN QUERY SELECT 'file', 'file', retention_before('file')
	WHERE EXISTS (SELECT FROM file t WHERE t.at < retention_before('file'));
END
$$;
