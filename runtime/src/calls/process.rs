//! Processes, threads, scheduling and credentials.

macro_rules! process_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_clone: [forks] {Descriptors} (Clone) -> Int => thread::clone;
            __NR_clone3: [forks] {Descriptors} (CloneArgs(1), Size) -> Int => thread::clone3;
            __NR_fork: [forks] {Descriptors} () -> Int => thread::fork;
            __NR_vfork: {Descriptors} () -> Int => thread::vfork;
            __NR_execve: {All} (Path, Argv, Envp) -> Int => exec::execve;
            __NR_execveat: {All} (DirFd, Path, Argv, Envp, Flags(Set::At)) -> Int => exec::execveat;
            __NR_exit: [int80(1), leaves] (Int) -> Never => thread::exit;
            __NR_exit_group: [int80(252), leaves] {All} (Int) -> Never => process::exit_group;
            __NR_wait4: (Int, Out(WaitStatus), Flags(Set::Wait), Out(Rusage)) -> Int => process::wait(2);
            __NR_waitid: (Flags(Set::IdType), Int, Out(Siginfo), Flags(Set::Wait), Out(Rusage)) -> Int => process::wait(3);
            __NR_pidfd_open: (Int, Flags(Set::PidfdOpen)) -> Int;
            __NR_pidfd_getfd: {Descriptors} (Fd, Fd, Hex) -> Int => descriptors::get_from_process;
            __NR_unshare: {All} (Flags(Set::Unshare)) -> Int => process::unshare;
            __NR_setns: {All} (Fd, Flags(Set::Unshare)) -> Int => identity::enter_namespace;
            __NR_ptrace: (Flags(Set::Ptrace), Int, Switch(Cases::Ptrace)) -> Int => process::ptrace;
            __NR_kcmp: (Int, Int, Flags(Set::Kcmp), Switch(Cases::Kcmp)) -> Int;

            __NR_getpid: [exact, value(Value::Pid), blind, int80(20)] () -> Int;
            __NR_gettid: [exact, value(Value::Tid), blind, int80(224)] () -> Int;
            __NR_getppid: [blind, int80(64)] () -> Int;
            __NR_getpgrp: () -> Int;
            __NR_getpgid: (Int) -> Int;
            __NR_setpgid: (Int, Int) -> Int;
            __NR_getsid: (Int) -> Int;
            __NR_setsid: () -> Int;
            __NR_set_tid_address: (Ptr) -> Int;
            __NR_set_robust_list: (Ptr, Size) -> Int;
            __NR_get_robust_list: (Int, Out(Address), Out(U64)) -> Int;
            __NR_rseq: (TouchedBy(1), Hex, Flags(Set::Rseq), Hex) -> Int => process::rseq;
            __NR_membarrier: (Flags(Set::Membarrier), Switch(Cases::Membarrier)) -> Int => process::membarrier;
            __NR_futex: [blind] (Switch(Cases::Futex)) -> Int;
            __NR_futex_waitv: (Ptr, Uint, Hex, In(Timespec), Flags(Set::Clock)) -> Int;
            __NR_futex_wait: (Ptr, Hex, Hex, Flags(Set::Futex2), In(Timespec), Flags(Set::Clock)) -> Int;
            __NR_futex_wake: (Ptr, Hex, Int, Flags(Set::Futex2)) -> Int;
            __NR_futex_requeue: (Ptr, Hex, Int, Int) -> Int;
            __NR_arch_prctl: (Flags(Set::ArchPrctl), Switch(Cases::ArchPrctl)) -> Int => process::arch_prctl;
            __NR_prctl: {All} (Flags(Set::Prctl), Switch(Cases::Prctl)) -> Int => process::prctl;
            __NR_personality: (Switch(Cases::Personality)) -> Bits(Set::Personality);
            __NR_seccomp: {All} (Flags(Set::Seccomp), Switch(Cases::Seccomp)) -> Int => process::seccomp;
            __NR_modify_ldt: (Int, Switch(Cases::ModifyLdt)) -> Int;
            __NR_set_thread_area: (Touched(16)) -> Int;
            __NR_get_thread_area: (Touched(16)) -> Int;
            __NR_iopl: (Int) -> Int;
            __NR_ioperm: (Hex, Hex, Int) -> Int;

            __NR_sched_yield: [blind, int80(158)] () -> Int;
            __NR_sched_setparam: (Int, In(SchedParam)) -> Int;
            __NR_sched_getparam: (Int, Out(SchedParam)) -> Int;
            __NR_sched_setscheduler: (Int, Flags(Set::Sched), In(SchedParam)) -> Int;
            __NR_sched_getscheduler: (Int) -> Name(Set::Sched);
            __NR_sched_get_priority_max: (Flags(Set::Sched)) -> Int;
            __NR_sched_get_priority_min: (Flags(Set::Sched)) -> Int;
            __NR_sched_rr_get_interval: (Int, Out(Timespec)) -> Int;
            __NR_sched_setaffinity: (Int, Size, CpuSet(1)) -> Int;
            __NR_sched_getaffinity: (Int, Size, OutCpuSet(1)) -> Int;
            __NR_sched_setattr: (Int, Touched(4), Hex) -> Int;
            __NR_sched_getattr: (Int, TouchedBy(2), Uint, Hex) -> Int;
            __NR_getcpu: [exact, clock(Clock::Getcpu)] (Out(U32), Out(U32), Ptr) -> Int;
            __NR_getpriority: (Flags(Set::Priority), Int) -> Int;
            __NR_setpriority: (Flags(Set::Priority), Int, Int) -> Int;
            __NR_ioprio_get: (Flags(Set::IoprioWho), Int) -> Int;
            __NR_ioprio_set: (Flags(Set::IoprioWho), Int, Hex) -> Int;
            __NR_getrlimit: (Flags(Set::Rlimit), Out(Rlimit)) -> Int;
            __NR_setrlimit: (Flags(Set::Rlimit), In(Rlimit)) -> Int => descriptors::limit(0);
            __NR_prlimit64: (Int, Flags(Set::Rlimit), In(Rlimit), Out(Rlimit)) -> Int => descriptors::limit(1);
            __NR_getrusage: [blind] (Flags(Set::RusageWho), Out(Rusage)) -> Int;

            __NR_getuid: [exact, value(Value::Uid), blind, int80(24)] () -> Int;
            __NR_geteuid: [exact, value(Value::Euid), blind] () -> Int;
            __NR_getgid: [exact, value(Value::Gid), blind, int80(47)] () -> Int;
            __NR_getegid: [exact, value(Value::Egid), blind] () -> Int;
            __NR_setuid: {All} (Int) -> Int => identity::change;
            __NR_setgid: {All} (Int) -> Int => identity::change;
            __NR_setreuid: {All} (Int, Int) -> Int => identity::change;
            __NR_setregid: {All} (Int, Int) -> Int => identity::change;
            __NR_setresuid: {All} (Int, Int, Int) -> Int => identity::change;
            __NR_setresgid: {All} (Int, Int, Int) -> Int => identity::change;
            __NR_getresuid: (Out(U32), Out(U32), Out(U32)) -> Int;
            __NR_getresgid: (Out(U32), Out(U32), Out(U32)) -> Int;
            __NR_setfsuid: {All} (Int) -> Int;
            __NR_setfsgid: {All} (Int) -> Int;
            __NR_getgroups: (Int, OutArray(U32, 0)) -> Int;
            __NR_setgroups: {All} (Int, InArray(U32, 0)) -> Int;
            __NR_capget: (Update(CapHeader), Out(CapData)) -> Int;
            __NR_capset: {All} (Update(CapHeader), In(CapData)) -> Int;
            __NR_landlock_create_ruleset: (Ptr, Size, Hex) -> Int;
            __NR_landlock_add_rule: (Fd, Uint, Ptr, Hex) -> Int;
            __NR_landlock_restrict_self: {All} (Fd, Hex) -> Int;
            __NR_lsm_get_self_attr: (Uint, TouchedByPtr(2), Touched(4), Hex) -> Int;
            __NR_lsm_set_self_attr: {All} (Uint, Ptr, Uint, Hex) -> Int;
            __NR_lsm_list_modules: (TouchedByPtr(1), Touched(4), Hex) -> Int;
        ] $($rest)* }
    };
}
