-- The keys that open the store, so that the master key can be changed while everything runs.
SET LOCAL search_path = proalto;

-- Master keys by name (a keyed hash of nothing: it says nothing of them). The one since which time is the
-- newest seals new contacts' keys; one without that time is there to come.
CREATE TABLE master_key (
	id bytea PRIMARY KEY CHECK (length(id) = 16),
	store_key bytea NOT NULL, -- the store's own key, from which look-ups are hashed: sealed under this one
	is_first boolean NOT NULL DEFAULT false,
	since timestamptz,
	done_to bigint NOT NULL DEFAULT 0,  -- contacts up to here are sealed under it
	resealed bigint NOT NULL DEFAULT 0, -- how many were sealed anew
	finished_at timestamptz             -- none is left under another one
);
CREATE UNIQUE INDEX master_key_first ON master_key (is_first) WHERE is_first;

ALTER TABLE node
	ADD COLUMN keys bytea[], -- names of the master keys that it has; NULL: it does not say
	ADD COLUMN seals bytea;  -- under which of them it seals

GRANT SELECT, INSERT, UPDATE, DELETE ON master_key TO proalto;
