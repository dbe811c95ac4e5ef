/*
 * Files and code that go while they are used: closing and clearing under a thread that runs, forks meanwhile, and the
 * area for code when it is full.
 */
#include "device.h"

#include <pthread.h>

/* A loop that only the kernel's work ends: [rbx] counts its turns. */
static void load_loop(int fd, uint64_t pc)
{
	struct btshim_op ops[3] = { block(pc), op(BTSHIM_INSN), jump(pc) };

	ops[1].opcode = 0xff; /* inc qword [rbx] */
	ops[1].reg = 0;
	ops[1].wide = 1;
	ops[1].rm = BTSHIM_MEMORY;
	ops[1].base = RBX;
	place(ops, 3);
	CHECK(load_ops(fd, ops, 3) == 0);
}

/* The same with a system call. After it a block begins: there ring 0 may be left, and is entered again. */
static void load_calling_loop(int fd, uint64_t pc)
{
	struct btshim_op ops[5] = { block(pc), op(BTSHIM_INSN), call_number(SYS_getppid), block(pc + 3), jump(pc) };

	ops[1].opcode = 0xff;
	ops[1].reg = 0;
	ops[1].wide = 1;
	ops[1].rm = BTSHIM_MEMORY;
	ops[1].base = RBX;
	place(ops, 5);
	CHECK(load_ops(fd, ops, 5) == 0);
}

struct runner {
	int fd;
	uint64_t pc;
	volatile uint64_t turns;
	volatile int reason;
	pthread_t thread;
};

static void *run_until_done(void *data)
{
	struct runner *runner = data;
	struct btshim_run state = { .pc = runner->pc, .flags = 0x202 };

	state.regs[RBX] = (uintptr_t)&runner->turns;
	/* A clock tick or the like is not the end. */
	do
		runner->reason = run(runner->fd, &state);
	while (runner->reason == BTSHIM_WORK);
	return NULL;
}

static struct runner *waited_for;

/* What is known when all takes too long. */
static void on_alarm(int number)
{
	struct runner *runner = waited_for;

	(void)number;
	if (runner)
		dprintf(1, "too long: a thread has made %lu turns, reason %d\n", (unsigned long)runner->turns, runner->reason);
	_exit(1);
}

static void start(struct runner *runner)
{
	waited_for = runner;
	runner->turns = 0;
	runner->reason = 0;
	CHECK(pthread_create(&runner->thread, NULL, run_until_done, runner) == 0);
	while (runner->turns < 100)
		sched_yield();
}

static double join(struct runner *runner, double since)
{
	waited_for = runner;
	CHECK(pthread_join(runner->thread, NULL) == 0);
	return now() - since;
}

static void on_user(int number)
{
	(void)number;
}

/* Clearing: the thread leaves at its next poll, and finds no code. */
static void clear_under_threads(void (*load_it)(int, uint64_t))
{
	double least = 1e9;

	for (int n = 0; n < 10; n++) {
		struct runner one = { .fd = open_device(), .pc = HERE }, other = one;
		double before;

		load_it(one.fd, HERE);
		start(&one);
		start(&other);
		before = now();
		CHECK(ioctl(one.fd, BTSHIM_IOC_CLEAR) == 0);
		join(&one, before);
		double took = join(&other, before);

		CHECK(one.reason == BTSHIM_MISSING && other.reason == BTSHIM_MISSING);
		least = took < least ? took : least;
		/* And again with the same file. */
		load_it(one.fd, HERE);
		start(&one);
		CHECK(ioctl(one.fd, BTSHIM_IOC_CLEAR) == 0);
		join(&one, before);
		CHECK(one.reason == BTSHIM_MISSING);
		close(one.fd);
	}
	printf("threads leave %.1f ms after CLEAR\n", least * 1e3);
	CHECK(least < 0.1);
}

/* Closing: the thread runs on until a signal lets it out; then there is no descriptor. */
static void close_under_a_thread(void)
{
	struct sigaction action = { .sa_handler = on_user };

	sigaction(SIGUSR1, &action, NULL);
	for (int n = 0; n < 10; n++) {
		struct runner runner = { .fd = open_device(), .pc = HERE };
		uint64_t turns;

		load_loop(runner.fd, HERE);
		start(&runner);
		close(runner.fd);
		turns = runner.turns;
		/* It may be out already: the kernel has work now and then. */
		while (runner.turns < turns + 1000 && runner.reason != -EBADF)
			sched_yield();
		pthread_kill(runner.thread, SIGUSR1);
		join(&runner, now());
		CHECK(runner.reason == -EBADF);
	}
}

/* A thread loads and clears while others run what there is. */
static void load_and_clear_under_threads(void)
{
	int fd = open_device();
	struct runner runners[3];
	double end = now() + 1.5;
	long rounds = 0;

	for (int n = 0; n < 3; n++) {
		runners[n] = (struct runner){ .fd = fd, .pc = HERE + 0x100 * n };
		load_loop(fd, runners[n].pc);
		start(&runners[n]);
	}
	while (now() < end) {
		for (int n = 0; n < 200; n++)
			load_loop(fd, HERE + 0x10000 + 16 * n);
		CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
		for (int n = 0; n < 3; n++) {
			pthread_join(runners[n].thread, NULL);
			CHECK(runners[n].reason == BTSHIM_MISSING);
			load_calling_loop(fd, runners[n].pc);
			start(&runners[n]);
		}
		rounds++;
	}
	CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
	for (int n = 0; n < 3; n++)
		join(&runners[n], now());
	printf("%ld rounds of loading and clearing\n", rounds);
	close(fd);
}

/* A chain of units whose jumps are linked while a thread goes along it. */
static void link_under_a_thread(void)
{
	int fd = open_device();
	struct runner runner = { .fd = fd, .pc = HERE };

	load_loop(fd, HERE);
	start(&runner);
	for (int n = 0; n < 2000; n++) {
		uint64_t pc = HERE + 0x100000 + 16 * n;
		struct btshim_op ops[2] = { block(pc), jump(pc + 16) };
		int err;

		place(ops, 2);
		err = load_ops(fd, ops, 2);
		CHECK(err == 0);
		if (n % 50 == 0)
			CHECK(run_at(fd, HERE + 0x100000) == BTSHIM_MISSING);
	}
	CHECK(ioctl(fd, BTSHIM_IOC_CLEAR) == 0);
	join(&runner, now());
	close(fd);
}

/* How many units of a kind fit; each has @count stores. */
static long fill(int fd, int count)
{
	struct btshim_op *ops = calloc(count + 2, sizeof(*ops));
	long units = 0;
	int err;

	do {
		ops[0] = block(0x10000000 + 0x10000UL * units);
		for (int n = 1; n <= count; n++)
			ops[n] = store(RAX, RBX, 8 * n);
		ops[count + 1] = leave();
		place(ops, count + 2);
		err = load_ops(fd, ops, count + 2);
		units++;
	} while (!err);
	CHECK(err == ENOSPC);
	free(ops);
	return units - 1;
}

/* The area is full: by one process, by several; and free again. */
static void exhaust(void)
{
	static uint64_t target[600];
	int fds[4];
	long first = 0, again;

	for (int n = 0; n < 4; n++) {
		long units;

		fds[n] = open_device();
		units = fill(fds[n], 500);
		if (n == 0)
			first = units;
		printf("%ld units fit\n", units);
		if (units > 0) {
			struct btshim_run state = { .pc = 0x10000000, .flags = 0x202 };

			state.regs[RAX] = n + 1;
			state.regs[RBX] = (uintptr_t)target;
			CHECK(run(fds[n], &state) == BTSHIM_UNTRANSLATED);
			CHECK(target[1] == n + 1UL && target[500] == n + 1UL);
		}
	}
	CHECK(first > 10);
	/* Clearing makes room, and so does closing. */
	CHECK(ioctl(fds[0], BTSHIM_IOC_CLEAR) == 0);
	again = fill(fds[0], 500);
	CHECK(again == first);
	for (int n = 0; n < 4; n++)
		close(fds[n]);
	fds[0] = open_device();
	CHECK(fill(fds[0], 500) == first);
	CHECK(ioctl(fds[0], BTSHIM_IOC_CLEAR) == 0);
	/* Small units: the table of pcs is full before. */
	printf("%ld small units fit\n", fill(fds[0], 1));
	CHECK(run_at(fds[0], 0x10000000) == BTSHIM_FAULT);
	close(fds[0]);
}

/* The largest unit, and the longest that there may be. */
static void large_units(void)
{
	int fd = open_device(), err;
	struct btshim_op *ops = calloc(BTSHIM_MAX_OPS, sizeof(*ops));

	ops[0] = block(HERE);
	for (int n = 1; n < BTSHIM_MAX_OPS; n++)
		ops[n] = leave();
	place(ops, BTSHIM_MAX_OPS);
	err = load_ops(fd, ops, BTSHIM_MAX_OPS);
	CHECK(err == 0 || err == ENOSPC);
	for (int n = 0; n < BTSHIM_MAX_OPS; n++)
		ops[n] = block(HERE + 16 * n);
	err = load_ops(fd, ops, BTSHIM_MAX_OPS);
	CHECK(err == 0 || err == ENOSPC);
	for (int n = 1; n < BTSHIM_MAX_OPS; n++) {
		ops[n] = op(BTSHIM_CALL_TO);
		ops[n].rm = BTSHIM_MEMORY;
		ops[n].base = R10;
		ops[n].index = R11;
		ops[n].imm = HERE + 16;
	}
	place(ops, BTSHIM_MAX_OPS);
	err = load_ops(fd, ops, BTSHIM_MAX_OPS);
	CHECK(err == ENOSPC);
	err = load_ops(fd, ops, 100);
	CHECK(err == 0);
	free(ops);
	close(fd);
}

/* Processes that fork while their threads run. */
static void fork_under_a_thread(void)
{
	struct runner runner = { .fd = open_device(), .pc = HERE };

	load_calling_loop(runner.fd, HERE);
	start(&runner);
	for (int n = 0; n < 20; n++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			int own = open_device();

			load_loop(own, HERE);
			_exit(run_at(runner.fd, HERE) == -EPERM && run_at(own, HERE + 16) == BTSHIM_MISSING ? 0 : 1);
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
	/* A child that runs when the last thread is killed. */
	pid_t child = fork();

	if (child == 0) {
		struct runner own = { .fd = open_device(), .pc = HERE };

		load_loop(own.fd, HERE);
		start(&own);
		start(&own);
		kill(getpid(), SIGKILL);
	}
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(ioctl(runner.fd, BTSHIM_IOC_CLEAR) == 0);
	join(&runner, now());
	close(runner.fd);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_user }, late = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &late, NULL);
	alarm(25);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGUSR1, &action, NULL);
	clear_under_threads(load_loop);
	clear_under_threads(load_calling_loop);
	puts("close");
	close_under_a_thread();
	puts("load and clear");
	load_and_clear_under_threads();
	puts("link");
	link_under_a_thread();
	puts("large units");
	large_units();
	puts("exhaust");
	exhaust();
	puts("fork");
	fork_under_a_thread();
	puts("ok");
	return 0;
}
