//! What speaks against executing a page in place, and how that is settled.
//!
//! The scan cannot always tell a call from data that looks like one. The page that holds such a place is withheld, and
//! a thread that comes to it is translated there: so it is seen what is executed. Where a thread begins, and in a
//! straight line from there, lie instructions; a place among them is a call, which is then patched, or part of another
//! instruction. When no place of the page is doubted any more it runs in place.

use super::site::SOURCE_BYTES;
use super::survey::{Plan, Text, plan};
use super::withheld::{Doubt, Range, pages_of};
use crate::engine::Engine;
use crate::gate::facts::{Fact, holds};
use crate::mem::map::Region;
use crate::options;
use crate::sys::mem;
use crate::thread::state::ThreadState;
use alloc::vec::Vec;
use bt_translator::addr::GuestPc;
use bt_translator::decode::{Class, decode};
use bt_translator::scan::NoFunctions;
use bt_translator::source::CodeSource;
use linux_raw_sys::general as k;

/// Bytes of `syscall`, of `sysenter` and of `int 0x80`.
const CALL_BYTES: u64 = 2;
/// Bytes of the longest instruction.
const LONGEST_INSN: usize = 15;

/// Times that a thread comes to withheld code and goes back into its place at the next opportunity. Each costs a fault,
/// some 3 µs; a thread that comes more often stays longer and longer in the code cache.
const FREE_VISITS: u32 = 1024;
/// Visits after which it stays twice as long.
const VISITS_TO_DOUBLE: u32 = 64;

/// Dispatches that a thread stays in the code cache for, which has come to withheld code so many times.
fn stay(visits: u32) -> u32 {
    match visits.checked_sub(FREE_VISITS) {
        None => 0,
        Some(more) => 1u32.checked_shl(more / VISITS_TO_DOUBLE).unwrap_or(u32::MAX),
    }
}

/// The thread was stopped at withheld code while it ran in place.
pub fn visited(ts: &mut ThreadState) {
    ts.visits = ts.visits.saturating_add(1);
    ts.stay = stay(ts.visits);
    ts.is_translating = true;
}

impl Engine {
    /// Withholds the pages of `doubts`, ascending places in private memory with the protection `prot`.
    pub fn withhold_pages(&mut self, doubts: &[u64], prot: u32) {
        for (start, end) in pages_of(doubts, CALL_BYTES) {
            self.close(Range { start, end, whole: false }, prot);
        }
        for &at in doubts {
            self.direct.withheld.set_doubt(at, Some(Doubt::MayBeData));
        }
    }

    /// The kernel lets nobody execute `start..end`, private memory with the protection `prot`.
    pub fn withhold(&mut self, start: u64, end: u64, prot: u32) {
        self.close(Range { start: start & !4095, end: end.next_multiple_of(4096), whole: true }, prot);
    }

    fn close(&mut self, range: Range, prot: u32) {
        // SAFETY: the guest's mapping; a thread that executes there faults and is translated.
        if unsafe { mem::mprotect(range.start, range.end - range.start, prot & !k::PROT_EXEC) }.is_ok() {
            self.direct.withheld.add(range);
        }
    }

    /// The instruction at `pc` cannot be executed in place: it or its end is withheld.
    #[must_use]
    pub fn is_withheld(&self, pc: u64) -> bool {
        let withheld = &self.direct.withheld;
        if withheld.holds(pc) {
            return true;
        }
        let last = LONGEST_INSN as u64 - 1;
        if (pc & 4095) + last < 4096 || !withheld.holds(pc + last) {
            return false;
        }
        let mut code = [0u8; LONGEST_INSN];
        let got = Text(&self.direct).read(GuestPc(pc), &mut code);
        let len = code.get(..got).and_then(|code| decode(code).ok()).map_or(0, |insn| u64::from(insn.len));
        len > 1 && withheld.holds(pc + len - 1)
    }

    /// A thread that translates is about to execute at `pc`: it may do so in place.
    pub(crate) fn goes_on_in_place(&mut self, ts: &mut ThreadState, pc: u64) -> bool {
        // What uses the gs base itself is rewritten.
        if !options::get().engine.runs_in_place() || ts.guest_gs_base != 0 {
            return false;
        }
        if self.direct.withheld.holds(pc) {
            self.learn(pc);
        }
        if self.is_withheld(pc) || !self.map.find(pc).is_some_and(|(_, region)| region.is_exec()) {
            return false;
        }
        match ts.stay.checked_sub(1) {
            Some(left) => ts.stay = left,
            None => return true,
        }
        false
    }

    /// A thread is about to execute at `pc`, which is withheld: what lies there in a straight line is code.
    fn learn(&mut self, pc: u64) {
        let Some(range) = self.direct.withheld.at(pc).filter(|range| !range.whole) else { return };
        let open = |&(_, doubt): &(u64, Doubt)| doubt == Doubt::MayBeData;
        let places: Vec<u64> = self.direct.withheld.doubts(pc, range.end).filter(open).map(|(at, _)| at).collect();
        let Some(&last) = places.last() else { return };
        let (mut at, mut previous) = (pc, None);
        while at <= last {
            let mut code = [0u8; LONGEST_INSN];
            let got = Text(&self.direct).read(GuestPc(at), &mut code);
            let Some(insn) = code.get(..got).and_then(|code| decode(code).ok()) else { break };
            let end = at + u64::from(insn.len);
            for &place in places.iter().filter(|place| (at..end).contains(place)) {
                let doubt = match insn.class {
                    Class::Syscall | Class::Cpuid if place == at => Some(Doubt::Executed(previous)),
                    // One with a prefix, or of another kind.
                    Class::Syscall | Class::Sysenter | Class::Int(_) | Class::GsBase | Class::GsSelector => {
                        Some(Doubt::Lasting)
                    }
                    _ => None,
                };
                self.direct.withheld.set_doubt(place, doubt);
            }
            let goes_on = matches!(
                insn.class,
                Class::Plain | Class::Jcc(_) | Class::LoopOrJrcxz | Class::Syscall | Class::Cpuid | Class::Rdtsc
            );
            if !goes_on {
                break;
            }
            previous = Some(at);
            at = end;
        }
        if self.direct.withheld.is_settled(range) {
            self.release(range);
        }
    }

    /// Patches what was executed in `range`, and lets it run in place.
    fn release(&mut self, range: Range) {
        let Range { start, end, .. } = range;
        let Some((_, Region { prot, .. })) = self.map.find(start).filter(|(_, region)| region.end >= end) else {
            return;
        };
        // Pages that may be written are watched; a guest with a filter need not be let change protections.
        if prot & k::PROT_WRITE != 0 || holds(Fact::Filtered) {
            return;
        }
        let executed: Vec<(u64, Doubt)> = self.direct.withheld.doubts(start, end).collect();
        let sites: Vec<u64> = executed.iter().map(|&(site, _)| site).collect();
        let mut covered = start;
        let mut plans: Vec<Plan> = Vec::with_capacity(executed.len());
        for (site, doubt) in executed {
            let Doubt::Executed(previous) = doubt else { continue };
            if site < covered || self.direct.patch_at(site).is_some() {
                continue;
            }
            // Nothing outside: other threads may be executing it.
            let plan = plan(&self.direct, site, previous, (covered, end), &[], &mut NoFunctions);
            covered = plan.at + plan.len as u64;
            plans.push(plan);
        }
        let closed = prot & !k::PROT_EXEC;
        if !plans.is_empty() && self.carry_out(start, end, closed, &plans, &sites).is_empty() {
            // Withheld for good now.
            return;
        }
        // SAFETY: the protection that the guest gave its memory.
        if unsafe { mem::mprotect(start, end - start, prot) }.is_ok() {
            self.direct.withheld.forget(start, end);
        }
    }
}

// A site's neighbours that a patch overwrites lie within this distance.
const _: () = assert!(SOURCE_BYTES < 4096);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_often_stays_longer() {
        assert_eq!([0, 1, FREE_VISITS - 1].map(stay), [0, 0, 0]);
        assert_eq!([FREE_VISITS, FREE_VISITS + 64, FREE_VISITS + 640].map(stay), [1, 2, 1024]);
        assert_eq!(stay(u32::MAX), u32::MAX);
    }
}
