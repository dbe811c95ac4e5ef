//! One line of trace, in a buffer of its own.

use core::fmt;

/// What is put where a line had to be cut.
const CUT: &[u8] = b"...";
/// Room that arguments leave for the result.
const RESULT_BYTES: usize = 96;
/// Where results begin, as strace has it.
const RESULT_COLUMN: usize = 39;

/// A line in a fixed buffer. Writing never fails: what does not fit is cut and marked with `...`.
///
/// The result of a call has room of its own, so that a long argument does not push it out, and there is
/// always room for the newline.
pub struct Line<'a> {
    buf: &'a mut [u8],
    len: usize,
    end: usize,
    is_cut: bool,
    /// What a length was at entry that the kernel may replace; whoever formats the result compares.
    pub(super) length_before: Option<u32>,
}

impl<'a> Line<'a> {
    /// An empty line in `buf`.
    pub fn new(buf: &'a mut [u8]) -> Line<'a> {
        let mut line = Line { buf, len: 0, end: 0, is_cut: false, length_before: None };
        line.clear();
        line
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        self.len = 0;
        self.end = self.capacity() - RESULT_BYTES.min(self.capacity() / 2);
        self.is_cut = false;
        self.length_before = None;
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or_default()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Ends the line and returns it with its newline.
    pub fn finish(&mut self) -> &[u8] {
        if let Some(last) = self.buf.get_mut(self.len) {
            *last = b'\n';
            self.len += 1;
            self.end = self.len;
            self.is_cut = true;
        }
        self.as_bytes()
    }

    /// All but the byte for the newline.
    fn capacity(&self) -> usize {
        self.buf.len().saturating_sub(1)
    }

    /// Closes the arguments, lets the result use the room that was kept for it, and moves to its column.
    pub(super) fn begin_result(&mut self) {
        self.end = self.end.max(self.capacity());
        self.is_cut = false;
        self.text(")");
        while self.len < RESULT_COLUMN && self.len < self.end {
            self.text(" ");
        }
    }

    /// Appends bytes that are printable.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if self.is_cut {
            return;
        }
        let room = self.end.saturating_sub(self.len);
        let (fitting, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        if let Some(target) = self.buf.get_mut(self.len..self.len + fitting.len()) {
            target.copy_from_slice(fitting);
            self.len += fitting.len();
        }
        if !rest.is_empty() {
            self.is_cut = true;
            let mark = self.len.saturating_sub(CUT.len())..self.len;
            if let Some(target) = self.buf.get_mut(mark)
                && let Some(cut) = CUT.get(..target.len())
            {
                target.copy_from_slice(cut);
            }
        }
    }

    /// Appends text.
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Appends one character.
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes(&[byte]);
    }

    /// Appends a number in a base up to 16, with at least `digits_min` digits.
    fn digits(&mut self, value: u64, base: u64, digits_min: usize) {
        let mut digits = [b'0'; 64];
        let mut left = value;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            if left == 0 && used >= digits_min {
                break;
            }
            let value = usize::try_from(left % base).unwrap_or_default();
            *digit = b"0123456789abcdef".get(value).copied().unwrap_or(b'?');
            left /= base;
            used += 1;
        }
        let from = digits.len() - used;
        self.bytes(digits.get(from..).unwrap_or_default());
    }

    /// Appends an unsigned decimal number.
    pub(super) fn unsigned(&mut self, value: u64) {
        self.digits(value, 10, 1);
    }

    /// Appends an unsigned decimal number of at least `digits_min` digits.
    pub(super) fn unsigned_padded(&mut self, value: u64, digits_min: usize) {
        self.digits(value, 10, digits_min);
    }

    /// Appends a signed decimal number.
    pub(super) fn signed(&mut self, value: i64) {
        if value < 0 {
            self.text("-");
        }
        self.unsigned(value.unsigned_abs());
    }

    /// Appends a hexadecimal number; zero has no prefix.
    pub(super) fn hex(&mut self, value: u64) {
        self.hex_padded(value, 1);
    }

    /// Appends a hexadecimal number of at least `digits_min` digits; zero has no prefix.
    pub(super) fn hex_padded(&mut self, value: u64, digits_min: usize) {
        if value != 0 {
            self.text("0x");
        }
        self.digits(value, 16, digits_min);
    }

    /// Appends hexadecimal digits alone.
    pub(super) fn hex_digits(&mut self, value: u64, digits_min: usize) {
        self.digits(value, 16, digits_min);
    }

    /// Appends octal digits alone.
    pub(super) fn octal_digits(&mut self, value: u64, digits_min: usize) {
        self.digits(value, 8, digits_min);
    }

    /// Appends an address.
    pub(super) fn pointer(&mut self, addr: u64) {
        if addr == 0 {
            self.text("NULL");
        } else {
            self.hex(addr);
        }
    }

    /// Appends permission bits, of which zero has three digits.
    pub(super) fn mode(&mut self, mode: u64) {
        self.text("0");
        self.octal_digits(mode, 2);
    }
}

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text);
        Ok(())
    }
}
