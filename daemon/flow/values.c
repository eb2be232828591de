/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/values.h"

#include "base/str.h"

#define FACTS_DETAIL (FACT_VERIFIED | FACT_CREDIT)

const struct value_info value_table[VALUE_COUNT] = {
	[VALUE_NOMBRE] = {"nombre", FACT_VERIFIED, true, "su nombre", "Bartolomé"},
	[VALUE_TERMINADA] = {"terminada", FACT_TAIL, false, NULL, "789"},
	[VALUE_CREDITOS] = {"creditos", FACT_VERIFIED | FACT_CREDITS, false, NULL, "12"},
	[VALUE_LISTA] = {"lista", FACT_VERIFIED | FACT_CREDITS, false, NULL,
			 "• Alcaldía, terminado en 4821: $ 3.210.500"},
	[VALUE_CREDITO] = {"credito", FACTS_DETAIL, false, NULL, "Colpensiones, terminado en 4821"},
	[VALUE_SALDO] = {"saldo", FACTS_DETAIL, true, "lo que le falta por pagar", "$ 123.456.789"},
	[VALUE_CUOTA] = {"cuota", FACTS_DETAIL, true, "el valor de la cuota", "$ 1.234.567"},
	[VALUE_PAGADAS] = {"cuotas_pagadas", FACTS_DETAIL, true, "las cuotas pagadas", "120"},
	[VALUE_PENDIENTES] = {"cuotas_pendientes", FACTS_DETAIL, true, "las cuotas pendientes",
			      "120"},
	[VALUE_TOTAL] = {"cuotas_total", FACTS_DETAIL, true, "el número de cuotas", "144"},
	[VALUE_CORTE] = {"corte", FACTS_DETAIL, true, "la fecha de corte",
			 "30 de septiembre de 2027"},
	[VALUE_DESCUENTO] = {"descuento", FACTS_DETAIL, true, "el próximo descuento",
			     "$ 1.234.567"},
	[VALUE_DESCUENTO_FECHA] = {"descuento_fecha", FACTS_DETAIL, true,
				   "la fecha del próximo descuento", "30 de septiembre de 2027"},
	[VALUE_PAGADO] = {"pagado", FACTS_DETAIL, true, "el día en que terminó de pagar",
			  "30 de septiembre de 2027"},
	[VALUE_RADICADO] = {"radicado", FACT_CASE, false, NULL, "PA-2026-1234567"},
	[VALUE_VENCE] = {"vence", FACT_CASE, false, NULL, "30 de septiembre de 2027"},
	[VALUE_DESEO] = {"deseo", FACT_WISH, false, NULL, "el estado de su solicitud"},
	[VALUE_OTROS] = {"otros", FACT_WISH, false, NULL,
			 "el estado de su solicitud y su renovación"},
	[VALUE_INTENTOS] = {"intentos", FACT_CODE, false, NULL, "Le quedan 2 intentos"},
	[VALUE_HORA] = {"hora", FACT_LOCK, false, NULL, "12:59 de la madrugada"},
	[VALUE_CELULAR] = {"celular", FACT_MOBILE, false, NULL, "45"},
	[VALUE_CODIGO] = {"codigo", FACT_SECRET, false, NULL, "123456"},
	[VALUE_FALTAN] = {"faltan", FACT_MISSING, false, NULL,
			  "lo que le falta por pagar y la fecha del próximo descuento"},
	[VALUE_PEDIDO] = {"pedido", 0, true, NULL, "$ 123.456.789"},
	[VALUE_ABRE] = {"abre", FACT_CLOSED, false, NULL,
			"el lunes 30 de septiembre de 2027 a las 8 de la mañana"},
	[VALUE_HORARIO] = {"horario", 0, false, NULL,
			   "lunes a viernes, de 8 de la mañana a 5 de la tarde"},
};

enum value value_find(pa_str name)
{
	size_t i = 0;

	while (i < VALUE_COUNT && !str_equal(name, str_from(value_table[i].name)))
		i++;
	return (enum value)i;
}
