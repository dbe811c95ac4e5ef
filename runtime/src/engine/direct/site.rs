//! What is overwritten at a site, and the fragment that represents it: data only. `patch` makes them.

use super::window::JUMP_BYTES;
use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::Request;
use bt_translator::decode::{Class, decode};
use bt_translator::emit::JMP_NEAR;
use bt_translator::source::CodeSource;

/// Bytes of guest code that a patch overwrites at most: four and an instruction.
pub const SOURCE_BYTES: usize = 24;
/// Opcode of `jmp rel32`.
pub const JUMP: u8 = JMP_NEAR;
/// Bytes of a stub at most, constants included; a longer one is not used.
pub const STUB_BYTES: u64 = 224;
/// A stub's constants lie this far after its beginning.
pub(super) const COLD_OFFSET: u64 = 160;
pub(super) const LONGEST_INSN: usize = 15;

/// What was overwritten at a site.
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    /// First guest pc after it.
    pub end: u64,
    /// The guest's bytes.
    pub original: [u8; SOURCE_BYTES],
    /// The site itself traps; otherwise it is a jump.
    pub trap: bool,
}

/// A fragment that represents overwritten code.
#[derive(Clone, Copy, Debug)]
pub struct Stub {
    /// Bytes.
    pub len: u64,
    /// Guest pc of its first instruction.
    pub tag: u64,
    /// Guest pc at which it leads back into the guest's code.
    pub until: u64,
    /// The code it was made from, from the tag on.
    pub source: [u8; SOURCE_BYTES],
}

/// The code a stub is made from.
pub struct Original<'a> {
    tag: u64,
    bytes: &'a [u8],
}

impl Stub {
    /// Its code, as the translator reads it.
    #[must_use]
    pub fn original(&self) -> Original<'_> {
        let len = usize::try_from(self.until - self.tag).unwrap_or(0);
        Original { tag: self.tag, bytes: self.source.get(..len).unwrap_or(&[]) }
    }

    /// What to ask of the translator for it.
    #[must_use]
    pub fn request(&self) -> Request {
        Request { in_place_until: Some(GuestPc(self.until)), ..Request::default() }
    }

    /// Where its constants lie.
    #[must_use]
    pub fn cold(start: u64) -> CachePc {
        CachePc(start + COLD_OFFSET)
    }
}

impl CodeSource for Original<'_> {
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
        let from = usize::try_from(pc.0.wrapping_sub(self.tag)).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or(&[]);
        let n = rest.len().min(buf.len());
        for (to, byte) in buf.iter_mut().zip(rest) {
            *to = *byte;
        }
        n
    }

    fn is_known(&self, _pc: GuestPc) -> bool {
        false
    }
}

/// What a patch may overwrite, decided from the bytes alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// This many bytes from the site on.
    Displaced(usize),
    /// The site's own bytes: it traps.
    Trap(usize),
}

/// Padding that a compiler or assembler puts between functions, as far as it is one byte long.
fn is_padding(byte: u8) -> bool {
    matches!(byte, 0x90 | 0xcc)
}

/// How whole instructions from the beginning of `code` on, at least `min_len` bytes, can be overwritten by a jump;
/// `code` ends where the code is known to end. `is_code` tells whether code is known to begin at an offset; its second
/// argument, whether the code before it flows there.
pub fn shape(code: &[u8], min_len: usize, mut is_code: impl FnMut(usize, bool) -> bool) -> Option<Shape> {
    let first = usize::from(decode(code).ok()?.len);
    let min_len = min_len.max(usize::try_from(JUMP_BYTES).unwrap_or(0));
    let mut len = 0;
    let mut flows = true;
    while len < min_len {
        let rest = code.get(len..).unwrap_or(&[]);
        if len != 0 && !is_code(len, flows) {
            // The code ends here, or never comes here: padding can go, data must stay. Padding ends where a function
            // begins.
            let padding = rest.iter().take_while(|&&b| is_padding(b)).count();
            let next = (len + 1..=len + padding).find(|&at| at == code.len() || is_code(at, false));
            let Some(next) = next else { return Some(Shape::Trap(first)) };
            len = next.min(min_len);
            flows = false;
            continue;
        }
        let Ok(insn) = decode(rest) else { return Some(Shape::Trap(first)) };
        flows = match insn.class {
            Class::Jmp | Class::JmpInd | Class::Ret => false,
            Class::Plain | Class::Syscall | Class::Jcc(_) | Class::LoopOrJrcxz | Class::Cpuid | Class::Rdtsc => true,
            _ => return Some(Shape::Trap(first)),
        };
        len += usize::from(insn.len);
    }
    Some(if len <= SOURCE_BYTES { Shape::Displaced(len) } else { Shape::Trap(first) })
}

/// A store into the guest's code that is to be made.
pub struct Overwrite {
    /// Where.
    pub at: u64,
    /// The new bytes.
    pub bytes: [u8; SOURCE_BYTES],
    /// How many.
    pub len: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is known.
    fn no(_: usize, flows: bool) -> bool {
        flows
    }

    #[test]
    fn the_comparison_behind_a_call_is_displaced() {
        // syscall; cmp rax, -4096; ja …
        let code = [0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, 0x02];
        assert_eq!(shape(&code, 2, no), Some(Shape::Displaced(8)));
    }

    #[test]
    fn the_load_of_the_number_is_overwritten_with_the_call() {
        // mov eax, 39; syscall; ret
        assert_eq!(shape(&[0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3], 7, no), Some(Shape::Displaced(7)));
        // xor eax, eax; syscall; cmp rax, -4096
        let code = [0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff];
        assert_eq!(shape(&code, 4, no), Some(Shape::Displaced(10)));
    }

    #[test]
    fn data_behind_a_return_stays() {
        let with = |rest: [u8; 3]| [0x0f, 0x05, 0xc3, rest[0], rest[1], rest[2]];
        assert_eq!(shape(&with([0x90, 0x90, 0x90]), 2, no), Some(Shape::Displaced(5)));
        assert_eq!(shape(&with([1, 2, 3]), 2, no), Some(Shape::Trap(2)));
        // What begins as padding does is none, unless a function begins after it.
        assert_eq!(shape(&with([0x90, 0x90, 1]), 2, no), Some(Shape::Trap(2)));
        assert_eq!(shape(&with([0x90, 0x90, 1]), 2, |at, flows| flows || at == 5), Some(Shape::Displaced(5)));
        // A function that begins there may be cut: whoever comes to it traps.
        assert_eq!(shape(&with([0x31, 0xc0, 0xc3]), 2, |at, flows| flows || at == 3), Some(Shape::Displaced(5)));
    }

    #[test]
    fn data_behind_a_call_that_never_returns_stays() {
        // xor edi, edi; syscall; data
        assert_eq!(shape(&[0x31, 0xff, 0x0f, 0x05, 1, 2, 3], 4, |at, _| at < 4), Some(Shape::Trap(2)));
    }

    #[test]
    fn the_end_of_a_page_leaves_no_room_for_a_jump() {
        assert_eq!(shape(&[0x0f, 0x05], 2, no), Some(Shape::Trap(2)));
        assert_eq!(shape(&[0x0f, 0x05, 0x90], 2, no), Some(Shape::Trap(2)));
    }

    #[test]
    fn what_a_stub_cannot_hold_is_not_displaced() {
        // syscall; call rax; …
        assert_eq!(shape(&[0x0f, 0x05, 0xff, 0xd0, 0x90, 0x90], 2, no), Some(Shape::Trap(2)));
    }
}
