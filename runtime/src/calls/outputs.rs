//! The memory that the kernel writes for a call.
//!
//! What cannot be told from the call itself is left out: words that the kernel writes later
//! (`set_tid_address`, a registered `rseq` area, requests of an io_uring), and memory of a process that
//! shares none of ours. Ranges may be larger than what is written, never smaller.

use super::arg::{Arg, MAX_ARGS, Shape};
use super::guest::GuestMemory;
use super::nested;
use super::table::row;
use super::writes::{IOV_MAX, Writes, writes_memory};

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
