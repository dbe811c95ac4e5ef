//! Where the ranges that the kernel writes are gathered, and which kinds of arguments it writes at all.

use super::arg::{Arg, MAX_ARGS};
use super::guest::{GuestMemory, read_u32};
use super::row::Row;

/// The most that one read or write moves: `MAX_RW_COUNT` in linux/fs.h.
pub(super) const RW_BYTES_MAX: u64 = 0x7fff_f000;
/// The longest iovec or mmsghdr array: `UIO_MAXIOV`.
pub(super) const IOV_MAX: u64 = 1024;

/// Where ranges go, with what is needed to find them.
pub(super) struct Writes<'a> {
    pub(super) mem: &'a dyn GuestMemory,
    pub(super) args: &'a [u64; MAX_ARGS],
    pub(super) f: &'a mut dyn FnMut(u64, u64),
}

impl Writes<'_> {
    /// Notes a range, unless it is empty or at the null pointer.
    pub(super) fn range(&mut self, addr: u64, len_bytes: u64) {
        let len_bytes = len_bytes.min(RW_BYTES_MAX).min(u64::MAX - addr);
        if addr != 0 && len_bytes != 0 {
            (self.f)(addr, len_bytes);
        }
    }

    /// An argument of the same call.
    pub(super) fn arg(&self, index: u8) -> u64 {
        self.args.get(usize::from(index)).copied().unwrap_or(0)
    }

    /// An argument that the kernel reads as 32 bits.
    pub(super) fn arg_u32(&self, index: u8) -> u64 {
        self.arg(index) & 0xffff_ffff
    }

    /// The 32-bit word that an argument points to.
    pub(super) fn length_behind(&self, index: u8) -> u64 {
        read_u32(self.mem, self.arg(index)).map_or(0, u64::from)
    }
}

/// Whether the kernel may write guest memory for the call of this row.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
pub(super) const fn may_write_row(row: &Row) -> bool {
    let mut at = 0;
    while at < MAX_ARGS {
        if matches!(row.args[at], Arg::Switch(_)) || writes_memory(row.args[at]) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether an argument of this kind is written by the kernel.
pub(super) const fn writes_memory(arg: Arg) -> bool {
    let never = matches!(
        arg,
        Arg::End
            | Arg::Ignored
            | Arg::Int
            | Arg::Uint
            | Arg::Long
            | Arg::Size
            | Arg::Hex
            | Arg::Mode
            | Arg::FileMode
            | Arg::Dev
            | Arg::Fd
            | Arg::DirFd
            | Arg::Signal
            | Arg::Ptr
            | Arg::Flags(_)
            | Arg::FlagsMode(_)
            | Arg::FutexOp
            | Arg::Path
            | Arg::Argv
            | Arg::Envp
            | Arg::In(_)
            | Arg::InArray(..)
            | Arg::Bytes(_)
            | Arg::Message(_)
            | Arg::Iov(_)
            | Arg::RemoteIov(_)
            | Arg::Sockaddr(_)
            | Arg::Protocol(_)
            | Arg::SockOption(_)
            | Arg::OptionValue(_)
            | Arg::Msg
            | Arg::MaskAndSize
            | Arg::CpuSet(_)
            | Arg::Switch(_)
    );
    !never
}
