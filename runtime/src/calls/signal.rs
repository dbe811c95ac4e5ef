//! Signals.

macro_rules! signal_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: rt_sigaction: The runtime keeps the program's actions and gives the kernel a handler of its own where
            //:     the program has one, and always for the five faults. So a handler of the program's always finds the
            //:     program's own registers.
            //:     test: signals/sigaction_returns_what_was_set signals/masks_hold_signals_back
            __NR_rt_sigaction: [blind] (Signal, In(Sigaction), Out(Sigaction), Size) -> Int => signals::sigaction;
            //: rt_sigprocmask: The kernel's mask is the program's, without SIGSEGV and SIGBUS (with `--strict` also
            //:     SIGSYS), which the runtime needs at any time; these bits are kept in the process.
            //:     test: signals/masks_hold_signals_back emulation/masks_change_in_loops
            //:         syscalls/looks_at_arguments_change_nothing
            __NR_rt_sigprocmask: [asks(Filter::Mask), blind] (Flags(Set::SigHow), In(Sigset), Out(Sigset), Size) -> Int
                => signals::sigprocmask;
            //: rt_sigreturn: The runtime built the frame, so it reads it back: registers, vector state, mask.
            //:     test: signals/handlers_change_the_context signals/wide_vectors_are_in_the_frame
            __NR_rt_sigreturn: [blind, leaves] () -> Int => signals::sigreturn;
            //: rt_sigsuspend: Signals that the mask lets in are taken under it. The kernel waits.
            //:     test: signals/suspended_programs_wake_without_loss
            __NR_rt_sigsuspend: [sees_pending] (In(Sigset), Size) -> Int => signals::with_mask(0, 1);
            //: rt_sigpending: The kernel's answer; it is told first what the runtime holds for the program.
            //:     test: emulation/masks_change_in_loops signals/blocked_faults_are_pending
            __NR_rt_sigpending: [sees_pending] (Out(Sigset), Size) -> Int;
            //: rt_sigtimedwait: The kernel queues signals; one that the runtime needs is really blocked meanwhile.
            //:     test: signals/suspended_programs_wake_without_loss signals/blocked_faults_are_pending
            __NR_rt_sigtimedwait: [sees_pending] (In(Sigset), Out(Siginfo), In(Timespec), Size) -> Signal => signals::sigtimedwait;
            //: sigaltstack: The kernel has the runtime's signal stack; the program's is a value that the runtime keeps
            //:     and uses when it enters a handler.
            //:     test: signals/alternate_stack_is_used emulation/masks_change_in_loops
            __NR_sigaltstack: [blind] (In(AltStack), Out(AltStack)) -> Int => signals::sigaltstack;
            //: signalfd signalfd4: The kernel queues signals.
            //:     test: signals/suspended_programs_wake_without_loss signals/waiting_reads_take_pending_faults
            __NR_signalfd: [makes] (Fd, In(Sigset), Size) -> Int;
            __NR_signalfd4: [makes] (Fd, In(Sigset), Size, Flags(Set::Signalfd)) -> Int;
            //: kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal: The kernel checks the right and
            //:     queues the signal; one to the process itself is delivered as all others.
            //:     test: signals/every_signal_is_delivered_with_its_siginfo signals/queued_codes_are_the_programs_own
            //:         threads/process_signals_go_to_the_next_thread threads/fault_signals_storm_at_changing_masks
            __NR_kill: [blind, int80(37)] (Int, Signal) -> Int;
            __NR_tkill: (Int, Signal) -> Int;
            __NR_tgkill: [blind] (Int, Int, Signal) -> Int;
            __NR_rt_sigqueueinfo: (Int, Signal, In(Siginfo)) -> Int;
            __NR_rt_tgsigqueueinfo: (Int, Int, Signal, In(Siginfo)) -> Int;
            __NR_pidfd_send_signal: (Fd, Signal, In(Siginfo), Hex) -> Int;
            //: pause: Waits for a signal.
            __NR_pause: () -> Int;
            //: restart_syscall: The kernel's own way to go on with an interrupted call.
            __NR_restart_syscall: () -> Int;
        ] $($rest)* }
    };
}
