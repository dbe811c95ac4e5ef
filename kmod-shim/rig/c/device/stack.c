/*
 * Runs of pushes and pops are exact at each of them: when one faults, those before it are done, those after it are not, and
 * rsp and the pc say so. Pages that are only not there yet are none of the program's business.
 */
#include "device.h"

#define PAGE 4096UL
#define MOST 9

static int fd;
static uint64_t next_pc = HERE;
static char *pages; /* three; the one in the middle can be used */

static const int pushed[MOST] = { RBP, R15, RSI, R10, BTSHIM_NONE, R11, RBX, R12, RAX };
static const int popped[MOST] = { RBP, R15, RSI, R10, RDI, R11, RBX, R12, RAX };

static struct btshim_op push(int n)
{
	struct btshim_op made = op(BTSHIM_PUSH);

	made.reg = pushed[n];
	made.imm = 0x1234;
	return made;
}

static struct btshim_op pop(int n)
{
	struct btshim_op made = op(BTSHIM_POP);

	made.reg = popped[n];
	return made;
}

/* movups xmm3, [rsp]: what follows runs with the vector registers held, where the kernel's handler of page faults does not. */
static struct btshim_op vector(void)
{
	struct btshim_op made = memory_insn(0x10, 3, RSP, 0);

	made.map = 1;
	made.wide = 0;
	made.len = 4;
	return made;
}

static void load_all(const struct btshim_op *ops, int count)
{
	int err = load_ops(fd, ops, count);

	if (err == EAGAIN)
		err = load_ops(fd, ops, count);
	CHECK(err == 0);
}

static struct btshim_run state_with(char *sp)
{
	struct btshim_run state = { .pc = next_pc, .flags = 0x202 | 0x8d5 };

	for (int n = 0; n < BTSHIM_REGS; n++)
		state.regs[n] = 0x0101010101010101UL * (n + 1);
	state.regs[RSP] = (uintptr_t)sp;
	return state;
}

/* Pushes, of which the one numbered @room and those after it have no room. */
static void pushes(int count, int room, int has_vector)
{
	struct btshim_op ops[MOST + 3] = { block(next_pc), vector() };
	int first = 1 + has_vector;
	char *low = pages + PAGE, *sp = low + 8 * room;
	struct btshim_run state = state_with(sp), was = state;
	int done = room < count ? room : count;

	for (int n = 0; n < count; n++)
		ops[first + n] = push(n);
	ops[first + count] = leave();
	place(ops, first + count + 1);
	load_all(ops, first + count + 1);
	CHECK(madvise(low, PAGE, MADV_DONTNEED) == 0);
	CHECK(run(fd, &state) == (room < count ? BTSHIM_FAULT : BTSHIM_UNTRANSLATED));
	CHECK(state.pc == next_pc + ops[first + done].at && state.flags == was.flags);
	CHECK(state.regs[RSP] == (uintptr_t)sp - 8 * done);
	for (int n = 0; n < done; n++) {
		uint64_t value;

		memcpy(&value, sp - 8 * (n + 1), 8);
		CHECK(value == (pushed[n] == BTSHIM_NONE ? 0x1234 : was.regs[pushed[n]]));
	}
	for (int n = 0; n < BTSHIM_REGS; n++)
		CHECK(n == RSP || state.regs[n] == was.regs[n]);
	next_pc += 64;
}

/* The same with pops. */
static void pops(int count, int room, int has_vector)
{
	struct btshim_op ops[MOST + 3] = { block(next_pc), vector() };
	int first = 1 + has_vector;
	char *sp = pages + 2 * PAGE - 8 * room;
	struct btshim_run state = state_with(sp), was = state;
	int done = room < count ? room : count;
	uint64_t words[PAGE / 8];

	for (int n = 0; n < count; n++)
		ops[first + n] = pop(n);
	ops[first + count] = leave();
	place(ops, first + count + 1);
	load_all(ops, first + count + 1);
	for (size_t n = 0; n < PAGE / 8; n++)
		words[n] = 0xabcd0000 + n;
	memcpy(pages + PAGE, words, PAGE);
	CHECK(run(fd, &state) == (room < count ? BTSHIM_FAULT : BTSHIM_UNTRANSLATED));
	CHECK(state.pc == next_pc + ops[first + done].at && state.flags == was.flags);
	for (int n = 0; n < done; n++)
		memcpy(&was.regs[popped[n]], sp + 8 * n, 8);
	was.regs[RSP] += 8 * done;
	for (int n = 0; n < BTSHIM_REGS; n++)
		CHECK(state.regs[n] == was.regs[n]);
	next_pc += 64;
}

/* Pushes and pops in turns, a store by rsp after each: @count of them. */
static void mixed(uint64_t seed, int count)
{
	struct btshim_op ops[2 * MOST + 2] = { block(next_pc) };
	char *sp = pages + PAGE + PAGE / 2;
	struct btshim_run state = state_with(sp), is = state;
	uint64_t words[PAGE / 8] = { 0 };
	uint64_t *at = words + PAGE / 16;
	int n = 1;

	for (int i = 0; i < count; i++) {
		int reg = popped[random_word(&seed) % MOST];

		switch (random_word(&seed) % 4) {
		case 0:
			ops[n++] = pop(0);
			ops[n - 1].reg = reg;
			is.regs[reg] = *at++;
			break;
		case 1:
			ops[n++] = store(reg, RSP, -64);
			at[-8] = is.regs[reg];
			break;
		default:
			ops[n++] = push(0);
			ops[n - 1].reg = reg == RSI ? RSP : reg;
			at--;
			*at = reg == RSI ? (uintptr_t)sp + 8 * (at + 1 - (words + PAGE / 16)) : is.regs[reg];
		}
	}
	ops[n++] = leave();
	place(ops, n);
	load_all(ops, n);
	CHECK(madvise(pages + PAGE, PAGE, MADV_DONTNEED) == 0);
	CHECK(run(fd, &state) == BTSHIM_UNTRANSLATED);
	is.regs[RSP] += 8 * (at - (words + PAGE / 16));
	for (int reg = 0; reg < BTSHIM_REGS; reg++)
		CHECK(state.regs[reg] == is.regs[reg]);
	CHECK(memcmp(pages + PAGE, words, PAGE) == 0);
	next_pc += 64;
}

/* Pushes and calls whose operand is in memory by rsp as well, after another push. */
static void memory_operands(int kind, int base)
{
	struct btshim_op ops[] = { block(next_pc), push(0), op(kind), leave(), block(next_pc + 32), leave() };
	char *sp = pages + PAGE + PAGE / 2;
	struct btshim_run state = state_with(sp);
	uint64_t target = next_pc + 32, words[4] = { 0, 0, target, 0 };
	int calls = kind == BTSHIM_CALL_TO;

	ops[2].rm = BTSHIM_MEMORY;
	ops[2].base = base;
	/* rsp is 8 less by then. */
	ops[2].disp = base == RSP ? 8 : 0;
	place(ops, 6);
	load_all(ops, 6);
	memcpy(sp - 16, words, sizeof(words));
	if (base != RSP)
		state.regs[base] = (uintptr_t)sp;
	CHECK(run(fd, &state) == BTSHIM_UNTRANSLATED);
	CHECK(state.pc == (calls ? target : next_pc + ops[3].at) && state.regs[RSP] == (uintptr_t)sp - 16);
	memcpy(words, sp - 16, sizeof(words));
	CHECK(words[0] == (calls ? next_pc + ops[3].at : target) && words[1] == state.regs[RBP] && words[2] == target);
	next_pc += 64;
}

int main(void)
{
	fd = open_device();
	pages = mmap((void *)0x700000000000, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	CHECK(munmap(pages, PAGE) == 0 && munmap(pages + 2 * PAGE, PAGE) == 0);
	for (int has_vector = 0; has_vector < 2; has_vector++) {
		for (int count = 1; count <= MOST; count++) {
			for (int room = 1; room <= MOST; room++) {
				pushes(count, room, has_vector);
				/* The vector load is of two words. */
				if (!has_vector || room > 1)
					pops(count, room, has_vector);
			}
		}
	}
	for (const int *base = (const int[]){ RSP, RSI, R11, -1 }; *base >= 0; base++) {
		memory_operands(BTSHIM_PUSH, *base);
		memory_operands(BTSHIM_CALL_TO, *base);
	}
	for (uint64_t seed = 1; seed <= 500; seed++) {
		if (seed % 100 == 0)
			CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		mixed(seed, 1 + seed % (2 * MOST - 1));
	}
	puts("ok");
	return 0;
}
