-- For psql: the database :live becomes :kept, and what a backup brought back takes its name. Nobody may be
-- connected to either.
BEGIN;
ALTER DATABASE :"live" RENAME TO :"kept";
ALTER DATABASE :"restored" RENAME TO :"live";
COMMIT;
