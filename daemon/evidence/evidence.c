/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/evidence.h"

#include "base/pack.h"
#include "io/crypto.h"

enum { ENTRY = 1, ENTRY_KIND = 1, ENTRY_ID, ENTRY_AT, ENTRY_DETAIL, ENTRY_TEXT, ENTRY_HASH };

void evidence_add(struct buf *entries, const struct evidence *evidence)
{
	uint8_t digest[DIGEST_BYTES];
	size_t begin = pack_begin(entries, ENTRY);

	pack_int(entries, ENTRY_KIND, evidence->kind);
	pack_int(entries, ENTRY_ID, evidence->id);
	pack_int(entries, ENTRY_AT, evidence->at_ns);
	pack_int(entries, ENTRY_DETAIL, evidence->detail);
	pack_str(entries, ENTRY_TEXT, evidence->text);
	if (evidence->sealed.ptr) {
		sha256(evidence->sealed, digest);
		pack_str(entries, ENTRY_HASH, (pa_str){(const char *)digest, sizeof(digest)});
	}
	pack_end(entries, begin);
}
