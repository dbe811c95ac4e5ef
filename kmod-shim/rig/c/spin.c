/*
 * Loops that do not end by themselves. Each begins with calls, so that it is where calls are made, and says "ready" when
 * it is in the part that its argument names.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define WARM 4000

static volatile sig_atomic_t handled;
static volatile unsigned long turns;

static void on_signal(int number)
{
	(void)number;
	handled++;
}

/*
 * Makes calls, then none: one piece of code, which the loop never leaves. It ends when @until signals have been
 * handled.
 */
__attribute__((noinline)) static void spin(int until)
{
	for (long n = 0;; n++) {
		long nr = SYS_getppid, a = 1, b = 0, c = 0;

		if (n == WARM) {
			nr = SYS_write;
			b = (long)"ready\n";
			c = 6;
		}
		asm volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
		if (n < WARM)
			continue;
		while (handled < until)
			turns++;
		return;
	}
}

/* Reads what does not block, then what does, by the same instruction. */
__attribute__((noinline)) static int block(void)
{
	int zero = open("/dev/zero", O_RDONLY), ends[2];
	char byte = 1;

	if (zero < 0 || pipe(ends))
		return 1;
	for (long n = 0; n <= WARM; n++) {
		if (n == WARM && write(1, "ready\n", 6) != 6)
			return 1;
		if (read(n == WARM ? ends[0] : zero, &byte, 1) != 1)
			return errno == EINTR ? 0 : 1;
	}
	return 1;
}

/* Makes calls until a signal was handled. */
__attribute__((noinline)) static int make_calls(void)
{
	pid_t parent = getppid();

	for (long n = 0; handled == 0; n++) {
		if (syscall(SYS_getppid) != parent)
			return 1;
		if (n == WARM && write(1, "ready\n", 6) != 6)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "timer";
	struct sigaction action = { .sa_handler = on_signal };
	int failed = 0;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	if (strcmp(what, "timer") == 0) {
		struct itimerval timer = { { 0, 20000 }, { 0, 20000 } };

		setitimer(ITIMER_REAL, &timer, NULL);
		spin(20);
	} else if (strcmp(what, "spin") == 0) {
		spin(1);
	} else if (strcmp(what, "block") == 0) {
		failed = block();
	} else {
		failed = make_calls();
	}
	puts(failed ? "failed" : "done");
	return failed;
}
