-- Which daemons this schema serves: those that know the migration of this number. Migrations only add;
-- one that takes something away raises the number, and so shuts out the daemons that would miss it.
SET LOCAL search_path = proalto;

CREATE TABLE schema_serves (
	since integer NOT NULL
);
CREATE UNIQUE INDEX schema_serves_one ON schema_serves ((true));
INSERT INTO schema_serves (since) VALUES (1);

GRANT SELECT ON schema_migration, schema_serves TO proalto;
