-- Tables of the demonstration core, and the arithmetic that its invented rows are made with.
DROP SCHEMA IF EXISTS core_demo CASCADE;
CREATE SCHEMA core_demo;
SET LOCAL search_path = core_demo, public;

-- What makes a core a demonstration; fecha_corte is the close up to which its figures hold.
CREATE TABLE core_info (
	is_demo boolean NOT NULL,
	nombre text NOT NULL,
	fecha_proceso date NOT NULL,
	fecha_corte date NOT NULL
);

CREATE TABLE pagaduria (
	cod_pag smallint PRIMARY KEY,
	nombre text NOT NULL,
	dia_pago smallint NOT NULL
);

CREATE TABLE cliente (
	cod_cli bigint PRIMARY KEY,
	tip_doc char(2) NOT NULL,
	num_doc varchar(15) NOT NULL,
	nombres text NOT NULL,
	apellidos text NOT NULL,
	fec_nac date,
	celular varchar(15), -- ten digits, without the country's code; or what somebody typed
	fec_celular date,
	correo text
);

CREATE TABLE credito (
	num_cre varchar(12) PRIMARY KEY,
	cod_cli bigint NOT NULL,
	cod_pag smallint NOT NULL,
	estado varchar(12) NOT NULL, -- ACTIVO PAGADO CEDIDO EN DISPUTA
	capital numeric(18, 2) NOT NULL,
	vlr_cuota numeric(18, 2) NOT NULL,
	num_cuotas integer NOT NULL,
	fec_desem date NOT NULL,
	fec_pago_total date
);

CREATE TABLE codeudor (
	num_cre varchar(12) NOT NULL,
	cod_cli bigint NOT NULL
);

CREATE TABLE cuota (
	num_cre varchar(12) NOT NULL,
	nro integer NOT NULL,
	fec_venc date NOT NULL,
	valor numeric(18, 2) NOT NULL,
	pagada boolean NOT NULL
);

-- A deduction on its way: taken by the payroll office, arrived here, applied to the instalment.
CREATE TABLE pago (
	num_cre varchar(12) NOT NULL,
	nro integer NOT NULL,
	estado varchar(12) NOT NULL, -- DESCONTADO RECIBIDO APLICADO
	fecha date NOT NULL,
	valor numeric(18, 2) NOT NULL,
	reversable_hasta date
);

CREATE TABLE solicitud (
	num_sol varchar(12) PRIMARY KEY,
	cod_cli bigint NOT NULL,
	etapa varchar(14) NOT NULL, -- RADICADA EN ESTUDIO APROBADA DESEMBOLSADA NEGADA
	fec_radicacion date NOT NULL,
	fec_etapa date NOT NULL,
	fec_esperada date,
	monto numeric(18, 2) NOT NULL
);

CREATE TABLE oferta (
	num_cre varchar(12) PRIMARY KEY,
	elegible boolean NOT NULL,
	motivo text,
	monto numeric(18, 2),
	vlr_cuota numeric(18, 2),
	num_cuotas integer,
	vigencia date
);

-- What changed. A transaction's number stands beside the row's own, for rows become visible in the
-- order of commits, not of the sequence: whoever reads on from a mark must not pass over a row that
-- was numbered before and committed later.
CREATE TABLE novedad (
	tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
	id bigint GENERATED ALWAYS AS IDENTITY,
	tipo varchar(12) NOT NULL, -- SOLICITUD CREDITO DESCUENTO
	cod_cli bigint NOT NULL,
	objeto text NOT NULL
);

-- From 0 to sides - 1, always the same for the same who and what.
CREATE FUNCTION dice(who bigint, what text, sides integer) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ('x' || substr(md5(what || who::text), 1, 7))::bit(28)::integer % sides;

-- One of a list.
CREATE FUNCTION pick(who bigint, what text, list text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN list[1 + ('x' || substr(md5(what || who::text), 1, 7))::bit(28)::integer % cardinality(list)];

-- The day of the n-th deduction of a credit.
CREATE FUNCTION vencimiento(desembolso date, nro integer, dia smallint) RETURNS date
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (date_trunc('month', desembolso::timestamp) + make_interval(months => nro))::date + (dia - 1);

INSERT INTO core_info VALUES
	(true, 'Core sintético de demostración', :'today'::date, :'today'::date - 1);

INSERT INTO pagaduria VALUES
	(1, 'Educación Departamental de Sumapaz', 25),
	(2, 'Pensiones La Sabana', 28),
	(3, 'Alcaldía de San Lorenzo del Río', 15),
	(4, 'Hospital San Jerónimo de Piedrancha', 20),
	(5, 'Magisterio de Monteñoño', 24),
	(6, 'Pensiones del Cañón', 27),
	(7, 'Gobernación de Llano Hondo', 16),
	(8, 'Universidad Técnica de La Peña', 22),
	(9, 'Acueducto de Villa Níspero', 14),
	(10, 'Fondo de Retiro Cordillera', 26);
