-- What people do by hand: each look at and change of a customer's data, with who and why; channels
-- that a person has stopped; and indexes by which a conversation and what failed are found.

SET LOCAL search_path = proalto;

-- Append-only, for everybody. The reason may name somebody: sealed under the house's key, so that it
-- outlives the keys of the people it is about.
CREATE TABLE operator_act (
	id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	uid bigint NOT NULL, -- who asked, as the kernel knows him ...
	user_name text NOT NULL, -- ... and what the machine called him then
	action text NOT NULL, -- a word: 'conversation.show', 'outbox.retry'
	object text NOT NULL, -- which one, by numbers and names of the house's own
	conversation_id bigint, -- if it was one person's
	reason bytea NOT NULL
);
GRANT SELECT, INSERT ON operator_act TO proalto;

-- Nothing is sent on it, on any node, until it is NULL again.
ALTER TABLE channel ADD COLUMN paused_at timestamptz;

-- One person's messages among everybody's: a BRIN row costs next to nothing to write; to read, the pages that
-- may hold the conversation. And messages that are done and did not leave, or perhaps did: few.
--
-- Nobody may write while an index is made, so it is made here for months that are read in a moment, with those
-- to come; `proaltoctl db index` makes the others beside the writers. Till then they are read whole.
DO $$
DECLARE
	kind record;
	part text;
	name text;
BEGIN
	FOR kind IN SELECT * FROM (VALUES
		('inbox', 'conversation', 'USING brin (conversation_id int8_bloom_ops) WITH (autosummarize = on)'),
		('outbox', 'conversation', 'USING brin (conversation_id int8_bloom_ops) WITH (autosummarize = on)'),
		('outbox', 'dead', '(at, id) WHERE NOT is_open AND state IN (2, 4, 5, 6)')) v(parent, suffix, definition)
	LOOP
		EXECUTE format('CREATE INDEX %I ON ONLY %I %s', kind.parent || '_' || kind.suffix, kind.parent, kind.definition);
		FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
			WHERE i.inhparent = kind.parent::regclass AND pg_relation_size(c.oid) <= 64 << 20
		LOOP
			name := part || '_' || kind.suffix;
			EXECUTE format('CREATE INDEX %I ON %I %s', name, part, kind.definition);
			EXECUTE format('ALTER INDEX %I ATTACH PARTITION %I', kind.parent || '_' || kind.suffix, name);
		END LOOP;
	END LOOP;
END
$$;
