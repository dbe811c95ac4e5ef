//! Strings and byte buffers.

use super::line::Line;
use crate::calls::{GuestMemory, read_u64};

/// How many bytes of a string are shown.
pub(super) const STRING_BYTES_MAX: usize = 32;
/// How many items of an array are shown.
pub(super) const ITEMS_MAX: u64 = 32;
/// The longest path that is shown: `PATH_MAX`.
const PATH_BYTES_MAX: usize = 4096;

/// Appends bytes as the inside of a C string; `next` is the byte that follows them.
fn escape(line: &mut Line<'_>, bytes: &[u8], next: Option<u8>) {
    let followers = bytes.iter().skip(1).copied().map(Some).chain([next]);
    for (&byte, follower) in bytes.iter().zip(followers) {
        match byte {
            b'"' => line.text("\\\""),
            b'\\' => line.text("\\\\"),
            b'\n' => line.text("\\n"),
            b'\t' => line.text("\\t"),
            b'\r' => line.text("\\r"),
            0x0b => line.text("\\v"),
            0x0c => line.text("\\f"),
            b' '..=b'~' => line.byte(byte),
            _ => {
                line.text("\\");
                let digits_min = if follower.is_some_and(|byte| byte.is_ascii_digit()) { 3 } else { 1 };
                line.octal_digits(u64::from(byte), digits_min);
            }
        }
    }
}

/// Appends bytes in quotes.
pub(super) fn quote(line: &mut Line<'_>, bytes: &[u8]) {
    line.text("\"");
    escape(line, bytes, None);
    line.text("\"");
}

/// Appends a buffer in quotes, or its address if it cannot be read.
pub(super) fn buffer(line: &mut Line<'_>, mem: &dyn GuestMemory, addr: u64, len_bytes: u64) {
    if addr == 0 {
        return line.pointer(addr);
    }
    let wanted = usize::try_from(len_bytes).unwrap_or(usize::MAX).min(STRING_BYTES_MAX);
    let mut bytes = [0; STRING_BYTES_MAX];
    let Some(shown) = bytes.get_mut(..wanted) else {
        return;
    };
    if mem.read(addr, shown) < wanted {
        return line.pointer(addr);
    }
    quote(line, shown);
    if len_bytes > wanted as u64 {
        line.text("...");
    }
}

/// Appends a buffer in quotes, every byte in hexadecimal.
pub(super) fn hex_buffer(line: &mut Line<'_>, mem: &dyn GuestMemory, addr: u64, len_bytes: u64) {
    let wanted = usize::try_from(len_bytes).unwrap_or(usize::MAX).min(STRING_BYTES_MAX);
    let mut bytes = [0; STRING_BYTES_MAX];
    let Some(shown) = bytes.get_mut(..wanted) else {
        return;
    };
    if addr == 0 || mem.read(addr, shown) < wanted {
        return line.pointer(addr);
    }
    line.text("\"");
    for byte in shown {
        line.text("\\x");
        line.hex_digits(u64::from(*byte), 2);
    }
    line.text("\"");
    if len_bytes > wanted as u64 {
        line.text("...");
    }
}

/// Appends the NUL-terminated string at `addr`, at most `len_max` bytes of it.
fn c_string_up_to(line: &mut Line<'_>, mem: &dyn GuestMemory, addr: u64, len_max: usize) {
    // One byte more than a chunk, because an escape depends on what follows.
    const CHUNK_BYTES: usize = 128;
    if addr == 0 {
        return line.pointer(addr);
    }
    let mut chunk = [0; CHUNK_BYTES + 1];
    let mut shown = 0;
    loop {
        let at = addr.wrapping_add(shown as u64);
        let got = mem.read(at, &mut chunk);
        let Some(known) = chunk.get(..got) else {
            return;
        };
        let end = known.iter().position(|byte| *byte == 0);
        if end.is_none() && got < chunk.len() {
            // The string runs into memory that cannot be read.
            if shown == 0 {
                return line.pointer(addr);
            }
            line.text("\"...");
            return;
        }
        if shown == 0 {
            line.text("\"");
        }
        let len = end.unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let fitting = len.min(len_max - shown);
        let next = known.get(fitting).copied().filter(|_| fitting < len || end.is_none());
        escape(line, known.get(..fitting).unwrap_or_default(), next);
        shown += fitting;
        if fitting < len || (shown == len_max && end.is_none()) {
            line.text("\"...");
            return;
        }
        if end.is_some_and(|end| end <= CHUNK_BYTES && end == len) {
            line.text("\"");
            return;
        }
    }
}

/// Appends a whole NUL-terminated string.
pub(super) fn path(line: &mut Line<'_>, mem: &dyn GuestMemory, addr: u64) {
    c_string_up_to(line, mem, addr, PATH_BYTES_MAX);
}

/// Appends a NULL-terminated array of strings.
pub(super) fn string_array(line: &mut Line<'_>, mem: &dyn GuestMemory, addr: u64) {
    if addr == 0 {
        return line.pointer(addr);
    }
    let Some(mut string) = read_u64(mem, addr) else {
        return line.pointer(addr);
    };
    line.text("[");
    for index in 0..=ITEMS_MAX {
        if string == 0 {
            break;
        }
        if index > 0 {
            line.text(", ");
        }
        if index == ITEMS_MAX {
            line.text("...");
            break;
        }
        c_string_up_to(line, mem, string, STRING_BYTES_MAX);
        let slot = addr.wrapping_add((index + 1) * 8);
        let Some(next) = read_u64(mem, slot) else {
            line.text(", ");
            line.pointer(slot);
            break;
        };
        string = next;
    }
    line.text("]");
}

/// Appends the address of a NULL-terminated array of strings and how many there are.
pub(super) fn string_count(line: &mut Line<'_>, mem: &dyn GuestMemory, addr: u64) {
    const COUNT_MAX: u64 = 100_000;
    line.pointer(addr);
    if addr == 0 {
        return;
    }
    let count = (0..COUNT_MAX)
        .take_while(|index| read_u64(mem, addr.wrapping_add(index * 8)).is_some_and(|string| string != 0))
        .count() as u64;
    line.text(" /* ");
    line.unsigned(count);
    line.text(if count == 1 { " var */" } else { " vars */" });
}
