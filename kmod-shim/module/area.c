// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Memory for made code: a section of the module, mapped as its text is,
 * readable and executable. It is written through a second mapping, so no page
 * is ever writable and executable at one address.
 *
 * The exception table of the module has a fixed share for each chunk of the
 * area, after those of the module's own text, which lies below the area. The
 * kernel searches it by bisection: unused entries of a chunk name the
 * chunk's last byte, where no code is, so the table is in order at all times.
 */
#include <linux/extable.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/processor.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/extable_fixup_types.h>
#include <asm/sync_core.h>

#include "internal.h"

extern u8 bt_area[];

#define AREA_BYTES (BT_CHUNKS * BT_CHUNK_BYTES)
#define FILLER 0xcc /* INT3 */

/* Entries of the module's own code, at most. */
#define OWN_FAULTS 256

static struct exception_table_entry table[OWN_FAULTS + BT_CHUNKS * BT_CHUNK_FAULTS];
static struct exception_table_entry *const faults = table + OWN_FAULTS;
static const struct exception_table_entry *own;
static unsigned int own_count;
static u8 *alias;
static DECLARE_BITMAP(taken, BT_CHUNKS);
static DEFINE_MUTEX(lock);

u64 bt_area_address(int index)
{
	return (u64)(unsigned long)bt_area + (u64)index * BT_CHUNK_BYTES;
}

static u8 *writable(u64 address)
{
	return alias + (address - (u64)(unsigned long)bt_area);
}

void bt_area_write(u64 address, const void *bytes, u32 count)
{
	memcpy(writable(address), bytes, count);
	/* Nobody has executed these bytes since they were last free. */
	sync_core();
}

/*
 * Points a jump elsewhere. Its displacement is aligned: other processors see
 * the old one or the new one.
 */
void bt_area_link(u64 site, s32 displacement)
{
	WRITE_ONCE(*(s32 *)writable(site), displacement);
}

/* Entry @n of a chunk; its instructions are given in order. */
void bt_area_fault(int index, u32 n, u64 insn, u64 fixup)
{
	struct exception_table_entry *entry =
		&faults[index * BT_CHUNK_FAULTS + n];

	/* EX_TYPE_UACCESS would warn of a non-canonical address. */
	entry->data = EX_TYPE_DEFAULT;
	entry->fixup = (s32)(fixup - (u64)(unsigned long)&entry->fixup);
	smp_wmb(); /* A search that finds the entry finds it whole. */
	WRITE_ONCE(entry->insn, (s32)(insn - (u64)(unsigned long)&entry->insn));
}

static void clear_faults(int index)
{
	u32 n;

	/* From the end on: in order at each step. */
	for (n = BT_CHUNK_FAULTS; n-- > 0;)
		bt_area_fault(index, n, bt_area_address(index + 1) - 1, 0);
}

/* Returns the index of a free chunk, or -ENOSPC. */
int bt_area_take(void)
{
	int index;

	mutex_lock(&lock);
	index = find_first_zero_bit(taken, BT_CHUNKS);
	if (index < BT_CHUNKS)
		__set_bit(index, taken);
	mutex_unlock(&lock);
	return index < BT_CHUNKS ? index : -ENOSPC;
}

/* Nothing executes in the chunk any more. */
void bt_area_give(int index)
{
	mutex_lock(&lock);
	clear_faults(index);
	memset(writable(bt_area_address(index)), FILLER, BT_CHUNK_BYTES);
	__clear_bit(index, taken);
	mutex_unlock(&lock);
}

/* The module's own entries go before ours: one table for both. */
static int take_over_faults(void)
{
	unsigned int i;

	own = THIS_MODULE->extable;
	own_count = THIS_MODULE->num_exentries;
	if (own_count > OWN_FAULTS)
		return -ENOEXEC;
	for (i = 0; i < own_count; i++) {
		const struct exception_table_entry *from = &own[i];
		struct exception_table_entry *to = faults - own_count + i;
		u64 insn = (u64)(unsigned long)&from->insn + from->insn;
		u64 fixup = (u64)(unsigned long)&from->fixup + from->fixup;

		if (insn >= (u64)(unsigned long)bt_area)
			return -ENOEXEC;
		to->insn = (s32)(insn - (u64)(unsigned long)&to->insn);
		to->fixup = (s32)(fixup - (u64)(unsigned long)&to->fixup);
		to->data = from->data;
	}
	THIS_MODULE->extable = faults - own_count;
	smp_wmb(); /* The table before its length. */
	THIS_MODULE->num_exentries =
		own_count + BT_CHUNKS * BT_CHUNK_FAULTS;
	return 0;
}

int bt_area_init(void)
{
	unsigned int count = AREA_BYTES / PAGE_SIZE, i;
	struct page **pages;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		pages[i] = vmalloc_to_page(bt_area + i * PAGE_SIZE);
	alias = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!alias)
		return -ENOMEM;
	memset(alias, FILLER, AREA_BYTES);
	for (i = 0; i < BT_CHUNKS; i++)
		clear_faults(i);
	return take_over_faults();
}

void bt_area_exit(void)
{
	/* The kernel forgets the table by its length. */
	WRITE_ONCE(THIS_MODULE->num_exentries, own_count);
	smp_wmb(); /* The length before the table. */
	WRITE_ONCE(THIS_MODULE->extable,
		   (struct exception_table_entry *)own);
	vunmap(alias);
}
