// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The kernel's system calls that ring 0 may make.
 *
 * A list of those that mind nothing but their arguments: not the registers at
 * entry (sigaltstack, rt_sigreturn, clone), not what becomes of the process
 * (execve, exit), not the memory that code was made from (mmap, mprotect), and
 * not descriptors as such (close, dup2: main.c relies on it). The
 * address of a handler is asked of kprobes, which resolve any symbol; none is
 * ever armed.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/ibt.h>
#include <asm/unistd.h>

#include "internal.h"

static const struct {
	u16 nr;
	const char *symbol;
} calls[] = {
	{ __NR_read, "__x64_sys_read" },
	{ __NR_write, "__x64_sys_write" },
	{ __NR_stat, "__x64_sys_newstat" },
	{ __NR_fstat, "__x64_sys_newfstat" },
	{ __NR_lstat, "__x64_sys_newlstat" },
	{ __NR_poll, "__x64_sys_poll" },
	{ __NR_lseek, "__x64_sys_lseek" },
	{ __NR_pread64, "__x64_sys_pread64" },
	{ __NR_pwrite64, "__x64_sys_pwrite64" },
	{ __NR_readv, "__x64_sys_readv" },
	{ __NR_writev, "__x64_sys_writev" },
	{ __NR_access, "__x64_sys_access" },
	{ __NR_sched_yield, "__x64_sys_sched_yield" },
	{ __NR_nanosleep, "__x64_sys_nanosleep" },
	{ __NR_getpid, "__x64_sys_getpid" },
	{ __NR_sendfile, "__x64_sys_sendfile64" },
	{ __NR_accept, "__x64_sys_accept" },
	{ __NR_sendto, "__x64_sys_sendto" },
	{ __NR_recvfrom, "__x64_sys_recvfrom" },
	{ __NR_sendmsg, "__x64_sys_sendmsg" },
	{ __NR_recvmsg, "__x64_sys_recvmsg" },
	{ __NR_shutdown, "__x64_sys_shutdown" },
	{ __NR_getsockopt, "__x64_sys_getsockopt" },
	{ __NR_setsockopt, "__x64_sys_setsockopt" },
	{ __NR_uname, "__x64_sys_newuname" },
	{ __NR_fcntl, "__x64_sys_fcntl" },
	{ __NR_flock, "__x64_sys_flock" },
	{ __NR_fsync, "__x64_sys_fsync" },
	{ __NR_fdatasync, "__x64_sys_fdatasync" },
	{ __NR_ftruncate, "__x64_sys_ftruncate" },
	{ __NR_getcwd, "__x64_sys_getcwd" },
	{ __NR_readlink, "__x64_sys_readlink" },
	{ __NR_unlink, "__x64_sys_unlink" },
	{ __NR_gettimeofday, "__x64_sys_gettimeofday" },
	{ __NR_times, "__x64_sys_times" },
	{ __NR_getuid, "__x64_sys_getuid" },
	{ __NR_getgid, "__x64_sys_getgid" },
	{ __NR_geteuid, "__x64_sys_geteuid" },
	{ __NR_getegid, "__x64_sys_getegid" },
	{ __NR_getppid, "__x64_sys_getppid" },
	{ __NR_getpgrp, "__x64_sys_getpgrp" },
	{ __NR_getpgid, "__x64_sys_getpgid" },
	{ __NR_getsid, "__x64_sys_getsid" },
	{ __NR_gettid, "__x64_sys_gettid" },
	{ __NR_time, "__x64_sys_time" },
	{ __NR_futex, "__x64_sys_futex" },
	{ __NR_getdents64, "__x64_sys_getdents64" },
	{ __NR_fadvise64, "__x64_sys_fadvise64" },
	{ __NR_clock_gettime, "__x64_sys_clock_gettime" },
	{ __NR_clock_getres, "__x64_sys_clock_getres" },
	{ __NR_clock_nanosleep, "__x64_sys_clock_nanosleep" },
	{ __NR_epoll_wait, "__x64_sys_epoll_wait" },
	{ __NR_epoll_ctl, "__x64_sys_epoll_ctl" },
	{ __NR_newfstatat, "__x64_sys_newfstatat" },
	{ __NR_unlinkat, "__x64_sys_unlinkat" },
	{ __NR_readlinkat, "__x64_sys_readlinkat" },
	{ __NR_faccessat, "__x64_sys_faccessat" },
	{ __NR_utimensat, "__x64_sys_utimensat" },
	{ __NR_fallocate, "__x64_sys_fallocate" },
	{ __NR_accept4, "__x64_sys_accept4" },
	{ __NR_getrandom, "__x64_sys_getrandom" },
	{ __NR_getcpu, "__x64_sys_getcpu" },
	{ __NR_statx, "__x64_sys_statx" },
	{ __NR_faccessat2, "__x64_sys_faccessat2" },
};

static_assert(ARRAY_SIZE(calls) <= BT_SLOTS);

static bt_handler handlers[ARRAY_SIZE(calls)];
u8 bt_call_slots[BTSHIM_CALLS];
u16 bt_slot_calls[BT_SLOTS];

bt_handler bt_call_handler(u32 nr)
{
	return nr < BTSHIM_CALLS && bt_call_slots[nr] ?
		       handlers[bt_call_slots[nr] - 1] :
		       NULL;
}

/*
 * The same for an indirect call, which has to lead to ENDBR64 on CPUs with IBT:
 * kprobes give the address after it.
 */
bt_handler bt_call_landing(u32 nr)
{
	bt_handler handler = bt_call_handler(nr);

#ifdef CONFIG_X86_KERNEL_IBT
	if (handler) {
		const u32 *before = (const u32 *)handler - 1;

		if (*before == gen_endbr())
			return (bt_handler)before;
		if (boot_cpu_has(X86_FEATURE_IBT))
			return NULL;
	}
#endif
	return handler;
}

/* Of a call that has a handler. */
int bt_call_slot(u32 nr)
{
	return bt_call_slots[nr] - 1;
}

void bt_calls_own(unsigned long *list)
{
	int i;

	bitmap_zero(list, BTSHIM_CALLS);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (handlers[i])
			__set_bit(calls[i].nr, list);
	}
}

/*
 * Finds the handlers. One that the kernel does not have stays out of the list.
 * On kernels with IBT the address is the one after ENDBR64, which is as good
 * for a direct call.
 */
int bt_calls_init(void)
{
	struct kprobe *probes, *known[ARRAY_SIZE(calls)];
	int i, found = 0;

	probes = kcalloc(ARRAY_SIZE(calls), sizeof(*probes), GFP_KERNEL);
	if (!probes)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		struct kprobe *probe = &probes[i];

		probe->symbol_name = calls[i].symbol;
		probe->flags = KPROBE_FLAG_DISABLED;
		if (register_kprobe(probe))
			continue;
		handlers[i] = (bt_handler)probe->addr;
		bt_call_slots[calls[i].nr] = i + 1;
		bt_slot_calls[i] = calls[i].nr;
		known[found++] = probe;
	}
	/* One wait for all of them. */
	unregister_kprobes(known, found);
	kfree(probes);
	return found ? 0 : -ENOENT;
}
