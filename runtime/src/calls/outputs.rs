//! The memory that the kernel writes for a call.
//!
//! What cannot be told from the call itself is left out: words that the kernel writes later
//! (`set_tid_address`, a registered `rseq` area, requests of an io_uring), and memory of a process that
//! shares none of ours. Ranges may be larger than what is written, never smaller.

use super::nested;
use super::{Arg, GuestMemory, MAX_ARGS, Row, Shape, Traits, read_u32, row, traits};

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
    fn length_behind(&self, index: u8) -> u64 {
        read_u32(self.mem, self.arg(index)).map_or(0, u64::from)
    }
}

/// Calls `f` with the address and the length in bytes of every range that the kernel may write while it
/// answers the call.
///
/// Nothing is reported at the null pointer. A range may be larger than what the kernel writes and may
/// reach into memory that is not mapped.
pub fn outputs(nr: u64, args: &[u64; MAX_ARGS], mem: &dyn GuestMemory, f: &mut dyn FnMut(u64, u64)) {
    let Some(row) = row(nr) else { return };
    let mut writes = Writes { mem, args, f };
    for (arg, value) in row.signature(args).args.into_iter().zip(*args) {
        if arg == Arg::End {
            break;
        }
        note(&mut writes, arg, value);
    }
}

/// Whether the call can write guest memory at all; a cheap test before [`outputs`].
pub fn may_write(nr: u64) -> bool {
    traits(nr).is_some_and(Traits::may_write)
}

/// As [`may_write`], of a row.
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
const fn writes_memory(arg: Arg) -> bool {
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

/// Notes what the kernel writes through one argument.
fn note(writes: &mut Writes<'_>, arg: Arg, value: u64) {
    match arg {
        Arg::Out(shape) | Arg::Update(shape) | Arg::Change(shape) => writes.range(value, shape.size_bytes()),
        Arg::OutArray(shape, count) | Arg::UpdateArray(shape, count) => {
            let len_bytes = shape.size_bytes() * writes.arg_u32(count);
            writes.range(value, len_bytes);
        }
        Arg::OutBytes(len)
        | Arg::OutPath(len)
        | Arg::OutHexBytes(len)
        | Arg::OutDirents(len)
        | Arg::OutDirents64(len)
        | Arg::TouchedBy(len)
        | Arg::OutCpuSet(len) => {
            let len_bytes = writes.arg(len);
            writes.range(value, len_bytes);
        }
        Arg::OutMessage(len) => {
            let len_bytes = writes.arg(len).saturating_add(8);
            writes.range(value, len_bytes);
        }
        Arg::Touched(len_bytes) => writes.range(value, u64::from(len_bytes)),
        Arg::TouchedByPtr(len) | Arg::OutSockaddr(len) | Arg::OutOptionValue(len) => {
            let len_bytes = writes.length_behind(len);
            writes.range(value, len_bytes);
        }
        Arg::OutLength => writes.range(value, 4),
        Arg::TouchedArray(size_bytes, count) => {
            let len_bytes = u64::from(size_bytes).saturating_mul(writes.arg(count));
            writes.range(value, len_bytes);
        }
        Arg::TouchedNodes(bits) => {
            let len_bytes = writes.arg(bits).div_ceil(64).saturating_mul(8);
            writes.range(value, len_bytes);
        }
        Arg::OutPages(len) => {
            let len_bytes = writes.arg(len).div_ceil(4096);
            writes.range(value, len_bytes);
        }
        Arg::FdSet(count) => {
            let len_bytes = writes.arg_u32(count).div_ceil(64) * 8;
            writes.range(value, len_bytes);
        }
        Arg::OutRemaining => writes.range(value, Shape::Timespec.size_bytes()),
        Arg::OutIov(count) | Arg::EitherIov(count) | Arg::RemoteOutIov(count) => {
            let count = writes.arg(count);
            nested::note_iov(writes, value, count);
        }
        Arg::OutMsg => nested::note_msg(writes, value),
        Arg::Mmsg(count) => {
            let len_bytes = nested::MMSGHDR_BYTES * writes.arg_u32(count).min(IOV_MAX);
            writes.range(value, len_bytes);
        }
        Arg::OutMmsg(count) => nested::note_mmsg(writes, value, count),
        Arg::Clone => nested::note_clone(writes),
        Arg::CloneArgs(len) => nested::note_clone_args(writes, value, len),
        Arg::Iocbs(count) => nested::note_iocbs(writes, value, count),
        Arg::BpfAttr(len) => nested::note_bpf(writes, value, len),
        Arg::IoctlArg(request) => nested::note_ioctl(writes, value, request),
        Arg::RegisterSet => nested::note_register_set(writes, value),
        Arg::XattrArgs => nested::note_xattr(writes, value),
        Arg::FileHandle => nested::note_file_handle(writes, value),
        arg => debug_assert!(!writes_memory(arg), "an argument that is written and not noted"),
    }
}
