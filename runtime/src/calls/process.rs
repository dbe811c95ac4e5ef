//! Processes, threads, scheduling and credentials.

macro_rules! process_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: clone: A child in the same memory starts on a runtime stack of its own with a thread state of its own;
            //:     one with its own memory as after fork. With CLONE_FILES and no CLONE_THREAD nothing is known of
            //:     descriptors any more; with a second thread promoted files are so in another form, and pipes hold
            //:     nothing for good.
            //:     test: processes/clone_flags_decide_what_is_shared threads/a_thousand_threads_join.dynamic
            //:         emulation/threads_share_an_offset
            __NR_clone: [forks] {Descriptors} (Clone) -> Int => thread::clone;
            //: clone3: As clone. Errors that the kernel would find first are found first.
            //:     test: processes/clone3_takes_its_arguments
            __NR_clone3: [forks] {Descriptors} (CloneArgs(1), Size) -> Int => thread::clone3;
            //: fork: Reaches the kernel as clone, with every lock of the runtime held so that the child finds whole
            //:     structures. Promotions end: the child shares the offsets.
            //:     test: processes/fork_copies_state_exactly processes/fork_chain_of_two_hundred
            //:         emulation/offsets_are_shared_with_children
            __NR_fork: [forks] {Descriptors} () -> Int => thread::fork;
            //: vfork: Reaches the kernel as clone; the child has a thread state and a runtime stack of its own, and
            //:     nothing is answered for it but ids.
            //:     test: processes/vfork_and_spawn_run_programs emulation/offsets_are_shared_with_children
            __NR_vfork: {Descriptors} () -> Int => thread::vfork;
            //: execve: The kernel is asked whether it would execute the file, and its interpreter (AT_EXECVE_CHECK):
            //:     its refusal is the answer. What it would and bt-run can starts under bt-run, as execveat of bt-run's
            //:     own program; the rest is left to the kernel, which runs it natively or has the errno. Everything is
            //:     handed back, because the image ends.
            //:     test: processes/exec_keeps_what_it_must loader/broken_images_are_refused
            //:         loader/scripts_reach_their_interpreter loader/interpreters_may_be_no_files
            //:         sandbox/exec_is_refused_by_a_domain sandbox/exec_is_refused_by_a_listener
            //:         sandbox/exec_is_refused_by_the_mount
            //:         emulation/offsets_are_shared_with_children
            __NR_execve: {All} (Path, Argv, Envp) -> Int => exec::execve;
            //: execveat: As execve; with AT_EXECVE_CHECK the kernel answers, other flags than AT_EMPTY_PATH run
            //:     natively.
            //:     test: processes/exec_keeps_what_it_must loader/programs_run_without_a_name.static
            __NR_execveat: {All} (DirFd, Path, Argv, Envp, Flags(Set::At)) -> Int => exec::execveat;
            //: exit: Gives the thread's memory in the runtime back. The last thread's first hands everything back and
            //:     writes the statistics.
            //:     test: threads/main_thread_leaves_first threads/a_thousand_threads_join.dynamic
            __NR_exit: [int80(1), leaves] (Int) -> Never => thread::exit;
            //: exit_group: Hands everything back and writes the statistics, then the kernel ends the process.
            //:     test: threads/exit_group_ends_busy_threads launcher/statistics_lines_are_whole
            __NR_exit_group: [int80(252), leaves] {All} (Int) -> Never => process::exit_group;
            //: wait4 waitid: Waits for what children do.
            //:     test: processes/waits_select_their_children signals/child_signals_tell_what_happened
            __NR_wait4: (Int, Out(WaitStatus), Flags(Set::Wait), Out(Rusage)) -> Int;
            __NR_waitid: (Flags(Set::IdType), Int, Out(Siginfo), Flags(Set::Wait), Out(Rusage)) -> Int;
            //: pidfd_open: Makes a descriptor of a process.
            __NR_pidfd_open: [makes] (Int, Flags(Set::PidfdOpen)) -> Int;
            //: pidfd_getfd: The process may be this one: its descriptions are taken for shared from then on, and every
            //:     descriptor is handed back.
            //:     test: none
            __NR_pidfd_getfd: {Descriptors} (Fd, Fd, Hex) -> Int => descriptors::get_from_process;
            //: unshare: Ids are not answered after CLONE_NEWUSER, because somebody will write the new namespace's map.
            //:     Everything is handed back: what is known was seen from the namespaces of before.
            //:     test: sandbox/namespaces_are_entered emulation/identities_follow_changes
            __NR_unshare: {All} (Flags(Set::Unshare)) -> Int => process::unshare;
            //: setns: As unshare: after it ids are not answered.
            //:     test: sandbox/namespaces_are_entered emulation/identities_follow_changes
            __NR_setns: {All} (Fd, Flags(Set::Unshare)) -> Int => identity::enter_namespace;
            //: ptrace: Passed on. A process that asks to be traced (PTRACE_TRACEME) goes on natively, so that the tracer
            //:     sees the program and not bt-run: its code, descriptions, signals and registers are what they would
            //:     be. With more than one thread, or under a filter, only its next image runs natively. One that is
            //:     attached to (PTRACE_ATTACH, PTRACE_SEIZE) is made to, between the call and its return.
            //:     test: sandbox/tracer_steps_its_child sandbox/traced_children_show_the_program
            //:         sandbox/attached_children_show_the_program
            __NR_ptrace: (Flags(Set::Ptrace), Int, Switch(Cases::Ptrace)) -> Int => process::ptrace;
            //: kcmp: Compares what the kernel holds of two processes.
            __NR_kcmp: (Int, Int, Flags(Set::Kcmp), Switch(Cases::Kcmp)) -> Int;

            //: getpid gettid: Never changes while the thread lives, also not when it enters a pid namespace, which is
            //:     for its children. Kept in the thread's state and set anew in each child.
            //:     test: patching/process_ids_are_answered processes/clone_flags_decide_what_is_shared
            __NR_getpid: [exact, value(Value::Pid), blind, int80(20)] () -> Int;
            __NR_gettid: [exact, value(Value::Tid), blind, int80(224)] () -> Int;
            //: getppid: Changes when the parent dies, at any moment.
            //:     test: emulation/process_groups_are_followed
            __NR_getppid: [blind, int80(64)] () -> Int;
            //: getpgrp: The parent can change it by setpgid until the process executes a program.
            //:     test: emulation/process_groups_are_followed
            __NR_getpgrp: () -> Int;
            //: getpgid getsid: Asks about any process. A process's group can be changed by its parent, its session by
            //:     its own setsid, which is passed on.
            //:     test: emulation/process_groups_are_followed
            __NR_getpgid: (Int) -> Int;
            //: setpgid setsid: Moves a process to a group or session, which the kernel uses for signals and terminals.
            //:     test: emulation/process_groups_are_followed
            __NR_setpgid: (Int, Int) -> Int;
            __NR_getsid: (Int) -> Int;
            __NR_setsid: () -> Int;
            //: set_tid_address: The kernel clears the word when the thread ends.
            //:     test: processes/thread_ids_are_cleared
            __NR_set_tid_address: (Ptr) -> Int;
            //: set_robust_list get_robust_list: The kernel walks the list when the thread ends.
            //:     test: threads/robust_mutexes_survive_their_owner
            __NR_set_robust_list: (Ptr, Size) -> Int;
            __NR_get_robust_list: (Int, Out(Address), Out(U64)) -> Int;
            //: rseq: ENOSYS under `translate`: the kernel would compare the addresses of the program's critical
            //:     sections with a place in the code cache. Passed on under `direct`.
            //:     test: syscalls/rseq_and_membarrier_agree
            __NR_rseq: (TouchedBy(1), Hex, Flags(Set::Rseq), Hex) -> Int => process::rseq;
            //: membarrier: Under `translate` the commands for rseq are not offered and answer EINVAL, because programs
            //:     take them for a sign of rseq. A process that bt-run has registered for the private barrier answers as
            //:     it would without. All else is passed on: the barrier is for other CPUs.
            //:     test: syscalls/rseq_and_membarrier_agree emulation/barriers_need_their_registration
            __NR_membarrier: (Flags(Set::Membarrier), Switch(Cases::Membarrier)) -> Int => process::membarrier;
            //: futex futex_waitv futex_wait futex_wake futex_requeue: The kernel keeps the queue, and whoever shares
            //:     the memory can wait in it or wake it.
            //:     test: threads/locks_and_conditions_hand_over
            __NR_futex: [blind] (Switch(Cases::Futex)) -> Int;
            __NR_futex_waitv: (Ptr, Uint, Hex, In(Timespec), Flags(Set::Clock)) -> Int;
            __NR_futex_wait: (Ptr, Hex, Hex, Flags(Set::Futex2), In(Timespec), Flags(Set::Clock)) -> Int;
            __NR_futex_wake: (Ptr, Hex, Int, Flags(Set::Futex2)) -> Int;
            __NR_futex_requeue: (Ptr, Hex, Int, Int) -> Int;
            //: arch_prctl: gs is bt-run's, so the program's gs base is a value that the runtime keeps; a thread that
            //:     sets one translates from then on. ARCH_SET_CPUID answers ENODEV, because kept answers could not
            //:     fault. The fs base is read where user code may read it: nobody else changes it. All else is passed
            //:     on.
            //:     test: code/segments_are_the_programs_own patching/one_thread_uses_gs syscalls/fs_base_is_told
            __NR_arch_prctl: [exact] (Flags(Set::ArchPrctl), Switch(Cases::ArchPrctl)) -> Int => process::arch_prctl;
            //: prctl: PR_SET_SYSCALL_USER_DISPATCH answers EINVAL, because it would trap the runtime's own calls. After
            //:     PR_SET_SECCOMP no call is answered. All else is passed on, with everything handed back, because some
            //:     of it takes rights away.
            //:     test: sandbox/filters_see_the_programs_calls loader/process_names_are_the_programs_own
            __NR_prctl: {All} (Flags(Set::Prctl), Switch(Cases::Prctl)) -> Int => process::prctl;
            //: personality: The kernel keeps it.
            __NR_personality: (Switch(Cases::Personality)) -> Bits(Set::Personality);
            //: seccomp: When a mode is set everything is handed back, and from then on no call is answered: the filter
            //:     is to see them.
            //:     test: sandbox/filters_see_the_programs_calls patching/process_ids_are_answered
            __NR_seccomp: {All} (Flags(Set::Seccomp), Switch(Cases::Seccomp)) -> Int => process::seccomp;
            //: modify_ldt set_thread_area get_thread_area iopl ioperm: Sets up segments and ports in the CPU for the
            //:     thread.
            __NR_modify_ldt: (Int, Switch(Cases::ModifyLdt)) -> Int;
            __NR_set_thread_area: (Touched(16)) -> Int;
            __NR_get_thread_area: (Touched(16)) -> Int;
            __NR_iopl: (Int) -> Int;
            __NR_ioperm: (Hex, Hex, Int) -> Int;

            //: sched_yield: Its effect is what it is called for: another thread runs.
            __NR_sched_yield: [blind, int80(158)] () -> Int;
            //: sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_setaffinity sched_getaffinity
            //:     sched_setattr sched_getattr: The scheduler's attributes of a thread, which another process can
            //:     change at any moment.
            __NR_sched_setparam: (Int, In(SchedParam)) -> Int;
            __NR_sched_getparam: (Int, Out(SchedParam)) -> Int;
            __NR_sched_setscheduler: (Int, Flags(Set::Sched), In(SchedParam)) -> Int;
            __NR_sched_getscheduler: (Int) -> Name(Set::Sched);
            //: sched_get_priority_max sched_get_priority_min: The limits of the policies that every kernel has are
            //:     constants; of others the kernel is asked.
            //:     test: syscalls/priority_limits_are_the_policies
            __NR_sched_get_priority_max: [exact, answers, blind] (Flags(Set::Sched)) -> Int
                => process::priority_limit(99);
            __NR_sched_get_priority_min: [exact, answers, blind] (Flags(Set::Sched)) -> Int
                => process::priority_limit(1);
            //: sched_rr_get_interval: Asks the scheduler.
            __NR_sched_rr_get_interval: (Int, Out(Timespec)) -> Int;
            __NR_sched_setaffinity: (Int, Size, CpuSet(1)) -> Int;
            __NR_sched_getaffinity: (Int, Size, OutCpuSet(1)) -> Int;
            __NR_sched_setattr: (Int, Touched(4), Hex) -> Int;
            __NR_sched_getattr: (Int, TouchedBy(2), Uint, Hex) -> Int;
            //: getcpu: At `exact` the vDSO is asked. The scheduler moves the thread at any moment: the answer is that
            //:     of a moment within the call, as the kernel's.
            //:     test: syscalls/vdso_functions_agree_with_calls.pie emulation/clocks_run_forward_in_every_order
            __NR_getcpu: [exact, clock(Clock::Getcpu)] (Out(U32), Out(U32), Ptr) -> Int;
            //: getpriority setpriority ioprio_get ioprio_set: Priorities of processes, groups and users, which other
            //:     processes can change at any moment.
            __NR_getpriority: (Flags(Set::Priority), Int) -> Int;
            __NR_setpriority: (Flags(Set::Priority), Int, Int) -> Int;
            __NR_ioprio_get: (Flags(Set::IoprioWho), Int) -> Int;
            __NR_ioprio_set: (Flags(Set::IoprioWho), Int, Hex) -> Int;
            //: getrlimit: Another process can change the limits at any moment by prlimit.
            //:     test: emulation/descriptor_limit_is_the_programs_own
            __NR_getrlimit: (Flags(Set::Rlimit), Out(Rlimit)) -> Int;
            //: setrlimit prlimit64: Passed on. When the program may have more descriptors, those of bt-run move out of
            //:     the way.
            //:     test: emulation/descriptor_limit_is_the_programs_own emulation/descriptor_numbers_have_no_gaps
            __NR_setrlimit: (Flags(Set::Rlimit), In(Rlimit)) -> Int => descriptors::limit(0);
            __NR_prlimit64: (Int, Flags(Set::Rlimit), In(Rlimit), Out(Rlimit)) -> Int => descriptors::limit(1);
            //: getrusage: The kernel counts what was used.
            __NR_getrusage: [blind] (Flags(Set::RusageWho), Out(Rusage)) -> Int;

            //: getuid geteuid getgid getegid: Only the thread's own calls change them, and the runtime sees all of
            //:     these. Not answered while an id is 65534, which may represent one that the user namespace does not
            //:     map yet, and after a change of the user namespace.
            //:     test: emulation/identities_follow_changes patching/process_ids_are_answered
            __NR_getuid: [exact, value(Value::Uid), blind, int80(24)] () -> Int;
            __NR_geteuid: [exact, value(Value::Euid), blind] () -> Int;
            __NR_getgid: [exact, value(Value::Gid), blind, int80(47)] () -> Int;
            __NR_getegid: [exact, value(Value::Egid), blind] () -> Int;
            //: setuid setgid setreuid setregid setresuid setresgid: Passed on, then the thread's ids are asked anew.
            //:     Everything is handed back: what is known was asked with the rights of before.
            //:     test: emulation/identities_follow_changes
            __NR_setuid: {All} (Int) -> Int => identity::change;
            __NR_setgid: {All} (Int) -> Int => identity::change;
            __NR_setreuid: {All} (Int, Int) -> Int => identity::change;
            __NR_setregid: {All} (Int, Int) -> Int => identity::change;
            __NR_setresuid: {All} (Int, Int, Int) -> Int => identity::change;
            __NR_setresgid: {All} (Int, Int, Int) -> Int => identity::change;
            //: getresuid getresgid getgroups capget: Of a thread's credentials the process keeps only what getuid,
            //:     geteuid, getgid and getegid tell.
            //:     test: emulation/identities_follow_changes
            __NR_getresuid: (Out(U32), Out(U32), Out(U32)) -> Int;
            __NR_getresgid: (Out(U32), Out(U32), Out(U32)) -> Int;
            //: setfsuid setfsgid setgroups capset: Changes rights that the kernel checks. Everything is handed back,
            //:     as after setuid.
            __NR_setfsuid: {All} (Int) -> Int;
            __NR_setfsgid: {All} (Int) -> Int;
            __NR_getgroups: (Int, OutArray(U32, 0)) -> Int;
            __NR_setgroups: {All} (Int, InArray(U32, 0)) -> Int;
            __NR_capget: (Update(CapHeader), Out(CapData)) -> Int;
            __NR_capset: {All} (Update(CapHeader), In(CapData)) -> Int;
            //: landlock_create_ruleset landlock_add_rule: Makes rules that the kernel watches over.
            __NR_landlock_create_ruleset: (Ptr, Size, Hex) -> Int;
            __NR_landlock_add_rule: (Fd, Uint, Ptr, Hex) -> Int;
            //: landlock_restrict_self: The kernel watches over the rules from now on. Everything is handed back,
            //:     as after setuid. Before Linux 6.14, where the kernel cannot be asked
            //:     what it would execute, programs that are executed afterwards run natively.
            //:     test: sandbox/exec_is_refused_by_a_domain sandbox/exec_is_refused_without_a_question
            __NR_landlock_restrict_self: {All} (Fd, Hex) -> Int => permission::restrict;
            //: lsm_get_self_attr lsm_set_self_attr lsm_list_modules: Asks and sets what security modules keep.
            __NR_lsm_get_self_attr: (Uint, TouchedByPtr(2), Touched(4), Hex) -> Int;
            __NR_lsm_set_self_attr: {All} (Uint, Ptr, Uint, Hex) -> Int;
            __NR_lsm_list_modules: (TouchedByPtr(1), Touched(4), Hex) -> Int;
        ] $($rest)* }
    };
}
