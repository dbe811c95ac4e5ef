/*
 * Units of random operations, a part of them made of valid ones with some bits changed. What is accepted runs with random
 * registers until it ends or a timer strikes. Nothing is expected but that the kernel stays silent, and that what comes
 * back is an answer that there is.
 *
 * The arguments: how many units, the seed.
 */
#include "device.h"

#define UNITS_PER_CHILD 500
#define MOST_OPS 12
#define BUFFER_BYTES (64 * 1024)

static uint64_t seed;
static int fd;
static struct {
	long units, accepted, runs, reasons[BTSHIM_REASONS], interrupted;
} *totals;

static uint64_t any(uint64_t bound)
{
	return random_word(&seed) % bound;
}

static int is_one_in(int n)
{
	return any(n) == 0;
}

static uint8_t *buffer;

static uint64_t any_pc(void)
{
	switch (any(12)) {
	case 0:
		return random_word(&seed);
	case 1:
		return 0xffffffff81000000 + any(1 << 20);
	case 2:
		return HERE + any(1 << 16);
	default:
		return HERE + 16 * any(64);
	}
}

static int any_register(void)
{
	return is_one_in(30) ? (int)any(256) : (int)any(16);
}

static void any_operand(struct btshim_op *made)
{
	made->base = is_one_in(8) ? BTSHIM_NONE : is_one_in(12) ? BTSHIM_PC : any_register();
	made->index = is_one_in(2) ? BTSHIM_NONE : any_register();
	made->scale = is_one_in(40) ? (int)any(256) : 1 << any(4);
	made->disp = is_one_in(4) ? (int32_t)random_word(&seed) : (int32_t)any(4096) - 2048;
}

static struct btshim_op any_insn(void)
{
	static const uint8_t opcodes[] = { 0x00, 0x01, 0x03, 0x09, 0x0b, 0x11, 0x13, 0x19, 0x21, 0x29, 0x2b, 0x31, 0x33, 0x38, 0x39, 0x3b,
					   0x63, 0x69, 0x6b, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x98,
					   0x99, 0xb8, 0xc0, 0xc1, 0xc6, 0xc7, 0xd1, 0xd3, 0xf6, 0xf7, 0xfe, 0xff };
	struct btshim_op made = op(BTSHIM_INSN);

	made.wide = any(2);
	if (is_one_in(2)) {
		made.opcode = opcodes[any(sizeof(opcodes))];
	} else {
		made.encoding = any(2);
		made.map = any(4);
		made.opcode = any(256);
		made.prefix = any(4);
		made.wide = any(4);
		made.vvvv = any(16);
	}
	made.reg = any_register();
	made.rm = is_one_in(2) ? BTSHIM_MEMORY : any_register();
	made.imm = random_word(&seed);
	return made;
}

static struct btshim_op any_op(void)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8 };
	static const uint16_t calls[] = { SYS_getppid, SYS_read, SYS_sched_yield, SYS_getpid, SYS_write, SYS_clone, SYS_mmap, 511, 512 };
	struct btshim_op made = is_one_in(2) ? any_insn() : op(any(BTSHIM_KINDS + (is_one_in(20) ? 200 : 0)));

	any_operand(&made);
	if (made.kind != BTSHIM_INSN) {
		made.reg = is_one_in(3) ? BTSHIM_NONE : any_register();
		made.rm = is_one_in(2) ? BTSHIM_MEMORY : BTSHIM_NONE;
		made.size = sizes[any(4)];
		made.opcode = any(16);
		made.imm = any_pc();
	}
	if (made.kind == BTSHIM_STRING) {
		static const uint8_t strings[] = { 0xa4, 0xa5, 0xaa, 0xab };

		made.opcode = strings[any(4)];
		made.prefix = 2 * any(2);
		if (made.opcode % 2 == 0)
			made.size = 1;
	}
	if (made.kind == BTSHIM_SYSCALL)
		made.imm = calls[any(sizeof(calls) / sizeof(calls[0]))];
	if (made.kind == BTSHIM_RET)
		made.disp = 8 * any(4);
	made.flags = any(2) * BTSHIM_FLAGS_DEAD | (is_one_in(6) ? BTSHIM_FS : 0) | (is_one_in(8) ? BTSHIM_ADDR32 : 0) |
		     (is_one_in(6) ? BTSHIM_LOCK : 0) | (is_one_in(6) ? BTSHIM_HIGH_BYTE : 0);
	made.len = is_one_in(100) ? any(256) : 1 + any(8);
	return made;
}

static uint64_t any_value(void)
{
	switch (any(10)) {
	case 0:
		return random_word(&seed);
	case 1:
		return any(256);
	case 2:
		return 0xffffffff81000000 + any(1 << 24);
	case 3:
		return 0xffff888000000000 + any(1 << 28);
	case 4:
		return any_pc();
	default:
		return (uintptr_t)buffer + BUFFER_BYTES / 4 + any(BUFFER_BYTES / 2);
	}
}

static void one_unit(void)
{
	struct btshim_op ops[MOST_OPS + 2];
	int count = 1 + any(MOST_OPS), refusals = 0, err;
	uint64_t pc = HERE + 16 * any(64);

	for (;;) {
		ops[0] = block(pc);
		for (int i = 1; i < count; i++)
			ops[i] = any_op();
		place(ops, count);
		for (int bits = is_one_in(4) ? any(6) : 0; bits > 0; bits--)
			((uint8_t *)ops)[any(count * sizeof(ops[0]))] ^= 1 << any(8);
		totals->units++;
		err = load_ops(fd, ops, count);
		if (err == 0)
			break;
		/* The operations are random: most units hold one that is none. */
		if (err == ENOSPC)
			CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		else
			CHECK(err == EINVAL || err == EOPNOTSUPP || err == EAGAIN);
		if (++refusals == 4)
			count = count > 2 ? 2 : 1, refusals = 0;
	}
	totals->accepted++;
	struct btshim_run state = { .pc = pc, .flags = 0x202 | (any(2) ? 0x8d5 & random_word(&seed) : 0) };
	int reason;

	for (int n = 0; n < BTSHIM_REGS; n++)
		state.regs[n] = any_value();
	totals->runs++;
	reason = run(fd, &state);
	if (reason < 0) {
		/* The result of a call that a signal ended. */
		CHECK(state.reason == BTSHIM_IN_CALL && reason == -EINTR);
		totals->interrupted++;
		return;
	}
	CHECK(reason > 0 && reason < BTSHIM_REASONS);
	totals->reasons[reason]++;
	if (is_one_in(200))
		CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
}

static void on_alarm(int number)
{
	(void)number;
}

static void child(int units)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, 4000 }, { 0, 4000 } };
	/* Far from everything that the program itself needs. */
	uint8_t *area = mmap((void *)0x700000000000, BUFFER_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	struct btshim_allow allow = { { 0 }, { 0 } };

	CHECK(area != MAP_FAILED);
	buffer = area;
	fd = open_device();
	for (const int *nr = (const int[]){ SYS_getppid, SYS_getpid, SYS_sched_yield, SYS_read, -1 }; *nr >= 0; nr++)
		allow.calls[*nr / 64] |= 1UL << *nr % 64;
	CHECK(ioctl(fd, BTSHIM_IOC_ALLOW, &allow) == 0);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	while (units-- > 0)
		one_unit();
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	long units = argc > 1 ? atol(argv[1]) : 1000;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL) * 2654435761u;
	int died = 0;

	totals = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(totals != MAP_FAILED);
	printf("seed %#lx\n", first);
	fflush(stdout);
	for (long n = 0; n < units; n += UNITS_PER_CHILD) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			seed = first + n * 0x9e3779b97f4a7c15 + 1;
			child(UNITS_PER_CHILD);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
		/* Random stores may hit what the child itself needs. */
		died += WIFSIGNALED(status);
	}
	printf("%ld units, %ld accepted, %ld runs, %ld calls interrupted, %d children died\n", totals->units, totals->accepted,
	       totals->runs, totals->interrupted, died);
	for (int reason = 1; reason < BTSHIM_REASONS; reason++)
		printf("reason %d: %ld\n", reason, totals->reasons[reason]);
	CHECK(died * 10 <= units / UNITS_PER_CHILD);
	return 0;
}
