/* Opens, loads, runs and closes, as often as the argument says: nothing may be left. */
#include "device.h"

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;

	while (rounds-- > 0) {
		int fd = open_device();
		/* Work after the call leaves there: a block is where to go on. */
		struct btshim_op ops[5] = { block(HERE), call_number(SYS_getppid), block(HERE + 2), store(RAX, RBX, 0),
					    leave() };
		struct btshim_run state = { .pc = HERE, .flags = 0x202 };
		uint64_t parent = 0, calls = 0;
		int reason;

		place(ops, 5);
		CHECK(load_ops(fd, ops, 5) == 0);
		state.regs[RBX] = (uintptr_t)&parent;
		do { /* The kernel may have work at any time. */
			reason = run(fd, &state);
			calls += state.calls;
		} while (reason == BTSHIM_WORK);
		CHECK(reason == BTSHIM_UNTRANSLATED);
		CHECK(parent == (uint64_t)getppid() && calls == 1);
		CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		CHECK(load_ops(fd, ops, 5) == 0);
		close(fd);
	}
	return 0;
}
