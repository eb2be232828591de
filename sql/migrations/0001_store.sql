-- The store: what came in, what is to be done, what went out, and what became of it.
--
-- Ids are drawn by the daemon from blocks of id_block, one space for all tables, so an id names one
-- thing. Times are business time (a parameter of every statement); only node.alive_until uses the
-- database's clock. Columns named payload, body, who, words and summary are sealed: XChaCha20-Poly1305
-- under the contact's own key, which is itself sealed under the house's; erasing contact.sealed_key
-- erases the content everywhere.

CREATE SCHEMA IF NOT EXISTS proalto AUTHORIZATION proalto_owner;
SET LOCAL search_path = proalto;

CREATE SEQUENCE id_block; -- block n holds the ids n * 65536 to n * 65536 + 65535
CREATE SEQUENCE case_number;

-- A running daemon. A lease on a conversation or a channel lives as long as its owner's row.
CREATE TABLE node (
	id bigint PRIMARY KEY, -- of one start of one daemon
	name text NOT NULL,
	started_at timestamptz NOT NULL DEFAULT now(),
	alive_until timestamptz NOT NULL
);
CREATE INDEX node_name ON node (name);

-- The configured channels, numbered: conversation.id = contact.id * 256 + channel.number.
CREATE TABLE channel (
	number smallint PRIMARY KEY CHECK (number BETWEEN 1 AND 255),
	name text NOT NULL UNIQUE,
	owner bigint -- the node that sends on it
);

-- A person as channels know him: by phone, by the provider's user id, or both.
CREATE TABLE contact (
	id bigint PRIMARY KEY,
	created_at timestamptz NOT NULL,
	sealed_key bytea, -- NULL once erased
	who bytea,        -- phone, user id
	merged_into bigint
);

-- Keyed hash of a phone or user id.
CREATE TABLE address (
	tag bytea PRIMARY KEY CHECK (length(tag) = 16),
	contact_id bigint NOT NULL
);

-- One contact on one channel. The unit of order and of ownership.
CREATE TABLE conversation (
	id bigint PRIMARY KEY,
	owner bigint,
	epoch bigint NOT NULL, -- counts turns and take-overs: the fence
	strays integer NOT NULL DEFAULT 0, -- events that came in at nodes that don't have it: its work is
					   -- taken from the store, in order, until there is none left
	last_inbound_at timestamptz NOT NULL,
	state bytea
) WITH (fillfactor = 70);

-- What was seen before. Not partitioned: providers repeat for a week.
CREATE TABLE dedup (
	key bytea PRIMARY KEY,
	at timestamptz NOT NULL
);

-- Everything that came in but receipts, and what the daemon tells itself (jobs, timers).
CREATE TABLE inbox (
	id bigint NOT NULL,
	at timestamptz NOT NULL,
	channel smallint NOT NULL,
	conversation_id bigint, -- NULL: about no person
	kind smallint NOT NULL, -- PA_EVENT_*, or 100 job, 101 timer, 102 undelivered
	body_of bigint,         -- the row that holds the raw body, if not this one
	payload bytea,
	body bytea,
	PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- Inbox rows that no turn has consumed. Near empty: a turn deletes what it consumed.
CREATE TABLE work (
	id bigint PRIMARY KEY, -- inbox.id
	conversation_id bigint NOT NULL,
	at timestamptz NOT NULL, -- inbox.at
	deaths smallint NOT NULL DEFAULT 0 -- how often the daemon died with it in hand
) WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0,
	autovacuum_vacuum_cost_delay = 0);

-- Inbox rows that killed the daemon: kept for a person to look at.
CREATE TABLE set_aside (
	id bigint PRIMARY KEY,
	conversation_id bigint NOT NULL,
	inbox_at timestamptz NOT NULL,
	at timestamptz NOT NULL,
	reason text NOT NULL
);

CREATE TABLE timer (
	conversation_id bigint NOT NULL,
	name text NOT NULL,
	due timestamptz NOT NULL,
	PRIMARY KEY (conversation_id, name)
);
CREATE INDEX timer_due ON timer (due);
CREATE INDEX timer_core ON timer (due) WHERE name = 'nucleo'; -- those that wait for the core

-- What is to go out, and how far it got.
CREATE TABLE outbox (
	id bigint NOT NULL,
	at timestamptz NOT NULL,
	conversation_id bigint NOT NULL,
	channel smallint NOT NULL,
	class smallint NOT NULL,
	is_open boolean NOT NULL, -- something is still to be done
	is_secret boolean NOT NULL, -- a one-time code: payload is wiped at the end
	state smallint NOT NULL, -- 0 waiting, 1 under way, 2 uncertain, 3 sent, 4 failed, 5 refused, 6 dropped
	statuses smallint NOT NULL DEFAULT 0, -- bits: 1 sent, 2 delivered, 4 read, 8 played, 16 failed
	tries smallint NOT NULL,
	reply_to_inbox bigint NOT NULL, -- the event whose turn made it
	not_after timestamptz,
	started_at timestamptz,
	finished_at timestamptz,
	gate text,   -- the gate's last answer
	code bigint, -- the provider's error code
	reason text,
	external bytea, -- the provider's id of it, sealed
	what_for text, -- what its conversation is told if it fails; NULL: nobody cares, or it was told
	payload bytea,
	PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX outbox_open ON outbox (at, id) WHERE is_open;
CREATE INDEX outbox_secret ON outbox (not_after) WHERE is_open AND is_secret;

-- Attempts after the first, which lies in the outbox row itself.
CREATE TABLE attempt (
	outbox_id bigint NOT NULL,
	number smallint NOT NULL,
	at timestamptz NOT NULL,
	finished_at timestamptz,
	result smallint,
	code bigint,
	reason text,
	PRIMARY KEY (outbox_id, number)
);

-- What the provider said became of a message.
CREATE TABLE receipt (
	id bigint NOT NULL,
	at timestamptz NOT NULL,
	outbox_id bigint NOT NULL,
	status smallint NOT NULL, -- PA_STATUS_*
	provider_at timestamptz,
	code bigint,
	payload bytea,
	body bytea,
	PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- Messages on channels whose receipts carry the provider's id only, by the keyed hash of it. A receipt
-- and an outcome that come at once wait for each other at this row, so that one of them finds the other.
CREATE TABLE external_id (
	tag bytea PRIMARY KEY CHECK (length(tag) = 16),
	outbox_id bigint, -- NULL: a receipt came first
	outbox_at timestamptz,
	at timestamptz NOT NULL
);

-- Receipts of such channels until their message is known; those of nobody's expire.
CREATE TABLE early_receipt (
	tag bytea NOT NULL,
	status smallint NOT NULL,
	id bigint NOT NULL,
	at timestamptz NOT NULL,
	provider_at timestamptz,
	code bigint,
	payload bytea,
	body bytea,
	PRIMARY KEY (tag, status)
);

-- Append-only, chained by contact and channel (HD-02).
CREATE TABLE consent (
	id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	contact_id bigint NOT NULL,
	channel smallint NOT NULL,
	purpose text NOT NULL,
	action text NOT NULL CHECK (action IN ('otorga', 'niega', 'revoca')),
	text_version text NOT NULL,
	question_outbox bigint,
	inbox_id bigint NOT NULL, -- the answer
	words bytea,
	previous bytea, -- hash of the event before, NULL for the first
	hash bytea NOT NULL
);
CREATE INDEX consent_contact ON consent (contact_id, channel, id);

-- What a person will look after. Numbered for the customer (radicado).
CREATE TABLE service_case (
	id bigint PRIMARY KEY,
	number text NOT NULL UNIQUE,
	at timestamptz NOT NULL,
	conversation_id bigint NOT NULL,
	inbox_id bigint NOT NULL,
	kind text NOT NULL,
	due timestamptz,
	closed_at timestamptz,
	summary bytea
);
CREATE INDEX service_case_open ON service_case (due) WHERE closed_at IS NULL;

-- Persons (keyed hash of the document) who may not be verified until then.
CREATE TABLE person_lock (
	person bytea PRIMARY KEY,
	until timestamptz NOT NULL
);

-- One-time codes sent to a person, asked for by himself or by strangers.
CREATE TABLE code_sent (
	person bytea NOT NULL,
	at timestamptz NOT NULL,
	is_owner boolean NOT NULL,
	asked_by bigint NOT NULL -- inbox.id of the look-up, which may run again after a crash
);
CREATE INDEX code_sent_person ON code_sent (person, at);

-- Evidence of every event, packed, one row a commit. Append-only; a sequencer unpacks it.
CREATE TABLE evidence_batch (
	id bigint NOT NULL,
	at timestamptz NOT NULL,
	node bigint NOT NULL,
	entries_count integer NOT NULL,
	entries bytea NOT NULL,
	PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- Plugins that were running when the daemon died.
CREATE TABLE plugin_charge (
	plugin text NOT NULL,
	at timestamptz NOT NULL
);

-- Sealed bytes and hashes don't compress: the attempt is saved. Partitions inherit this.
ALTER TABLE inbox ALTER payload SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL;
ALTER TABLE outbox ALTER payload SET STORAGE EXTERNAL;
ALTER TABLE receipt ALTER payload SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL;
ALTER TABLE early_receipt ALTER payload SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL;
ALTER TABLE evidence_batch ALTER entries SET STORAGE EXTERNAL;
ALTER TABLE conversation ALTER state SET STORAGE EXTERNAL;

-- Makes the month partitions from the month of first to that of last; those that exist stay.
CREATE FUNCTION make_partitions(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = proalto, pg_temp AS $$
DECLARE
	parent text;
	month timestamptz;
	made integer := 0;
BEGIN
	FOREACH parent IN ARRAY ARRAY['inbox', 'outbox', 'receipt', 'evidence_batch'] LOOP
		month := date_trunc('month', first, 'UTC');
		WHILE month <= last LOOP
			IF to_regclass(format('%s_%s', parent, to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'))) IS NULL THEN
				EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)%s',
					format('%s_%s', parent, to_char(month AT TIME ZONE 'UTC', 'YYYY_MM')), parent,
					month, month + interval '1 month',
					CASE parent WHEN 'outbox' THEN ' WITH (fillfactor = 65)'
					WHEN 'evidence_batch' THEN ' WITH (toast_tuple_target = 8160)'
					ELSE '' END);
				made := made + 1;
			END IF;
			month := date_trunc('month', month + interval '1 month', 'UTC');
		END LOOP;
	END LOOP;
	RETURN made;
END
$$;

CREATE TABLE inbox_default PARTITION OF inbox DEFAULT;
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;
CREATE TABLE receipt_default PARTITION OF receipt DEFAULT;
CREATE TABLE evidence_batch_default PARTITION OF evidence_batch DEFAULT;
SELECT make_partitions(now() - interval '1 month', now() + interval '12 months');

-- Fails the transaction unless as many rows were found as wanted: a lease was lost.
CREATE FUNCTION expect_rows(got bigint, wanted bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF got <> wanted THEN
		RAISE EXCEPTION 'expected % rows, got %', wanted, got USING ERRCODE = 'PA001';
	END IF;
	RETURN got;
END
$$;

-- Takes one code out of a person's quota of the last hour; false if it is used up. Whoever asks again
-- for the same reason takes no second one. The lock makes two chats that ask at once take turns.
CREATE FUNCTION code_quota_take(who bytea, owner boolean, instant timestamptz, quota integer, reason bigint)
RETURNS boolean LANGUAGE plpgsql SET search_path = proalto, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(encode(who, 'hex'), 0));
	IF EXISTS (SELECT FROM code_sent WHERE person = who AND asked_by = reason) THEN
		RETURN true;
	END IF;
	IF (SELECT count(*) FROM code_sent WHERE person = who AND is_owner = owner
	    AND at > instant - interval '1 hour') >= quota THEN
		RETURN false;
	END IF;
	INSERT INTO code_sent (person, at, is_owner, asked_by) VALUES (who, instant, owner, reason);
	RETURN true;
END
$$;

GRANT USAGE ON SCHEMA proalto TO proalto, proalto_retention, proalto_report;
GRANT USAGE ON SEQUENCE id_block, case_number TO proalto;
GRANT SELECT, INSERT, UPDATE, DELETE ON node, channel, contact, address, conversation, dedup, work,
	set_aside, timer, external_id, early_receipt, person_lock, code_sent, plugin_charge TO proalto;
GRANT SELECT, INSERT, UPDATE ON outbox, attempt, service_case TO proalto;
GRANT SELECT, INSERT ON inbox, receipt, consent, evidence_batch TO proalto; -- append-only
GRANT UPDATE (payload, body) ON inbox TO proalto; -- redaction: what people should not have written
GRANT SELECT ON inbox_default, outbox_default TO proalto; -- to notice what strayed there
REVOKE EXECUTE ON FUNCTION make_partitions(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_partitions(timestamptz, timestamptz) TO proalto;

CREATE VIEW report_day AS
	SELECT (at AT TIME ZONE 'America/Bogota')::date AS day, channel, class, state, count(*) AS messages
	FROM outbox GROUP BY 1, 2, 3, 4;
GRANT SELECT ON report_day TO proalto_report;
