//! One site is patched: where its stub lies, and how code in place comes into stubs.

use super::site::{COLD_OFFSET, LONGEST_INSN, Overwrite, Patch, SOURCE_BYTES, STUB_BYTES, Stub};
use super::window::{CHOICES, JUMP_BYTES, Spill, TRAP, Window};
use crate::engine::Engine;
use crate::engine::translate::cache;
use crate::mem::concerns::CONCERNS;
use alloc::vec::Vec;
use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::decode::decode;
use bt_translator::emit::encode_jmp_near;

/// Bytes of a jump to a stub that found no room, aligned.
const TRAMPOLINE_BYTES: u64 = 8;

impl Engine {
    /// Patches the code at `site`, `len` bytes long; what is to be written goes to `out`. `trap`: only the site's own
    /// bytes. `None` if no stub can be made.
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
        // After the last stub that begins before the choices end; stubs are made in ascending order.
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

    /// Puts a stub after the addresses that jumps reach, and a jump to it at `at`, where they do.
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
        // It represents the instruction it leads to.
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
                let spill = Spill::map(stub.tag)?;
                CONCERNS.add(spill.map.0, spill.map.1);
                self.direct.spills.push(spill);
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

    /// Where a thread that runs in place continues at the guest pc `pc`. `None` if what is there cannot be had in
    /// place.
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
