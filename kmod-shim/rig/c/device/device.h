/* What programs that use the device share: a device, operations, checks. Programs are run by the rig's cases. */
#ifndef DEVICE_H
#define DEVICE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "btshim.h"

/* Ends the program. */
#define CHECK(what)                                                                                  \
	do {                                                                                         \
		if (!(what)) {                                                                       \
			printf("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #what, errno);          \
			fflush(stdout);                                                              \
			_exit(1);                                                                    \
		}                                                                                    \
	} while (0)

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/* Where units pretend to be. Nothing is mapped there: the module does not look at code. */
#define HERE 0x500000UL

static inline int open_device(void)
{
	int fd = open(BTSHIM_DEVICE, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static inline struct btshim_op op(int kind)
{
	return (struct btshim_op){ .kind = kind, .size = 8, .reg = BTSHIM_NONE, .rm = BTSHIM_NONE,
				   .base = BTSHIM_NONE, .index = BTSHIM_NONE, .scale = 1, .len = 1 };
}

static inline struct btshim_op block(uint64_t pc)
{
	struct btshim_op made = op(BTSHIM_BLOCK);

	made.imm = pc;
	made.len = 0;
	return made;
}

/* At most 8 bytes, one register and a memory operand [@base + @disp]: @opcode of map 0. */
static inline struct btshim_op memory_insn(int opcode, int reg, int base, int32_t disp)
{
	struct btshim_op made = op(BTSHIM_INSN);

	made.opcode = opcode;
	made.wide = 1;
	made.reg = reg;
	made.rm = BTSHIM_MEMORY;
	made.base = base;
	made.disp = disp;
	return made;
}

static inline struct btshim_op store(int reg, int base, int32_t disp)
{
	return memory_insn(0x89, reg, base, disp);
}

static inline struct btshim_op load_insn(int reg, int base, int32_t disp)
{
	return memory_insn(0x8b, reg, base, disp);
}

static inline struct btshim_op jump(uint64_t pc)
{
	struct btshim_op made = op(BTSHIM_JUMP);

	made.imm = pc;
	return made;
}

static inline struct btshim_op leave(void)
{
	return op(BTSHIM_LEAVE);
}

static inline struct btshim_op call_number(uint64_t nr)
{
	struct btshim_op made = op(BTSHIM_SYSCALL);

	made.imm = nr;
	made.len = 2;
	return made;
}

/* Gives each operation its place: each instruction is as long as it says. */
static inline void place(struct btshim_op *ops, int count)
{
	uint32_t at = 0;

	for (int i = 0; i < count; i++) {
		if (ops[i].kind == BTSHIM_BLOCK)
			at = 0;
		ops[i].at = at;
		at += ops[i].len;
	}
}

/* 0 or the error. */
static inline int load_ops(int fd, const struct btshim_op *ops, uint32_t count)
{
	struct btshim_load load = { .ops = (uintptr_t)ops, .count = count };

	return ioctl(fd, BTSHIM_IOC_LOAD, &load) ? errno : 0;
}

/* The reason, or the negative error. */
static inline int run(int fd, struct btshim_run *run)
{
	if (syscall(SYS_lseek, fd, run, BTSHIM_RUN) < 0)
		return -errno;
	return run->reason;
}

static inline int run_at(int fd, uint64_t pc)
{
	struct btshim_run state = { .pc = pc, .flags = 0x202 };

	return run(fd, &state);
}

static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static inline uint64_t random_word(uint64_t *seed)
{
	/* xorshift64* */
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dUL;
}

#endif
