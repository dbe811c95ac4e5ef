/*
 * The arithmetic flags stay what they were over everything that made code does between two instructions: a system call, taking
 * the vector registers, a jump by address, polls that find work, however the kernel's own code returns.
 */
#include "device.h"

#define ARITHMETIC 0x8d5UL
#define ROUNDS 40

static volatile long strikes;

static void on_alarm(int number)
{
	(void)number;
	strikes++;
}

int main(void)
{
	static uint8_t scratch[64] __attribute__((aligned(64)));
	struct btshim_op vector = memory_insn(0x10, 3, RSI, 0), to = op(BTSHIM_JUMP_TO), count = op(BTSHIM_LEA);
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } };
	struct btshim_allow allow = { { 0 }, { 0 } };
	int fd = open_device(), err, reasons[BTSHIM_REASONS] = { 0 };

	allow.calls[SYS_getppid / 64] |= 1UL << SYS_getppid % 64;
	CHECK(ioctl(fd, BTSHIM_IOC_ALLOW, &allow) == 0);
	vector.map = 1;
	vector.wide = 0;
	to.reg = RBX;
	/* Counts in rbp, without changing flags. */
	count.reg = RBP;
	count.base = RBP;
	count.disp = 1;
	/* A loop that nothing ends but a signal; after the jump no flag is dead. */
	struct btshim_op ops[] = { block(HERE), count, vector, call_number(SYS_getppid), vector, to };

	place(ops, 6);
	err = load_ops(fd, ops, 6);
	CHECK(err == EAGAIN);
	CHECK(load_ops(fd, ops, 6) == 0);
	sigaction(SIGALRM, &action, NULL);
	for (int combination = 0; combination < 64; combination++) {
		uint64_t flags = 0x202;

		for (int n = 0, bit = 0; bit < 12; bit++) {
			if (ARITHMETIC >> bit & 1 && combination >> n++ & 1)
				flags |= 1UL << bit;
		}
		for (int round = 0; round < ROUNDS; round++) {
			struct btshim_run state = { .pc = HERE, .flags = flags };
			int reason;

			state.regs[RSI] = (uintptr_t)scratch;
			state.regs[RBX] = HERE;
			setitimer(ITIMER_REAL, &timer, NULL);
			reason = run(fd, &state);
			CHECK(reason == BTSHIM_WORK);
			CHECK((state.flags & ARITHMETIC) == (flags & ARITHMETIC));
			/* SYSCALL leaves them in r11. */
			CHECK(state.regs[RBP] < 2 || (state.regs[R11] & ARITHMETIC) == (flags & ARITHMETIC));
			reasons[reason]++;
		}
	}
	CHECK(strikes > 0);
	printf("left %d times for signals\n", reasons[BTSHIM_WORK]);
	return 0;
}
