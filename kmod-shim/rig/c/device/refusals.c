/* What the device does not do: requests, structures and callers that it refuses, each with its error. */
#include "device.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static int fd;

static int error_of(unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? errno : 0;
}

static int error_of_load(const void *ops, uint32_t count)
{
	return load_ops(fd, ops, count);
}

static void requests(void)
{
	struct btshim_run state = { 0 };

	for (unsigned int nr = 4; nr < 256; nr++)
		CHECK(error_of(_IO(0xbb, nr), &state) == ENOTTY);
	for (unsigned int size = 0; size < 1024; size += 8) {
		if (size != sizeof(struct btshim_allow))
			CHECK(error_of(_IOC(_IOC_READ | _IOC_WRITE, 0xbb, 2, size), &state) == ENOTTY);
		if (size != sizeof(struct btshim_load))
			CHECK(error_of(_IOC(_IOC_READ | _IOC_WRITE, 0xbb, 1, size), &state) == ENOTTY);
	}
	CHECK(error_of(_IOR(0xbb, 2, struct btshim_allow), &state) == ENOTTY);
	CHECK(error_of(_IOW(0xbb, 2, struct btshim_allow), &state) == ENOTTY);
	CHECK(error_of(_IOC(_IOC_READ | _IOC_WRITE, 0xba, 2, sizeof(struct btshim_allow)), &state) == ENOTTY);
	for (int whence = -1; whence < 100; whence++) {
		if (whence != BTSHIM_RUN)
			CHECK(syscall(SYS_lseek, fd, &state, whence) == -1 && errno == EINVAL);
	}
	CHECK(error_of(0x5401 /* TCGETS */, &state) == ENOTTY);
	CHECK(read(fd, &state, 1) < 0 && write(fd, &state, 1) < 0);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(pread(fd, &state, 1, 0) < 0 && pwrite(fd, &state, 1, 0) < 0);
}

static void structures(void)
{
	struct btshim_op ops[2] = { block(HERE), leave() };
	struct btshim_load load = { .ops = (uintptr_t)ops, .count = 2 };
	struct btshim_run state = { .pc = HERE, .flags = 0x202 };

	place(ops, 2);
	CHECK(error_of(BTSHIM_IOC_LOAD, &load) == 0 && load.code_bytes > 0);
	CHECK(run_at(fd, HERE) == BTSHIM_UNTRANSLATED);
	for (int bit = 0; bit < 64; bit++) {
		struct btshim_run bad = state;

		bad.reserved = 1UL << bit;
		CHECK(run(fd, &bad) == -EINVAL);
	}
	for (int n = 0; n < 2; n++) {
		struct btshim_load bad = load;

		bad.reserved[n] = 1UL << 63;
		CHECK(error_of(BTSHIM_IOC_LOAD, &bad) == EINVAL);
	}
	for (int bit = 0; bit < 32; bit++) {
		struct btshim_load bad = load;

		bad.flags = 1U << bit;
		CHECK(error_of(BTSHIM_IOC_LOAD, &bad) == (bit == 0 ? EPERM : EINVAL));
	}
	for (const uint32_t *count = (const uint32_t[]){ BTSHIM_MAX_OPS + 1, 1 << 20, 1U << 31, ~0U, 0 };; count++) {
		struct btshim_load bad = load;

		bad.count = *count;
		CHECK(error_of(BTSHIM_IOC_LOAD, &bad) == EINVAL);
		if (*count == 0)
			break;
	}
}

static void operations(void)
{
	struct btshim_op ops[2] = { block(HERE), leave() };

	for (int bit = 5; bit < 8; bit++) {
		struct btshim_op bad[2] = { ops[0], ops[1] };

		bad[1].flags = 1 << bit;
		CHECK(error_of_load(bad, 2) == EINVAL);
		bad[1] = ops[1];
		bad[1].reserved = 1 << bit;
		CHECK(error_of_load(bad, 2) == EINVAL);
	}
	for (int kind = BTSHIM_KINDS; kind < 256; kind++) {
		struct btshim_op bad[2] = { ops[0], ops[1] };

		bad[1].kind = kind;
		CHECK(error_of_load(bad, 2) == EINVAL);
	}
	/* The first has to be a block; a block is not within itself. */
	CHECK(error_of_load(&ops[1], 1) == EINVAL);
	ops[0].at = 1;
	CHECK(error_of_load(ops, 2) == EINVAL);
	ops[0].at = 0;
	ops[1].len = 16;
	CHECK(error_of_load(ops, 2) == EINVAL);
	for (int reg = 16; reg < 256; reg++) {
		struct btshim_op bad[2] = { block(HERE), store(RAX, RBX, 0) };

		bad[1].reg = reg;
		CHECK(error_of_load(bad, 2) == EINVAL);
		bad[1] = store(RAX, reg, 0);
		if (reg != BTSHIM_NONE && reg != BTSHIM_PC)
			CHECK(error_of_load(bad, 2) == EINVAL);
		bad[1] = store(RAX, RBX, 0);
		bad[1].index = reg;
		if (reg != BTSHIM_NONE)
			CHECK(error_of_load(bad, 2) == EINVAL);
		bad[1] = store(RAX, RBX, 0);
		bad[1].rm = reg;
		if (reg != BTSHIM_MEMORY)
			CHECK(error_of_load(bad, 2) == EINVAL);
	}
	for (int scale = 0; scale < 256; scale++) {
		struct btshim_op bad[2] = { block(HERE + 64), store(RAX, RBX, 0) };

		bad[1].scale = scale;
		if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
			CHECK(error_of_load(bad, 2) == EINVAL);
	}
	/* Calls that there are not, and those that ring 3 makes. */
	for (const uint64_t *nr = (const uint64_t[]){ BTSHIM_CALLS, BTSHIM_CALLS + 1, 1UL << 32, ~0UL - 1, 0 }; *nr; nr++) {
		struct btshim_op bad[2] = { block(HERE + 128), call_number(*nr) };

		CHECK(error_of_load(bad, 2) == EINVAL);
	}
	static const int ring3[] = { SYS_clone, SYS_fork, SYS_vfork, SYS_clone3, SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group,
				     SYS_rt_sigreturn, SYS_sigaltstack, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_ptrace,
				     SYS_seccomp, SYS_prctl, SYS_arch_prctl, SYS_iopl, SYS_init_module, SYS_bpf, 335, 400, 511 };
	for (size_t n = 0; n < sizeof(ring3) / sizeof(ring3[0]); n++) {
		uint64_t pc = HERE + 0x1000 + 16 * n;
		struct btshim_op made[2] = { block(pc), call_number(ring3[n]) };
		struct btshim_run state = { .pc = pc, .flags = 0x202 };

		place(made, 2);
		CHECK(error_of_load(made, 2) == 0);
		CHECK(run(fd, &state) == BTSHIM_NATIVE && (int)state.call == ring3[n] && state.pc == pc);
	}
}

/* A length of 256 bits has no meaning where one element is worked on. */
static void scalars(void)
{
	static const struct {
		uint8_t map, opcode, prefix;
	} one[] = { { 1, 0x10, 3 }, { 1, 0x2a, 2 }, { 1, 0x2f, 0 }, { 1, 0x58, 3 }, { 1, 0xc2, 2 }, { 2, 0xbd, 1 }, { 3, 0x0a, 1 } },
	  all[] = { { 1, 0x10, 1 }, { 1, 0x12, 3 }, { 1, 0x58, 1 }, { 1, 0x5b, 2 }, { 1, 0xe6, 3 }, { 2, 0xbc, 1 }, { 3, 0x08, 1 } };
	struct btshim_op ops[3] = { block(HERE), op(BTSHIM_INSN), leave() };
	struct btshim_op *made = &ops[1];
	int err;

	for (int n = 0; n < 14; n++) {
		int is_one = n < 7;

		made->encoding = BTSHIM_VEX;
		made->reg = 0;
		made->len = 4;
		made->map = is_one ? one[n].map : all[n - 7].map;
		made->opcode = is_one ? one[n].opcode : all[n - 7].opcode;
		made->prefix = is_one ? one[n].prefix : all[n - 7].prefix;
		made->rm = BTSHIM_MEMORY;
		made->base = RBX;
		made->index = BTSHIM_NONE;
		for (int is_long = 0; is_long < 2; is_long++) {
			made->wide = 2 * is_long;
			ops[0] = block(HERE + 0x4000 + 64 * n + 32 * is_long);
			place(ops, 3);
			err = error_of_load(ops, 3);
			/* The first vector instruction of all drops what was loaded without. */
			if (err == EAGAIN)
				err = error_of_load(ops, 3);
			CHECK(err == (is_one && is_long ? EINVAL : 0));
		}
	}
}

static void pointers(void)
{
	static void *const bad[] = { NULL, (void *)8, (void *)0xffffffff81000000, (void *)0xffff888000000000, (void *)0x800000000000,
				     (void *)-1 };
	static const unsigned long pointing[] = { BTSHIM_IOC_INFO, BTSHIM_IOC_LOAD, BTSHIM_IOC_ALLOW };
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct btshim_op ops[2] = { block(HERE), leave() };

	CHECK(page != MAP_FAILED && munmap(page + 4096, 4096) == 0);
	for (size_t n = 0; n < sizeof(bad) / sizeof(bad[0]); n++) {
		for (size_t request = 0; request < 3; request++)
			CHECK(error_of(pointing[request], bad[n]) == EFAULT);
		CHECK(run(fd, bad[n]) == -EFAULT);
		CHECK(error_of_load(bad[n], 2) == EFAULT);
	}
	memcpy(page + 4096 - sizeof(ops[0]), ops, sizeof(ops[0]));
	CHECK(error_of_load(page + 4096 - sizeof(ops[0]), 2) == EFAULT);
	CHECK(run(fd, (void *)(page + 4096 - 8)) == -EFAULT);
	/* Where the result cannot be written. */
	struct btshim_run *state = (void *)page;

	*state = (struct btshim_run){ .pc = HERE, .flags = 0x202 };
	CHECK(mprotect(page, 4096, PROT_READ) == 0);
	CHECK(run(fd, state) == -EFAULT);
	CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE) == 0);
	/* Counters at addresses of the kernel. */
	struct btshim_op counted[3] = { block(HERE + 0x800), call_number(SYS_getppid), leave() };

	place(counted, 3);
	CHECK(error_of_load(counted, 3) == 0);
	for (size_t n = 1; n < sizeof(bad) / sizeof(bad[0]); n++) {
		struct btshim_run counting = { .pc = HERE + 0x800, .flags = 0x202, .counts = (uintptr_t)bad[n] };

		int reason = run(fd, &counting);

		CHECK(reason == -EFAULT || (reason == BTSHIM_UNTRANSLATED && counting.calls == 1));
	}
}

/* Flags with which code does not mean the same. */
static void states(void)
{
	for (const int *bit = (const int[]){ 8, 10, 14, 18, -1 }; *bit >= 0; bit++) {
		struct btshim_run state = { .pc = HERE, .flags = 0x202 | 1UL << *bit };

		CHECK(run(fd, &state) == BTSHIM_STATE);
	}
	/* What the process may not set has no effect. */
	struct btshim_run state = { .pc = HERE, .flags = 3UL << 12 | 1UL << 17 | 1UL << 19 | 1UL << 20 };

	CHECK(run(fd, &state) == BTSHIM_UNTRANSLATED);
}

static int in_child(int (*body)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		int line = body();

		fflush(stdout);
		_exit(line ? 1 : 0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

/* Every request that is about a process's memory. */
static int is_refused(int other)
{
	struct btshim_op ops[2] = { block(HERE), leave() };
	struct btshim_allow allow = { { 0 }, { 0 } };

	CHECK(run_at(other, HERE) == -EPERM);
	CHECK(load_ops(other, ops, 2) == EPERM);
	CHECK(ioctl(other, BTSHIM_IOC_ALLOW, &allow) < 0 && errno == EPERM);
	CHECK(ioctl(other, BTSHIM_IOC_CLEAR) < 0 && errno == EPERM);
	return 0;
}

static int forked(void)
{
	return is_refused(fd);
}

static int sockets[2];

static int passed(void)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int other;

	close(fd);
	CHECK(recvmsg(sockets[1], &message, 0) == 1);
	memcpy(&other, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(other));
	return is_refused(other);
}

static void pass_the_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	*head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	CHECK(sendmsg(sockets[0], &message, 0) == 1);
	CHECK(in_child(passed) == 0);
}

static int nobody(void)
{
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(open(BTSHIM_DEVICE, O_RDWR) < 0 && (errno == EACCES || errno == EPERM));
	return 0;
}

static void drop(int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &head, data) == 0);
	for (int n = 0; n < 2; n++) {
		uint32_t mask = capability / 32 == n ? ~(1U << capability % 32) : ~0U;

		data[n].effective &= mask;
		data[n].permitted &= mask;
		data[n].inheritable &= mask;
	}
	CHECK(syscall(SYS_capset, &head, data) == 0);
}

static int capability;

/* Opened as root, used as somebody less. */
static int without_capability(void)
{
	int own = open_device();
	struct btshim_op ops[2] = { block(HERE), leave() };

	place(ops, 2);
	CHECK(load_ops(own, ops, 2) == 0 && run_at(own, HERE) == BTSHIM_UNTRANSLATED);
	drop(capability);
	CHECK(run_at(own, HERE) == -EPERM);
	CHECK(open(BTSHIM_DEVICE, O_RDWR) < 0 && errno == EPERM);
	return 0;
}

static int after_setuid(void)
{
	int own = open_device();
	struct btshim_op ops[2] = { block(HERE), leave() };

	place(ops, 2);
	CHECK(load_ops(own, ops, 2) == 0 && run_at(own, HERE) == BTSHIM_UNTRANSLATED);
	CHECK(setuid(65534) == 0);
	CHECK(run_at(own, HERE) == -EPERM);
	return 0;
}

static int after_exec(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	CHECK(fcntl(fd, F_SETFD, 0) == 0);
	execl("/proc/self/exe", "refusals", text, NULL);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return is_refused(atoi(argv[1]));
	fd = open_device();
	requests();
	scalars();
	structures();
	operations();
	pointers();
	states();
	CHECK(in_child(forked) == 0);
	CHECK(in_child(after_exec) == 0);
	pass_the_descriptor();
	CHECK(in_child(nobody) == 0);
	capability = CAP_SYS_ADMIN;
	CHECK(in_child(without_capability) == 0);
	capability = CAP_SYS_MODULE;
	CHECK(in_child(without_capability) == 0);
	CHECK(in_child(after_setuid) == 0);
	/* All that has not harmed the file. */
	CHECK(run_at(fd, HERE) == BTSHIM_UNTRANSLATED);
	puts("ok");
	return 0;
}
