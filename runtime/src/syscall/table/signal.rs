//! Signals.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Ret, Row, Set, Treatment, rows};

rows! {
    __NR_rt_sigaction: Owned (Signal, In(Sigaction), Out(Sigaction), Size) -> Int;
    __NR_rt_sigprocmask: Owned (Flags(Set::SigHow), In(Sigset), Out(Sigset), Size) -> Int;
    __NR_rt_sigreturn: Owned () -> Int;
    __NR_rt_sigsuspend: Owned (In(Sigset), Size) -> Int;
    __NR_rt_sigpending: Owned (Out(Sigset), Size) -> Int;
    __NR_rt_sigtimedwait: Owned (In(Sigset), Out(Siginfo), In(Timespec), Size) -> Signal;
    __NR_sigaltstack: Owned (In(AltStack), Out(AltStack)) -> Int;
    __NR_signalfd: Owned (Fd, In(Sigset), Size) -> Int;
    __NR_signalfd4: Owned (Fd, In(Sigset), Size, Flags(Set::Signalfd)) -> Int;
    __NR_kill: Passthrough (Int, Signal) -> Int;
    __NR_tkill: Passthrough (Int, Signal) -> Int;
    __NR_tgkill: Passthrough (Int, Int, Signal) -> Int;
    __NR_rt_sigqueueinfo: Passthrough (Int, Signal, In(Siginfo)) -> Int;
    __NR_rt_tgsigqueueinfo: Passthrough (Int, Int, Signal, In(Siginfo)) -> Int;
    __NR_pidfd_send_signal: Passthrough (Fd, Signal, In(Siginfo), Hex) -> Int;
    __NR_pause: Passthrough () -> Int;
    __NR_restart_syscall: Passthrough () -> Int;
}
