//! Signals and time.

macro_rules! time_sets {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            /// rt_sigprocmask(2)
            SigHow "SIG_???" [SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK] mask ALL, [];
            /// rt_sigaction(2), sa_flags
            SigactionFlags "SA_???" [] mask NONE,
                [SA_RESTORER, SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_RESETHAND, SA_SIGINFO,
                 SA_UNSUPPORTED, SA_EXPOSE_TAGBITS];
            /// sigaltstack(2)
            AltStack "SS_???" [SS_ONSTACK = 1, SS_DISABLE = 2] mask 0x7fff_ffff, [SS_AUTODISARM = 0x8000_0000u32];
            /// sigevent, sigev_notify
            Sigevent "SIGEV_???" [SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID] mask ALL, [];
            /// siginfo, si_code of any signal
            SiCode "SI_???"
                [SI_USER, SI_KERNEL, SI_QUEUE = 0xffff_ffffu32, SI_TIMER = 0xffff_fffeu32, SI_MESGQ = 0xffff_fffdu32,
                 SI_ASYNCIO = 0xffff_fffcu32, SI_SIGIO = 0xffff_fffbu32, SI_TKILL = 0xffff_fffau32] mask ALL, [];
            /// siginfo, si_code of SIGCHLD
            CldCode "CLD_???" [CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED] mask ALL,
                 [];
            /// siginfo, si_code of SIGSEGV
            SegvCode "SEGV_???" [SEGV_MAPERR = 1, SEGV_ACCERR = 2, SEGV_BNDERR = 3, SEGV_PKUERR = 4] mask ALL, [];

            /// clock_gettime(2)
            Clock "CLOCK_???"
                [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                 CLOCK_MONOTONIC_RAW,
                 CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM,
                 CLOCK_BOOTTIME_ALARM,
                 CLOCK_SGI_CYCLE, CLOCK_TAI] mask ALL, [];
            /// clock_nanosleep(2), timer_settime(2)
            TimerFlags "TIMER_???" [] mask NONE, [TIMER_ABSTIME];
            /// getitimer(2)
            Itimer "ITIMER_???" [ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF] mask ALL, [];
        ] $($rest)* }
    };
}
