// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The table of pcs: an open hash table from a pc of the process to the address
 * of its code. Threads in made code search it without a lock (entry.S,
 * bt_dispatch), so that an entry is only ever added.
 */
#include <linux/compiler.h>
#include <asm/barrier.h>

#include "internal.h"

/* Makes every entry free. The code of a free one reports that there is none. */
void bt_table_clear(struct bt_label *table)
{
	u32 i;

	for (i = 0; i < BT_LABELS; i++) {
		table[i].pc = BT_NO_PC;
		table[i].code = (u64)(unsigned long)bt_missing;
	}
}

/* Where the code of @pc is, or 0. */
u64 bt_table_find(const struct bt_label *table, u64 pc)
{
	u32 at = bt_hash(pc);

	for (;;) {
		u64 found = READ_ONCE(table[at].pc);

		if (found == pc)
			return READ_ONCE(table[at].code);
		if (found == BT_NO_PC)
			return 0;
		at = (at + 1) & (BT_LABELS - 1);
	}
}

/* Whether @more fit beside @used: a table that is never full ends every search. */
bool bt_table_has_room(u32 used, u32 more)
{
	return used + more < BT_LABELS / 2;
}

/* Adds @pc, which must not be there and for which there must be room. */
void bt_table_add(struct bt_label *table, u64 pc, u64 address)
{
	u32 at = bt_hash(pc);

	while (table[at].pc != BT_NO_PC)
		at = (at + 1) & (BT_LABELS - 1);
	table[at].code = address;
	/* Threads inside search without a lock. */
	smp_store_release(&table[at].pc, pc);
}
