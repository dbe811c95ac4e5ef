/*
 * A string instruction of some GiB, all of whose pages are there: it does not fault, and polls only where it ends. A
 * signal has to be noticed all the same, and other threads have to get the processor.
 */
#include "device.h"

#define ALIAS_BYTES (2UL << 20)
#define ALL_BYTES (8UL << 30)
#define AREA ((char *)0x600000000000)

static void on_alarm(int number)
{
	(void)number;
}

int main(void)
{
	int fd = open_device(), memory = memfd_create("alias", 0), reason;
	struct btshim_op ops[3] = { block(HERE), op(BTSHIM_STRING), leave() };
	struct btshim_run state = { .pc = HERE, .flags = 0x202 };
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, 0 }, { 0, 100000 } };
	double before, took;

	CHECK(memory >= 0 && ftruncate(memory, ALIAS_BYTES) == 0);
	for (size_t at = 0; at < ALL_BYTES; at += ALIAS_BYTES)
		CHECK(mmap(AREA + at, ALIAS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, memory,
			   0) == AREA + at);
	ops[1].opcode = 0xaa;
	ops[1].size = 1;
	ops[1].prefix = 2;
	ops[1].len = 2;
	place(ops, 3);
	CHECK(load_ops(fd, ops, 3) == 0);
	state.regs[RDI] = (uintptr_t)AREA;
	state.regs[RCX] = ALL_BYTES;
	sigaction(SIGALRM, &action, NULL);
	before = now();
	setitimer(ITIMER_REAL, &timer, NULL);
	reason = run(fd, &state);
	took = now() - before;
	printf("reason %d after %.0f ms, %llu MiB were not stored\n", reason, took * 1e3, state.regs[RCX] >> 20);
	CHECK(reason == BTSHIM_WORK || reason == BTSHIM_UNTRANSLATED);
	/* The signal came after 100 ms; a second is much for noticing it, also for an emulator. */
	CHECK(took < 1.1);
	return 0;
}
