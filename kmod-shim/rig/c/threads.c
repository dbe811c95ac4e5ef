/* Threads in loops of system calls, with results that each checks, and futexes between them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define THREADS 4

static long rounds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;
static int turn;

/* Waits until it is this thread's turn, and gives it to the next. */
static void take_turn(int self)
{
	int found;

	while ((found = __atomic_load_n(&turn, __ATOMIC_ACQUIRE)) % THREADS != self) {
		long result = syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, found, NULL);

		CHECK(result == 0 || errno == EAGAIN || errno == EINTR);
	}
	__atomic_store_n(&turn, found + 1, __ATOMIC_RELEASE);
	CHECK(syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, THREADS) >= 0);
}

static void *work(void *data)
{
	int self = (int)(long)data, ends[2];
	pid_t parent = getppid(), id = gettid();
	unsigned char sent[64], got[64];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	for (long n = 0; n < rounds; n++) {
		size_t bytes = 1 + (n * 7 + self) % sizeof(sent);

		for (size_t i = 0; i < bytes; i++)
			sent[i] = n + i * self;
		CHECK(write(ends[0], sent, bytes) == (ssize_t)bytes);
		CHECK(read(ends[1], got, sizeof(got)) == (ssize_t)bytes);
		for (size_t i = 0; i < bytes; i++)
			CHECK(got[i] == sent[i]);
		CHECK(CALL(SYS_getppid) == parent);
		CHECK(CALL(SYS_gettid) == id);
		pthread_mutex_lock(&lock);
		sum += n;
		pthread_mutex_unlock(&lock);
		if (n % 16 == 0)
			take_turn(self);
	}
	close(ends[0]);
	close(ends[1]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	rounds = (argc > 1 ? atol(argv[1]) : 500) / 16 * 16;
	/* The second time, threads that end meet those that begin. */
	for (int again = 0; again < 2; again++) {
		sum = 0;
		turn = 0;
		for (long n = 0; n < THREADS; n++)
			CHECK(pthread_create(&threads[n], NULL, work, (void *)n) == 0);
		for (int n = 0; n < THREADS; n++)
			pthread_join(threads[n], NULL);
		CHECK(sum == THREADS * (rounds * (rounds - 1) / 2));
	}
	puts("ok");
	return 0;
}
