/* SPDX-License-Identifier: Apache-2.0
 *
 * flow/values.h: what a text may show: {saldo}, {radicado} ... Each value names the facts that must
 * hold wherever it is shown, which the check of the flows proves at load and the turn asserts again
 * when it runs. Static data.
 */
#ifndef FLOW_VALUES_H
#define FLOW_VALUES_H

#include "base/base.h"

/* What is known at a step (bits). */
#define FACT_VERIFIED 1u  /* the holder has proved who he is */
#define FACT_CREDITS 2u   /* his credits were read in this turn */
#define FACT_CREDIT 4u    /* one of them was chosen, and it was read in this turn */
#define FACT_CASE 8u      /* a case was opened */
#define FACT_WISH 16u     /* the person told what he wants */
#define FACT_CODE 32u     /* a code, or a decoy, is awaited */
#define FACT_LOCK 64u     /* the chat is locked */
#define FACT_MOBILE 128u  /* the chat is the registered one */
#define FACT_SECRET 256u  /* in the message that carries the code, and nowhere else */
#define FACT_OPTIONS 512u /* above numbered options */
#define FACT_TAIL 1024u   /* the document was typed in this chat */
#define FACT_MISSING 2048u
#define FACT_CLOSED 8192u /* no person is there just now */
#define FACT_CHOSEN 4096u /* one credit was chosen, earlier or now */

enum value {
	VALUE_NOMBRE,
	VALUE_TERMINADA,
	VALUE_CREDITOS,
	VALUE_LISTA,
	VALUE_CREDITO,
	VALUE_SALDO,
	VALUE_CUOTA,
	VALUE_PAGADAS,
	VALUE_PENDIENTES,
	VALUE_TOTAL,
	VALUE_CORTE,
	VALUE_DESCUENTO,
	VALUE_DESCUENTO_FECHA,
	VALUE_PAGADO,
	VALUE_RADICADO,
	VALUE_VENCE,
	VALUE_DESEO,
	VALUE_OTROS,
	VALUE_INTENTOS,
	VALUE_HORA,
	VALUE_CELULAR,
	VALUE_CODIGO,
	VALUE_FALTAN,
	VALUE_PEDIDO,
	VALUE_ABRE,
	VALUE_HORARIO,
	VALUE_COUNT, /* how many there are, and "none" */
};

struct value_info {
	const char *name;   /* between the braces */
	uint32_t needs;     /* FACT_* */
	bool may_be_absent; /* the core need not have it */
	const char *label;  /* what it is, where it is said to be missing */
	const char *sample; /* as long as it gets, for measuring */
};

/* Indexed by enum value. */
extern const struct value_info value_table[VALUE_COUNT];

/* The value of that name, or VALUE_COUNT. */
enum value value_find(pa_str name);

#endif
