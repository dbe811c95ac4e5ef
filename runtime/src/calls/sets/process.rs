//! Memory, processes and threads.

macro_rules! process_sets {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            /// mmap(2), mprotect(2), protection
            Prot "PROT_???" [] mask NONE,
                [PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC, PROT_SEM, PROT_GROWSDOWN, PROT_GROWSUP];
            /// mmap(2), flags
            Map "MAP_???" [MAP_FILE, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_DROPPABLE] mask MAP_TYPE as u64,
                [MAP_FIXED, MAP_ANONYMOUS, MAP_32BIT, MAP_ABOVE4G, MAP_NORESERVE, MAP_POPULATE, MAP_NONBLOCK,
                 MAP_GROWSDOWN,
                 MAP_DENYWRITE, MAP_EXECUTABLE, MAP_LOCKED, MAP_STACK, MAP_HUGETLB, MAP_SYNC, MAP_FIXED_NOREPLACE];
            /// mremap(2)
            Mremap "MREMAP_???" [] mask NONE, [MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP];
            /// madvise(2)
            Madvise "MADV_???"
                [MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
                 MADV_DONTFORK, MADV_DOFORK, MADV_HWPOISON, MADV_SOFT_OFFLINE, MADV_MERGEABLE, MADV_UNMERGEABLE,
                 MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK,
                 MADV_COLD,
                 MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED, MADV_COLLAPSE,
                 MADV_GUARD_INSTALL, MADV_GUARD_REMOVE] mask ALL, [];
            /// msync(2)
            Msync "MS_???" [] mask NONE, [MS_ASYNC, MS_INVALIDATE, MS_SYNC];
            /// mlock2(2)
            Mlock "MLOCK_???" [] mask NONE, [MLOCK_ONFAULT];
            /// mlockall(2)
            Mlockall "MCL_???" [] mask NONE, [MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT];
            /// pkey_alloc(2)
            Pkey "PKEY_???" [] mask NONE, [PKEY_DISABLE_ACCESS, PKEY_DISABLE_WRITE];
            /// memfd_create(2)
            Memfd "MFD_???" [] mask NONE, [MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB, MFD_NOEXEC_SEAL, MFD_EXEC];
            /// mbind(2), set_mempolicy(2)
            Mempolicy "MPOL_???"
                [MPOL_DEFAULT = 0, MPOL_PREFERRED = 1, MPOL_BIND = 2, MPOL_INTERLEAVE = 3, MPOL_LOCAL = 4,
                 MPOL_PREFERRED_MANY = 5, MPOL_WEIGHTED_INTERLEAVE = 6] mask 0xfff,
                [MPOL_F_STATIC_NODES = 0x8000, MPOL_F_RELATIVE_NODES = 0x4000, MPOL_F_NUMA_BALANCING = 0x2000];
            /// mbind(2), move_pages(2)
            MempolicyMove "MPOL_MF_???" [] mask NONE,
                [MPOL_MF_STRICT = 1, MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4];
            /// get_mempolicy(2)
            MempolicyGet "MPOL_F_???" [] mask NONE, [MPOL_F_NODE = 1, MPOL_F_ADDR = 2, MPOL_F_MEMS_ALLOWED = 4];
            /// userfaultfd(2)
            Userfaultfd "UFFD_???" [] mask NONE, [O_CLOEXEC, O_NONBLOCK, UFFD_USER_MODE_ONLY];

            /// clone(2): flags beside the exit signal
            Clone "CLONE_???" [] mask NONE,
                [CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT,
                 CLONE_THREAD, CLONE_NEWNS, CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID,
                 CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                 CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_IO];
            /// clone3(2)
            Clone3 "CLONE_???" [] mask NONE,
                [CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT,
                 CLONE_THREAD, CLONE_NEWNS, CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID,
                 CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                 CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_IO, CLONE_NEWTIME, CLONE_CLEAR_SIGHAND,
                 CLONE_INTO_CGROUP];
            /// unshare(2), setns(2)
            Unshare "CLONE_???" [] mask NONE,
                [CLONE_NEWTIME, CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD, CLONE_NEWNS,
                 CLONE_SYSVSEM,
                 CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET];
            /// wait4(2), waitid(2)
            Wait "W???" [] mask NONE,
                [WNOHANG, WSTOPPED, WEXITED, WCONTINUED, WNOWAIT, __WNOTHREAD, __WALL, __WCLONE];
            /// waitid(2), kind of id
            IdType "P_???" [P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3] mask ALL, [];
            /// getpriority(2)
            Priority "PRIO_???" [PRIO_PROCESS, PRIO_PGRP, PRIO_USER] mask ALL, [];
            /// ioprio_set(2)
            IoprioWho "IOPRIO_WHO_???" [IOPRIO_WHO_PROCESS = 1, IOPRIO_WHO_PGRP = 2, IOPRIO_WHO_USER = 3] mask ALL, [];
            /// getrlimit(2)
            Rlimit "RLIMIT_???"
                [RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC,
                 RLIMIT_NOFILE,
                 RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE,
                 RLIMIT_RTPRIO,
                 RLIMIT_RTTIME] mask ALL, [];
            /// getrusage(2)
            RusageWho "RUSAGE_???" [RUSAGE_SELF, RUSAGE_CHILDREN = 0xffff_ffffu32, RUSAGE_THREAD] mask ALL, [];
            /// sched_setscheduler(2)
            Sched "SCHED_???"
                [SCHED_OTHER = 0, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE, SCHED_EXT]
                mask 0xbfff_ffff, [SCHED_RESET_ON_FORK];
            /// arch_prctl(2)
            ArchPrctl "ARCH_???"
                [ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS = 0x1003, ARCH_GET_GS = 0x1004, ARCH_GET_CPUID = 0x1011,
                 ARCH_SET_CPUID = 0x1012, ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_GET_XCOMP_PERM = 0x1022,
                 ARCH_REQ_XCOMP_PERM = 0x1023, ARCH_GET_XCOMP_GUEST_PERM = 0x1024, ARCH_REQ_XCOMP_GUEST_PERM = 0x1025,
                 ARCH_MAP_VDSO_X32 = 0x2001, ARCH_MAP_VDSO_32 = 0x2002, ARCH_MAP_VDSO_64 = 0x2003,
                 ARCH_GET_UNTAG_MASK = 0x4001, ARCH_ENABLE_TAGGED_ADDR = 0x4002, ARCH_GET_MAX_TAG_BITS = 0x4003,
                 ARCH_FORCE_TAGGED_SVA = 0x4004, ARCH_SHSTK_ENABLE = 0x5001, ARCH_SHSTK_DISABLE = 0x5002,
                 ARCH_SHSTK_LOCK = 0x5003, ARCH_SHSTK_UNLOCK = 0x5004, ARCH_SHSTK_STATUS = 0x5005] mask ALL, [];
            /// prctl(2)
            Prctl "PR_???"
                [PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_GET_UNALIGN, PR_SET_UNALIGN,
                 PR_GET_KEEPCAPS, PR_SET_KEEPCAPS, PR_GET_FPEMU, PR_SET_FPEMU, PR_GET_FPEXC, PR_SET_FPEXC,
                 PR_GET_TIMING,
                 PR_SET_TIMING, PR_SET_NAME, PR_GET_NAME, PR_GET_ENDIAN, PR_SET_ENDIAN, PR_GET_SECCOMP, PR_SET_SECCOMP,
                 PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_GET_TSC, PR_SET_TSC, PR_GET_SECUREBITS, PR_SET_SECUREBITS,
                 PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_TASK_PERF_EVENTS_DISABLE, PR_TASK_PERF_EVENTS_ENABLE,
                 PR_MCE_KILL,
                 PR_MCE_KILL_GET, PR_SET_MM, PR_SET_PTRACER, PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER,
                 PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE,
                 PR_CAP_AMBIENT, PR_GET_SPECULATION_CTRL, PR_SET_SPECULATION_CTRL, PR_SET_IO_FLUSHER, PR_GET_IO_FLUSHER,
                 PR_SET_SYSCALL_USER_DISPATCH, PR_SCHED_CORE, PR_SET_MDWE, PR_GET_MDWE, PR_SET_MEMORY_MERGE,
                 PR_GET_MEMORY_MERGE, PR_GET_AUXV = 0x4155_5856, PR_SET_VMA] mask ALL, [];
            /// PR_SET_MM
            PrctlMm "PR_SET_MM_???"
                [PR_SET_MM_START_CODE, PR_SET_MM_END_CODE, PR_SET_MM_START_DATA, PR_SET_MM_END_DATA,
                 PR_SET_MM_START_STACK,
                 PR_SET_MM_START_BRK, PR_SET_MM_BRK, PR_SET_MM_ARG_START, PR_SET_MM_ARG_END, PR_SET_MM_ENV_START,
                 PR_SET_MM_ENV_END, PR_SET_MM_AUXV, PR_SET_MM_EXE_FILE, PR_SET_MM_MAP, PR_SET_MM_MAP_SIZE] mask ALL, [];
            /// PR_SET_VMA
            PrctlVma "PR_SET_VMA_???" [PR_SET_VMA_ANON_NAME] mask ALL, [];
            /// PR_SET_DUMPABLE
            Dumpable "SUID_DUMP_???" [SUID_DUMP_DISABLE = 0, SUID_DUMP_USER = 1, SUID_DUMP_ROOT = 2] mask ALL, [];
            /// capabilities(7)
            Capability "CAP_???"
                [CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID,
                 CAP_SETUID,
                 CAP_SETPCAP, CAP_LINUX_IMMUTABLE, CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN, CAP_NET_RAW,
                 CAP_IPC_LOCK, CAP_IPC_OWNER, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_CHROOT, CAP_SYS_PTRACE,
                 CAP_SYS_PACCT,
                 CAP_SYS_ADMIN, CAP_SYS_BOOT, CAP_SYS_NICE, CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG,
                 CAP_MKNOD,
                 CAP_LEASE, CAP_AUDIT_WRITE, CAP_AUDIT_CONTROL, CAP_SETFCAP, CAP_MAC_OVERRIDE, CAP_MAC_ADMIN,
                 CAP_SYSLOG,
                 CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_AUDIT_READ, CAP_PERFMON, CAP_BPF,
                 CAP_CHECKPOINT_RESTORE] mask ALL, [];
            /// personality(2)
            Personality "PER_???" [PER_LINUX = 0, PER_LINUX32 = 8] mask 0xff,
                [UNAME26 = 0x2_0000, ADDR_NO_RANDOMIZE = 0x4_0000, FDPIC_FUNCPTRS = 0x8_0000,
                 MMAP_PAGE_ZERO = 0x10_0000,
                 ADDR_COMPAT_LAYOUT = 0x20_0000, READ_IMPLIES_EXEC = 0x40_0000, ADDR_LIMIT_32BIT = 0x80_0000,
                 SHORT_INODE = 0x100_0000, WHOLE_SECONDS = 0x200_0000, STICKY_TIMEOUTS = 0x400_0000,
                 ADDR_LIMIT_3GB = 0x800_0000];
            /// capget(2)
            CapVersion "_LINUX_CAPABILITY_VERSION_???"
                [_LINUX_CAPABILITY_VERSION_1, _LINUX_CAPABILITY_VERSION_2, _LINUX_CAPABILITY_VERSION_3] mask ALL, [];
            /// seccomp(2)
            Seccomp "SECCOMP_???"
                [SECCOMP_SET_MODE_STRICT = 0, SECCOMP_SET_MODE_FILTER = 1, SECCOMP_GET_ACTION_AVAIL = 2,
                 SECCOMP_GET_NOTIF_SIZES = 3] mask ALL, [];
            /// seccomp(2), flags
            SeccompFlags "SECCOMP_FILTER_FLAG_???" [] mask NONE,
                [SECCOMP_FILTER_FLAG_TSYNC = 1, SECCOMP_FILTER_FLAG_LOG = 2, SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4,
                 SECCOMP_FILTER_FLAG_NEW_LISTENER = 8, SECCOMP_FILTER_FLAG_TSYNC_ESRCH = 0x10,
                 SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 0x20];
            /// ptrace(2)
            Ptrace "PTRACE_???"
                [PTRACE_TRACEME = 0, PTRACE_PEEKTEXT = 1, PTRACE_PEEKDATA = 2, PTRACE_PEEKUSER = 3, PTRACE_POKETEXT = 4,
                 PTRACE_POKEDATA = 5, PTRACE_POKEUSER = 6, PTRACE_CONT = 7, PTRACE_KILL = 8, PTRACE_SINGLESTEP = 9,
                 PTRACE_GETREGS = 12, PTRACE_SETREGS = 13, PTRACE_GETFPREGS = 14, PTRACE_SETFPREGS = 15,
                 PTRACE_ATTACH = 16,
                 PTRACE_DETACH = 17, PTRACE_SYSCALL = 24, PTRACE_ARCH_PRCTL = 30, PTRACE_SYSEMU = 31,
                 PTRACE_SINGLEBLOCK = 33, PTRACE_SETOPTIONS = 0x4200, PTRACE_GETEVENTMSG = 0x4201,
                 PTRACE_GETSIGINFO = 0x4202,
                 PTRACE_SETSIGINFO = 0x4203, PTRACE_GETREGSET = 0x4204, PTRACE_SETREGSET = 0x4205,
                 PTRACE_SEIZE = 0x4206,
                 PTRACE_INTERRUPT = 0x4207, PTRACE_LISTEN = 0x4208, PTRACE_PEEKSIGINFO = 0x4209,
                 PTRACE_GETSIGMASK = 0x420a,
                 PTRACE_SETSIGMASK = 0x420b, PTRACE_SECCOMP_GET_FILTER = 0x420c, PTRACE_SECCOMP_GET_METADATA = 0x420d,
                 PTRACE_GET_SYSCALL_INFO = 0x420e, PTRACE_GET_RSEQ_CONFIGURATION = 0x420f] mask ALL, [];
            /// kcmp(2)
            Kcmp "KCMP_???"
                [KCMP_FILE = 0, KCMP_VM = 1, KCMP_FILES = 2, KCMP_FS = 3, KCMP_SIGHAND = 4, KCMP_IO = 5,
                 KCMP_SYSVSEM = 6,
                 KCMP_EPOLL_TFD = 7] mask ALL, [];
            /// membarrier(2)
            Membarrier "MEMBARRIER_CMD_???"
                [MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
                 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
                 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 0x10, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 0x20,
                 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40,
                 MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 0x80,
                 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100,
                 MEMBARRIER_CMD_GET_REGISTRATIONS = 0x200] mask ALL,
                [];
            /// membarrier(2), the commands that are there
            MembarrierBits "MEMBARRIER_CMD_???" [] mask NONE,
                [MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
                 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
                 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 0x10, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 0x20,
                 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40,
                 MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 0x80,
                 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100, MEMBARRIER_CMD_GET_REGISTRATIONS = 0x200];
            /// futex(2); the private flag is part of each name
            Futex "FUTEX_???"
                [FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI,
                 FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_WAIT_REQUEUE_PI,
                 FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE, FUTEX_REQUEUE_PRIVATE,
                 FUTEX_CMP_REQUEUE_PRIVATE, FUTEX_WAKE_OP_PRIVATE, FUTEX_LOCK_PI_PRIVATE, FUTEX_UNLOCK_PI_PRIVATE,
                 FUTEX_TRYLOCK_PI_PRIVATE, FUTEX_WAIT_BITSET_PRIVATE, FUTEX_WAKE_BITSET_PRIVATE,
                 FUTEX_WAIT_REQUEUE_PI_PRIVATE, FUTEX_CMP_REQUEUE_PI_PRIVATE, FUTEX_LOCK_PI2_PRIVATE] mask 0xff,
                [FUTEX_CLOCK_REALTIME];
            /// futex(2), bit set
            FutexBits "" [FUTEX_BITSET_MATCH_ANY] mask ALL, [];
            /// futex_wait(2)
            Futex2 "FUTEX2_???" [FUTEX2_SIZE_U8 = 0, FUTEX2_SIZE_U16 = 1, FUTEX2_SIZE_U32 = 2,
                 FUTEX2_SIZE_U64 = 3] mask 3,
                [FUTEX2_NUMA = 4, FUTEX2_MPOL = 8, FUTEX2_PRIVATE = 0x80];
            /// rseq(2)
            Rseq "RSEQ_FLAG_???" [] mask NONE, [RSEQ_FLAG_UNREGISTER = 1];
            /// pidfd_open(2)
            PidfdOpen "PIDFD_???" [] mask NONE, [PIDFD_NONBLOCK = O_NONBLOCK, PIDFD_THREAD = O_EXCL];
        ] $($rest)* }
    };
}
