//! Signals.

macro_rules! signal_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_rt_sigaction: [blind] (Signal, In(Sigaction), Out(Sigaction), Size) -> Int => signals::sigaction;
            __NR_rt_sigprocmask: [asks(Filter::Mask), blind] (Flags(Set::SigHow), In(Sigset), Out(Sigset), Size) -> Int
                => signals::sigprocmask;
            __NR_rt_sigreturn: [blind, leaves] () -> Int => signals::sigreturn;
            __NR_rt_sigsuspend: (In(Sigset), Size) -> Int => signals::with_mask(0, 1);
            __NR_rt_sigpending: (Out(Sigset), Size) -> Int => signals::sigpending;
            __NR_rt_sigtimedwait: (In(Sigset), Out(Siginfo), In(Timespec), Size) -> Signal;
            __NR_sigaltstack: [blind] (In(AltStack), Out(AltStack)) -> Int => signals::sigaltstack;
            __NR_signalfd: (Fd, In(Sigset), Size) -> Int;
            __NR_signalfd4: (Fd, In(Sigset), Size, Flags(Set::Signalfd)) -> Int;
            __NR_kill: [blind, int80(37)] (Int, Signal) -> Int;
            __NR_tkill: (Int, Signal) -> Int;
            __NR_tgkill: [blind] (Int, Int, Signal) -> Int;
            __NR_rt_sigqueueinfo: (Int, Signal, In(Siginfo)) -> Int;
            __NR_rt_tgsigqueueinfo: (Int, Int, Signal, In(Siginfo)) -> Int;
            __NR_pidfd_send_signal: (Fd, Signal, In(Siginfo), Hex) -> Int;
            __NR_pause: () -> Int;
            __NR_restart_syscall: () -> Int;
        ] $($rest)* }
    };
}
