//! One argument of a call, before and after it.

use linux_raw_sys::general::{
    CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_PARENT_SETTID, CLONE_PIDFD, CLONE_SETTLS,
};

use super::printer::{Printer, as_i32};
use super::text;
use crate::calls::{Arg, Set, Shape, Signature, read_u32};

impl Printer<'_, '_> {
    /// Appends an argument.
    pub(super) fn argument(&mut self, arg: Arg, value: u64) {
        match arg {
            Arg::End | Arg::Ignored | Arg::Switch(_) => {}
            Arg::Int | Arg::Fd => self.line.signed(i64::from(as_i32(value))),
            Arg::Uint => self.line.unsigned(value & 0xffff_ffff),
            Arg::Long => self.line.signed(value.cast_signed()),
            Arg::Size => self.line.unsigned(value),
            Arg::Hex => self.line.hex(value),
            Arg::Mode => self.line.mode(value & 0xffff),
            Arg::FileMode => self.file_mode(value & 0xffff),
            Arg::Dev => self.device(value & 0xffff_ffff),
            Arg::DirFd => self.directory(value),
            Arg::Signal => self.signal(value),
            Arg::Flags(Set::Ioctl) => self.ioctl_request(value & 0xffff_ffff),
            Arg::Flags(set) => self.flags(set, value & 0xffff_ffff),
            Arg::FlagsMode(set) => self.flags_and_mode(set, value & 0xffff_ffff),
            Arg::FutexOp => self.futex_op(value & 0xffff_ffff),
            Arg::Path => text::path(self.line, self.mem, value),
            Arg::Argv => text::string_array(self.line, self.mem, value),
            Arg::Envp => text::string_count(self.line, self.mem, value),
            Arg::In(shape) | Arg::Update(shape) | Arg::Change(shape) => self.item(shape, value),
            Arg::InArray(shape, count) | Arg::UpdateArray(shape, count) => {
                let count = self.arg_u32(count);
                self.items(shape, value, count);
            }
            Arg::MaskAndSize => self.mask_and_size(value),
            Arg::Clone => self.clone_call(),
            Arg::Msg => self.message(value, u64::MAX),
            Arg::Ptr
            | Arg::Touched(_)
            | Arg::TouchedBy(_)
            | Arg::TouchedByPtr(_)
            | Arg::TouchedArray(..)
            | Arg::TouchedNodes(_)
            | Arg::Iocbs(_)
            | Arg::BpfAttr(_)
            | Arg::IoctlArg(_)
            | Arg::RegisterSet
            | Arg::XattrArgs
            | Arg::FileHandle => self.line.pointer(value),
            arg => self.dependent_argument(arg, value),
        }
    }

    /// Appends an argument whose length or meaning another argument tells.
    fn dependent_argument(&mut self, arg: Arg, value: u64) {
        match arg {
            Arg::Bytes(len) => {
                let len_bytes = self.arg(len);
                text::buffer(self.line, self.mem, value, len_bytes);
            }
            Arg::Message(len) => {
                let len_bytes = self.arg(len);
                self.queue_message(value, len_bytes);
            }
            Arg::Iov(count) | Arg::EitherIov(count) => {
                let count = self.arg(count);
                self.iovecs(value, count, u64::MAX);
            }
            Arg::RemoteIov(count) | Arg::RemoteOutIov(count) => {
                let count = self.arg(count);
                self.remote_iovecs(value, count);
            }
            Arg::Sockaddr(len) => {
                let len_bytes = self.arg_u32(len);
                self.socket_address(value, len_bytes);
            }
            Arg::Protocol(domain) => {
                let domain = self.arg_u32(domain);
                self.protocol(domain, value & 0xffff_ffff);
            }
            Arg::SockOption(level) => {
                let level = self.arg_u32(level);
                self.option_name(level, value & 0xffff_ffff);
            }
            Arg::OptionValue(len) => {
                let len_bytes = self.arg_u32(len);
                self.option_value(value, len_bytes);
            }
            Arg::FdSet(count) => {
                let count = self.arg_u32(count);
                if value == 0 {
                    self.line.pointer(value);
                } else if !self.descriptor_set(value, count) {
                    self.text("[]");
                }
            }
            Arg::CpuSet(len) => {
                let len_bytes = self.arg(len);
                self.cpu_set(value, len_bytes);
            }
            Arg::CloneArgs(len) => {
                let len_bytes = self.arg(len);
                self.clone_args(value, len_bytes);
            }
            arg => self.returned_argument(arg, value),
        }
    }

    /// Appends an argument that is known only after the call, or its address if the call failed.
    fn returned_argument(&mut self, arg: Arg, value: u64) {
        match arg {
            Arg::OutSockaddr(len) => return self.returned_address(value, len),
            Arg::OutMsg => return self.returned_message(value),
            Arg::Mmsg(_) | Arg::OutMmsg(_) => return self.messages(value),
            Arg::OutLength => return self.returned_length(value),
            Arg::OutRemaining => {
                const EINTR: i64 = -4;
                return match self.result {
                    Some(EINTR) => self.item(Shape::Timespec, value),
                    _ => self.line.pointer(value),
                };
            }
            _ => {}
        }
        let Some(result) = self.success().filter(|_| value != 0) else {
            return self.line.pointer(value);
        };
        match arg {
            // Nothing has changed state, so there is no status.
            Arg::Out(Shape::WaitStatus) if result == 0 => self.line.pointer(value),
            Arg::Out(shape) => self.item(shape, value),
            Arg::OutArray(shape, count) => {
                let count = result.min(self.arg_u32(count));
                self.items(shape, value, count);
            }
            Arg::OutBytes(len) => {
                let len_bytes = result.min(self.arg(len));
                text::buffer(self.line, self.mem, value, len_bytes);
            }
            Arg::OutHexBytes(len) => {
                let len_bytes = result.min(self.arg(len));
                text::hex_buffer(self.line, self.mem, value, len_bytes);
            }
            Arg::OutPath(_) => text::path(self.line, self.mem, value),
            Arg::OutPages(len) => {
                let pages = self.arg(len).div_ceil(4096);
                self.page_bytes(value, pages);
            }
            Arg::OutMessage(_) => self.queue_message(value, result),
            // d_reclen follows d_ino and d_off in both layouts.
            Arg::OutDirents(_) | Arg::OutDirents64(_) => self.directory_entries(value, result),
            Arg::OutIov(count) => {
                let count = self.arg(count);
                self.iovecs(value, count, result);
            }
            Arg::OutOptionValue(len) => {
                let len_bytes = read_u32(self.mem, self.arg(len)).map_or(0, u64::from);
                self.option_value(value, len_bytes);
            }
            Arg::OutCpuSet(_) => self.cpu_set(value, result),
            _ => self.line.pointer(value),
        }
    }

    /// Keeps the length that the call gives to an address, because the kernel replaces it.
    pub(super) fn keep_length(&mut self, signature: &Signature) {
        let length = signature.args.iter().zip(self.args).find(|(arg, _)| **arg == Arg::OutLength);
        self.line.length_before = length.and_then(|(_, addr)| read_u32(self.mem, *addr));
    }

    /// Appends what a call made of an argument that was shown before it.
    pub(super) fn changed_argument(&mut self, arg: Arg, value: u64) {
        match arg {
            Arg::Clone => self.clone_result(),
            _ if self.success().is_none() || value == 0 => {}
            Arg::Change(shape) => {
                self.text(" => ");
                self.item(shape, value);
            }
            Arg::CloneArgs(_) => self.clone_args_result(value),
            _ => {}
        }
    }

    /// Appends a length that the kernel may have replaced; it is read again after an error, too.
    fn returned_length(&mut self, addr: u64) {
        let Some(record) = self.record(addr, 4) else {
            return self.line.pointer(addr);
        };
        let length = record.u32(0);
        self.text("[");
        if let Some(before) = self.line.length_before.filter(|before| *before != length) {
            self.line.unsigned(u64::from(before));
            self.text(" => ");
        }
        self.line.unsigned(u64::from(length));
        self.text("]");
    }

    /// Appends mincore(2)'s byte for each page.
    fn page_bytes(&mut self, addr: u64, pages: u64) {
        self.text("[");
        for index in 0..pages {
            self.separate(index == 0);
            let mut byte = [0];
            if index == text::ITEMS_MAX || self.mem.read(addr.wrapping_add(index), &mut byte) == 0 {
                self.text("...");
                break;
            }
            self.line.unsigned(u64::from(byte[0] & 1));
        }
        self.text("]");
    }

    /// Appends a message of a System V queue.
    fn queue_message(&mut self, addr: u64, len_bytes: u64) {
        let Some(head) = self.record(addr, 8) else {
            return self.line.pointer(addr);
        };
        self.signed_field("{mtype=", head.i64(0));
        self.text(", mtext=");
        text::buffer(self.line, self.mem, addr.wrapping_add(8), len_bytes);
        self.text("}");
    }

    /// Appends the address of directory entries and how many there are.
    fn directory_entries(&mut self, addr: u64, len_bytes: u64) {
        const RECLEN_OFFSET: u64 = 16;
        let mut count = 0;
        let mut offset = 0;
        while offset < len_bytes {
            let Some(record) = self.record(addr.wrapping_add(offset).wrapping_add(RECLEN_OFFSET), 2) else {
                break;
            };
            let reclen = u64::from(record.u16(0));
            if reclen == 0 {
                break;
            }
            count += 1;
            offset += reclen;
        }
        self.line.pointer(addr);
        self.unsigned_field(" /* ", count);
        self.text(" entries */");
    }

    /// Appends the numbers of the processors in a set.
    fn cpu_set(&mut self, addr: u64, len_bytes: u64) {
        const CPU_BYTES_MAX: u64 = 1024;
        if addr == 0 || self.record(addr, len_bytes.min(8)).is_none() {
            return self.line.pointer(addr);
        }
        self.text("[");
        let mut is_first = true;
        for offset in 0..len_bytes.min(CPU_BYTES_MAX) {
            let mut byte = [0];
            if self.mem.read(addr.wrapping_add(offset), &mut byte) == 0 {
                break;
            }
            for bit in (0..8).filter(|bit| byte[0] >> bit & 1 != 0) {
                if !is_first {
                    self.text(" ");
                }
                self.line.unsigned(offset * 8 + bit);
                is_first = false;
            }
        }
        self.text("]");
    }

    /// Appends the last argument of pselect6(2).
    fn mask_and_size(&mut self, addr: u64) {
        let Some(record) = self.record(addr, 16) else {
            return self.line.pointer(addr);
        };
        self.text("{sigmask=");
        self.item(Shape::Sigset, record.u64(0));
        self.unsigned_field(", sigsetsize=", record.u64(8));
        self.text("}");
    }

    /// Appends clone(2)'s flags, of which the low byte is a signal.
    fn clone_flags(&mut self, flags: u64) {
        const SIGNAL_MASK: u64 = 0xff;
        let (flags, signal) = (flags & !SIGNAL_MASK, flags & SIGNAL_MASK);
        if flags != 0 || signal == 0 {
            self.flags(Set::Clone, flags);
        }
        if signal != 0 {
            self.text(if flags != 0 { "|" } else { "" });
            self.signal(signal);
        }
    }

    /// Appends what clone(2) is told before the call.
    fn clone_call(&mut self) {
        const SHOWN_AFTER: u32 =
            CLONE_PARENT_SETTID | CLONE_PIDFD | CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
        let (flags, stack) = (self.arg_u32(0), self.arg(1));
        self.pointer_field("child_stack=", stack);
        self.text(", flags=");
        self.clone_flags(flags);
        if flags & u64::from(SHOWN_AFTER) != 0 {
            self.text(", ");
        }
    }

    /// Appends what clone(2) returned, and what strace shows there.
    fn clone_result(&mut self) {
        let flags = self.arg_u32(0);
        let has = |flag: u32| flags & u64::from(flag) != 0;
        let mut is_first = true;
        if has(CLONE_PARENT_SETTID) || has(CLONE_PIDFD) {
            self.text(if has(CLONE_PIDFD) { "pidfd=" } else { "parent_tid=" });
            let target = self.arg(2);
            match self.success() {
                Some(_) => self.item(Shape::I32, target),
                None => self.line.pointer(target),
            }
            is_first = false;
        }
        if has(CLONE_SETTLS) {
            self.separate(is_first);
            let tls = self.arg(4);
            self.pointer_field("tls=", tls);
            is_first = false;
        }
        if has(CLONE_CHILD_SETTID) || has(CLONE_CHILD_CLEARTID) {
            self.separate(is_first);
            let child_tid = self.arg(3);
            self.pointer_field("child_tidptr=", child_tid);
        }
    }

    /// Appends clone3(2)'s structure as it was before the call.
    fn clone_args(&mut self, addr: u64, len_bytes: u64) {
        const CLONE_ARGS_BYTES: u64 = 88;
        let Some(record) = self.record(addr, len_bytes.min(CLONE_ARGS_BYTES)) else {
            return self.line.pointer(addr);
        };
        let flags = record.u64(0);
        let has = |flag: u32| flags & u64::from(flag) != 0;
        self.flags_field("{flags=", Set::Clone3, flags);
        if has(CLONE_PIDFD) {
            self.pointer_field(", pidfd=", record.u64(8));
        }
        if has(CLONE_CHILD_SETTID) || has(CLONE_CHILD_CLEARTID) {
            self.pointer_field(", child_tid=", record.u64(16));
        }
        if has(CLONE_PARENT_SETTID) {
            self.pointer_field(", parent_tid=", record.u64(24));
        }
        self.text(", exit_signal=");
        self.signal(record.u64(32));
        self.pointer_field(", stack=", record.u64(40));
        self.hex_field(", stack_size=", record.u64(48));
        if has(CLONE_SETTLS) {
            self.pointer_field(", tls=", record.u64(56));
        }
        if record.u64(64) != 0 || record.u64(72) != 0 {
            self.pointer_field(", set_tid=", record.u64(64));
            self.unsigned_field(", set_tid_size=", record.u64(72));
        }
        if record.u64(80) != 0 {
            self.unsigned_field(", cgroup=", record.u64(80));
        }
        self.text("}");
    }

    /// Appends what clone3(2) wrote.
    fn clone_args_result(&mut self, addr: u64) {
        let Some(record) = self.record(addr, 32) else {
            return;
        };
        let flags = record.u64(0);
        let written = [(CLONE_PIDFD, "pidfd=", 8), (CLONE_PARENT_SETTID, "parent_tid=", 24)];
        let mut is_first = true;
        for (_, name, offset) in written.into_iter().filter(|(flag, ..)| flags & u64::from(*flag) != 0) {
            self.text(if is_first { " => {" } else { ", " });
            self.text(name);
            self.item(Shape::I32, record.u64(offset));
            is_first = false;
        }
        if !is_first {
            self.text("}");
        }
    }
}
