//! Decoding of a function or a hole, from its start to one candidate after the other.

use super::meeting::{MEETING_BYTES, Meeting, meeting};
use super::place::{Extent, Verdict, alone, number_before, site};
use crate::addr::GuestPc;
use crate::decode::{Class, Insn, copied_len, decode_into};
use crate::source::{CodeSource, Window};

/// Instructions before a place in a hole that must decode for it to be taken for code.
const CLEAN_BEFORE: u32 = 64;
/// Instructions from the place on that must decode as well.
const CLEAN_AFTER: u32 = 32;
/// Instructions of two zero bytes at most, among the latest 64 when these have been read.
const MOST_ZEROS: u32 = 4;

/// Bytes from which on a hole is not decoded from end to end: some programs have unwind tables for a part of their code
/// only.
const LONG_HOLE: u64 = 64 << 10;
/// Bytes before a place in a long hole that are decoded at least: enough to know code from data.
const NEAR: u64 = 1024;
/// Distance of the places at which decoding may begin; odd, because code may repeat itself.
const STEP: usize = 61;

/// One-byte opcodes that only privileged code can execute: where they are met is no program's code.
fn is_privileged(first: u8) -> bool {
    // Not hlt: compilers put it after calls that never return.
    matches!(first, 0x6c..=0x6f | 0xe4..=0xe7 | 0xec..=0xef | 0xfa | 0xfb)
}

/// What compilers and assemblers put between functions: `int3`, `nop`, `nop r/m` (0F 1F).
fn is_padding(insn: &Insn) -> bool {
    insn.class == Class::Int3 || matches!((insn.map, insn.opcode), (0, 0x90) | (1, 0x1f))
}

/// The instruction at `pc` is a call; with a prefix, if it has been found by a later byte. Prefixes do nothing to it, and no
/// compiler writes them.
fn is_call(pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> bool {
    matches!(
        site(pc, None, window, source),
        Verdict::Site { class: Class::Syscall | Class::Sysenter | Class::Int(_), .. }
    )
}

/// Decodes a function or a hole from its start on, from one candidate to the next.
pub(super) struct Walk {
    /// The function or hole.
    pub(super) extent: Extent,
    is_hole: bool,
    /// The next instruction.
    at: GuestPc,
    /// The instruction before it.
    previous: Option<GuestPc>,
    /// Instructions so far.
    steps: u32,
    /// A bit for each of the latest 64 instructions: it is two zero bytes (`add [rax], al`), which only data has many
    /// of.
    zeros: u64,
    /// What is at `at` is no instruction of a program.
    broken: bool,
    /// A hole is code from end to end, if that has been asked.
    is_whole: Option<bool>,
}

impl Walk {
    /// A walk at the start of `extent`.
    pub(super) const fn new(extent: Extent, is_hole: bool) -> Self {
        Self {
            extent,
            is_hole,
            at: GuestPc(extent.0),
            previous: None,
            steps: 0,
            zeros: 0,
            broken: false,
            is_whole: None,
        }
    }

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
        let mut places = (pc.0 - 2 * NEAR + MEETING_BYTES..=pc.0 - NEAR).rev().step_by(STEP);
        let found = places.find_map(|place| match meeting(GuestPc(place), window, source) {
            Meeting::At(at) => Some(at),
            Meeting::None | Meeting::Unknown => None,
        });
        if let Some(at) = found {
            *self = Self { at, is_whole: self.is_whole, ..Self::new(self.extent, true) };
        }
        true
    }

    /// What is at `pc`.
    pub(super) fn judge(&mut self, pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Verdict {
        let number = number_before(source, pc);
        if !self.skip_to(pc, window, source) {
            // It may be the beginning of what follows data.
            return if number.is_some() { Verdict::Doubtful } else { Verdict::NotCode };
        }
        self.to(pc, window, source);
        if !self.is_hole {
            if self.broken {
                return alone(pc, window, source);
            }
            // Where bytes and decoder disagree on the instruction before, neither is used.
            let previous = self.previous.filter(|_| number.is_none() || number == self.previous);
            return match self.previous.filter(|_| self.at > pc) {
                None => site(pc, previous, window, source),
                Some(before) if is_call(before, window, source) => Verdict::Doubtful,
                Some(_) => Verdict::NotCode,
            };
        }
        if self.at > pc && !self.broken && self.previous.is_some_and(|before| is_call(before, window, source)) {
            return Verdict::Doubtful;
        }
        let reached = !self.broken && self.at == pc;
        let found = site(pc, self.previous.filter(|_| reached), window, source);
        if let Verdict::Site { class: Class::GsBase, .. } = found {
            // Five bytes are no accident, and to take them for code does no harm.
            return found;
        }
        match (reached, number.is_some()) {
            (false, false) => Verdict::NotCode,
            // Data that holds a call, a template say, or code after data.
            (false, true) => Verdict::Doubtful,
            (true, false) if self.steps < CLEAN_BEFORE => {
                if self.is_whole(window, source) {
                    found
                } else {
                    Verdict::Doubtful
                }
            }
            (true, has_number) => {
                let ahead = self.ahead(pc, window, source);
                match (ahead.broken, has_number) {
                    (false, _) if ahead.zeros.count_ones() > MOST_ZEROS => Verdict::Doubtful,
                    (false, _) => found,
                    (true, true) => Verdict::Doubtful,
                    (true, false) => Verdict::NotCode,
                }
            }
        }
    }

    /// The hole is one or more functions without unwind tables, as they are written in assembly: it decodes from its
    /// start to its end, and what comes last, but for padding, leads nowhere. Data that does so by chance would also
    /// have to hold a call where an instruction begins.
    fn is_whole(&mut self, window: &mut Window, source: &mut dyn CodeSource) -> bool {
        if let Some(known) = self.is_whole {
            return known;
        }
        let (start, end) = self.extent;
        let mut all = Self::new(self.extent, true);
        let mut insn = Insn::default();
        let mut goes_on = true;
        while end - start <= LONG_HOLE && all.at.0 < end && !all.broken {
            match decode_into(window.at(all.at, source), &mut insn) {
                Ok(_) if is_padding(&insn) => {}
                Ok(_) => goes_on = !matches!(insn.class, Class::Ret | Class::Jmp | Class::JmpInd | Class::Ud),
                Err(_) => break,
            }
            let next = all.at.plus(1);
            all.to(next, window, source);
        }
        let is_code = all.at.0 == end && !all.broken && !goes_on && all.zeros.count_ones() <= MOST_ZEROS;
        *self.is_whole.insert(is_code)
    }

    /// The walk some instructions after `pc`; broken if they do not decode.
    fn ahead(&self, pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Self {
        let mut ahead = Self { at: pc, broken: false, ..*self };
        while ahead.steps < self.steps + CLEAN_AFTER && !ahead.broken && ahead.at.0 < self.extent.1 {
            let next = ahead.at.plus(1);
            ahead.to(next, window, source);
        }
        ahead
    }
}
