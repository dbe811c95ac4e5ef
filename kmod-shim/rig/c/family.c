/* A program that makes many calls starts others in every way, and each goes on with its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MANY 2500

extern char **environ;
static int zero;

static void make_calls(pid_t self, pid_t parent)
{
	char byte;

	for (int n = 0; n < MANY; n++) {
		CHECK(CALL(SYS_getpid) == self);
		CHECK(CALL(SYS_getppid) == parent);
		byte = 1;
		CHECK(read(zero, &byte, 1) == 1 && byte == 0);
	}
}

static void expect_end(pid_t child, int code)
{
	int status;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

/* Both go on at once, and the child has a child. */
static void forks(void)
{
	pid_t self = getpid(), parent = getppid();

	for (int n = 0; n < 3; n++) {
		int ends[2];
		char byte;
		pid_t child;

		CHECK(pipe(ends) == 0);
		child = fork();
		if (child == 0) {
			make_calls(getpid(), self);
			pid_t own = fork();

			if (own == 0) {
				make_calls(getpid(), getppid());
				_exit(7);
			}
			expect_end(own, 7);
			CHECK(write(ends[1], "x", 1) == 1);
			_exit(10 + n);
		}
		make_calls(self, parent);
		CHECK(read(ends[0], &byte, 1) == 1 && byte == 'x');
		expect_end(child, 10 + n);
		close(ends[0]);
		close(ends[1]);
	}
	puts("fork");
}

static void vforks(char *self)
{
	char *argv[] = { self, "child", NULL };

	for (volatile int n = 0; n < 3; n++) {
		pid_t child = vfork();

		if (child == 0) {
			execv("/proc/self/exe", argv);
			_exit(99);
		}
		make_calls(getpid(), getppid());
		expect_end(child, 5);
		CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ) == 0);
		make_calls(getpid(), getppid());
		expect_end(child, 5);
		/* One that does not execute anything. */
		child = vfork();
		if (child == 0)
			_exit(6);
		expect_end(child, 6);
		make_calls(getpid(), getppid());
	}
	puts("vfork and exec");
}

static volatile int stop;

static void *call_until_stopped(void *data)
{
	pid_t self = getpid(), parent = getppid();

	(void)data;
	while (!stop) {
		CHECK(CALL(SYS_getpid) == self);
		CHECK(CALL(SYS_getppid) == parent);
	}
	return NULL;
}

static void *fork_in_thread(void *data)
{
	pid_t self = getpid(), child;

	(void)data;
	make_calls(self, getppid());
	child = fork();
	if (child == 0) {
		make_calls(getpid(), self);
		_exit(4);
	}
	expect_end(child, 4);
	return NULL;
}

/* Threads end, and fork, beside others. */
static void threads(void)
{
	pthread_t loop, others[3];

	CHECK(pthread_create(&loop, NULL, call_until_stopped, NULL) == 0);
	for (int n = 0; n < 4; n++) {
		for (int i = 0; i < 3; i++)
			CHECK(pthread_create(&others[i], NULL, fork_in_thread, NULL) == 0);
		for (int i = 0; i < 3; i++)
			CHECK(pthread_join(others[i], NULL) == 0);
	}
	stop = 1;
	CHECK(pthread_join(loop, NULL) == 0);
	puts("threads");
}

/* exit(2) and execve(2) end threads that are in the middle of their calls. */
static void ends_of_all(char *self)
{
	char *argv[] = { self, "child", NULL };

	stop = 0;
	fflush(stdout);
	for (int n = 0; n < 4; n++) {
		pid_t child = fork();

		if (child == 0) {
			pthread_t thread;

			for (int i = 0; i < 2; i++)
				pthread_create(&thread, NULL, call_until_stopped, NULL);
			make_calls(getpid(), getppid());
			if (n % 2)
				execv("/proc/self/exe", argv);
			_exit(8);
		}
		expect_end(child, n % 2 ? 5 : 8);
	}
	puts("exit and exec under threads");
}

int main(int argc, char **argv)
{
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	CHECK(zero >= 0);
	make_calls(getpid(), getppid());
	if (argc > 1 && strcmp(argv[1], "child") == 0)
		return 5;
	if (argc > 1 && strcmp(argv[1], "last") == 0)
		return 0;
	forks();
	vforks(argv[0]);
	threads();
	ends_of_all(argv[0]);
	fflush(stdout);
	execl("/proc/self/exe", argv[0], "last", NULL);
	return 1;
}
