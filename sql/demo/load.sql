-- A synthetic core system for demonstrations, tests and benches, in the schema core_demo of the
-- database that psql is connected to. It resembles the old core of a small lender (Spanish names,
-- states by words, money with two decimals) and everything in it is invented and deterministic: the
-- same day and size give the same rows.
--
--	psql -v today=2026-11-20 -v customers=6000 -f sql/demo/load.sql
--
-- today      the core's date (default: the date in Bogota); all dates follow from it
-- customers  how many, besides the showcase (default 6000; up to 400000)
--
-- Needs a role that may create roles and schemas. An existing core_demo is replaced.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
\if :{?today}
\else
	SELECT (now() AT TIME ZONE 'America/Bogota')::date AS today \gset
\endif
\if :{?customers}
\else
	\set customers 6000
\endif
BEGIN;
SET LOCAL synchronous_commit = off;
\ir schema.sql
\ir population.sql
\ir showcase.sql
\ir absurd.sql
\ir finish.sql
COMMIT;
ANALYZE core_demo.cliente, core_demo.credito, core_demo.cuota, core_demo.pago,
	core_demo.solicitud, core_demo.oferta, core_demo.codeudor;
