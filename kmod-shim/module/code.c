// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The code of one process: units, and jumps that wait for code.
 *
 * Code is only ever added, or dropped as a whole. What is dropped keeps its
 * place until the last thread inside has left.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "assemble.h"

/* Jumps that wait at most. */
#define MAX_EXITS 16384

/* Code of @file, for the calls that it may make now. */
struct bt_code *bt_code_new(const struct bt_file *file)
{
	struct bt_code *code = kvzalloc(sizeof(*code), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!code)
		return NULL;
	kref_init(&code->ref);
	bt_table_clear(code->table);
	for_each_set_bit(i, file->allowed_any, BTSHIM_CALLS)
		code->handlers[i] = bt_call_landing(i);
	return code;
}

static void release(struct kref *ref)
{
	struct bt_code *code = container_of(ref, struct bt_code, ref);

	while (code->chunks > 0)
		bt_area_give(code->chunk[--code->chunks].index);
	kvfree(code->exits);
	kvfree(code);
}

void bt_code_put(struct bt_code *code)
{
	kref_put(&code->ref, release);
}

/* The chunk that code goes to; one more if @is_fresh. */
static struct bt_chunk *chunk_for(struct bt_code *code, bool is_fresh)
{
	struct bt_chunk *chunk;
	int index;

	if (code->chunks && !is_fresh)
		return &code->chunk[code->chunks - 1];
	if (code->chunks == BT_MAX_CHUNKS)
		return NULL;
	index = bt_area_take();
	if (index < 0)
		return NULL;
	chunk = &code->chunk[code->chunks++];
	*chunk = (struct bt_chunk){ .index = index };
	return chunk;
}

/* Jumps to the unit's pcs that waited, and those of the unit that wait now. */
static int link(struct bt_code *code, const struct bt_unit *unit)
{
	u32 i, n, open = 0;

	for (i = 0; i < code->exit_count; i++) {
		u64 target = bt_table_find(code->table, code->exits[i].pc);

		if (target)
			bt_area_link(code->exits[i].site,
				     target - (code->exits[i].site + 4));
		else
			code->exits[open++] = code->exits[i];
	}
	code->exit_count = open;
	n = open + unit->jump_count;
	if (n > MAX_EXITS)
		n = MAX_EXITS; /* the others stay as they are: right, but slow */
	if (n > code->exit_room) {
		struct bt_exit *more =
			kvmalloc_array(n * 2, sizeof(*more), GFP_KERNEL_ACCOUNT);

		if (!more)
			return -ENOMEM;
		memcpy(more, code->exits, open * sizeof(*more));
		kvfree(code->exits);
		code->exits = more;
		code->exit_room = n * 2;
	}
	for (i = 0; open < n; i++) {
		code->exits[open].pc = unit->jumps[i].pc;
		code->exits[open++].site = unit->address + unit->jumps[i].site;
	}
	code->exit_count = open;
	return 0;
}

/* Work space of one load. */
struct workshop {
	struct bt_unit unit;
	u8 *memory;
};

/* An operation makes at most two stubs that are not faults, and two that are. */
#define STUBS_PER_OP 5

static int open_workshop(struct workshop *shop, u32 count)
{
	struct bt_unit *unit = &shop->unit;
	size_t stubs = (size_t)count * STUBS_PER_OP * sizeof(*unit->stubs);
	size_t faults = (size_t)count * STUBS_PER_OP * sizeof(*unit->faults);
	size_t labels = (size_t)count * sizeof(*unit->labels);
	size_t jumps = ((size_t)count + 1) * sizeof(*unit->jumps);
	u8 *at;

	shop->memory = kvmalloc(stubs + faults + labels + jumps + BT_CHUNK_BYTES,
				GFP_KERNEL_ACCOUNT);
	if (!shop->memory)
		return -ENOMEM;
	at = shop->memory;
	unit->stubs = (struct bt_stub *)at;
	at += stubs;
	unit->labels = (struct bt_label *)at;
	at += labels;
	unit->jumps = (struct bt_jump *)at;
	at += jumps;
	unit->faults = (struct bt_fault *)at;
	at += faults;
	unit->bytes = at;
	return 0;
}

/* Makes the code for a chunk; -ENOSPC if it does not fit there. */
static int make(struct bt_code *code, struct bt_chunk *chunk,
		struct bt_unit *unit)
{
	int err;

	unit->address = bt_area_address(chunk->index) + chunk->used;
	/* The last bytes stay free: area.c. */
	unit->room = BT_CHUNK_BYTES - 16 - chunk->used;
	unit->len = 0;
	unit->label_count = 0;
	unit->jump_count = 0;
	unit->fault_count = 0;
	unit->stub_count = 0;
	unit->vector_held = false;
	err = bt_assemble(unit);
	if (err)
		return err;
	if (chunk->faults + unit->fault_count > BT_CHUNK_FAULTS)
		return -ENOSPC;
	return 0;
}

static void place(struct bt_chunk *chunk, const struct bt_unit *unit)
{
	u32 i;

	bt_area_write(unit->address, unit->bytes, unit->len);
	for (i = 0; i < unit->fault_count; i++)
		bt_area_fault(chunk->index, chunk->faults++,
			      unit->address + unit->faults[i].insn,
			      unit->address + unit->faults[i].fixup);
	chunk->used = ALIGN(chunk->used + unit->len, 16);
}

static int load_unit(struct bt_code *code, struct bt_unit *unit)
{
	struct bt_chunk *chunk = chunk_for(code, false);
	int err;
	u32 i;

	if (!chunk)
		return -ENOSPC;
	err = make(code, chunk, unit);
	if (err == -ENOSPC && chunk->used) {
		chunk = chunk_for(code, true);
		if (!chunk)
			return -ENOSPC;
		err = make(code, chunk, unit);
	}
	if (err)
		return err;
	if (unit->has_vector && !code->is_vector)
		return -EAGAIN;
	if (!bt_table_has_room(code->labels, unit->label_count))
		return -ENOSPC;
	WRITE_ONCE(code->slots, unit->slots);
	place(chunk, unit);
	for (i = 0; i < unit->label_count; i++) {
		if (bt_table_find(code->table, unit->labels[i].pc))
			continue;
		bt_table_add(code->table, unit->labels[i].pc,
			     unit->address + unit->labels[i].code);
		code->labels++;
	}
	return link(code, unit);
}

/*
 * Adds a unit. -EAGAIN: it has the first vector instructions; all other code
 * was made without regard to them and has been dropped. -ENOSPC: drop the
 * code and begin anew, or give up.
 */
int bt_code_load(struct bt_file *file, struct btshim_load *load,
		 const struct btshim_op *ops)
{
	struct workshop shop = {
		.unit = {
			.ops = ops,
			.count = load->count,
			.is_masked = !(load->flags & BTSHIM_LOAD_UNMASKED),
			.allowed = file->allowed,
		},
	};
	struct bt_code *code = file->code;
	int err = open_workshop(&shop, load->count);

	if (err)
		return err;
	shop.unit.is_vector = code->is_vector;
	shop.unit.table = code->table;
	shop.unit.slots = code->slots;
	err = load_unit(code, &shop.unit);
	load->code_bytes = shop.unit.len;
	load->refused = shop.unit.refused;
	kvfree(shop.memory);
	if (err == -EAGAIN) {
		int cleared = bt_code_clear(file, true);

		if (cleared)
			return cleared;
	}
	return err;
}

/*
 * Drops all code of the file: nothing enters it any more, and threads inside
 * leave soon.
 */
int bt_code_clear(struct bt_file *file, bool is_vector)
{
	struct bt_code *other = bt_code_new(file), *code;
	struct task_struct *process, *thread;

	if (!other)
		return -ENOMEM;
	other->is_vector = is_vector;
	spin_lock(&file->pin);
	code = file->code;
	file->code = other;
	spin_unlock(&file->pin);
	/*
	 * A work flag: noticed by the next poll or call's end. For those in
	 * ring 3 it means nothing.
	 */
	rcu_read_lock();
	for_each_process_thread(process, thread) {
		if (thread->mm == file->mm &&
		    !test_and_set_tsk_thread_flag(thread, TIF_NOTIFY_RESUME))
			kick_process(thread);
	}
	rcu_read_unlock();
	bt_code_put(code);
	return 0;
}
