-- What old cores really hold: rows that make no sense, each to be met with honesty, not with a
-- figure. The view demo_absurd names them.
INSERT INTO cliente
SELECT cod_cli, 'CC', (1999000890 + cod_cli)::text, nombres, apellidos, nacimiento::date, celular,
	:'today'::date - 500, NULL
FROM (VALUES
	(11, 'Saldo', 'Negativo', '1970-01-01', '3005550011'),
	(12, 'Cuotas', 'De Más', '1970-01-01', '3005550012'),
	(13, 'Saldo', 'Con Centavos', '1970-01-01', '3005550013'),
	(14, 'Estado', 'Desconocido', '1970-01-01', '3005550014'),
	(15, 'Fecha', 'Sin Fin', 'infinity', '3005550015'),
	(16, E'Nombre\ncon ‮controles‬ y 🙂', repeat('Larguísimo ', 150), '1970-01-01', '3005550016'),
	(17, 'Celular', 'De Palabra', '1970-01-01', 'NO TIENE'),
	(18, 'Mismo', 'Celular', '1970-01-01', '3005550018'),
	(19, 'Mismo', 'Celular También', '1970-01-01', '3005550018'),
	(20, 'Demasiados', 'Créditos', '1970-01-01', '3005550020'),
	(21, 'Fecha', 'Del Futuro', '2999-12-31', '3005550021')
) AS v (cod_cli, nombres, apellidos, nacimiento, celular);

-- The two with the same mobile end in the same four digits.
UPDATE cliente SET num_doc = '1998000908' WHERE cod_cli = 19;

INSERT INTO credito
SELECT 'L' || num, cli, 1, estado, 1000000, cuota, plazo, desembolso::date, NULL
FROM (VALUES
	('0000111', 11, 'ACTIVO', -50000, 12, '2026-01-10'),
	('0000112', 12, 'ACTIVO', 50000, 6, '2020-01-10'),
	('0000113', 13, 'ACTIVO', 50000.37, 12, '2026-01-10'),
	('0000114', 14, 'XQ', 50000, 12, '2026-01-10'),
	('0000115', 15, 'ACTIVO', 50000, 12, 'infinity'),
	('0000121', 21, 'ACTIVO', 50000, 12, '2999-12-31')
) AS v (num, cli, estado, cuota, plazo, desembolso)
UNION ALL
SELECT 'L9' || lpad(k::text, 6, '0'), 20, 1, 'ACTIVO', 1000000, 50000, 12, '2026-01-10', NULL::date
FROM generate_series(1, 300) AS k;

INSERT INTO cuota
SELECT num_cre, nro, :'today'::date + 30 * (nro - 9), vlr_cuota, nro < 9
FROM credito CROSS JOIN LATERAL generate_series(1, 12) AS nro
WHERE cod_cli BETWEEN 11 AND 21;

CREATE VIEW demo_absurd AS
SELECT nombres || ' ' || left(apellidos, 20) AS label, num_doc AS document
FROM cliente WHERE cod_cli BETWEEN 11 AND 21 ORDER BY cod_cli;
