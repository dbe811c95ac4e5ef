//! Arguments whose meaning depends on the value of another: `fcntl`, `ioctl`, `futex` and their kind.

use linux_raw_sys::general::*;
use linux_raw_sys::ioctl::*;
use linux_raw_sys::prctl::*;

use super::arg::Arg::{self, *};
use super::arg::Shape::*;
use super::arg::{MAX_ARGS, Ret, pad_args};
use super::sets::Set;
use super::switch::Cases;

/// What a [`Arg::Switch`] turns into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// The arguments from the switch on.
    pub(super) args: [Arg; MAX_ARGS],
    /// What the result is.
    pub(super) ret: Ret,
}

macro_rules! cases {
    ($($switch:ident on $key:literal & $mask:expr, {
        $($value:pat => ($($arg:expr),* $(,)?) -> $ret:ident $(($set:expr))?;)*
    })*) => {
        /// The arguments and the result that these values mean.
        #[allow(clippy::cast_possible_truncation, reason = "the kernel reads the deciding argument as 32 bits")]
        pub(super) fn choose(cases: Cases, args: &[u64; MAX_ARGS]) -> Case {
            match cases {
                $(Cases::$switch => match args.get($key).copied().unwrap_or(0) as u32 & $mask {
                    $($value => Case {
                        args: const { pad_args(&[$($arg),*]) },
                        ret: Ret::$ret $(($set))?,
                    }),*
                }),*
            }
        }
    };
}

const ALL: u32 = u32::MAX;
/// Flags of open(2) that make it look at the mode; `O_TMPFILE` without the bit of `O_DIRECTORY`.
const CREATES: u32 = O_CREAT | (O_TMPFILE & !O_DIRECTORY);
/// File types of mknod(2) that have a device number.
const S_IFMT: u32 = 0o170_000;
/// `IPC_64`, which the kernel ignores in 64-bit calls.
const WITHOUT_IPC_64: u32 = !0x100;

cases! {
    Open on 1 & CREATES, {
        0 => () -> Int;
        _ => (Mode) -> Int;
    }
    Openat on 2 & CREATES, {
        0 => () -> Int;
        _ => (Mode) -> Int;
    }
    MqOpen on 1 & O_CREAT, {
        0 => () -> Int;
        _ => (Mode, Ptr) -> Int;
    }
    Mknod on 1 & S_IFMT, {
        0o020_000 | 0o060_000 => (Dev) -> Int;
        _ => () -> Int;
    }
    Mknodat on 2 & S_IFMT, {
        0o020_000 | 0o060_000 => (Dev) -> Int;
        _ => () -> Int;
    }
    Mremap on 3 & (MREMAP_FIXED | MREMAP_DONTUNMAP), {
        0 => () -> Hex;
        _ => (Ptr) -> Hex;
    }
    Fcntl on 1 & ALL, {
        F_GETFD => () -> Flags(Set::FdFlags);
        F_SETFD => (Flags(Set::FdFlags)) -> Int;
        F_GETFL => () -> Flags(Set::Open);
        F_SETFL => (Flags(Set::Open)) -> Int;
        F_DUPFD | F_DUPFD_CLOEXEC | F_NOTIFY | F_SETOWN | F_SETPIPE_SZ | F_DUPFD_QUERY => (Int) -> Int;
        F_SETSIG => (Signal) -> Int;
        F_GETSIG => () -> Signal;
        F_GETOWN | F_GETPIPE_SZ | F_CREATED_QUERY => () -> Int;
        F_GETLK | F_OFD_GETLK => (Out(Flock)) -> Int;
        F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW | F_CANCELLK => (In(Flock)) -> Int;
        F_GETOWN_EX => (Out(Owner)) -> Int;
        F_SETOWN_EX => (In(Owner)) -> Int;
        F_GETOWNER_UIDS => (Out(IntPair)) -> Int;
        F_GET_RW_HINT | F_GET_FILE_RW_HINT => (Out(U64)) -> Int;
        F_SET_RW_HINT | F_SET_FILE_RW_HINT => (In(U64)) -> Int;
        F_SETLEASE => (Flags(Set::LockType)) -> Int;
        F_GETLEASE => () -> Bits(Set::LockType);
        F_ADD_SEALS => (Flags(Set::Seals)) -> Int;
        F_GET_SEALS => () -> Flags(Set::Seals);
        _ => (Hex) -> Int;
    }
    Ioctl on 1 & ALL, {
        TCGETS => (Out(Termios)) -> Int;
        TCSETS | TCSETSW | TCSETSF => (In(Termios)) -> Int;
        TIOCGWINSZ => (Out(Winsize)) -> Int;
        TIOCSWINSZ => (In(Winsize)) -> Int;
        FIONREAD | TIOCOUTQ | TIOCGPGRP | TIOCGSID | TIOCGETD | TIOCMGET | SIOCATMARK => (Out(I32)) -> Int;
        FIONBIO | FIOASYNC | TIOCSPGRP | TIOCSETD | TIOCMSET | TIOCSPTLCK | TIOCPKT => (In(I32)) -> Int;
        TIOCGPTN => (Out(U32)) -> Int;
        BLKGETSIZE64 => (Out(U64)) -> Int;
        TIOCSCTTY | TCSBRK | TCSBRKP | TCXONC | TCFLSH | TIOCGPTPEER => (Int) -> Int;
        FIOCLEX | FIONCLEX | TIOCNOTTY | TIOCEXCL | TIOCNXCL | TIOCVHANGUP => () -> Int;
        _ => (IoctlArg(1)) -> Int;
    }
    Futex on 1 & (!(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)), {
        FUTEX_WAIT => (Ptr, Flags(Set::Futex), Uint, In(Timespec)) -> Int;
        FUTEX_WAKE | FUTEX_FD => (Ptr, Flags(Set::Futex), Uint) -> Int;
        FUTEX_REQUEUE => (Ptr, Flags(Set::Futex), Uint, Uint, Ptr) -> Int;
        FUTEX_CMP_REQUEUE => (Ptr, Flags(Set::Futex), Uint, Uint, Ptr, Uint) -> Int;
        FUTEX_CMP_REQUEUE_PI => (Ptr, Flags(Set::Futex), Uint, Uint, Touched(4), Uint) -> Int;
        FUTEX_WAKE_OP => (Ptr, Flags(Set::Futex), Uint, Uint, Touched(4), FutexOp) -> Int;
        FUTEX_WAIT_BITSET =>
            (Ptr, Flags(Set::Futex), Uint, In(Timespec), Ignored, Flags(Set::FutexBits)) -> Int;
        FUTEX_WAKE_BITSET => (Ptr, Flags(Set::Futex), Uint, Ignored, Ignored, Flags(Set::FutexBits)) -> Int;
        FUTEX_WAIT_REQUEUE_PI => (Ptr, Flags(Set::Futex), Uint, In(Timespec), Touched(4)) -> Int;
        FUTEX_LOCK_PI | FUTEX_LOCK_PI2 => (Touched(4), Flags(Set::Futex), Ignored, In(Timespec)) -> Int;
        FUTEX_UNLOCK_PI | FUTEX_TRYLOCK_PI => (Touched(4), Flags(Set::Futex)) -> Int;
        _ => (Touched(4), Flags(Set::Futex), Uint, Hex, Hex, Hex) -> Int;
    }
    EpollCtl on 1 & ALL, {
        EPOLL_CTL_DEL => (Ptr) -> Int;
        _ => (In(EpollEvent)) -> Int;
    }
    Kcmp on 2 & ALL, {
        0 => (Fd, Fd) -> Int;
        7 => (Fd, Ptr) -> Int;
        _ => () -> Int;
    }
    Membarrier on 0 & ALL, {
        0 | 0x200 => (Hex) -> Bits(Set::MembarrierBits);
        0x80 => (Hex, Int) -> Int;
        _ => (Hex) -> Int;
    }
    Personality on 0 & ALL, {
        u32::MAX => (Hex) -> Bits(Set::Personality);
        _ => (Flags(Set::Personality)) -> Bits(Set::Personality);
    }
    Mount on 3 & (MS_REMOUNT | MS_BIND | MS_MOVE | MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE), {
        0 => (Path, Flags(Set::Mount), Path) -> Int;
        MS_REMOUNT => (Ptr, Flags(Set::Mount), Path) -> Int;
        _ => (Ptr, Flags(Set::Mount), Ptr) -> Int;
    }
    ArchPrctl on 0 & ALL, {
        ARCH_SET_FS | 0x1001 => (Ptr) -> Int;
        0x1003 | 0x1004 | 0x1021 | 0x1022 | 0x1024 | 0x4001 | 0x4003 | 0x5005 => (Out(Address)) -> Int;
        0x1011 => () -> Int;
        _ => (Hex) -> Int;
    }
    Prctl on 0 & ALL, {
        PR_SET_PDEATHSIG => (Signal) -> Int;
        PR_GET_PDEATHSIG | PR_GET_UNALIGN | PR_GET_FPEMU | PR_GET_FPEXC | PR_GET_ENDIAN | PR_GET_TSC
            | PR_GET_CHILD_SUBREAPER => (Out(I32)) -> Int;
        PR_SET_NAME => (Path) -> Int;
        PR_GET_NAME => (Out(Comm)) -> Int;
        PR_GET_TID_ADDRESS => (Out(Address)) -> Int;
        PR_GET_DUMPABLE => () -> Name(Set::Dumpable);
        PR_GET_KEEPCAPS | PR_GET_TIMING | PR_GET_SECCOMP | PR_GET_SECUREBITS | PR_GET_TIMERSLACK
            | PR_TASK_PERF_EVENTS_DISABLE | PR_TASK_PERF_EVENTS_ENABLE => () -> Int;
        PR_SET_DUMPABLE => (Flags(Set::Dumpable)) -> Int;
        PR_CAPBSET_READ | PR_CAPBSET_DROP => (Flags(Set::Capability)) -> Int;
        PR_SET_KEEPCAPS | PR_SET_CHILD_SUBREAPER => (Int) -> Int;
        PR_SET_NO_NEW_PRIVS | PR_GET_NO_NEW_PRIVS => (Int, Int, Int, Int) -> Int;
        PR_SET_MM => (Flags(Set::PrctlMm), Touched(4), Size, Hex) -> Int;
        PR_GET_AUXV => (TouchedBy(2), Size, Hex, Hex) -> Int;
        PR_SCHED_CORE => (Uint, Int, Uint, Touched(8)) -> Int;
        PR_SET_VMA => (Flags(Set::PrctlVma), Ptr, Size, Path) -> Int;
        _ => (Hex, Hex, Hex, Hex) -> Int;
    }
    Seccomp on 0 & ALL, {
        1 => (Flags(Set::SeccompFlags), Ptr) -> Int;
        3 => (Hex, Touched(6)) -> Int;
        _ => (Hex, Ptr) -> Int;
    }
    ModifyLdt on 0 & ALL, {
        0 | 2 => (TouchedBy(2), Size) -> Int;
        _ => (Ptr, Size) -> Int;
    }
    Ptrace on 0 & ALL, {
        0 => () -> Int;
        1..=3 => (Ptr, Out(Address)) -> Int;
        12 => (Ignored, Touched(216)) -> Int;
        14 => (Ignored, Touched(512)) -> Int;
        25 => (Int, Touched(16)) -> Int;
        30 => (Touched(8), Flags(Set::ArchPrctl)) -> Int;
        0x4201 => (Ignored, Out(U64)) -> Int;
        0x4202 => (Ignored, Out(Siginfo)) -> Int;
        0x4204 => (Hex, RegisterSet) -> Int;
        0x4209 => (Ptr, Touched(16 * 1024)) -> Int;
        0x420a => (Size, Out(Sigset)) -> Int;
        0x420c => (Hex, Touched(32 * 1024)) -> Int;
        0x420d..=0x420f => (Size, TouchedBy(2)) -> Int;
        _ => (Hex, Hex) -> Int;
    }
    IoUringRegister on 1 & ALL, {
        8 => (Touched(16 + 256 * 8), Uint) -> Int;
        20 => (TouchedArray(16, 3), Uint) -> Int;
        _ => (Touched(512), Uint) -> Int;
    }
    Shmctl on 1 & WITHOUT_IPC_64, {
        2 | 13 | 15 => (Touched(112)) -> Int;
        3 => (Touched(72)) -> Int;
        14 => (Touched(48)) -> Int;
        _ => (Ptr) -> Int;
    }
    Semctl on 2 & WITHOUT_IPC_64, {
        2 | 18 | 20 => (Touched(104)) -> Int;
        3 | 19 => (Touched(40)) -> Int;
        13 => (Touched(64_000)) -> Int;
        0 => (Ptr) -> Int;
        _ => (Hex) -> Int;
    }
    Msgctl on 1 & WITHOUT_IPC_64, {
        2 | 11 | 13 => (Touched(120)) -> Int;
        3 | 12 => (Touched(32)) -> Int;
        _ => (Ptr) -> Int;
    }
    Sysfs on 0 & ALL, {
        1 => (Path) -> Int;
        2 => (Uint, Touched(256)) -> Int;
        _ => () -> Int;
    }
    Syslog on 0 & ALL, {
        2..=4 => (OutBytes(2), Int) -> Int;
        _ => (Ptr, Int) -> Int;
    }
    Quotactl on 0 & 0xffff_ff00, {
        0x8000_0400 | 0x8000_0500 | 0x8000_0700 | 0x8000_0900 | 0x0058_0300 | 0x0058_0500 | 0x0058_0800
            | 0x0058_0900 => (Uint, Touched(256)) -> Int;
        _ => (Uint, Ptr) -> Int;
    }
    QuotactlFd on 1 & 0xffff_ff00, {
        0x8000_0400 | 0x8000_0500 | 0x8000_0700 | 0x8000_0900 | 0x0058_0300 | 0x0058_0500 | 0x0058_0800
            | 0x0058_0900 => (Uint, Touched(256)) -> Int;
        _ => (Uint, Ptr) -> Int;
    }
    Keyctl on 0 & ALL, {
        6 | 11 | 17 => (Int, TouchedBy(3), Size) -> Int;
        23 => (Ptr, TouchedBy(3), Size, Ptr) -> Int;
        24 => (Int, Hex, Ptr, Touched(56)) -> Int;
        25..=27 => (Ptr, Ptr, Ptr, Touched(4096)) -> Int;
        31 => (TouchedBy(2), Size) -> Int;
        _ => (Hex, Hex, Hex, Hex) -> Int;
    }
}
