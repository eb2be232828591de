-- The four roles of the store. Run once by a superuser; running it again changes nothing.
--
--   proalto_owner      owns the schema and applies migrations; nobody logs in with it day to day
--   proalto            the daemon: reads and writes rows; append-only tables stay append-only
--   proalto_retention  may execute the functions that remove old rows, and nothing else
--   proalto_report     reads views without personal data
--
-- Passwords, or peer authentication over the local socket, are the administrator's choice.
DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY ARRAY['proalto_owner', 'proalto', 'proalto_retention', 'proalto_report'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
			EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', r);
		END IF;
	END LOOP;
END
$$;
