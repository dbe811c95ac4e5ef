/*
 * Operations that name memory of the kernel: every way to make an address, with every kind of access, ends with a fault.
 * Jumps to pcs that are none end because there is no code.
 */
#include "device.h"

static const uint64_t targets[] = {
	0xffffffff81000000, /* kernel text */
	0xffffffff82000000, /* its data */
	0xffff888000001000, /* all memory, four-level page tables */
	0xff11000000001000, /* the same, five-level */
	0xffffffffc0000000, /* modules */
	0xfffffe0000000000, /* the processors' entry area */
	0xffffffffff600000, /* vsyscall */
	0xffffffffffffffff,
	0xffffffffffffe000,
	0x8000000000000000,
	0xffff800000000000,
	0x0000800000000000, /* after the last of the process */
	0x00007ffffffff000,
	0x0100000000000000,
	0x4000000000000000,
	0x7fffffffffffffff,
};
#define TARGETS (sizeof(targets) / sizeof(targets[0]))

static int fd, loads, runs, refused;
static uint64_t next_pc = HERE;
static uint64_t scratch[512];

/* Loads one operation and runs it. A refusal is as good as a fault. */
static void attempt(const char *what, struct btshim_op attacked, uint64_t regs[BTSHIM_REGS])
{
	uint64_t pc = next_pc;
	struct btshim_op ops[] = { block(pc), attacked, leave() };
	struct btshim_run state = { .pc = pc, .flags = 0x202 };
	int reason, err;

	next_pc += 64;
	if (attacked.base == BTSHIM_PC)
		ops[0].imm = pc;
	place(ops, 3);
	loads++;
	err = load_ops(fd, ops, 3);
	if (err == ENOSPC) {
		CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		err = load_ops(fd, ops, 3);
	}
	if (err) {
		if (err != EINVAL && err != EOPNOTSUPP && err != EAGAIN)
			printf("%s: error %d\n", what, err);
		CHECK(err == EINVAL || err == EOPNOTSUPP || err == EAGAIN);
		if (err != EAGAIN) {
			refused++;
			return;
		}
		CHECK(load_ops(fd, ops, 3) == 0);
	}
	memcpy(state.regs, regs, sizeof(state.regs));
	reason = run(fd, &state);
	runs++;
	if (reason != BTSHIM_FAULT && !(reason == BTSHIM_UNTRANSLATED && state.pc == pc)) {
		printf("%s: reason %d, pc %+ld, rax=%llx rcx=%llx rsi=%llx rdi=%llx rsp=%llx\n", what, reason, (long)(state.pc - pc),
		       state.regs[RAX], state.regs[RCX], state.regs[RSI], state.regs[RDI], state.regs[RSP]);
		exit(1);
	}
}

/* The accesses: a store, a load, one that does both, a vector store, a byte. */
static struct btshim_op access_of(int n)
{
	struct btshim_op made = op(BTSHIM_INSN);

	made.rm = BTSHIM_MEMORY;
	made.reg = RCX;
	made.wide = 1;
	switch (n) {
	case 0:
		made.opcode = 0x89;
		break;
	case 1:
		made.opcode = 0x8b;
		break;
	case 2:
		made.opcode = 0x01;
		break;
	case 3:
		made.opcode = 0x88;
		made.wide = 0;
		break;
	case 4:
		made.opcode = 0x11;
		made.map = 1;
		made.wide = 0;
		break;
	case 5:
		made.opcode = 0xc1;
		made.map = 1;
		made.flags = BTSHIM_LOCK | BTSHIM_FLAGS_DEAD;
		break;
	case 6:
		made.opcode = 0xc3;
		made.map = 1;
		break;
	default:
		made.opcode = 0xc7;
		made.reg = 0;
		made.imm = 0x12345678;
	}
	return made;
}
#define ACCESSES 8

/* @some: not every access with every register. */
static void through_registers(uint64_t target, int flags, int some)
{
	for (int n = 0; n < (some ? 2 : ACCESSES); n++) {
		for (int base = RAX; base <= R15; base += some ? 3 : 1) {
			uint64_t regs[BTSHIM_REGS] = { 0 };
			struct btshim_op made = access_of(n);
			int index = base == RBX ? RDX : RBX;

			made.flags |= flags;
			made.base = base;
			regs[base] = target;
			attempt("base", made, regs);
			made.disp = 0x7fffff00;
			regs[base] = target - 0x7fffff00;
			attempt("base + disp", made, regs);
			made.disp = -0x70000000;
			regs[base] = target + 0x70000000;
			attempt("base - disp", made, regs);
			made.disp = 0;
			for (int scale = 1; scale <= 8; scale *= 2) {
				made.index = index;
				made.scale = scale;
				regs[base] = target - 0x10000UL * scale;
				regs[index] = 0x10000;
				attempt("base + index", made, regs);
				/* Wraps around. */
				regs[index] = 0xf000000000000001;
				regs[base] = target - regs[index] * scale;
				attempt("base + large index", made, regs);
			}
			if (base != RSP && target % 8 == 0) {
				made.base = BTSHIM_NONE;
				made.index = base;
				for (int scale = 1; scale <= 8; scale *= 2) {
					made.scale = scale;
					regs[base] = target / scale;
					attempt("index", made, regs);
				}
			}
		}
	}
}

static void absolute(void)
{
	/* A displacement alone is extended with its sign. */
	for (int n = 0; n < ACCESSES; n++) {
		uint64_t regs[BTSHIM_REGS] = { 0 };
		struct btshim_op made = access_of(n);

		made.disp = -0x7f000000;
		attempt("displacement", made, regs);
		made.base = BTSHIM_PC;
		made.disp = INT32_MIN;
		attempt("pc-relative below", made, regs);
	}
}

static void through_fs(uint64_t target)
{
	uint64_t fs = 0;

	asm("mov %%fs:0, %0" : "=r"(fs));
	for (int n = 0; n < ACCESSES; n++) {
		uint64_t regs[BTSHIM_REGS] = { 0 };
		struct btshim_op made = access_of(n);

		made.flags |= BTSHIM_FS;
		made.base = RSI;
		regs[RSI] = target - fs;
		attempt("fs", made, regs);
		made.base = R11;
		made.index = R10;
		made.scale = 4;
		regs[R10] = 0x1000;
		regs[R11] = target - fs - 0x4000;
		attempt("fs, base + index", made, regs);
	}
}

static void through_the_stack(uint64_t target, int flags)
{
	uint64_t regs[BTSHIM_REGS] = { 0 };
	struct btshim_op made;

	regs[RSP] = target + 8;
	made = op(BTSHIM_PUSH);
	made.flags = flags;
	made.reg = RCX;
	attempt("push", made, regs);
	made.reg = BTSHIM_NONE;
	made.imm = 0x41414141;
	attempt("push value", made, regs);
	made.rm = BTSHIM_MEMORY;
	made.base = RSI;
	regs[RSI] = (uintptr_t)scratch;
	attempt("push memory", made, regs);
	regs[RSI] = target;
	regs[RSP] = (uintptr_t)(scratch + 256);
	attempt("push from there", made, regs);
	regs[RSP] = target + 8;
	made = op(BTSHIM_CALL);
	made.flags = flags;
	made.imm = HERE;
	attempt("call", made, regs);
	made = op(BTSHIM_CALL_TO);
	made.flags = flags;
	made.reg = RCX;
	attempt("call register", made, regs);
	made.rm = BTSHIM_MEMORY;
	made.base = RSI;
	regs[RSI] = (uintptr_t)scratch;
	attempt("call memory", made, regs);
	regs[RSP] = target;
	made = op(BTSHIM_POP);
	made.flags = flags;
	made.reg = RCX;
	attempt("pop", made, regs);
	made = op(BTSHIM_RET);
	made.flags = flags;
	attempt("ret", made, regs);
	made = op(BTSHIM_JUMP_TO);
	made.flags = flags;
	made.rm = BTSHIM_MEMORY;
	made.base = RSI;
	regs[RSI] = target;
	attempt("jump through memory", made, regs);
	made = op(BTSHIM_CHECK);
	made.flags = flags;
	made.rm = BTSHIM_MEMORY;
	made.base = RSI;
	made.size = 4;
	attempt("check", made, regs);
}

static void strings(uint64_t target, int flags)
{
	static const int opcodes[] = { 0xa4, 0xa5, 0xaa, 0xab };

	for (int n = 0; n < 4; n++) {
		for (int repeated = 0; repeated < 2; repeated++) {
			uint64_t regs[BTSHIM_REGS] = { 0 };
			struct btshim_op made = op(BTSHIM_STRING);

			made.flags = flags;
			made.opcode = opcodes[n];
			made.prefix = repeated ? 2 : 0;
			made.size = n % 2 ? 8 : 1;
			regs[RCX] = 16;
			regs[RDI] = target;
			regs[RSI] = (uintptr_t)scratch;
			attempt("string to", made, regs);
			if (n >= 2)
				continue;
			regs[RSI] = target;
			regs[RDI] = (uintptr_t)scratch;
			attempt("string from", made, regs);
		}
	}
}

/* An address of 32 bits is one of the process. */
static void short_addresses(void)
{
	for (int n = 0; n < ACCESSES; n++) {
		uint64_t regs[BTSHIM_REGS] = { 0 };
		struct btshim_op made = access_of(n);

		made.flags |= BTSHIM_ADDR32;
		made.base = RSI;
		regs[RSI] = 0xffffffff00000010;
		attempt("addr32", made, regs);
		made.disp = -0x20;
		attempt("addr32, below 0", made, regs);
	}
}

/* What is near the end of what the process may have, and goes beyond. */
static void at_the_end(void)
{
	uint64_t regs[BTSHIM_REGS] = { 0 };
	struct btshim_op made = op(BTSHIM_INSN);

	made.rm = BTSHIM_MEMORY;
	made.base = BTSHIM_PC;
	made.reg = RCX;
	made.opcode = 0x89;
	made.wide = 1;
	made.disp = 0x7fffffff;
	next_pc = 0x7fffffffef00 - 0x7fffffffUL;
	attempt("pc-relative, at the end", made, regs);
	next_pc = 0x7fffff000000;
	attempt("pc-relative, beyond the end", made, regs);
	next_pc = HERE + 0x1000000;
}

static void pcs_without_code(void)
{
	uint64_t first = next_pc, second = next_pc + 0x100;
	static const uint64_t crafted[] = { 0, ~0UL, 0xffffffff81000000, 0xffffffffc0000000, 0xffff888000000000,
					    0x7ffffffff000, 0x800000000000, 1UL << 63, 0x4000 };
	struct btshim_op ops[] = { block(first), op(BTSHIM_INSN), op(BTSHIM_JUMP_TO) };
	struct btshim_op other[] = { block(second), op(BTSHIM_JUMP_TO) };
	uint64_t pcs[16];
	int count = 0;

	next_pc += 0x1000;
	ops[1].opcode = 0x89; /* mov rcx, rdx */
	ops[1].reg = RDX;
	ops[1].rm = RCX;
	ops[1].wide = 1;
	ops[1].len = 3;
	ops[2].reg = RSI;
	ops[2].len = 3;
	other[1].reg = RDI;
	other[1].len = 3;
	for (int dead = 0; dead < 2; dead++) {
		struct btshim_run state = { .pc = first, .flags = 0x202 };

		count = 0;
		for (size_t i = 0; i < sizeof(crafted) / sizeof(crafted[0]); i++)
			pcs[count++] = crafted[i];
		pcs[count++] = first + 1;
		pcs[count++] = first + 3; /* an instruction, but no block */
		pcs[count++] = first + 0x4000;
		ops[2].flags = other[1].flags = dead ? BTSHIM_FLAGS_DEAD : 0;
		CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		place(ops, 3);
		place(other, 2);
		CHECK(load_ops(fd, ops, 3) == 0 && load_ops(fd, other, 2) == 0);
		for (int i = 0; i < count; i++) {
			state.pc = first;
			state.regs[RSI] = second;
			state.regs[RDI] = pcs[i];
			CHECK(run(fd, &state) == BTSHIM_MISSING);
			CHECK(state.pc == pcs[i]);
			CHECK(run_at(fd, pcs[i]) == BTSHIM_MISSING);
		}
	}
	for (size_t i = 0; i < sizeof(crafted) / sizeof(crafted[0]); i++) {
		struct btshim_op there[] = { block(first + 0x200), jump(crafted[i]) };
		struct btshim_op beyond[] = { block(crafted[i]), leave() };

		place(there, 2);
		first += 16;
		if (load_ops(fd, there, 2) == 0)
			CHECK(run_at(fd, first - 16 + 0x200) == BTSHIM_MISSING);
		/* A block where no process has code. */
		if (crafted[i] >= 1UL << 56)
			CHECK(load_ops(fd, beyond, 2) == EINVAL);
	}
}

/* Context registers cannot be read or written: the process has its own values of them. */
static void own_registers(void)
{
	uint64_t pc = next_pc;
	static const int kept[] = { RSP, R10, R11, R15 };
	struct btshim_op ops[10] = { block(pc) };
	struct btshim_run state = { .pc = pc, .flags = 0x202 };

	next_pc += 0x100;
	for (int i = 0; i < 4; i++) {
		ops[1 + i] = op(BTSHIM_INSN);
		ops[1 + i].opcode = 0x01; /* add kept, rax */
		ops[1 + i].reg = RAX;
		ops[1 + i].rm = kept[i];
		ops[1 + i].wide = 1;
		ops[1 + i].len = 3;
		state.regs[kept[i]] = 0x1000 * (i + 1);
	}
	ops[5] = leave();
	state.regs[RAX] = 0x123;
	place(ops, 6);
	CHECK(load_ops(fd, ops, 6) == 0);
	CHECK(run(fd, &state) == BTSHIM_UNTRANSLATED && state.pc == pc + 12);
	for (int i = 0; i < 4; i++)
		CHECK(state.regs[kept[i]] == 0x1000UL * (i + 1) + 0x123);
}

int main(void)
{
	fd = open_device();
	own_registers();
	for (size_t i = 0; i < TARGETS; i++) {
		for (int dead = 0; dead < 2; dead++) {
			through_registers(targets[i], dead ? BTSHIM_FLAGS_DEAD : 0, i % 4 != 0);
			through_the_stack(targets[i], dead ? BTSHIM_FLAGS_DEAD : 0);
			strings(targets[i], dead ? BTSHIM_FLAGS_DEAD : 0);
		}
		through_fs(targets[i]);
	}
	absolute();
	short_addresses();
	at_the_end();
	pcs_without_code();
	printf("%d loads, %d refused, %d runs\n", loads, refused, runs);
	CHECK(runs > loads / 2);
	return 0;
}
