/*
 * Vector registers keep their values over system calls and while others run: a loop that makes calls and checks all
 * registers after each, beside processes that use vector registers, and traffic on the loopback interface.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REGISTERS 16
#define YMM_BYTES 32

static uint8_t wanted[REGISTERS * YMM_BYTES] __attribute__((aligned(32)));
static uint8_t found[REGISTERS * YMM_BYTES] __attribute__((aligned(32)));
static volatile sig_atomic_t handled;

#define EACH(move, register, first, second)                                                          \
	move(register, 0, first, second) move(register, 1, first, second)                            \
	move(register, 2, first, second) move(register, 3, first, second)                            \
	move(register, 4, first, second) move(register, 5, first, second)                            \
	move(register, 6, first, second) move(register, 7, first, second)                            \
	move(register, 8, first, second) move(register, 9, first, second)                            \
	move(register, 10, first, second) move(register, 11, first, second)                          \
	move(register, 12, first, second) move(register, 13, first, second)                          \
	move(register, 14, first, second) move(register, 15, first, second)
#define LOAD(register, n, opcode, at) #opcode " " #n "*32(%[" #at "]), %%" #register #n "\n"
#define STORE(register, n, opcode, at) #opcode " %%" #register #n ", " #n "*32(%[" #at "])\n"

/*
 * The call is in the same piece of code: no compiled code comes between. Each use has an instruction of its own, whose
 * number is known.
 */
__attribute__((always_inline)) static inline long call_with_xmm(const long nr, long a, long b, long c)
{
	long result;

	asm volatile(EACH(LOAD, xmm, movups, wanted) "mov %[nr], %%eax; syscall\n" EACH(STORE, xmm, movups, found)
		     : "=&a"(result)
		     : [nr] "i"(nr), [wanted] "r"(wanted), [found] "r"(found), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
		       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return result;
}

__attribute__((always_inline)) static inline long call_with_ymm(const long nr, long a, long b, long c)
{
	long result;

	asm volatile(EACH(LOAD, ymm, vmovups, wanted) "mov %[nr], %%eax; syscall\n" EACH(STORE, ymm, vmovups, found) "vzeroupper\n"
		     : "=&a"(result)
		     : [nr] "i"(nr), [wanted] "r"(wanted), [found] "r"(found), "D"(a), "S"(b), "d"(c)
		     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
		       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return result;
}

/* No call in between for a while: what interrupts does not change them either. */
static void spin_with_xmm(long turns)
{
	asm volatile(EACH(LOAD, xmm, movups, wanted) "1: dec %[turns]; jne 1b\n" EACH(STORE, xmm, movups, found)
		     : [turns] "+r"(turns)
		     : [wanted] "r"(wanted), [found] "r"(found)
		     : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void expect_same(const char *what, size_t bytes)
{
	for (int n = 0; n < REGISTERS; n++) {
		if (memcmp(wanted + n * YMM_BYTES, found + n * YMM_BYTES, bytes) == 0)
			continue;
		printf("%s: register %d has changed\n", what, n);
		exit(1);
	}
}

static void on_alarm(int number)
{
	(void)number;
	handled++;
	asm volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm15" : : : "xmm0", "xmm7", "xmm15");
}

/* Changes every vector register all the time. */
static void disturb(void)
{
	volatile double x = 1.5;

	for (;;) {
		memset(found, 0x5a, sizeof(found));
		for (int n = 0; n < 1000; n++)
			x = x * 1.0000001 + 0.5;
		spin_with_xmm(1000);
		sched_yield();
	}
}

/* Packets that a softirq delivers. */
static void chatter(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
	char packet[512] = { 0 };

	if (bind(receiver, (struct sockaddr *)&address, size) ||
	    getsockname(receiver, (struct sockaddr *)&address, &size))
		exit(0);
	for (;;) {
		sendto(sender, packet, sizeof(packet), 0, (struct sockaddr *)&address, size);
		recv(receiver, packet, sizeof(packet), MSG_DONTWAIT);
	}
}

static void start(void (*body)(void))
{
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		body();
		_exit(0);
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* The arguments: seconds; "beside" for the processes beside. */
int main(int argc, char **argv)
{
	double end = now() + (argc > 1 ? atof(argv[1]) : 0.2);
	pid_t parent = getppid();
	int zero = open("/dev/zero", O_RDONLY);
	int has_ymm = __builtin_cpu_supports("avx");
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct itimerspec interval = { { 0, 5000000 }, { 0, 5000000 } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	uint8_t byte;

	if (argc > 2) {
		start(disturb);
		start(disturb);
		start(chatter);
	}
	sigaction(SIGALRM, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &interval, NULL))
		return 1;
	for (long round = 0; round % 64 || now() < end; round++) {
		for (size_t i = 0; i < sizeof(wanted); i++)
			wanted[i] = i * 7 + round;
		memset(found, 0, sizeof(found));
		if (call_with_xmm(SYS_getppid, 0, 0, 0) != parent)
			return 2;
		expect_same("getppid", 16);
		if (call_with_xmm(SYS_read, zero, (long)&byte, 1) != 1)
			return 3;
		expect_same("read", 16);
		if (has_ymm) {
			if (call_with_ymm(SYS_getppid, 0, 0, 0) != parent)
				return 4;
			expect_same("getppid, ymm", 32);
			if (round % 8 == 0 && call_with_ymm(SYS_sched_yield, 0, 0, 0) != 0)
				return 5;
			if (round % 8 == 0)
				expect_same("sched_yield, ymm", 32);
		}
		if (round % 8 == 0) {
			if (call_with_xmm(SYS_sched_yield, 0, 0, 0) != 0)
				return 6;
			expect_same("sched_yield", 16);
		}
		if (round % 32 == 0) {
			spin_with_xmm(2000);
			expect_same("no call", 16);
		}
	}
	puts(handled > 0 || argc < 2 ? "ok" : "no signal was handled");
	return handled == 0 && argc > 1;
}
