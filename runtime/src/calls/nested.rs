//! Output ranges that are found behind pointers in the guest's own structures.

use linux_raw_sys::general::{CLONE_CHILD_SETTID, CLONE_PARENT_SETTID, CLONE_PIDFD};

use super::guest::{read_bytes, read_u32, read_u64};
use super::writes::{IOV_MAX, RW_BYTES_MAX, Writes};

/// `struct iovec`
const IOVEC_BYTES: usize = 16;
/// `struct user_msghdr`
const MSGHDR_BYTES: usize = 56;
/// `struct mmsghdr`
pub(super) const MMSGHDR_BYTES: u64 = 64;
/// How many iovecs are fetched at once.
const IOV_CHUNK: usize = 16;

/// The buffers of an iovec array.
pub(super) fn note_iov(writes: &mut Writes<'_>, addr: u64, count: u64) {
    let mut at = addr;
    let mut left = count.min(IOV_MAX);
    while left > 0 {
        let mut chunk = [0; IOV_CHUNK * IOVEC_BYTES];
        let wanted = usize::try_from(left).unwrap_or(IOV_CHUNK).min(IOV_CHUNK) * IOVEC_BYTES;
        let got = chunk.get_mut(..wanted).map_or(0, |part| writes.mem.read(at, part));
        let (entries, _) = chunk.as_chunks::<8>();
        let entries = entries.iter().map(|word| u64::from_le_bytes(*word));
        let whole = got / IOVEC_BYTES;
        let mut words = entries.take(whole * 2);
        while let (Some(base), Some(len_bytes)) = (words.next(), words.next()) {
            writes.range(base, len_bytes);
        }
        if got < wanted {
            return;
        }
        at = at.wrapping_add(got as u64);
        left -= whole as u64;
    }
}

/// A msghdr to fill in: itself, the address, the buffers and the control messages.
pub(super) fn note_msg(writes: &mut Writes<'_>, addr: u64) {
    writes.range(addr, MSGHDR_BYTES as u64);
    let Some(header) = read_bytes::<MSGHDR_BYTES>(writes.mem, addr) else {
        return;
    };
    let (words, _) = header.as_chunks::<8>();
    let [name, name_len, iov, iov_count, control, control_len, _] = *words else {
        return;
    };
    writes.range(u64::from_le_bytes(name), u64::from_le_bytes(name_len) & 0xffff_ffff);
    note_iov(writes, u64::from_le_bytes(iov), u64::from_le_bytes(iov_count));
    writes.range(u64::from_le_bytes(control), u64::from_le_bytes(control_len));
}

/// Every msghdr of an array.
pub(super) fn note_mmsg(writes: &mut Writes<'_>, addr: u64, count: u8) {
    let count = writes.arg_u32(count).min(IOV_MAX);
    writes.range(addr, MMSGHDR_BYTES * count);
    for index in 0..count {
        note_msg(writes, addr.wrapping_add(index * MMSGHDR_BYTES));
    }
}

/// clone(2): flags, stack, parent_tid, child_tid, tls. The descriptor of `CLONE_PIDFD` goes where
/// `parent_tid` points.
pub(super) fn note_clone(writes: &mut Writes<'_>) {
    let [flags, _, parent_tid, child_tid, ..] = *writes.args;
    if flags & u64::from(CLONE_PARENT_SETTID | CLONE_PIDFD) != 0 {
        writes.range(parent_tid, 4);
    }
    if flags & u64::from(CLONE_CHILD_SETTID) != 0 {
        writes.range(child_tid, 4);
    }
}

/// clone3(2): flags, pidfd, child_tid, parent_tid and more.
pub(super) fn note_clone_args(writes: &mut Writes<'_>, addr: u64, len: u8) {
    if writes.arg(len) < 32 {
        return;
    }
    let Some(head) = read_bytes::<32>(writes.mem, addr) else {
        return;
    };
    let (words, _) = head.as_chunks::<8>();
    let [flags, pidfd, child_tid, parent_tid] = *words else {
        return;
    };
    let flags = u64::from_le_bytes(flags);
    for (flag, target) in [(CLONE_PIDFD, pidfd), (CLONE_CHILD_SETTID, child_tid), (CLONE_PARENT_SETTID, parent_tid)] {
        if flags & u64::from(flag) != 0 {
            writes.range(u64::from_le_bytes(target), 4);
        }
    }
}

/// io_submit(2): each request gets a key, and its buffer is filled in later if it reads.
pub(super) fn note_iocbs(writes: &mut Writes<'_>, addr: u64, count: u8) {
    const IOCB_BYTES: usize = 64;
    const IOCB_CMD_PREAD: u16 = 0;
    const IOCB_CMD_PREADV: u16 = 7;
    // The kernel stops at the ring's size, which a guest cannot set above fs.aio-max-nr.
    let count = writes.arg(count).min(65_536);
    for index in 0..count {
        let Some(iocb) = read_u64(writes.mem, addr.wrapping_add(index * 8)) else {
            return;
        };
        let Some(bytes) = read_bytes::<IOCB_BYTES>(writes.mem, iocb) else {
            return;
        };
        writes.range(iocb, IOCB_BYTES as u64);
        let (words, _) = bytes.as_chunks::<8>();
        let [_, _, operation, buffer, len_bytes, ..] = *words else {
            return;
        };
        let [low, high, ..] = operation;
        let (buffer, len_bytes) = (u64::from_le_bytes(buffer), u64::from_le_bytes(len_bytes));
        match u16::from_le_bytes([low, high]) {
            IOCB_CMD_PREAD => writes.range(buffer, len_bytes),
            IOCB_CMD_PREADV => note_iov(writes, buffer, len_bytes),
            _ => {}
        }
    }
}

/// bpf(2): the attributes, and what some commands write behind the pointers in them.
///
/// A map's value size is not in the call: values are taken to be no larger than [`BPF_VALUE_BYTES`].
pub(super) fn note_bpf(writes: &mut Writes<'_>, addr: u64, len: u8) {
    const BPF_VALUE_BYTES: u64 = 64 * 1024;
    let len_bytes = writes.arg_u32(len);
    writes.range(addr, len_bytes);
    let mem = writes.mem;
    let word = |offset: u64| {
        if offset + 8 <= len_bytes { read_u64(mem, addr.wrapping_add(offset)) } else { None }.unwrap_or(0)
    };
    let half = |offset: u64| read_u32(mem, addr.wrapping_add(offset)).map_or(0, u64::from);
    match writes.arg_u32(0) {
        // map_fd, key, value or next_key
        1 | 4 | 21 => writes.range(word(16), BPF_VALUE_BYTES),
        // BPF_PROG_LOAD: log_size, log_buf
        5 => writes.range(word(32), half(28)),
        // BPF_PROG_TEST_RUN: data_size_out, data_out; ctx_size_out, ctx_out
        10 => {
            writes.range(word(24), half(12));
            writes.range(word(56), half(44));
        }
        // BPF_OBJ_GET_INFO_BY_FD: info_len, info
        15 => writes.range(word(8), half(4)),
        // BPF_PROG_QUERY: prog_cnt, and the arrays of so many words
        16 => {
            for array in [16, 32, 40, 48] {
                writes.range(word(array), half(24) * 4);
            }
        }
        // BPF_BTF_LOAD: btf_log_buf, btf_log_size
        18 => writes.range(word(8), half(20)),
        // BPF_TASK_FD_QUERY: buf_len, buf
        20 => writes.range(word(16), half(12)),
        // BPF_MAP_LOOKUP_BATCH: out_batch, keys, values, count
        24 | 25 => {
            let batch_bytes = (half(32) * BPF_VALUE_BYTES).min(RW_BYTES_MAX);
            writes.range(word(8), BPF_VALUE_BYTES);
            writes.range(word(16), batch_bytes);
            writes.range(word(24), batch_bytes);
        }
        _ => {}
    }
}

/// ioctl(2) requests of which the table knows no more than the number.
///
/// The size in the number counts whatever its direction says, because drivers are known to write back
/// into what they declare as input (`TUNSETIFF`). At least a page's worth is reported, for numbers older
/// than that scheme and for structures that end in an array. Common requests that hold pointers are
/// handled one by one; others (`DRM_IOCTL_*`, `USBDEVFS_*`) are not known here.
pub(super) fn note_ioctl(writes: &mut Writes<'_>, addr: u64, request: u8) {
    const LEAST_BYTES: u64 = 4096;
    const SG_IO: u64 = 0x2285;
    const SIOCGIFCONF: u64 = 0x8912;
    const SIOCETHTOOL: u64 = 0x8946;
    const FS_IOC_FIEMAP: u64 = 0xc020_660b;
    let request = writes.arg_u32(request);
    let declared_bytes = (request >> 16) & 0x3fff;
    let word = |writes: &Writes<'_>, offset| read_u64(writes.mem, addr.wrapping_add(offset)).unwrap_or(0);
    let half = |writes: &Writes<'_>, offset| read_u32(writes.mem, addr.wrapping_add(offset)).map_or(0, u64::from);
    match request {
        SIOCGIFCONF => {
            let (buffer, len_bytes) = (word(writes, 8), half(writes, 0));
            writes.range(buffer, len_bytes);
        }
        SIOCETHTOOL => {
            // ifr_data; strings and statistics are as long as the driver says, 32 KiB is beyond all of them.
            let data = word(writes, 16);
            writes.range(data, 32 * 1024);
        }
        SG_IO => {
            // iovec_count, dxfer_len and dxferp; mx_sb_len and sbp
            let (data, len_bytes, iov_count) = (word(writes, 16), half(writes, 12), half(writes, 8) >> 16);
            if iov_count == 0 {
                writes.range(data, len_bytes);
            } else {
                note_iov(writes, data, iov_count);
            }
            let (sense, sense_bytes) = (word(writes, 32), half(writes, 8) >> 8 & 0xff);
            writes.range(sense, sense_bytes);
        }
        FS_IOC_FIEMAP => {
            let extents = half(writes, 24);
            writes.range(addr, 32 + 56 * extents);
        }
        _ => {}
    }
    writes.range(addr, declared_bytes.max(LEAST_BYTES));
}

/// `PTRACE_GETREGSET`: the iovec itself, whose length is replaced, and its buffer.
pub(super) fn note_register_set(writes: &mut Writes<'_>, addr: u64) {
    writes.range(addr, IOVEC_BYTES as u64);
    note_iov(writes, addr, 1);
}

/// getxattrat(2): `struct xattr_args` begins with the value's address and size.
pub(super) fn note_xattr(writes: &mut Writes<'_>, addr: u64) {
    let (Some(value), Some(len_bytes)) = (read_u64(writes.mem, addr), read_u32(writes.mem, addr.wrapping_add(8)))
    else {
        return;
    };
    writes.range(value, u64::from(len_bytes));
}

/// name_to_handle_at(2): `struct file_handle` begins with the number of bytes that follow its head.
pub(super) fn note_file_handle(writes: &mut Writes<'_>, addr: u64) {
    let room_bytes = read_u32(writes.mem, addr).map_or(0, u64::from);
    writes.range(addr, 8 + room_bytes);
}
