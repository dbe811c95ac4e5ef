//! The values of which lines are made: numbers, flags, file modes, devices.

use core::fmt::Write as _;

use super::line::Line;
use super::record::Record;
use crate::calls::{GuestMemory, MAX_ARGS, Set};

/// A call that is being written into a line.
pub(super) struct Printer<'p, 'b> {
    pub(super) line: &'p mut Line<'b>,
    pub(super) mem: &'p dyn GuestMemory,
    pub(super) args: &'p [u64; MAX_ARGS],
    /// The result, once there is one.
    pub(super) result: Option<i64>,
}

/// The bits of `st_mode` that are not permissions.
const FILE_TYPE_MASK: u64 = 0o170_000;

impl Printer<'_, '_> {
    /// An argument of the call.
    pub(super) fn arg(&self, index: u8) -> u64 {
        self.args.get(usize::from(index)).copied().unwrap_or(0)
    }

    /// An argument that the kernel reads as 32 bits.
    pub(super) fn arg_u32(&self, index: u8) -> u64 {
        self.arg(index) & 0xffff_ffff
    }

    /// The result, if there is one and it is no error.
    pub(super) fn success(&self) -> Option<u64> {
        self.result.filter(|result| !(-4095..0).contains(result)).map(i64::cast_unsigned)
    }

    /// Appends text.
    pub(super) fn text(&mut self, text: &str) {
        self.line.text(text);
    }

    /// Appends ", " except before the first of a list.
    pub(super) fn separate(&mut self, is_first: bool) {
        if !is_first {
            self.text(", ");
        }
    }

    /// Copies a structure.
    pub(super) fn record(&self, addr: u64, len_bytes: u64) -> Option<Record> {
        Record::read(self.mem, addr, len_bytes)
    }

    /// Appends a name and a signed number.
    pub(super) fn signed_field(&mut self, name: &str, value: i64) {
        self.text(name);
        self.line.signed(value);
    }

    /// Appends a name and an unsigned number.
    pub(super) fn unsigned_field(&mut self, name: &str, value: u64) {
        self.text(name);
        self.line.unsigned(value);
    }

    /// Appends a name and a number in hexadecimal.
    pub(super) fn hex_field(&mut self, name: &str, value: u64) {
        self.text(name);
        self.line.hex(value);
    }

    /// Appends a name and an address.
    pub(super) fn pointer_field(&mut self, name: &str, value: u64) {
        self.text(name);
        self.line.pointer(value);
    }

    /// Appends a name and flags.
    pub(super) fn flags_field(&mut self, name: &str, set: Set, value: u64) {
        self.text(name);
        self.flags(set, value);
    }

    /// Appends the names of flags joined with `|`; what has no name follows in hexadecimal.
    pub(super) fn flags(&mut self, set: Set, value: u64) {
        let meaning = set.meaning();
        let choice = value & meaning.choice_mask;
        let mut left = value;
        let mut is_first = true;
        if let Some((name, _)) = meaning.choices.iter().find(|(_, bits)| *bits == choice) {
            self.text(name);
            left &= !meaning.choice_mask;
            is_first = false;
        }
        for (name, bits) in meaning.flags.iter() {
            let is_set = if bits == 0 { value == 0 } else { left & bits == bits };
            if is_set {
                if !is_first {
                    self.text("|");
                }
                self.text(name);
                left &= !bits;
                is_first = false;
            }
        }
        if left == 0 {
            if is_first {
                self.text("0");
            }
            return;
        }
        if !is_first {
            self.text("|");
        }
        self.line.hex(left);
        if is_first && !meaning.unknown.is_empty() {
            self.text(" /* ");
            self.text(meaning.unknown);
            self.text(" */");
        }
    }

    /// The name of one value, if it has one.
    pub(super) fn choice_name(set: Set, value: u64) -> Option<&'static str> {
        let meaning = set.meaning();
        meaning.choices.iter().find(|(_, bits)| *bits == value).map(|(name, _)| name)
    }

    /// Appends flags above nine permission bits.
    pub(super) fn flags_and_mode(&mut self, set: Set, value: u64) {
        let flags = value & !0o777;
        if flags != 0 {
            self.flags(set, flags);
            self.text("|");
        }
        self.line.mode(value & 0o777);
    }

    /// Appends a file type and permissions.
    pub(super) fn file_mode(&mut self, mode: u64) {
        let file_type = mode & FILE_TYPE_MASK;
        if file_type != 0 {
            match Self::choice_name(Set::FileType, file_type) {
                Some(name) => self.text(name),
                None => self.line.mode(file_type),
            }
            self.text("|");
        }
        for (name, bit) in [("S_ISUID|", 0o4000), ("S_ISGID|", 0o2000), ("S_ISVTX|", 0o1000)] {
            self.text(if mode & bit != 0 { name } else { "" });
        }
        self.line.mode(mode & 0o777);
    }

    /// Appends a device number.
    pub(super) fn device(&mut self, dev: u64) {
        self.hex_field("makedev(", (dev >> 8) & 0xfff | (dev >> 32) & 0xffff_f000);
        self.hex_field(", ", dev & 0xff | (dev >> 12) & 0xffff_ff00);
        self.text(")");
    }

    /// Appends a file descriptor, or the current directory's stand-in.
    pub(super) fn directory(&mut self, fd: u64) {
        let fd = as_i32(fd);
        if fd == linux_raw_sys::general::AT_FDCWD {
            self.text("AT_FDCWD");
        } else {
            self.line.signed(i64::from(fd));
        }
    }

    /// Appends an ioctl request.
    pub(super) fn ioctl_request(&mut self, request: u64) {
        if let Some(name) = Self::choice_name(Set::Ioctl, request) {
            return self.text(name);
        }
        self.text(match request >> 30 & 3 {
            0 => "_IOC(_IOC_NONE, ",
            1 => "_IOC(_IOC_WRITE, ",
            2 => "_IOC(_IOC_READ, ",
            _ => "_IOC(_IOC_READ|_IOC_WRITE, ",
        });
        self.line.hex(request >> 8 & 0xff);
        self.hex_field(", ", request & 0xff);
        self.hex_field(", ", request >> 16 & 0x3fff);
        self.text(")");
    }

    /// Appends what `FUTEX_WAKE_OP` does to the second word.
    pub(super) fn futex_op(&mut self, value: u64) {
        const SHIFT: u64 = 8;
        let operation = (value >> 28) & 0xf;
        if operation & SHIFT != 0 {
            self.text("FUTEX_OP_OPARG_SHIFT<<28|");
        }
        self.text(match operation & !SHIFT {
            0 => "FUTEX_OP_SET",
            1 => "FUTEX_OP_ADD",
            2 => "FUTEX_OP_OR",
            3 => "FUTEX_OP_ANDN",
            4 => "FUTEX_OP_XOR",
            _ => "FUTEX_OP_???",
        });
        self.text("<<28|");
        self.line.hex(value >> 12 & 0xfff);
        self.text("<<12|");
        self.text(match value >> 24 & 0xf {
            0 => "FUTEX_OP_CMP_EQ",
            1 => "FUTEX_OP_CMP_NE",
            2 => "FUTEX_OP_CMP_LT",
            3 => "FUTEX_OP_CMP_LE",
            4 => "FUTEX_OP_CMP_GT",
            5 => "FUTEX_OP_CMP_GE",
            _ => "FUTEX_OP_CMP_???",
        });
        self.text("<<24|");
        self.line.hex(value & 0xfff);
    }

    /// Appends a value as its type displays it.
    pub(super) fn display(&mut self, value: impl core::fmt::Display) {
        // A line takes everything, so there is no error to pass on.
        let _ = write!(self.line, "{value}");
    }
}

/// The value as the kernel reads an `int` argument.
#[expect(clippy::cast_possible_truncation, reason = "the kernel ignores the upper half of an int argument")]
pub(super) fn as_i32(value: u64) -> i32 {
    value as i32
}
