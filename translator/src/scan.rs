//! Finds system call sites in code that runs in place.
//!
//! A byte search finds every place where an instruction of interest could stand; nearly all of them are real. Which ones
//! are is decided by decoding from the start of the function that holds the place. In a hole between known functions lies
//! either padding and code without unwind tables, which decodes from the hole's start on, or data, which does not for
//! long. What remains is *doubtful*: it may be data, and data must not be patched.

use crate::addr::GuestPc;
use crate::block::{CodeSource, Window};
use crate::decode::{Class, Insn, copied_len, decode_into};
use alloc::vec;
use alloc::vec::Vec;

/// What stands at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The instruction begins there.
    Site {
        /// What it is: `Syscall`, `Cpuid`, `Int(0x80)`, `Sysenter`, or `GsBase` and `GsSelector` if it uses the gs segment's
        /// base itself.
        class: Class,
        /// Start of the instruction before it, if the decoder came that way.
        previous: Option<GuestPc>,
    },
    /// The bytes belong to another instruction.
    NotCode,
    /// Nobody knows.
    Doubtful,
}

/// A place whose bytes look like an instruction of interest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Its address.
    pub pc: GuestPc,
    /// What is there.
    pub verdict: Verdict,
}

/// The start and end of the function that holds an address.
pub type Extent = (u64, u64);

/// What is known of the functions in the code that is scanned.
pub trait Functions {
    /// The function that holds `pc`.
    fn holding(&mut self, pc: u64) -> Option<Extent>;
    /// What holds `pc` is said to be data.
    fn is_data(&mut self, _pc: u64) -> bool {
        false
    }
    /// The hole between known functions that holds `pc`, which none of them does; `None` if no function is known at all.
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

/// Instructions before and behind a place in a hole that must decode for it to be taken for code.
const CLEAN_BEFORE: u32 = 64;
const CLEAN_BEHIND: u32 = 32;
/// Among them and as many before the place.
const MOST_ZEROS: u32 = 4;

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

/// Start of a `mov eax, imm32` or `mov rax, imm32` that ends at `pc` and loads a number of the system call table: nobody
/// writes that but before a system call.
fn number_before(source: &mut dyn CodeSource, pc: GuestPc) -> Option<GuestPc> {
    let mut before = |len: u64| {
        let from = GuestPc(pc.0.checked_sub(len)?);
        let mut bytes = [0u8; 8];
        let wanted = bytes.get_mut(..usize::try_from(len).ok()?)?;
        (source.read(from, wanted) == wanted.len()).then_some((from, bytes))
    };
    // The long one first: its immediate is not the short one's.
    if let Some((from, [0x48, 0xc7, 0xc0, _, 0..=3, 0, 0, _])) = before(7) {
        return Some(from);
    }
    let Some((from, [0xb8, _, 0..=3, 0, 0, ..])) = before(5) else { return None };
    // A prefix before it would make it another instruction.
    match before(6) {
        Some((_, [0x40..=0x4f | 0x66, ..])) => None,
        _ => Some(from),
    }
}

/// One-byte opcodes that only privileged code can execute: where they are met is no program's code.
fn is_privileged(first: u8) -> bool {
    // Not hlt: it stands behind calls that never return.
    matches!(first, 0x6c..=0x6f | 0xe4..=0xe7 | 0xec..=0xef | 0xfa | 0xfb)
}

/// Decodes a function or a hole from its start on, from one candidate to the next.
struct Walk {
    extent: Extent,
    is_hole: bool,
    at: GuestPc,
    previous: Option<GuestPc>,
    steps: u32,
    /// A bit for each of the latest 64 instructions: it is two zero bytes (`add [rax], al`), which only data has many of.
    zeros: u64,
    broken: bool,
}

impl Walk {
    /// Goes on until `pc` is reached or passed.
    fn to(&mut self, pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) {
        let mut insn = Insn::default();
        while self.at < pc && !self.broken {
            let bytes = window.at(self.at, source);
            let len = match bytes.first_chunk().map_or(0, copied_len) {
                0 => decode_into(bytes, &mut insn).map(u64::from),
                len => Ok(len as u64),
            };
            self.previous = Some(self.at);
            self.steps += 1;
            let refused = self.is_hole && bytes.first().is_some_and(|&first| is_privileged(first));
            self.zeros = self.zeros << 1 | u64::from(bytes.starts_with(&[0, 0]));
            match len {
                Ok(len) if !refused => self.at = self.at.plus(len),
                _ => self.broken = true,
            }
        }
    }

    /// Skips what lies far before `pc` in a long hole. False: no instruction begins at `pc`.
    fn skip_to(&mut self, pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> bool {
        let is_long = self.extent.1.saturating_sub(self.extent.0) > LONG_HOLE;
        if !self.is_hole || !is_long || pc.0.saturating_sub(self.at.0) <= 2 * NEAR {
            return true;
        }
        if meeting(pc, window, source) == Meeting::None {
            return false;
        }
        let mut places = (pc.0 - 2 * NEAR + MEETING..=pc.0 - NEAR).rev().step_by(STEP);
        let found = places.find_map(|place| match meeting(GuestPc(place), window, source) {
            Meeting::At(at) => Some(at),
            Meeting::None | Meeting::Unknown => None,
        });
        if let Some(at) = found {
            *self = Self { at, previous: None, steps: 0, zeros: 0, broken: false, ..*self };
        }
        true
    }

    /// What is at `pc`.
    fn judge(&mut self, pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Verdict {
        if !self.skip_to(pc, window, source) {
            return Verdict::NotCode;
        }
        self.to(pc, window, source);
        let number = number_before(source, pc);
        if !self.is_hole {
            if self.broken {
                return alone(pc, window, source);
            }
            // Where bytes and decoder disagree on what stands before, neither is used.
            let previous = self.previous.filter(|_| number.is_none() || number == self.previous);
            return if self.at > pc { Verdict::NotCode } else { site(pc, previous, window, source) };
        }
        let found = site(pc, self.previous, window, source);
        if let Verdict::Site { class: Class::GsBase, .. } = found {
            // Five bytes are no accident, and to take them for code does no harm.
            return found;
        }
        let reached = !self.broken && self.at == pc;
        match (reached, number.is_some()) {
            (false, false) => Verdict::NotCode,
            // Data that holds a call, a template say, or code behind data.
            (false, true) => Verdict::Doubtful,
            (true, has_number) if has_number || self.steps >= CLEAN_BEFORE => {
                let ahead = self.ahead(pc, window, source);
                match (ahead.broken, has_number) {
                    (false, _) if ahead.zeros.count_ones() > MOST_ZEROS => Verdict::Doubtful,
                    (false, _) => found,
                    (true, true) => Verdict::Doubtful,
                    (true, false) => Verdict::NotCode,
                }
            }
            (true, _) => Verdict::Doubtful,
        }
    }

    /// The walk some instructions behind `pc`; broken if they do not decode.
    fn ahead(&self, pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Self {
        let Self { extent, previous, steps, zeros, .. } = *self;
        let mut ahead = Self { extent, is_hole: true, at: pc, previous, steps, zeros, broken: false };
        while ahead.steps < steps + CLEAN_BEHIND && !ahead.broken && ahead.at.0 < extent.1 {
            let next = ahead.at.plus(1);
            ahead.to(next, window, source);
        }
        ahead
    }
}

/// A hole that is not decoded from end to end: some programs have unwind tables for a part of their code only. From `NEAR` before
/// a place on there is enough to tell code from data.
const LONG_HOLE: u64 = 64 << 10;
const NEAR: u64 = 1024;
/// Distance of the places that are tried; odd, as code may repeat itself.
const STEP: usize = 61;

/// Bytes before a place from which on instructions are followed to it, and how many of the first of them one must begin in: no
/// instruction is longer (Intel SDM vol. 2, 2.3.11).
const MEETING: u64 = 112;
const LONGEST_INSN: u32 = 15;

/// How the ways meet on which instructions can be read up to a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meeting {
    /// None leads to it.
    None,
    /// All that are left go through this earlier place.
    At(GuestPc),
    /// Some lead to it, some do not.
    Unknown,
}

/// Follows all ways to read the code before `pc`: from each of the first bytes, one of which an instruction begins at. Ways meet soon, so that
/// what happens at `pc` is certain without having come from the start of the function.
fn meeting(pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Meeting {
    let start = pc.0 - MEETING;
    // Where an instruction begins on some way: a bit for each offset.
    let mut ways: u128 = (1 << LONGEST_INSN) - 1;
    let mut passed = false;
    let mut met = None;
    let mut insn = Insn::default();
    while ways != 0 {
        let offset = ways.trailing_zeros();
        if u64::from(offset) >= MEETING {
            break;
        }
        ways &= ways - 1;
        let at = GuestPc(start + u64::from(offset));
        if met.is_none() && ways == 0 && !passed && offset >= LONGEST_INSN {
            met = Some(at);
        }
        let bytes = window.at(at, source);
        let len = match bytes.first_chunk().map_or(0, copied_len) {
            0 => decode_into(bytes, &mut insn).map_or(0, u32::from),
            len => u32::try_from(len).unwrap_or(0),
        };
        match (len, u64::from(offset + len).cmp(&MEETING)) {
            // No instruction: nobody comes this way.
            (0, _) => {}
            (_, core::cmp::Ordering::Greater) => passed = true,
            _ => ways |= 1 << (offset + len),
        }
    }
    match (ways != 0, met) {
        (false, _) => Meeting::None,
        (true, Some(at)) => Meeting::At(at),
        (true, None) => Meeting::Unknown,
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
                let is_hole = function.is_none();
                Walk { extent, is_hole, at: GuestPc(extent.0), previous: None, steps: 0, zeros: 0, broken: false }
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

/// What is at `pc`, of which nothing is known but the bytes around it.
fn alone(pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Verdict {
    let number = number_before(source, pc);
    match site(pc, number, window, source) {
        verdict @ Verdict::Site { class: Class::Syscall, .. } if number.is_some() => verdict,
        // Five bytes that mean nothing else.
        verdict @ (Verdict::NotCode | Verdict::Site { class: Class::GsBase, .. }) => verdict,
        Verdict::Site { .. } | Verdict::Doubtful => Verdict::Doubtful,
    }
}

/// What is at `pc`, where an instruction begins.
fn site(pc: GuestPc, previous: Option<GuestPc>, window: &mut Window, source: &mut dyn CodeSource) -> Verdict {
    let mut insn = Insn::default();
    match decode_into(window.at(pc, source), &mut insn).map(|_| insn.class) {
        Ok(class @ (Class::Syscall | Class::Cpuid | Class::Int(0x80) | Class::Sysenter | Class::GsBase)) => {
            Verdict::Site { class, previous }
        }
        _ => Verdict::NotCode,
    }
}

/// Where the instruction begins whose opcode was found at `pc`; `None` if it is none of interest. `rdgsbase` and `wrgsbase`
/// are F3 (REX) 0F AE with a ModRM byte of 11 001 rrr or 11 011 rrr.
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

#[cfg(test)]
mod tests {
    use super::*;

    struct One(u64, u64);
    impl Functions for One {
        fn holding(&mut self, pc: u64) -> Option<Extent> {
            (self.0..self.1).contains(&pc).then_some((self.0, self.1))
        }
        fn hole(&mut self, pc: u64) -> Option<Extent> {
            Some(if pc < self.0 { (0, self.0) } else { (self.1, u64::MAX) })
        }
    }

    struct Bytes<'a>(&'a [u8]);
    impl CodeSource for Bytes<'_> {
        fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
            let Some(from) = usize::try_from(pc.0).ok().and_then(|pc| pc.checked_sub(0x1000)) else { return 0 };
            let rest = self.0.get(from..).unwrap_or(&[]);
            let n = rest.len().min(buf.len());
            buf[..n].copy_from_slice(&rest[..n]);
            n
        }
        fn is_known(&self, _pc: GuestPc) -> bool {
            false
        }
    }

    fn verdicts(code: &[u8], functions: &mut dyn Functions) -> Vec<(u64, Verdict)> {
        let end = GuestPc(0x1000 + code.len() as u64);
        scan(GuestPc(0x1000), end, &mut Bytes(code), functions).iter().map(|c| (c.pc.0 - 0x1000, c.verdict)).collect()
    }

    const SYSCALL: Class = Class::Syscall;

    #[test]
    fn a_site_in_a_function_is_found_with_what_stands_before_it() {
        // mov eax, 39; syscall; ret
        let code = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
        let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1000)) };
        assert_eq!(verdicts(&code, &mut One(0x1000, 0x1008)), [(5, site)]);
        assert_eq!(verdicts(&code, &mut NoFunctions), [(5, site)]);
        let code = [0x90, 0x90, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
        let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1002)) };
        assert_eq!(verdicts(&code, &mut NoFunctions), [(7, site)]);
    }

    #[test]
    fn a_number_in_another_register_is_none() {
        // mov r8d, 39; syscall
        let code = [0x90, 0x41, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
        assert_eq!(verdicts(&code, &mut NoFunctions), [(7, Verdict::Doubtful)]);
        let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1001)) };
        assert_eq!(verdicts(&code, &mut One(0x1000, 0x100a)), [(7, site)]);
    }

    #[test]
    fn a_function_whose_start_is_wrong_gives_no_previous_instruction() {
        // The zero belongs to padding; mov rax, 15; syscall
        let code = [0x00, 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05];
        let site = Verdict::Site { class: SYSCALL, previous: None };
        assert_eq!(verdicts(&code, &mut One(0x1000, 0x100a)), [(8, site)]);
    }

    #[test]
    fn bytes_inside_an_instruction_are_no_site() {
        // mov eax, 0x050f0f05; ret
        let code = [0xb8, 0x05, 0x0f, 0x05, 0x0f, 0xc3];
        assert_eq!(verdicts(&code, &mut One(0x1000, 0x1006)), [(2, Verdict::NotCode)]);
        assert_eq!(verdicts(&code, &mut NoFunctions), [(2, Verdict::Doubtful)]);
    }

    #[test]
    fn a_cpuid_that_may_be_data_stays() {
        assert_eq!(verdicts(&[0x90, 0x0f, 0xa2, 0xc3], &mut NoFunctions), [(1, Verdict::NotCode)]);
        let site = Verdict::Site { class: Class::Cpuid, previous: Some(GuestPc(0x1000)) };
        assert_eq!(verdicts(&[0x90, 0x0f, 0xa2, 0xc3], &mut One(0x1000, 0x1004)), [(1, site)]);
    }

    #[test]
    fn a_function_that_does_not_decode_proves_nothing() {
        let code = [0x06, 0x0f, 0x05];
        assert_eq!(verdicts(&code, &mut One(0x1000, 0x1003)), [(1, Verdict::Doubtful)]);
    }

    #[test]
    fn branches_inside_a_function_are_known() {
        // 1: jne 2f; jmp 1b; 2: loop 1b; call 2b; call far away; ret
        let code = [0x75, 2, 0xeb, 0xfc, 0xe2, 0xfa, 0xe8, 0xf9, 0xff, 0xff, 0xff, 0xe8, 0, 1, 0, 0, 0xc3];
        let extent = (0x1000, 0x1000 + code.len() as u64);
        assert_eq!(branch_targets(extent, &mut Bytes(&code)), [0x1000, 0x1000, 0x1004, 0x1004]);
    }

    #[test]
    fn gs_base_accesses_are_found_at_their_prefix() {
        // lfence; wrgsbase rax; rdfsbase rax; rdgsbase eax
        let code =
            [0x0f, 0xae, 0xe8, 0xf3, 0x48, 0x0f, 0xae, 0xd8, 0xf3, 0x48, 0x0f, 0xae, 0xc0, 0xf3, 0x0f, 0xae, 0xc8];
        for functions in [&mut One(0x1000, 0x1011) as &mut dyn Functions, &mut NoFunctions] {
            let found = verdicts(&code, functions);
            assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [3, 13]);
            assert!(found.iter().all(|f| matches!(f.1, Verdict::Site { class: Class::GsBase, .. })));
        }
    }

    #[test]
    fn a_hole_holds_code_or_data() {
        // A function, then 70 times nop, syscall, 40 times nop: code without unwind tables.
        let mut code = std::vec![0xc3u8];
        code.extend([0x90; 70]);
        code.extend([0x0f, 0x05]);
        code.extend([0x90; 40]);
        let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1046)) };
        assert_eq!(verdicts(&code, &mut One(0x1000, 0x1001)), [(71, site)]);
        // What follows is no code: neither was it.
        code.truncate(73);
        code.extend([0x06, 0x06]);
        assert_eq!(verdicts(&code, &mut One(0x1000, 0x1001)), [(71, Verdict::NotCode)]);
        // What precedes is no code.
        assert_eq!(verdicts(&[0xc3, 0xfa, 0x0f, 0x05], &mut One(0x1000, 0x1001)), [(2, Verdict::NotCode)]);
        // Too little to know.
        assert_eq!(verdicts(&[0xc3, 0x90, 0x0f, 0x05], &mut One(0x1000, 0x1001)), [(2, Verdict::Doubtful)]);
    }

    /// A function, something, then code: `mov rax, [rsp + 8]; add rax, 1; cmp eax, 0x050f; jne`, over and over, and `tail`.
    fn long_hole(something: &[u8], tail: &[u8]) -> std::vec::Vec<u8> {
        let mut code = std::vec![0xc3u8];
        code.extend(something);
        for _ in 0..8000 {
            code.extend([0x48, 0x8b, 0x44, 0x24, 8, 0x48, 0x83, 0xc0, 1, 0x3d, 0x0f, 5, 0, 0, 0x75, 0x10]);
        }
        code.extend(tail);
        code.extend([0x90; 40]);
        code
    }

    #[test]
    fn code_far_in_a_long_hole_is_found_behind_what_is_none() {
        // mov rdi, rbx; syscall
        let code = long_hole(&[0x06; 100], &[0x48, 0x89, 0xdf, 0x0f, 0x05]);
        let found = verdicts(&code, &mut One(0x1000, 0x1001));
        let (last, before) = found.split_last().unwrap();
        let at = (code.len() - 42) as u64;
        let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1000 + at - 3)) };
        assert_eq!(*last, (at, site));
        // The constants are none.
        assert_eq!(before.len(), 8000);
        assert!(before.iter().all(|f| f.1 == Verdict::NotCode));
    }

    #[test]
    fn tables_far_in_a_long_hole_are_no_code() {
        // Entries of eight bytes, as a symbol table has.
        let mut table = std::vec![];
        for _ in 0..300 {
            table.extend([0x0f, 5, 0, 0, 0x12, 0, 0, 0]);
        }
        let found = verdicts(&long_hole(&[], &table), &mut One(0x1000, 0x1001));
        let sites: std::vec::Vec<_> = found.iter().filter(|f| matches!(f.1, Verdict::Site { .. })).collect();
        assert!(sites.is_empty(), "{sites:x?}");
    }

    #[test]
    fn ways_to_read_code_meet() {
        let code = long_hole(&[], &[]);
        let mut window = Window::EMPTY;
        let mut meets = |at: u64| meeting(GuestPc(0x1000 + at), &mut window, &mut Bytes(&code));
        // At an instruction, and within one.
        assert!(
            matches!(meets(1601), Meeting::At(at) if (at.0 - 0x1001) % 16 == 0 || (at.0 - 0x1001) % 16 == 5 || (at.0 - 0x1001) % 16 >= 9)
        );
        assert_eq!(meets(1602), Meeting::None);
    }

    #[test]
    fn every_offset_of_a_long_text_is_searched() {
        const LEN: usize = CHUNK_BYTES + 202;
        for at in (0..200usize).chain(CHUNK_BYTES - 100..CHUNK_BYTES + 100) {
            let mut code = std::vec![0x90u8; LEN];
            code[at] = 0x0f;
            code[at + 1] = 0x05;
            let found = verdicts(&code, &mut One(0x1000, 0x1000 + LEN as u64));
            assert_eq!(found.len(), 1, "{at}");
            assert_eq!(found[0].0, at as u64);
            assert!(matches!(found[0].1, Verdict::Site { class: SYSCALL, .. }), "{at}");
        }
    }

    #[test]
    fn the_last_byte_alone_is_no_candidate() {
        assert!(verdicts(&[0x90, 0x0f], &mut NoFunctions).is_empty());
        assert!(verdicts(&[], &mut NoFunctions).is_empty());
    }
}
