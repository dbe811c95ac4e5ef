//! The result of a call.

use super::errno;
use super::printer::Printer;
use super::text;
use crate::calls::{MAX_ARGS, Ret, Set, Shape, Signature};

/// The greatest error number, as in linux/err.h.
const ERRNO_MAX: i64 = 4095;

impl Printer<'_, '_> {
    /// Appends a result, with what only the result tells about the arguments.
    pub(super) fn returned(&mut self, signature: &Signature, result: i64) {
        if (-ERRNO_MAX..0).contains(&result) {
            return self.error(result.unsigned_abs());
        }
        let value = result.cast_unsigned();
        match signature.ret {
            Ret::Int | Ret::Select(_) | Ret::Poll | Ret::Signal | Ret::Name(_) | Ret::Time => self.line.signed(result),
            Ret::Hex | Ret::Flags(_) | Ret::Bits(_) => self.line.hex(value),
            Ret::Octal => self.line.mode(value),
            Ret::Never => self.text("?"),
        }
        match signature.ret {
            Ret::Flags(set) => {
                let is_zero_named = set.meaning().choices.iter().any(|(_, bits)| bits == 0);
                if value != 0 || is_zero_named {
                    self.flags_field(" (flags ", set, value);
                    self.text(")");
                }
            }
            Ret::Name(set) | Ret::Bits(set) => {
                self.flags_field(" (", set, value);
                self.text(")");
            }
            Ret::Signal if value != 0 => {
                self.text(" (");
                self.signal(value);
                self.text(")");
            }
            Ret::Time => {
                self.text(" (");
                self.date(result, 0, 0);
                self.text(")");
            }
            Ret::Poll => self.ready_of_array(signature, value),
            Ret::Select(shape) => self.ready_of_sets(shape, value),
            _ => {}
        }
    }

    /// Appends an error.
    fn error(&mut self, number: u64) {
        const RESTART_FIRST: u64 = 512;
        let description = u32::try_from(number).ok().and_then(errno::describe);
        self.text(if (RESTART_FIRST..RESTART_FIRST + 5).contains(&number) { "? " } else { "-1 " });
        match description {
            Some((name, text)) => {
                self.text(name);
                self.text(" (");
                self.text(text);
                self.text(")");
            }
            None => {
                self.unsigned_field("(errno ", number);
                self.text(")");
            }
        }
    }

    /// Appends which descriptors of poll(2)'s array are ready.
    fn ready_of_array(&mut self, signature: &Signature, ready: u64) {
        const POLLFD_BYTES: u64 = 8;
        if ready == 0 {
            return self.text(" (Timeout)");
        }
        let (addr, count) = (self.arg(0), self.arg_u32(1));
        self.text(" ([");
        let mut shown = 0;
        for index in 0..count {
            let Some(record) = self.record(addr.wrapping_add(index * POLLFD_BYTES), POLLFD_BYTES) else {
                break;
            };
            if record.u16(6) == 0 {
                continue;
            }
            self.separate(shown == 0);
            if shown == text::ITEMS_MAX {
                self.text("...");
                break;
            }
            self.signed_field("{fd=", i64::from(record.i32(0)));
            self.flags_field(", revents=", Set::Poll, u64::from(record.u16(6)));
            self.text("}");
            shown += 1;
        }
        self.text("]");
        let timeout = self.arg(2);
        if has_timeout(&signature.args) && timeout != 0 {
            self.text(", left ");
            self.item(Shape::Timespec, timeout);
        }
        self.text(")");
    }

    /// Appends which descriptors of select(2)'s sets are ready, and the time left.
    fn ready_of_sets(&mut self, timeout: Shape, ready: u64) {
        if ready == 0 {
            return self.text(" (Timeout)");
        }
        let count = self.arg_u32(0);
        let mut is_first = true;
        for (index, name) in [(1, "in "), (2, "out "), (3, "except ")] {
            let addr = self.arg(index);
            if addr == 0 || !self.has_descriptors(addr, count) {
                continue;
            }
            self.text(if is_first { " (" } else { ", " });
            self.text(name);
            self.descriptor_set(addr, count);
            is_first = false;
        }
        let left = self.arg(4);
        if left != 0 {
            self.text(if is_first { " (left " } else { ", left " });
            self.item(timeout, left);
            is_first = false;
        }
        if !is_first {
            self.text(")");
        }
    }

    /// Whether any descriptor is in a set.
    fn has_descriptors(&self, addr: u64, count: u64) -> bool {
        (0..count.min(1024).div_ceil(64))
            .any(|index| self.record(addr.wrapping_add(index * 8), 8).is_some_and(|record| record.u64(0) != 0))
    }
}

/// Whether argument 2 is a time rather than a number.
fn has_timeout(args: &[crate::calls::Arg; MAX_ARGS]) -> bool {
    matches!(args, [_, _, crate::calls::Arg::Update(_), ..])
}
