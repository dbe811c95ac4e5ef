/*
 * Filters that are installed while the program makes calls, by a thread for itself and by another for all: every call that
 * begins afterwards is seen by the filter.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define WARM 4000

/* Calls of number @nr fail with EXDEV. */
static int install(int nr, int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int zero;

static void by_itself(void)
{
	pid_t parent = getppid();
	char byte;

	for (int n = 0; n < 2 * WARM; n++) {
		CHECK(CALL(SYS_getppid) == (n < WARM ? parent : -EXDEV));
		CHECK(read(zero, &byte, 1) == 1);
		if (n == WARM - 1)
			CHECK(install(SYS_getppid, 0) == 0);
	}
	puts("a filter of the thread's own");
}

static volatile int warm, installed;
static volatile long seen;

static void *make_calls(void *data)
{
	pid_t parent = getppid();
	long made = 0;

	(void)data;
	while (seen < WARM) {
		/* Read before the call: then the filter is there when it begins. */
		int has_filter = installed;
		long result = CALL(SYS_getppid);

		if (has_filter) {
			CHECK(result == -EXDEV);
			seen++;
		} else {
			CHECK(result == parent || (result == -EXDEV));
		}
		if (++made == WARM)
			warm = 1;
	}
	return NULL;
}

static void by_another(void)
{
	pthread_t threads[2];

	for (int n = 0; n < 2; n++)
		CHECK(pthread_create(&threads[n], NULL, make_calls, NULL) == 0);
	while (!warm)
		sched_yield();
	CHECK(install(SYS_getppid, SECCOMP_FILTER_FLAG_TSYNC) == 0);
	__atomic_store_n(&installed, 1, __ATOMIC_SEQ_CST);
	for (int n = 0; n < 2; n++)
		pthread_join(threads[n], NULL);
	puts("a filter for all threads");
}

static void in_child(void (*body)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		body();
		exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
	zero = open("/dev/zero", O_RDONLY);
	in_child(by_itself);
	in_child(by_another);
	by_itself();
	return 0;
}
