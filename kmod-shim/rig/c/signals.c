/* Signals that arrive in loops of system calls: every handler runs once, calls end or go on as they should. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

static volatile sig_atomic_t alarms, pipes, users;
static sigjmp_buf back;
static volatile int jumps;
static pid_t parent;
static int zero, null;
static long rounds;

static void on_alarm(int number)
{
	(void)number;
	alarms++;
	if (jumps)
		siglongjmp(back, 1);
}

static void on_other(int number)
{
	if (number == SIGPIPE)
		pipes++;
	else
		users++;
}

static void handle(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	CHECK(sigaction(number, &action, NULL) == 0);
}

static void tick(long microseconds)
{
	struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* Calls that are not interrupted give what they should while handlers run. */
static void calls_under_a_timer(int flags)
{
	char byte;

	handle(SIGALRM, on_alarm, flags);
	alarms = 0;
	tick(2000);
	for (long n = 0; n < rounds || alarms < 5; n++) {
		CHECK(CALL(SYS_getppid) == parent);
		byte = 1;
		CHECK(read(zero, &byte, 1) == 1 && byte == 0);
		CHECK(write(null, &byte, 1) == 1);
	}
	tick(0);
	CHECK(alarms >= 5);
}

struct feeder {
	int fd;
	int count;
};

/* Gives a byte each time the reader has been in a handler. */
static void *feed(void *data)
{
	struct feeder *feeder = data;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (int n = 0; n < feeder->count; n++) {
		int before = alarms;

		while (alarms == before)
			sched_yield();
		CHECK(write(feeder->fd, "x", 1) == 1);
	}
	return NULL;
}

/* A read that blocks ends with EINTR, or goes on after the handler. */
static void reads_that_block(int flags, int bytes)
{
	struct feeder feeder;
	pthread_t thread;
	int ends[2], got = 0, interrupted = 0;
	char byte;

	CHECK(pipe(ends) == 0);
	/* In a loop that is hot already. */
	for (int n = 0; n < 600; n++) {
		CHECK(write(ends[1], "w", 1) == 1);
		CHECK(read(ends[0], &byte, 1) == 1 && byte == 'w');
		CHECK(CALL(SYS_getppid) == parent);
	}
	handle(SIGALRM, on_alarm, flags);
	feeder = (struct feeder){ ends[1], bytes };
	CHECK(pthread_create(&thread, NULL, feed, &feeder) == 0);
	tick(3000);
	while (got < bytes) {
		ssize_t n = read(ends[0], &byte, 1);

		if (n == 1) {
			CHECK(byte == 'x');
			got++;
		} else {
			CHECK(n == -1 && errno == EINTR);
			interrupted++;
		}
		CHECK(CALL(SYS_getppid) == parent);
	}
	tick(0);
	pthread_join(thread, NULL);
	CHECK(flags & SA_RESTART ? interrupted == 0 : interrupted > 0);
	close(ends[0]);
	close(ends[1]);
}

/* poll(2) and nanosleep(2) never restart after a handler. */
static void calls_that_do_not_restart(void)
{
	struct pollfd none = { -1, 0, 0 };
	int interrupted = 0;

	handle(SIGALRM, on_alarm, SA_RESTART);
	tick(3000);
	for (int n = 0; n < 300 || interrupted < 5; n++) {
		struct timespec time = { 5, 0 }, rest;

		CHECK(CALL(SYS_getppid) == parent);
		if (n % 100 == 99) {
			CHECK(poll(&none, 1, 5000) == -1 && errno == EINTR);
			CHECK(syscall(SYS_nanosleep, &time, &rest) == -1 && errno == EINTR);
			CHECK(rest.tv_sec < 5 || rest.tv_nsec == 0);
			interrupted++;
		}
	}
	tick(0);
}

/* A handler that does not return. */
static void handlers_that_jump(void)
{
	volatile int jumped = 0;
	char byte;

	handle(SIGALRM, on_alarm, 0);
	if (sigsetjmp(back, 1) != 0)
		jumped++;
	jumps = 1;
	tick(2000);
	while (jumped < 10) {
		CHECK(CALL(SYS_getppid) == parent);
		CHECK(read(zero, &byte, 1) == 1);
	}
	jumps = 0;
	tick(0);
}

/* A blocked signal waits, and comes when it is let in. */
static void blocked_signals(void)
{
	sigset_t set, waiting;
	char byte;

	handle(SIGUSR1, on_other, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	users = 0;
	for (int n = 0; n < 200; n++) {
		CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
		CHECK(kill(getpid(), SIGUSR1) == 0);
		CHECK(read(zero, &byte, 1) == 1 && CALL(SYS_getppid) == parent);
		CHECK(users == n);
		CHECK(sigpending(&waiting) == 0 && sigismember(&waiting, SIGUSR1) == 1);
		CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
		CHECK(users == n + 1);
	}
}

/* A signal that the process sends itself is there when the call returns. */
static void signals_to_oneself(void)
{
	users = 0;
	for (int n = 0; n < 300; n++) {
		CHECK(CALL(SYS_getppid) == parent);
		CHECK(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1) == 0);
		CHECK(users == n + 1);
	}
}

static void broken_pipes(void)
{
	int ends[2];

	handle(SIGPIPE, on_other, 0);
	CHECK(pipe(ends) == 0);
	close(ends[0]);
	pipes = 0;
	for (int n = 0; n < 400; n++) {
		CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
		CHECK(pipes == n + 1);
		CHECK(CALL(SYS_getppid) == parent);
	}
	handle(SIGPIPE, SIG_IGN, 0);
	for (int n = 0; n < 400; n++)
		CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	rounds = argc > 1 ? atol(argv[1]) : 1000;
	parent = getppid();
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	CHECK(zero >= 0 && null >= 0);
	calls_under_a_timer(0);
	calls_under_a_timer(SA_RESTART);
	puts("handlers run beside calls");
	reads_that_block(0, 20);
	reads_that_block(SA_RESTART, 20);
	puts("reads end or go on");
	calls_that_do_not_restart();
	puts("poll and nanosleep end");
	handlers_that_jump();
	puts("handlers jump");
	blocked_signals();
	signals_to_oneself();
	puts("signals wait and come");
	broken_pipes();
	puts("pipes break");
	return 0;
}
