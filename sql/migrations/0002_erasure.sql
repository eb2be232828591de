-- Persons whose content was erased. Numbers, no personal datum: the list goes with the backups, and is
-- applied again to what a backup brings back.
SET LOCAL search_path = proalto;

CREATE TABLE erasure (
	contact_id bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	reason text NOT NULL -- of the procedure ("retencion", a radicado), never the person's words
);

-- By which all that is one person's is found. Writers wait while they are made: seconds for millions of contacts.
CREATE INDEX contact_merged_into ON contact (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX address_contact ON address (contact_id);

-- Erases a person, and everybody who turned out to be the same one. Without the key nothing that lies
-- under it can be read, wherever it lies; without the addresses, whoever writes from them is a new
-- person; without work and timers, nobody asks for the key again. Messages that still wait are dropped
-- by the daemon. Doing it again changes nothing. Returns how many contacts were erased now.
CREATE FUNCTION erase_contact(person bigint, instant timestamptz, why text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = proalto, pg_temp AS $$
DECLARE
	persons bigint[];
	erased integer;
BEGIN
	persons := ARRAY(
		WITH RECURSIVE same(id) AS (
			SELECT person
			UNION
			SELECT n.id FROM same s, LATERAL (
				SELECT merged_into FROM contact WHERE id = s.id AND merged_into IS NOT NULL
				UNION ALL
				SELECT id FROM contact WHERE merged_into = s.id) n(id)
		)
		SELECT id FROM same);
	persons := ARRAY(SELECT id FROM contact WHERE id = ANY (persons) ORDER BY id FOR UPDATE);
	UPDATE contact SET sealed_key = NULL, who = NULL
	WHERE id = ANY (persons) AND (sealed_key IS NOT NULL OR who IS NOT NULL);
	GET DIAGNOSTICS erased = ROW_COUNT;
	DELETE FROM address WHERE contact_id = ANY (persons);
	DELETE FROM timer t USING unnest(persons) p
	WHERE t.conversation_id BETWEEN p * 256 AND p * 256 + 255;
	DELETE FROM work w USING unnest(persons) p
	WHERE w.conversation_id BETWEEN p * 256 AND p * 256 + 255;
	UPDATE conversation c SET state = NULL, owner = NULL, epoch = c.epoch + 1, strays = 0
	FROM unnest(persons) p WHERE c.id BETWEEN p * 256 AND p * 256 + 255 AND erased > 0;
	INSERT INTO erasure (contact_id, at, reason) SELECT p, instant, why FROM unnest(persons) p
	ON CONFLICT DO NOTHING;
	RETURN erased;
END
$$;

REVOKE EXECUTE ON FUNCTION erase_contact(bigint, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_contact(bigint, timestamptz, text) TO proalto_retention;
GRANT SELECT ON erasure TO proalto; -- written by the function alone
