-- Many invented people with their credits. Documents of ten digits begin with 1999, those of eight
-- with 99, of seven with 999, of six with 99; mobiles are 300 555 0100 and following.
INSERT INTO cliente
SELECT 100 + i,
	CASE WHEN dice(i, 'tipo', 100) = 0 THEN 'CE' ELSE 'CC' END,
	CASE
	WHEN i <= 9800 AND i % 100 = 99 THEN 990000 + i
	WHEN i <= 9800 AND i % 10 = 9 THEN 9990000 + i
	WHEN i % 10 BETWEEN 6 AND 8 THEN 99100000 + i
	ELSE 1999100000 + i
	END::text,
	CASE WHEN is_loud THEN upper(nombres) ELSE nombres END,
	CASE WHEN is_loud THEN upper(apellidos) ELSE apellidos END,
	:'today'::date - (23 * 365 + dice(i, 'edad', 50 * 365)),
	CASE WHEN dice(i, 'celular', 100) >= 3
		THEN (300 + (i - 1) / 9800)::text || '555' ||
			lpad((100 + (i::bigint * 7919) % 9900)::text, 4, '0') END,
	CASE WHEN dice(i, 'celular', 100) >= 3
		THEN :'today'::date - (CASE WHEN dice(i, 'cambio', 50) = 0 THEN 1 + dice(i, 'hace', 4)
			ELSE 30 + dice(i, 'hace', 3000) END) END,
	CASE WHEN dice(i, 'correo', 100) < 70
		THEN lower(translate(replace(nombres, ' ', '.'), 'ÁÉÍÓÚÑáéíóúñü', 'AEIOUNaeiounu')) ||
			'.' || i || '@correo.example' END
FROM generate_series(1, :customers) AS i
CROSS JOIN LATERAL (
	SELECT pick(i, 'nombre', CASE WHEN dice(i, 'sexo', 2) = 0 THEN ARRAY[
			'María', 'Luz', 'Ana', 'Martha', 'Gloria', 'Sandra', 'Claudia', 'Nubia',
			'Yolanda', 'Mónica', 'Adriana', 'Ángela', 'Begoña', 'Carmenza', 'Dora',
			'Elizabeth', 'Flor', 'Inés', 'Jazmín', 'Leidy', 'Marleny', 'Nohora', 'Olga',
			'Patricia', 'Rocío', 'Sofía', 'Stella', 'Valentina', 'Xiomara', 'Yuliana']
		ELSE ARRAY[
			'José', 'Luis', 'Carlos', 'Juan', 'Jorge', 'Hernán', 'Álvaro', 'Andrés',
			'César', 'Édgar', 'Fabián', 'Germán', 'Héctor', 'Iván', 'Jesús', 'Julián',
			'Libardo', 'Manuel', 'Néstor', 'Óscar', 'Pedro', 'Rubén', 'Saúl', 'Tomás',
			'Wilson', 'Yeison', 'Gustavo', 'Orlando', 'Nicolás', 'Sebastián'] END) ||
		CASE WHEN dice(i, 'segundo', 10) < 6 THEN ' ' || pick(i, 'otro nombre',
			CASE WHEN dice(i, 'sexo', 2) = 0 THEN ARRAY[
				'Fernanda', 'Marina', 'Lucía', 'Cecilia', 'Esperanza', 'Milena',
				'del Pilar', 'Teresa', 'Paola', 'Constanza']
			ELSE ARRAY[
				'Alberto', 'Antonio', 'Eduardo', 'Enrique', 'Mauricio', 'Camilo',
				'Ramón', 'Darío', 'Felipe', 'Alonso'] END)
		ELSE '' END AS nombres,
		pick(i, 'apellido', apellidos) || ' ' || pick(i, 'otro apellido', apellidos) AS apellidos,
		dice(i, 'mayúsculas', 7) = 0 AS is_loud
	FROM (SELECT ARRAY[
		'Rodríguez', 'Gómez', 'González', 'Martínez', 'García', 'López', 'Hernández', 'Sánchez',
		'Ramírez', 'Pérez', 'Díaz', 'Muñoz', 'Rojas', 'Moreno', 'Jiménez', 'Vargas', 'Ortiz',
		'Castro', 'Gutiérrez', 'Álvarez', 'Peña', 'Cárdenas', 'Castañeda', 'Ñáñez', 'Suárez',
		'Quiñones', 'Acuña', 'Bolaños', 'Cañón', 'Patiño', 'Ordóñez', 'Ibáñez', 'Londoño',
		'Zúñiga', 'Mosquera', 'Caicedo', 'Arboleda', 'Yepes', 'Urrego', 'Piñeros', 'Güiza',
		'Agüero', 'Niño', 'Avendaño', 'Cuéllar', 'Benítez', 'Córdoba', 'Mejía', 'Ríos', 'Zapata'
		] AS apellidos) AS listas
) AS nombre;

-- Nobody to three credits each: most active, some paid, a few assigned or disputed.
INSERT INTO credito
SELECT 'L' || lpad((100000 + c.cod_cli * 4 + k)::text, 7, '0'),
	c.cod_cli, 1 + dice(seed, 'pagaduría', 10),
	CASE
	WHEN meses > plazo + 1 THEN 'PAGADO'
	WHEN dice(seed, 'estado', 100) < 3 THEN 'CEDIDO'
	WHEN dice(seed, 'estado', 100) < 5 THEN 'EN DISPUTA'
	ELSE 'ACTIVO'
	END,
	cuota * plazo * 0.72, cuota, plazo,
	:'today'::date - meses * 30 - dice(seed, 'día', 28), NULL
FROM cliente AS c
CROSS JOIN LATERAL generate_series(1, CASE
	WHEN dice(c.cod_cli, 'créditos', 100) < 12 THEN 0
	WHEN dice(c.cod_cli, 'créditos', 100) < 76 THEN 1
	WHEN dice(c.cod_cli, 'créditos', 100) < 94 THEN 2 ELSE 3 END) AS k
CROSS JOIN LATERAL (SELECT c.cod_cli * 4 + k AS seed) AS s
CROSS JOIN LATERAL (SELECT 12 * (1 + dice(seed, 'plazo', 5)) AS plazo,
	50 * (1600 + dice(seed, 'cuota', 14000)) AS cuota) AS p
CROSS JOIN LATERAL (SELECT dice(seed, 'meses', plazo * 5 / 4) AS meses) AS m;

-- One co-debtor for one credit in twenty-five: another customer.
INSERT INTO codeudor
SELECT num_cre, 101 + (cod_cli - 101 + 17) % :customers
FROM credito WHERE dice(cod_cli, 'codeudor', 25) = 0;

-- Instalments. Those due are paid, but for one credit in twenty, which is some behind.
INSERT INTO cuota
SELECT num_cre, nro, vence, vlr_cuota,
	estado = 'PAGADO' OR vence < :'today'::date - atraso
FROM credito
JOIN pagaduria USING (cod_pag)
CROSS JOIN LATERAL (SELECT CASE WHEN dice(cod_cli, 'atraso', 20) = 0
	THEN 30 * (1 + dice(cod_cli, 'meses de atraso', 3)) ELSE 0 END AS atraso) AS a
CROSS JOIN LATERAL generate_series(1, num_cuotas) AS nro
CROSS JOIN LATERAL (SELECT vencimiento(fec_desem, nro, dia_pago) AS vence) AS v;

INSERT INTO solicitud
SELECT 'S' || lpad((200000 + cod_cli)::text, 7, '0'), cod_cli, etapa,
	:'today'::date - desde - 3, :'today'::date - desde,
	CASE WHEN etapa IN ('RADICADA', 'EN ESTUDIO', 'APROBADA') THEN :'today'::date + 1 + dice(cod_cli, 'espera', 9) END,
	100000 * (10 + dice(cod_cli, 'monto', 400))
FROM cliente
CROSS JOIN LATERAL (SELECT pick(cod_cli, 'etapa',
	ARRAY['RADICADA', 'EN ESTUDIO', 'APROBADA', 'DESEMBOLSADA', 'NEGADA']) AS etapa,
	dice(cod_cli, 'desde', 12) AS desde) AS e
WHERE dice(cod_cli, 'solicitud', 100) < 18;
