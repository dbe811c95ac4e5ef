//! Finds system call sites in code that runs in place.
//!
//! A byte search finds every place where an instruction of interest could begin; nearly all of them are real. Which
//! ones are is decided by decoding from the start of the function that holds the place (`walk`). In a hole between
//! known functions lies either padding and code without unwind tables, which decodes from the hole's start on, or data,
//! which does not for long; in a long hole decoding begins near the place (`meeting`). What remains is *doubtful*: it
//! may be data, and data must not be patched.

mod meeting;
mod place;
#[cfg(test)]
mod tests;
mod walk;

use crate::addr::GuestPc;
use crate::decode::{Class, Insn, copied_len, decode_into};
use crate::source::{CodeSource, Window};
use alloc::vec;
use alloc::vec::Vec;
use place::alone;
use walk::Walk;

pub use place::{Extent, Verdict};

/// A place whose bytes look like an instruction of interest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Its address.
    pub pc: GuestPc,
    /// What is there.
    pub verdict: Verdict,
}

/// What is known of the functions in the code that is scanned.
pub trait Functions {
    /// The function that holds `pc`.
    fn holding(&mut self, pc: u64) -> Option<Extent>;
    /// What holds `pc` is said to be data.
    fn is_data(&mut self, _pc: u64) -> bool {
        false
    }
    /// The hole between known functions that holds `pc`, which none of them does; `None` if no function is known at
    /// all.
    fn hole(&mut self, pc: u64) -> Option<Extent>;
}

/// Nothing is known.
pub struct NoFunctions;
impl Functions for NoFunctions {
    fn holding(&mut self, _pc: u64) -> Option<Extent> {
        None
    }
    fn hole(&mut self, _pc: u64) -> Option<Extent> {
        None
    }
}

const CPUID: [u8; 2] = [0x0f, 0xa2];

/// The two bytes are those of an instruction of interest.
const fn is_interesting(first: u8, second: u8) -> bool {
    // syscall, sysenter, cpuid, rdgsbase and wrgsbase (with fences and others); int 0x80
    first == 0x0f && (second == 0x05 || second == 0x34 || second == 0xa2 || second == 0xae)
        || first == 0xcd && second == 0x80
}

/// Offsets of all byte pairs of interest in `code`, ascending.
fn pairs(code: &[u8], mut found: impl FnMut(usize)) {
    const BLOCK: usize = 64;
    let mut at = 0;
    while let Some(rest) = code.get(at..).filter(|r| r.len() > 1) {
        if let (Some(block), Some(next)) =
            (rest.first_chunk::<BLOCK>(), rest.get(1..).and_then(|r| r.first_chunk::<BLOCK>()))
        {
            // Written so that the compiler compares many bytes at once.
            let any = block.iter().zip(next).fold(false, |any, (&a, &b)| any | is_interesting(a, b));
            if !any {
                at += BLOCK;
                continue;
            }
        }
        let count = (rest.len() - 1).min(BLOCK);
        for (i, pair) in rest.windows(2).take(count).enumerate() {
            if let &[a, b] = pair
                && is_interesting(a, b)
            {
                found(at + i);
            }
        }
        at += count;
    }
}

/// Bytes searched at a time.
const CHUNK_BYTES: usize = 32 << 10;

/// Finds all candidates in `start..end`, in ascending order.
pub fn scan(
    start: GuestPc,
    end: GuestPc,
    source: &mut dyn CodeSource,
    functions: &mut dyn Functions,
) -> Vec<Candidate> {
    let mut places = Vec::new();
    let length = usize::try_from(end.since(start)).unwrap_or(CHUNK_BYTES);
    let mut chunk = vec![0u8; length.min(CHUNK_BYTES)];
    let mut at = start;
    while at < end {
        let wanted = usize::try_from(end.since(at)).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let got = chunk.get_mut(..wanted).map_or(0, |chunk| source.read(at, chunk));
        pairs(chunk.get(..got).unwrap_or(&[]), |offset| places.push(at.plus(offset as u64)));
        // A pair may lie across two chunks.
        let step = if got == CHUNK_BYTES { got - 1 } else { got.max(1).next_multiple_of(4096) };
        at = at.plus(step as u64);
    }
    let mut window = Window::EMPTY;
    let mut walk: Option<Walk> = None;
    let mut found = Vec::with_capacity(places.len());
    for pc in places {
        let Some(pc) = beginning(pc, source) else { continue };
        if !walk.as_ref().is_some_and(|w| (w.extent.0..w.extent.1).contains(&pc.0)) {
            let function = functions.holding(pc.0).filter(|function| (start.0..=pc.0).contains(&function.0));
            if function.is_none() && functions.is_data(pc.0) {
                found.push(Candidate { pc, verdict: Verdict::NotCode });
                continue;
            }
            let hole = function.is_none().then(|| functions.hole(pc.0)).flatten();
            walk = function.or(hole).map(|(from, to)| {
                let extent = (from.max(start.0), to.min(end.0));
                Walk::new(extent, function.is_none())
            });
        }
        let verdict = match &mut walk {
            Some(walk) => walk.judge(pc, &mut window, source),
            None => alone(pc, &mut window, source),
        };
        // A cpuid that stays as it is costs time where a hypervisor traps it, and nothing else.
        let may_stay = verdict == Verdict::Doubtful && window.at(pc, source).starts_with(&CPUID);
        found.push(Candidate { pc, verdict: if may_stay { Verdict::NotCode } else { verdict } });
    }
    found
}

/// Where the direct branches of the code in `extent` lead, as far as that is inside it; ascending.
pub fn branch_targets(extent: Extent, source: &mut dyn CodeSource) -> Vec<u64> {
    let mut window = Window::EMPTY;
    let mut insn = Insn::default();
    let mut found = Vec::new();
    let mut at = GuestPc(extent.0);
    while at.0 < extent.1 {
        let bytes = window.at(at, source);
        let copied = bytes.first_chunk().map_or(0, copied_len);
        if copied != 0 {
            at = at.plus(copied as u64);
            continue;
        }
        let Ok(len) = decode_into(bytes, &mut insn) else { break };
        if matches!(insn.class, Class::Jcc(_) | Class::Jmp | Class::Call | Class::LoopOrJrcxz) {
            let target = insn.rel_target(at.0, bytes);
            if (extent.0..extent.1).contains(&target) {
                found.push(target);
            }
        }
        at = at.plus(u64::from(len));
    }
    found.sort_unstable();
    found
}

/// Where the instruction begins whose opcode was found at `pc`; `None` if it is none of interest. `rdgsbase` and
/// `wrgsbase` are F3 (REX) 0F AE with a ModRM byte of 11 001 rrr or 11 011 rrr.
fn beginning(pc: GuestPc, source: &mut dyn CodeSource) -> Option<GuestPc> {
    let mut code = [0u8; 3];
    source.read(pc, &mut code);
    let [0x0f, 0xae, modrm] = code else { return Some(pc) };
    if modrm & 0xe8 != 0xc8 {
        return None;
    }
    let mut byte_before = |distance: u64| {
        let at = GuestPc(pc.0.checked_sub(distance)?);
        let mut byte = [0u8];
        (source.read(at, &mut byte) == 1).then_some((at, byte))
    };
    match (byte_before(1), byte_before(2)) {
        (Some((at, [0xf3])), _) | (Some((_, [0x40..=0x4f])), Some((at, [0xf3]))) => Some(at),
        _ => None,
    }
}
