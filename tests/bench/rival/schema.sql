-- The rival's store: a durable inbox, the state of conversations, an outbox, what providers said.
CREATE TABLE inbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	wamid text NOT NULL UNIQUE,
	shard smallint NOT NULL, -- which worker's
	phone text NOT NULL,
	message jsonb NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	done_at timestamptz
);
CREATE INDEX inbox_open ON inbox (shard, id) WHERE done_at IS NULL;

CREATE TABLE conversation (phone text PRIMARY KEY, state text NOT NULL);

CREATE TABLE outbox (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	shard smallint NOT NULL,
	phone text NOT NULL,
	message jsonb NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	wamid text,
	sent_at timestamptz
);
CREATE INDEX outbox_open ON outbox (shard, id) WHERE sent_at IS NULL;

CREATE TABLE receipt (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	wamid text NOT NULL,
	status text NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (wamid, status)
);
