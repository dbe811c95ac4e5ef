//! One site: what is overwritten, and the stub that stands for it.

use super::window::{CHOICES, JUMP_BYTES, Spill, TRAP, Window};
use crate::engine::Engine;
use crate::engine::translate::cache;
use alloc::vec::Vec;
use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::{CodeSource, Request};
use bt_translator::decode::{Class, decode};
use bt_translator::emit::{self, encode_jmp_near};

/// Bytes of guest code that a patch overwrites at most: four and an instruction.
pub const SOURCE_BYTES: usize = 24;
/// Opcode of `jmp rel32`.
pub const JUMP: u8 = emit::JMP_NEAR;
/// Bytes of a stub at most, constants included; a longer one is not used.
pub const STUB_BYTES: u64 = 224;
/// Bytes of a jump to a stub that found no room, aligned.
const TRAMPOLINE_BYTES: u64 = 8;
/// A stub's constants lie this far behind its beginning.
const COLD_OFFSET: u64 = 160;
const LONGEST_INSN: usize = 15;

/// What was overwritten at a site.
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    /// First guest pc behind it.
    pub end: u64,
    /// The guest's bytes.
    pub original: [u8; SOURCE_BYTES],
    /// The site itself traps; otherwise it is a jump.
    pub trap: bool,
}

/// A fragment that stands for overwritten code.
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

/// How whole instructions from the beginning of `code` on, at least `min_len` bytes, can be overwritten by a jump; `code` ends
/// where the code is known to end. `is_code` tells whether code is known to begin at an offset; its second argument,
/// whether the code before it flows there.
pub fn shape(code: &[u8], min_len: usize, mut is_code: impl FnMut(usize, bool) -> bool) -> Option<Shape> {
    let first = usize::from(decode(code).ok()?.len);
    let min_len = min_len.max(usize::try_from(JUMP_BYTES).unwrap_or(0));
    let mut len = 0;
    let mut flows = true;
    while len < min_len {
        let rest = code.get(len..).unwrap_or(&[]);
        if len != 0 && !is_code(len, flows) {
            // The code ends here, or never comes here: padding can go, data must stay. Padding ends where a function begins.
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

impl Engine {
    /// Patches the code at `site`, `len` bytes long; what is to be written goes to `out`. `trap`: only the site's own bytes.
    /// `None` if no stub can be made.
    pub fn patch(
        &mut self,
        window: Option<usize>,
        site: u64,
        code: &[u8],
        trap: bool,
        out: &mut Vec<Overwrite>,
    ) -> Option<()> {
        let mut original = [0u8; SOURCE_BYTES];
        original.get_mut(..code.len())?.copy_from_slice(code);
        let end = site + code.len() as u64;
        let stub = Stub { len: 0, tag: site, until: end, source: original };
        let mut bytes = [TRAP; SOURCE_BYTES];
        if trap {
            let at = self.spill_stub(stub)?;
            self.direct.inner.insert(site, at);
        } else {
            let at = self.place_stub(window, stub)?;
            let jump = encode_jmp_near(site, at)?;
            bytes.get_mut(..jump.len())?.copy_from_slice(&jump);
        }
        self.direct.patches.insert(site, Patch { end, original, trap });
        out.push(Overwrite { at: site, bytes, len: code.len() });
        Some(())
    }

    /// Puts a stub where a jump at its tag reaches it.
    fn place_stub(&mut self, window: Option<usize>, stub: Stub) -> Option<u64> {
        let number = window?;
        let window: Window = *self.direct.windows.get(number)?;
        let first = window.first_choice(stub.tag)?;
        let mut at = first;
        let is_same = |s: &Stub| s.tag == stub.tag && s.until == stub.until && s.source == stub.source;
        let mut reachable = self.direct.stubs.range(first.max(window.map.0)..first + CHOICES);
        if let Some((&start, _)) = reachable.find(|(_, s)| is_same(s)) {
            // The same code was mapped here before: a thread may still be inside.
            return Some(start);
        }
        // Behind the last stub that begins before the choices end; stubs are made in ascending order.
        if let Some((&start, last)) = self.direct.stubs.range(..first + CHOICES).next_back() {
            at = at.max((start + last.len).next_multiple_of(8));
        }
        // The next stub's choices begin where this one's jump leads, or later: a stub that reaches far takes them away.
        if at + STUB_BYTES <= first + CHOICES && self.make_stub(at, stub).is_some() {
            return Some(at);
        }
        if at + TRAMPOLINE_BYTES > first + CHOICES {
            return None;
        }
        self.overflow_stub(number, at, stub)
    }

    /// Puts a stub behind the addresses that jumps reach, and a jump to it at `at`, where they do.
    fn overflow_stub(&mut self, number: usize, at: u64, stub: Stub) -> Option<u64> {
        let Window { overflow, map, .. } = *self.direct.windows.get(number)?;
        if overflow + STUB_BYTES > map.1 {
            return None;
        }
        let len = self.make_stub(overflow, stub)?;
        self.direct.windows.get_mut(number)?.overflow = (overflow + len).next_multiple_of(8);
        let jump = encode_jmp_near(at, overflow)?;
        // SAFETY: free memory of the window.
        unsafe { cache::write(CachePc(at), &jump) };
        // It stands for the instruction it leads to.
        self.direct.stubs.insert(at, Stub { len: JUMP_BYTES, until: stub.tag, ..stub });
        Some(at)
    }

    /// Puts a stub anywhere within reach.
    fn spill_stub(&mut self, stub: Stub) -> Option<u64> {
        // The same code was mapped here before: its stub is still there.
        if let Some(&at) = self.direct.spilled.get(&stub.tag)
            && let Some(old) = self.direct.stubs.get(&at)
            && old.until == stub.until
            && old.source == stub.source
        {
            return Some(at);
        }
        let found = self.direct.spills.iter().position(|s| s.serves(stub.tag, STUB_BYTES));
        let n = match found {
            Some(n) => n,
            None => {
                self.direct.spills.push(Spill::map(stub.tag)?);
                self.direct.spills.len() - 1
            }
        };
        let at = self.direct.spills.get(n)?.next;
        let len = self.make_stub(at, stub)?;
        self.direct.spills.get_mut(n)?.next = (at + len).next_multiple_of(16);
        self.direct.spilled.insert(stub.tag, at);
        Some(at)
    }

    fn make_stub(&mut self, at: u64, mut stub: Stub) -> Option<u64> {
        let (request, cold) = (stub.request(), Stub::cold(at));
        self.translator.translate(GuestPc(stub.tag), request, CachePc(at), cold, &mut stub.original(), &mut self.out);
        let hot = u64::from(self.out.hot.offset());
        let cold_len = u64::from(self.out.cold.offset());
        stub.len = if cold_len == 0 { hot } else { COLD_OFFSET + cold_len };
        if self.out.refused || !self.out.exits.is_empty() || hot > COLD_OFFSET || stub.len > STUB_BYTES {
            return None;
        }
        // SAFETY: free memory of a window, within its bounds.
        unsafe {
            cache::write(CachePc(at), self.out.hot.bytes());
            cache::write(cold, self.out.cold.bytes());
        }
        self.direct.stubs.insert(at, stub);
        Some(stub.len)
    }

    /// Where a thread that runs in place continues at the guest pc `pc`. `None` if what is there cannot be had in place.
    pub fn in_place_entry(&mut self, pc: u64) -> Option<u64> {
        let Some((start, Patch { end, trap, .. })) = self.direct.patch_at(pc) else { return Some(pc) };
        if pc == start && !trap {
            return Some(pc);
        }
        self.stub_of_its_own(pc, end - pc)
    }

    /// A stub for the whole instructions that begin at `pc` and cover at least `len` bytes, as the guest wrote them.
    pub fn stub_of_its_own(&mut self, pc: u64, len: u64) -> Option<u64> {
        if let Some(&at) = self.direct.inner.get(&pc) {
            return Some(at);
        }
        let mut code = [0u8; LONGEST_INSN + SOURCE_BYTES];
        let got = crate::mem::guest::read_bytes(pc, &mut code);
        let code = code.get_mut(..got)?;
        self.direct.undo(pc, code);
        let mut covered = 0;
        while (covered as u64) < len {
            covered += usize::from(decode(code.get(covered..)?).ok()?.len);
        }
        let mut source = [0u8; SOURCE_BYTES];
        source.get_mut(..covered)?.copy_from_slice(code.get(..covered)?);
        let at = self.spill_stub(Stub { len: 0, tag: pc, until: pc + covered as u64, source })?;
        self.direct.inner.insert(pc, at);
        Some(at)
    }
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
        // What begins as padding does is none, unless a function begins behind it.
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
