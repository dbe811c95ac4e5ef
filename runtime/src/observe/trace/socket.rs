//! Socket addresses, messages and options.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::printer::{Printer, as_i32};
use super::record::Record;
use super::text;
use crate::calls::{Set, Shape, read_u32};

/// The longest address that is shown: `struct sockaddr_storage`.
const SOCKADDR_BYTES_MAX: u64 = 128;
const SOL_SOCKET: u64 = 1;
const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const AF_NETLINK: u16 = 16;
/// `struct user_msghdr`
const MSGHDR_BYTES: u64 = 56;
/// `struct mmsghdr`
const MMSGHDR_BYTES: u64 = 64;
/// `struct cmsghdr`
const CMSGHDR_BYTES: u64 = 16;

impl Printer<'_, '_> {
    /// Appends a socket address of a length.
    pub(super) fn socket_address(&mut self, addr: u64, len_bytes: u64) {
        let len_bytes = len_bytes.min(SOCKADDR_BYTES_MAX);
        let record = if len_bytes < 2 { None } else { self.record(addr, len_bytes) };
        let Some(record) = record else {
            return self.line.pointer(addr);
        };
        let family = record.u16(0);
        let data_len = usize::try_from(len_bytes).unwrap_or(0).saturating_sub(2);
        self.flags_field("{sa_family=", Set::Family, u64::from(family));
        match family {
            AF_UNIX if data_len > 0 => self.unix_path(record.bytes(2, data_len)),
            AF_UNIX => {}
            AF_INET if len_bytes >= 16 => {
                self.unsigned_field(", sin_port=htons(", u64::from(record.u16_be(2)));
                self.text("), sin_addr=inet_addr(\"");
                self.display(Ipv4Addr::from_bits(record.u32_be(4)));
                self.text("\")");
            }
            AF_INET6 if len_bytes >= 24 => {
                self.unsigned_field(", sin6_port=htons(", u64::from(record.u16_be(2)));
                self.unsigned_field("), sin6_flowinfo=htonl(", u64::from(record.u32_be(4)));
                self.text("), inet_pton(AF_INET6, \"");
                let octets = record.bytes(8, 16).first_chunk::<16>().copied().unwrap_or_default();
                self.display(Ipv6Addr::from(octets));
                self.text("\", &sin6_addr)");
                if len_bytes >= 28 {
                    self.unsigned_field(", sin6_scope_id=", u64::from(record.u32(24)));
                }
            }
            AF_NETLINK if len_bytes >= 12 => {
                self.signed_field(", nl_pid=", i64::from(record.i32(4)));
                let groups = u64::from(record.u32(8));
                self.text(", nl_groups=");
                self.line.hex_padded(groups, if groups == 0 { 8 } else { 6 });
            }
            _ if data_len > 0 => {
                self.text(", sa_data=");
                text::quote(self.line, record.bytes(2, data_len));
            }
            _ => {}
        }
        self.text("}");
    }

    /// Appends the name of a unix socket; an abstract one begins with NUL.
    fn unix_path(&mut self, path: &[u8]) {
        self.text(", sun_path=");
        if let [0, name @ ..] = path {
            self.text("@");
            return text::quote(self.line, name);
        }
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        text::quote(self.line, path.get(..end).unwrap_or_default());
    }

    /// Appends an address that the kernel filled in, whose length is behind argument `len`.
    pub(super) fn returned_address(&mut self, addr: u64, len: u8) {
        let len_bytes = read_u32(self.mem, self.arg(len)).map_or(0, u64::from);
        if self.success().is_some() && len_bytes > 0 {
            self.socket_address(addr, len_bytes);
        } else {
            self.line.pointer(addr);
        }
    }

    /// Appends the protocol of socket(2).
    pub(super) fn protocol(&mut self, domain: u64, protocol: u64) {
        const INET: u64 = AF_INET as u64;
        const INET6: u64 = AF_INET6 as u64;
        const NETLINK: u64 = AF_NETLINK as u64;
        match domain {
            INET | INET6 => self.flags(Set::Protocol, protocol),
            NETLINK => self.flags(Set::Netlink, protocol),
            _ => self.line.signed(i64::from(as_i32(protocol))),
        }
    }

    /// Appends the name of a socket option.
    pub(super) fn option_name(&mut self, level: u64, option: u64) {
        let set = match level {
            SOL_SOCKET => Set::SockOption,
            0 => Set::IpOption,
            6 => Set::TcpOption,
            41 => Set::Ipv6Option,
            _ => return self.line.hex(option),
        };
        self.flags(set, option);
    }

    /// Appends the value of a socket option.
    pub(super) fn option_value(&mut self, addr: u64, len_bytes: u64) {
        const SO_LINGER: u64 = 13;
        const SO_PEERCRED: u64 = 17;
        let (level, option) = (self.arg_u32(1), self.arg_u32(2));
        let record = match len_bytes {
            4 => self.record(addr, 4),
            8 if (level, option) == (SOL_SOCKET, SO_LINGER) => self.record(addr, 8),
            12 if (level, option) == (SOL_SOCKET, SO_PEERCRED) => self.record(addr, 12),
            _ => None,
        };
        match (record, len_bytes) {
            (Some(record), 4) => {
                self.signed_field("[", i64::from(record.i32(0)));
                self.text("]");
            }
            (Some(record), 8) => {
                self.signed_field("{l_onoff=", i64::from(record.i32(0)));
                self.signed_field(", l_linger=", i64::from(record.i32(4)));
                self.text("}");
            }
            (Some(record), _) => self.credentials(&record),
            (None, _) => text::buffer(self.line, self.mem, addr, len_bytes),
        }
    }

    /// Appends `struct ucred`.
    fn credentials(&mut self, record: &Record) {
        self.signed_field("{pid=", i64::from(record.i32(0)));
        self.unsigned_field(", uid=", u64::from(record.u32(4)));
        self.unsigned_field(", gid=", u64::from(record.u32(8)));
        self.text("}");
    }

    /// Appends an iovec array; `left` is how many bytes of the buffers are of interest.
    pub(super) fn iovecs(&mut self, addr: u64, count: u64, mut left: u64) {
        const IOVEC_BYTES: u64 = 16;
        if addr == 0 || (count > 0 && self.record(addr, IOVEC_BYTES).is_none()) {
            return self.line.pointer(addr);
        }
        self.text("[");
        for index in 0..count {
            self.separate(index == 0);
            if index == text::ITEMS_MAX {
                self.text("...");
                break;
            }
            let at = addr.wrapping_add(index * IOVEC_BYTES);
            let Some(entry) = self.record(at, IOVEC_BYTES) else {
                self.line.pointer(at);
                break;
            };
            let (base, len_bytes) = (entry.u64(0), entry.u64(8));
            let used = len_bytes.min(left);
            left -= used;
            self.text("{iov_base=");
            text::buffer(self.line, self.mem, base, used);
            self.unsigned_field(", iov_len=", len_bytes);
            self.text("}");
        }
        self.text("]");
    }

    /// Appends an iovec array of addresses in another process.
    pub(super) fn remote_iovecs(&mut self, addr: u64, count: u64) {
        if addr == 0 {
            return self.line.pointer(addr);
        }
        self.text("[");
        for index in 0..count.min(text::ITEMS_MAX) {
            self.separate(index == 0);
            let at = addr.wrapping_add(index * 16);
            let Some(entry) = self.record(at, 16) else {
                self.line.pointer(at);
                break;
            };
            self.pointer_field("{iov_base=", entry.u64(0));
            self.unsigned_field(", iov_len=", entry.u64(8));
            self.text("}");
        }
        self.text(if count > text::ITEMS_MAX { ", ...]" } else { "]" });
    }

    /// Appends one msghdr, of whose buffers `used` bytes are of interest.
    pub(super) fn message(&mut self, addr: u64, used: u64) {
        let Some(header) = self.record(addr, MSGHDR_BYTES) else {
            return self.line.pointer(addr);
        };
        self.text("{msg_name=");
        let name_len = u64::from(header.u32(8));
        self.socket_address(header.u64(0), name_len);
        self.unsigned_field(", msg_namelen=", name_len);
        self.text(", msg_iov=");
        self.iovecs(header.u64(16), header.u64(24), used);
        self.unsigned_field(", msg_iovlen=", header.u64(24));
        let control_len = header.u64(40);
        if control_len > 0 {
            self.text(", msg_control=");
            self.control_messages(header.u64(32), control_len);
        }
        self.unsigned_field(", msg_controllen=", control_len);
        self.flags_field(", msg_flags=", Set::Msg, u64::from(header.u32(48)));
        self.text("}");
    }

    /// Appends a msghdr that the kernel filled in.
    pub(super) fn returned_message(&mut self, addr: u64) {
        match (self.success(), self.record(addr, MSGHDR_BYTES)) {
            (Some(received), _) => self.message(addr, received),
            (None, Some(header)) => {
                self.unsigned_field("{msg_namelen=", u64::from(header.u32(8)));
                self.text("}");
            }
            (None, None) => self.line.pointer(addr),
        }
    }

    /// Appends the messages of sendmmsg(2) or recvmmsg(2) that went through.
    pub(super) fn messages(&mut self, addr: u64) {
        let Some(count) = self.success().filter(|_| addr != 0) else {
            return self.line.pointer(addr);
        };
        self.text("[");
        for index in 0..count.min(text::ITEMS_MAX) {
            self.separate(index == 0);
            let at = addr.wrapping_add(index * MMSGHDR_BYTES);
            let moved = read_u32(self.mem, at.wrapping_add(MSGHDR_BYTES)).map_or(0, u64::from);
            self.text("{msg_hdr=");
            self.message(at, moved);
            self.unsigned_field(", msg_len=", moved);
            self.text("}");
        }
        self.text(if count > text::ITEMS_MAX { ", ...]" } else { "]" });
    }

    /// Appends control messages.
    fn control_messages(&mut self, addr: u64, len_bytes: u64) {
        const ALIGN: u64 = 8;
        let mut offset: u64 = 0;
        self.text("[");
        for index in 0..text::ITEMS_MAX {
            if len_bytes.saturating_sub(offset) < CMSGHDR_BYTES {
                break;
            }
            let at = addr.wrapping_add(offset);
            let Some(header) = self.record(at, CMSGHDR_BYTES) else {
                self.separate(index == 0);
                self.line.pointer(at);
                break;
            };
            let message_len = header.u64(0).min(len_bytes - offset);
            if message_len < CMSGHDR_BYTES {
                break;
            }
            self.separate(index == 0);
            let (level, kind) = (u64::from(header.u32(8)), u64::from(header.u32(12)));
            self.unsigned_field("{cmsg_len=", header.u64(0));
            self.flags_field(", cmsg_level=", Set::SockLevel, level);
            self.text(", cmsg_type=");
            if level == SOL_SOCKET {
                self.flags(Set::Scm, kind);
            } else {
                self.line.hex(kind);
            }
            let data_len = message_len - CMSGHDR_BYTES;
            if data_len > 0 {
                self.text(", cmsg_data=");
                self.control_data(level, kind, at.wrapping_add(CMSGHDR_BYTES), data_len);
            }
            self.text("}");
            offset = offset.saturating_add(message_len.next_multiple_of(ALIGN));
        }
        self.text("]");
    }

    /// Appends what one control message carries.
    fn control_data(&mut self, level: u64, kind: u64, addr: u64, len_bytes: u64) {
        match (level, kind) {
            (SOL_SOCKET, 1) => self.items(Shape::I32, addr, len_bytes / 4),
            (SOL_SOCKET, 2) if len_bytes >= 12 => match self.record(addr, 12) {
                Some(record) => self.credentials(&record),
                None => self.line.pointer(addr),
            },
            _ => text::buffer(self.line, self.mem, addr, len_bytes),
        }
    }

    /// Appends the descriptors in a set of select(2), or false if none is in it.
    pub(super) fn descriptor_set(&mut self, addr: u64, count: u64) -> bool {
        const FD_MAX: u64 = 1024;
        let mut is_first = true;
        let mut word = [0; 8];
        for base in (0..count.min(FD_MAX)).step_by(64) {
            if self.mem.read(addr.wrapping_add(base / 8), &mut word) < word.len() {
                break;
            }
            let bits = u64::from_le_bytes(word);
            for fd in (base..(base + 64).min(count)).filter(|fd| bits >> (fd - base) & 1 != 0) {
                self.text(if is_first { "[" } else { " " });
                self.line.unsigned(fd);
                is_first = false;
            }
        }
        if !is_first {
            self.text("]");
        }
        !is_first
    }
}
