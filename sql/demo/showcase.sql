-- A handful of customers to try the assistant with: their documents never change.
INSERT INTO cliente VALUES
	(1, 'CC', '1999000001', 'María Fernanda', 'Gómez Peña', '1984-03-12', '3005550001', :'today'::date - 900, 'maria.gomez@correo.example'),
	(2, 'CC', '1999000002', 'José Libardo', 'Cárdenas Muñoz', '1961-07-30', '3005550002', :'today'::date - 2100, NULL),
	(3, 'CC', '1999000003', 'Yuliana', 'Quiñones Ríos', '1998-11-02', '3005550003', :'today'::date - 60, 'yuliana.quinones@correo.example'),
	(4, 'CC', '1999000004', 'Óscar Darío', 'Ibáñez Castro', '1957-01-19', '3005550004', :'today'::date - 1500, NULL),
	(5, 'CC', '1999000005', 'Ángela Milena', 'Zúñiga Londoño', '1990-05-25', '3005550005', :'today'::date - 400, 'angela.zuniga@correo.example'),
	(6, 'CC', '1999000006', 'Néstor Ramón', 'Ñáñez Acuña', '1949-09-08', NULL, NULL, NULL),
	(7, 'CC', '1999000007', 'Flor Esperanza', 'Patiño Niño', '1972-12-24', '3005550007', :'today'::date - 1, NULL),
	(8, 'CC', '1999000008', 'Germán Alonso', 'Bolaños Güiza', '1968-02-14', '3005550008', :'today'::date - 700, NULL),
	(9, 'CC', '1999000009', 'Rocío del Pilar', 'Avendaño Cuéllar', '1979-06-06', '3005550009', :'today'::date - 800, NULL),
	(10, 'CC', '9990010', 'Hernán Eduardo', 'Mosquera Ordóñez', '1953-10-15', '3005550010', :'today'::date - 3000, NULL);

INSERT INTO credito
SELECT 'L' || num, cli, pag, estado, cuota * plazo * 0.72, cuota, plazo, :'today'::date - hace, NULL
FROM (VALUES
	('0000101', 1, 1, 'ACTIVO', 215000, 36, 430),
	('0000102', 2, 2, 'ACTIVO', 342500, 60, 1010),
	('0000103', 2, 6, 'ACTIVO', 128000, 24, 190),
	('0000104', 4, 3, 'PAGADO', 180000, 24, 900),
	('0000105', 5, 5, 'ACTIVO', 263000, 48, 1200),
	('0000106', 6, 6, 'ACTIVO', 97500, 36, 600),
	('0000107', 7, 4, 'ACTIVO', 154000, 36, 250),
	('0000108', 8, 7, 'CEDIDO', 310000, 60, 1400),
	('0000109', 9, 8, 'EN DISPUTA', 205000, 36, 700),
	('0000110', 10, 10, 'ACTIVO', 450000, 72, 2130)
) AS v (num, cli, pag, estado, cuota, plazo, hace);

INSERT INTO cuota
SELECT num_cre, nro, vence, vlr_cuota, estado = 'PAGADO' OR vence < :'today'::date
FROM credito
JOIN pagaduria USING (cod_pag)
CROSS JOIN LATERAL generate_series(1, num_cuotas) AS nro
CROSS JOIN LATERAL (SELECT vencimiento(fec_desem, nro, dia_pago) AS vence) AS v
WHERE cod_cli BETWEEN 1 AND 10;

INSERT INTO codeudor VALUES ('L0000105', 9);

INSERT INTO solicitud VALUES
	('S0000205', 5, 'EN ESTUDIO', :'today'::date - 4, :'today'::date - 2, :'today'::date + 3, 12000000);

-- For the page of the simulator: whom to be, and what to ask.
CREATE VIEW demo_customer AS
SELECT v.label, c.num_doc AS document, '57' || c.celular AS mobile, v.what_to_try
FROM (VALUES
	(1, 'Un crédito al día', 'Pregunte por su saldo; escriba desde otro número y vea qué cambia.'),
	(2, 'Dos créditos', 'Pregunte cuánto le falta por pagar: son dos créditos, con pagadurías distintas.'),
	(3, 'Cliente sin crédito', 'Pregunte por su saldo: no tiene créditos.'),
	(4, 'Crédito pagado', 'Pregunte por su saldo o pida un paz y salvo: ya terminó de pagar.'),
	(5, 'Solicitud en estudio', 'Pregunte cómo va su solicitud; también tiene un crédito activo.'),
	(6, 'Sin celular registrado', 'Pregunte por su saldo: no hay a dónde enviarle el código.'),
	(7, 'Celular cambiado ayer', 'Pregunte por su saldo: el celular es demasiado reciente y lo atiende una persona.'),
	(8, 'Crédito cedido', 'Pregunte por su saldo: el crédito pasó a otro acreedor.'),
	(9, 'Crédito en disputa', 'Pregunte por su saldo; además es codeudora de otro crédito.'),
	(10, 'Cédula de siete dígitos', 'Dé su cédula con puntos o en palabras: 9.990.010.')
) AS v (cod_cli, label, what_to_try)
JOIN cliente AS c USING (cod_cli)
ORDER BY cod_cli;
