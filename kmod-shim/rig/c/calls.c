/* Loops of system calls without anything in between, for figures and counts. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int getppid_loop(long count)
{
	pid_t parent = getppid();

	while (count-- > 0) {
		if (syscall(SYS_getppid) != parent)
			return 1;
	}
	return 0;
}

static int read_write_loop(long count)
{
	int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);
	char byte = 1;

	while (count-- > 0) {
		if (read(in, &byte, 1) != 1 || byte != 0 || write(out, &byte, 1) != 1)
			return 1;
	}
	return 0;
}

/* Two numbers by one instruction of the C library, and another call. */
static int mixed_loop(long count)
{
	int in = open("/dev/zero", O_RDONLY);
	pid_t self = getpid(), parent = getppid();
	char byte = 1;

	while (count-- > 0) {
		if (syscall(SYS_getppid) != parent || syscall(SYS_getpid) != self || read(in, &byte, 1) != 1)
			return 1;
	}
	return 0;
}

static int libc_getppid_loop(long count)
{
	pid_t parent = getppid();

	while (count-- > 0) {
		if (getppid() != parent)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "read-write";
	long count = argc > 2 ? atol(argv[2]) : 1000;
	int failed = strcmp(what, "getppid") == 0 ? libc_getppid_loop(count) :
		     strcmp(what, "syscall") == 0 ? getppid_loop(count) :
		     strcmp(what, "mixed") == 0 ? mixed_loop(count) :
						    read_write_loop(count);

	puts(failed ? "failed" : "ok");
	return failed;
}
