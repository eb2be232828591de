-- What follows from the credits and instalments of all: closing dates, deductions under way, offers;
-- then keys, the watch over changes, and the role that reads.
CREATE UNIQUE INDEX cliente_documento ON cliente (tip_doc, num_doc);
CREATE INDEX cliente_celular ON cliente (celular);
CREATE INDEX credito_cliente ON credito (cod_cli);
CREATE INDEX codeudor_cliente ON codeudor (cod_cli);
CREATE UNIQUE INDEX cuota_numero ON cuota (num_cre, nro);
CREATE INDEX solicitud_cliente ON solicitud (cod_cli);

UPDATE credito SET fec_pago_total = ultima
FROM (SELECT num_cre, max(fec_venc) AS ultima FROM cuota GROUP BY num_cre) AS c
WHERE c.num_cre = credito.num_cre AND estado = 'PAGADO';

-- The last two deductions that were applied can still be reversed by the payroll office for a while;
-- a third of the next ones are already taken or here.
INSERT INTO pago
SELECT num_cre, nro, 'APLICADO', fec_venc + 3, valor, fec_venc + 45
FROM cuota JOIN credito USING (num_cre)
WHERE pagada AND estado = 'ACTIVO' AND fec_venc BETWEEN :'today'::date - 62 AND :'today'::date;

INSERT INTO pago
SELECT num_cre, nro, CASE WHEN dice(cod_cli, 'pago', 6) = 0 THEN 'RECIBIDO' ELSE 'DESCONTADO' END,
	:'today'::date - 1, valor, NULL
FROM (SELECT DISTINCT ON (num_cre) num_cre, nro, valor, fec_venc FROM cuota
	WHERE NOT pagada AND fec_venc >= :'today'::date ORDER BY num_cre, nro) AS siguiente
JOIN credito USING (num_cre)
WHERE estado = 'ACTIVO' AND cod_cli > 100 AND dice(cod_cli, 'pago', 6) < 2
	AND fec_venc < :'today'::date + 12;
CREATE INDEX pago_credito ON pago (num_cre, nro);

INSERT INTO oferta
SELECT num_cre, es_elegible,
	CASE WHEN NOT es_elegible THEN 'Todavía no ha pagado el 40 % de las cuotas.' END,
	CASE WHEN es_elegible THEN capital * 1.2 END,
	CASE WHEN es_elegible THEN vlr_cuota END,
	CASE WHEN es_elegible THEN num_cuotas END,
	CASE WHEN es_elegible THEN :'today'::date + 30 END
FROM credito
JOIN (SELECT num_cre, count(*) FILTER (WHERE pagada) AS pagadas FROM cuota GROUP BY num_cre) AS c
	USING (num_cre)
CROSS JOIN LATERAL (SELECT pagadas >= num_cuotas * 0.4 AS es_elegible) AS e
WHERE estado = 'ACTIVO' AND (cod_cli <= 10 OR dice(cod_cli, 'oferta', 3) > 0);

-- The figures of a credit as its holder would ask for them.
CREATE VIEW v_credito AS
SELECT r.num_cre, r.cod_cli, r.estado, p.nombre AS pagaduria, r.vlr_cuota, r.num_cuotas,
	r.fec_desem, r.fec_pago_total, c.pagadas, c.pendientes, c.saldo
FROM credito AS r
JOIN pagaduria AS p USING (cod_pag)
CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE pagada) AS pagadas,
		count(*) FILTER (WHERE NOT pagada) AS pendientes,
		coalesce(sum(valor) FILTER (WHERE NOT pagada), 0) AS saldo
	FROM cuota WHERE cuota.num_cre = r.num_cre
) AS c;

CREATE FUNCTION anotar_novedad() RETURNS trigger LANGUAGE plpgsql
	SET search_path = core_demo AS $$
BEGIN
	INSERT INTO novedad (tipo, cod_cli, objeto)
	SELECT TG_ARGV[0], coalesce((to_jsonb(NEW) ->> 'cod_cli')::bigint,
			(SELECT cod_cli FROM credito WHERE num_cre = to_jsonb(NEW) ->> 'num_cre')),
		coalesce(to_jsonb(NEW) ->> 'num_sol', to_jsonb(NEW) ->> 'num_cre');
	RETURN NULL;
END $$;
CREATE TRIGGER novedad AFTER INSERT OR UPDATE OF etapa ON solicitud
	FOR EACH ROW EXECUTE FUNCTION anotar_novedad('SOLICITUD');
CREATE TRIGGER novedad AFTER INSERT OR UPDATE OF estado ON credito
	FOR EACH ROW EXECUTE FUNCTION anotar_novedad('CREDITO');
CREATE TRIGGER novedad AFTER INSERT OR UPDATE OF estado ON pago
	FOR EACH ROW EXECUTE FUNCTION anotar_novedad('DESCUENTO');
CREATE INDEX novedad_orden ON novedad (tx, id);

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'proalto_core_reader') THEN
		CREATE ROLE proalto_core_reader LOGIN;
	END IF;
END $$;
ALTER ROLE proalto_core_reader SET default_transaction_read_only = on;
GRANT USAGE ON SCHEMA core_demo TO proalto_core_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA core_demo TO proalto_core_reader;
