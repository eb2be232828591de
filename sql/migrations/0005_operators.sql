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

-- One person's messages among everybody's. A row costs next to nothing to write; to read, the pages
-- that may hold the conversation.
CREATE INDEX inbox_conversation ON inbox USING brin (conversation_id int8_bloom_ops) WITH (autosummarize = on);
CREATE INDEX outbox_conversation ON outbox USING brin (conversation_id int8_bloom_ops) WITH (autosummarize = on);

-- Messages that are done and did not leave, or perhaps did: few.
CREATE INDEX outbox_dead ON outbox (at, id) WHERE NOT is_open AND state IN (2, 4, 5, 6);
