/*
 * A program in the middle of its calls closes every descriptor, has no numbers left for others, changes its root and
 * becomes another user. The argument names one; without, all are made in children.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MANY 3000

static void make_calls(uid_t user)
{
	pid_t parent = getppid();
	int null = open("/dev/null", O_RDWR);

	for (int n = 0; n < MANY; n++) {
		CHECK(CALL(SYS_getppid) == parent);
		CHECK(CALL(SYS_geteuid) == user);
		if (null >= 0)
			CHECK(write(null, &n, 1) == 1);
	}
	close(null);
}

/* What is open, by number; a listing's own descriptor is left out. */
static void list_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int count = 0, highest = 0;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		int n = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || n == dirfd(directory))
			continue;
		count++;
		highest = n > highest ? n : highest;
	}
	closedir(directory);
	dprintf(1, "%d descriptors, the highest is %d\n", count, highest);
}

static void close_all(void)
{
	make_calls(0);
	CHECK(syscall(SYS_close_range, 3, ~0U, 0) == 0);
	make_calls(0);
	for (int fd = 3; fd < 1024; fd++)
		CHECK(close(fd) == -1 && errno == EBADF);
	list_descriptors();
	make_calls(0);
	/* The kernel's device, by every number that it could have. */
	for (int fd = 3; fd < 1024; fd++)
		CHECK(fcntl(fd, F_GETFD) == -1);
}

static void take_all(void)
{
	struct rlimit usual = { 1024, 1024 };
	struct stat null, found;

	CHECK(setrlimit(RLIMIT_NOFILE, &usual) == 0);

	make_calls(0);
	CHECK(stat("/dev/null", &null) == 0);
	int fd = open("/dev/null", O_RDWR);

	for (int n = 3; n < 1024; n++)
		CHECK(dup2(fd, n) == n);
	make_calls(0);
	for (int n = 3; n < 1024; n++)
		CHECK(fstat(n, &found) == 0 && found.st_rdev == null.st_rdev);
	CHECK(open("/dev/null", O_RDWR) == -1 && errno == EMFILE);
	make_calls(0);
	pid_t child = fork();
	int status;

	make_calls(0);
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void low_limit(void)
{
	struct rlimit few = { 6, 6 };
	int count = 0;

	make_calls(0);
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	make_calls(0);
	while (open("/dev/null", O_RDONLY) >= 0)
		count++;
	CHECK(errno == EMFILE);
	dprintf(1, "%d more descriptors\n", count);
	make_calls(0);
	pid_t child = fork();
	int status;

	make_calls(0);
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void other_root(void)
{
	char directory[] = "/tmp/rootXXXXXX", byte;

	CHECK(mkdtemp(directory) != NULL);
	make_calls(0);
	int file = open("/proc/version", O_RDONLY);

	CHECK(chroot(directory) == 0 && chdir("/") == 0);
	make_calls(0);
	CHECK(read(file, &byte, 1) == 1);
	CHECK(open("/proc/version", O_RDONLY) == -1 && errno == ENOENT);
	pid_t child = fork();
	int status;

	make_calls(0);
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void other_user(void)
{
	make_calls(0);
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	make_calls(65534);
	CHECK(setuid(0) == -1 && errno == EPERM);
	make_calls(65534);
	pid_t child = fork();
	int status;

	make_calls(65534);
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static const struct {
	const char *name;
	void (*body)(void);
} parts[] = {
	{ "close", close_all }, { "take", take_all }, { "limit", low_limit }, { "root", other_root }, { "user", other_user },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

int main(int argc, char **argv)
{
	for (size_t n = 0; n < PARTS; n++) {
		int status;
		pid_t child;

		if (argc > 1) {
			if (strcmp(parts[n].name, argv[1]) != 0)
				continue;
			parts[n].body();
			dprintf(1, "%s: ok\n", argv[1]);
			return 0;
		}
		child = fork();
		if (child == 0) {
			parts[n].body();
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
	return argc > 1;
}
