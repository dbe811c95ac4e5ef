//! The words in which a system call's arguments are described.

use super::sets::Set;
use super::switch::Cases;

/// How many arguments a system call has at most.
pub const MAX_ARGS: usize = 6;

/// What one argument is. A number in a variant is the index of another argument of the same call.
///
/// Variants that begin with `Out` are known only after the call: a traced line stops before the first
/// of them and goes on with the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// There is no such argument, nor any after it.
    End,
    /// Takes a place but is not looked at.
    Ignored,
    /// A signed 32-bit number.
    Int,
    /// An unsigned 32-bit number.
    Uint,
    /// A signed 64-bit number.
    Long,
    /// An unsigned 64-bit number.
    Size,
    /// A number best read in hexadecimal.
    Hex,
    /// Permission bits.
    Mode,
    /// Permission bits with a file type.
    FileMode,
    /// A device number.
    Dev,
    /// A file descriptor.
    Fd,
    /// The directory that a path is relative to, or `AT_FDCWD`.
    DirFd,
    /// A signal number.
    Signal,
    /// An address that is shown as such.
    Ptr,
    /// Flags or an enumeration.
    Flags(Set),
    /// Flags above the nine permission bits.
    FlagsMode(Set),
    /// `FUTEX_OP_*` packed in one word.
    FutexOp,
    /// A NUL-terminated string, shown as a whole.
    Path,
    /// A NULL-terminated array of strings, shown as such.
    Argv,
    /// A NULL-terminated array of strings, shown as their number.
    Envp,
    /// Points to one item that the kernel reads.
    In(Shape),
    /// Points to one item that the kernel fills in.
    Out(Shape),
    /// Points to one item that is shown as it is at entry and that the kernel also writes.
    Update(Shape),
    /// Points to one item that is shown as it is before and after.
    Change(Shape),
    /// As many items as argument `.1` says.
    InArray(Shape, u8),
    /// As many items as argument `.1` says, filled in by the kernel; with a result, that many are.
    OutArray(Shape, u8),
    /// As [`Arg::Update`], as many items as argument `.1` says.
    UpdateArray(Shape, u8),
    /// Bytes that the kernel reads.
    Bytes(u8),
    /// Bytes that the kernel fills in, as many as the result says.
    OutBytes(u8),
    /// A NUL-terminated string that the kernel fills in, in room for as many bytes as argument `.0` says.
    OutPath(u8),
    /// As [`Arg::OutBytes`], shown in hexadecimal.
    OutHexBytes(u8),
    /// A message of msgsnd(2): 8 bytes of type and then as many bytes as argument `.0` says.
    Message(u8),
    /// Shown as an address at entry; the kernel writes this many bytes there.
    Touched(u16),
    /// Shown as an address at entry; the kernel writes as many bytes as argument `.0` says.
    TouchedBy(u8),
    /// Shown as an address; the kernel writes as many bytes as the 32-bit word says to which argument `.0` points.
    TouchedByPtr(u8),
    /// An array of `.0`-byte records shown as an address, whose number argument `.1` says.
    TouchedArray(u16, u8),
    /// A message of msgrcv(2), laid out as [`Arg::Message`].
    OutMessage(u8),
    /// Directory entries of getdents(2).
    OutDirents(u8),
    /// Directory entries of getdents64(2).
    OutDirents64(u8),
    /// An iovec array whose buffers the kernel reads.
    Iov(u8),
    /// An iovec array whose buffers the kernel fills in.
    OutIov(u8),
    /// An iovec array of addresses in another process.
    RemoteIov(u8),
    /// As [`Arg::RemoteIov`], written by the kernel.
    RemoteOutIov(u8),
    /// An iovec array that is shown as input and may be filled in all the same: vmsplice(2) of a pipe's read end.
    EitherIov(u8),
    /// A socket address of the length in argument `.0`.
    Sockaddr(u8),
    /// A socket address to fill in; argument `.0` points to its length.
    OutSockaddr(u8),
    /// Points to the 32-bit length of the argument before; the kernel replaces it.
    OutLength,
    /// The protocol of socket(2), whose domain is argument `.0`.
    Protocol(u8),
    /// A socket option, whose level is argument `.0`.
    SockOption(u8),
    /// A socket option's value of the length in argument `.0`.
    OptionValue(u8),
    /// A socket option's value to fill in; argument `.0` points to its length.
    OutOptionValue(u8),
    /// One msghdr whose buffers the kernel reads.
    Msg,
    /// One msghdr whose buffers the kernel fills in.
    OutMsg,
    /// As many mmsghdr as argument `.0` says, whose buffers the kernel reads.
    Mmsg(u8),
    /// As many mmsghdr as argument `.0` says, whose buffers the kernel fills in.
    OutMmsg(u8),
    /// A set of file descriptors below argument `.0`, replaced by the ready ones.
    FdSet(u8),
    /// The signal mask of pselect6(2): an address and a size.
    MaskAndSize,
    /// A set of processors of the length in argument `.0`.
    CpuSet(u8),
    /// A set of processors to fill in, of as many bytes as the result says.
    OutCpuSet(u8),
    /// A set of memory nodes to fill in, of as many bits as argument `.0` says.
    TouchedNodes(u8),
    /// A byte for each page of the length in argument `.0`, filled in by the kernel.
    OutPages(u8),
    /// The time that was left, filled in when a signal ended the call.
    OutRemaining,
    /// All of clone(2): its arguments are shown in another order.
    Clone,
    /// clone3(2)'s structure of the size in argument `.0`.
    CloneArgs(u8),
    /// io_submit(2)'s array of pointers to requests, whose number argument `.0` says.
    Iocbs(u8),
    /// bpf(2)'s attributes of the size in argument `.0`.
    BpfAttr(u8),
    /// An ioctl argument of which only the request number tells anything.
    IoctlArg(u8),
    /// An `iovec` that says where the kernel puts a register set.
    RegisterSet,
    /// getxattrat(2)'s structure, which says where the kernel puts the value.
    XattrArgs,
    /// A file handle, whose first word says how much fits.
    FileHandle,
    /// This and what follows depends on another argument.
    Switch(Cases),
}

impl Arg {
    /// Whether the argument is shown only after the call.
    pub(crate) fn is_known_after(self) -> bool {
        matches!(
            self,
            Arg::Out(_)
                | Arg::Change(_)
                | Arg::Clone
                | Arg::CloneArgs(_)
                | Arg::OutArray(..)
                | Arg::OutBytes(_)
                | Arg::OutMessage(_)
                | Arg::OutPath(_)
                | Arg::OutHexBytes(_)
                | Arg::OutPages(_)
                | Arg::OutDirents(_)
                | Arg::OutDirents64(_)
                | Arg::OutIov(_)
                | Arg::OutSockaddr(_)
                | Arg::OutLength
                | Arg::OutOptionValue(_)
                | Arg::OutMsg
                | Arg::Mmsg(_)
                | Arg::OutMmsg(_)
                | Arg::OutCpuSet(_)
                | Arg::OutRemaining
        )
    }

    /// Whether the argument is shown both before the call and after it.
    pub(crate) fn is_shown_twice(self) -> bool {
        matches!(self, Arg::Change(_) | Arg::Clone | Arg::CloneArgs(_))
    }
}

/// An item in guest memory of a known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `int`
    I32,
    /// `unsigned int`
    U32,
    /// `long`, `loff_t`
    I64,
    /// `unsigned long`
    U64,
    /// An address
    Address,
    /// `int[2]`
    IntPair,
    /// wait4(2)'s status
    WaitStatus,
    /// `struct timespec`
    Timespec,
    /// `struct timespec[2]` of utimensat(2)
    FileTimes,
    /// `struct timeval`
    Timeval,
    /// `struct timeval[2]`
    TimevalPair,
    /// `struct timezone`
    Timezone,
    /// `struct itimerval`
    Itimerval,
    /// `struct itimerspec`
    Itimerspec,
    /// `struct utimbuf`
    Utimbuf,
    /// `struct tms`
    Tms,
    /// `struct timex`
    Timex,
    /// `time_t`
    Time,
    /// `struct stat`
    Stat,
    /// `struct statfs`
    Statfs,
    /// `struct statx`
    Statx,
    /// `struct rusage`
    Rusage,
    /// `struct rlimit`
    Rlimit,
    /// The kernel's `sigset_t` of 8 bytes
    Sigset,
    /// The kernel's `struct sigaction`
    Sigaction,
    /// `siginfo_t`
    Siginfo,
    /// `struct sigevent`
    Sigevent,
    /// `stack_t`
    AltStack,
    /// `struct flock`
    Flock,
    /// `struct f_owner_ex`
    Owner,
    /// `struct pollfd`
    Pollfd,
    /// `struct epoll_event`
    EpollEvent,
    /// `struct new_utsname`
    Utsname,
    /// `struct sysinfo`
    Sysinfo,
    /// `struct sched_param`
    SchedParam,
    /// `struct __user_cap_header_struct`
    CapHeader,
    /// `struct __user_cap_data_struct[2]`
    CapData,
    /// `struct open_how`
    OpenHow,
    /// `struct termios`
    Termios,
    /// `struct winsize`
    Winsize,
    /// `struct sembuf`
    Sembuf,
    /// A thread's name
    Comm,
}

impl Shape {
    /// How many bytes the kernel reads or writes.
    pub const fn size_bytes(self) -> u64 {
        use core::mem::size_of;
        use linux_raw_sys::general;
        let size = match self {
            Shape::I32 | Shape::U32 | Shape::WaitStatus | Shape::SchedParam => 4,
            Shape::I64 | Shape::U64 | Shape::Address | Shape::Time | Shape::Sigset => 8,
            Shape::IntPair | Shape::Timezone | Shape::Owner | Shape::CapHeader | Shape::Pollfd => 8,
            Shape::Timespec | Shape::Timeval | Shape::Utimbuf | Shape::Comm => 16,
            Shape::FileTimes | Shape::TimevalPair | Shape::Itimerval | Shape::Itimerspec => 32,
            Shape::Tms => 32,
            Shape::Timex => 208,
            Shape::Stat => size_of::<general::stat>(),
            Shape::Statfs => size_of::<general::statfs64>(),
            Shape::Statx => size_of::<general::statx>(),
            Shape::Rusage => size_of::<general::rusage>(),
            Shape::Rlimit => size_of::<general::rlimit64>(),
            Shape::Sigaction => size_of::<general::kernel_sigaction>(),
            Shape::Siginfo => size_of::<general::siginfo>(),
            Shape::Sigevent => 64,
            Shape::AltStack => size_of::<general::sigaltstack>(),
            Shape::Flock => size_of::<general::flock>(),
            Shape::EpollEvent => size_of::<general::epoll_event>(),
            Shape::Utsname => 6 * 65,
            Shape::Sysinfo => 112,
            Shape::CapData => 24,
            Shape::OpenHow => size_of::<general::open_how>(),
            Shape::Termios => size_of::<general::termios>(),
            Shape::Winsize => size_of::<general::winsize>(),
            Shape::Sembuf => 6,
        };
        size as u64
    }
}

/// How a result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    /// A signed number.
    Int,
    /// An address or a set of bits.
    Hex,
    /// Permission bits.
    Octal,
    /// Bits with their names.
    Flags(Set),
    /// A number with its name.
    Name(Set),
    /// Bits with the names that are in them, also when there are none.
    Bits(Set),
    /// A signal number.
    Signal,
    /// Seconds since the epoch.
    Time,
    /// A number of ready descriptors of the array in argument 0.
    Poll,
    /// A number of ready descriptors of the sets in arguments 1 to 3, and the time left in argument 4.
    Select(Shape),
    /// The call does not come back.
    Never,
}

/// The list with [`Arg::End`] up to the greatest length.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
pub(super) const fn pad_args(args: &[Arg]) -> [Arg; MAX_ARGS] {
    let mut padded = [Arg::End; MAX_ARGS];
    let mut at = 0;
    while at < args.len() {
        padded[at] = args[at];
        at += 1;
    }
    padded
}
