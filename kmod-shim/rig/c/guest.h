/* What the programs share that run natively and in ring 0. Included last. */
#ifndef BT_GUEST_H
#define BT_GUEST_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Ends the process with 1, and says where. Not exit(3): it may be a thread, or a child with its parent's output. */
#define CHECK(what)                                                                                  \
	do {                                                                                         \
		if (!(what)) {                                                                       \
			dprintf(1, "line %d: %s (errno %d)\n", __LINE__, #what, errno);              \
			_exit(1);                                                                    \
		}                                                                                    \
	} while (0)

/* A call by an instruction of its own: the number is known there. */
#define CALL(nr)                                                                                     \
	({                                                                                           \
		long result_;                                                                        \
		asm volatile("mov %1, %%eax; syscall" : "=a"(result_) : "i"(nr) : "rcx", "r11", "memory"); \
		result_;                                                                             \
	})

#endif
