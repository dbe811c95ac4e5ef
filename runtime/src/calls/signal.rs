//! Signals.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Ret, Row, Set, rows};

rows! {
    __NR_rt_sigaction: Rewritten (Signal, In(Sigaction), Out(Sigaction), Size) -> Int;
    __NR_rt_sigprocmask: Rewritten (Flags(Set::SigHow), In(Sigset), Out(Sigset), Size) -> Int;
    __NR_rt_sigreturn: Rewritten () -> Int;
    __NR_rt_sigsuspend: Rewritten (In(Sigset), Size) -> Int;
    __NR_rt_sigpending: Rewritten (Out(Sigset), Size) -> Int;
    __NR_rt_sigtimedwait: Passthrough (In(Sigset), Out(Siginfo), In(Timespec), Size) -> Signal;
    __NR_sigaltstack: Rewritten (In(AltStack), Out(AltStack)) -> Int;
    __NR_signalfd: Passthrough (Fd, In(Sigset), Size) -> Int;
    __NR_signalfd4: Passthrough (Fd, In(Sigset), Size, Flags(Set::Signalfd)) -> Int;
    __NR_kill: Passthrough (Int, Signal) -> Int;
    __NR_tkill: Passthrough (Int, Signal) -> Int;
    __NR_tgkill: Passthrough (Int, Int, Signal) -> Int;
    __NR_rt_sigqueueinfo: Passthrough (Int, Signal, In(Siginfo)) -> Int;
    __NR_rt_tgsigqueueinfo: Passthrough (Int, Int, Signal, In(Siginfo)) -> Int;
    __NR_pidfd_send_signal: Passthrough (Fd, Signal, In(Siginfo), Hex) -> Int;
    __NR_pause: Passthrough () -> Int;
    __NR_restart_syscall: Passthrough () -> Int;
}
