//! The guest's state at a cache pc (SIGNALS.md, rule 1).

use super::Engine;
use super::direct::Direct;
use super::direct::site::Stub;
use crate::mem::guest;
use crate::thread::registers::{Gpr, Regs};
use crate::thread::state::ThreadState;
use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::Request;
use bt_translator::source::CodeSource;
use bt_translator::translation::{FAR_AWAY, Position, Recover, find_position};

/// How far the cache's code for a guest instruction has come at a cache pc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// At its beginning.
    Begins,
    /// After its beginning.
    Inside,
    /// At the instruction that makes or answers its system call.
    Calls,
}

/// The code a fragment was made from: guest memory, or the copy that was kept because the memory is writable.
struct Kept<'a> {
    tag: u64,
    len: u32,
    copy: Option<&'a [u8]>,
    direct: &'a Direct,
}

impl CodeSource for Kept<'_> {
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
        let at = usize::try_from(pc.0 - self.tag).unwrap_or(usize::MAX);
        let left = (self.len as usize).saturating_sub(at).min(buf.len());
        let Some(to) = buf.get_mut(..left) else { return 0 };
        match self.copy {
            Some(copy) => {
                let from = copy.get(at..at + left).unwrap_or(&[]);
                to.copy_from_slice(from);
                left
            }
            None => {
                let got = guest::read_bytes(pc.0, to);
                self.direct.undo(pc.0, to);
                got
            }
        }
    }

    fn is_known(&self, _pc: GuestPc) -> bool {
        false
    }
}

impl Engine {
    /// Rewrites `regs`, taken at a cache pc, into the guest's registers and pc. Returns whether the pc is at the
    /// beginning of what represents an instruction, or `None` if `regs.rip` is not in the cache.
    pub fn recover(&mut self, ts: &ThreadState, regs: &mut Regs) -> Option<Step> {
        if let Some((start, stub)) = self.direct.stub_at(regs.rip) {
            return self.recover_in_stub(ts, regs, start, &stub);
        }
        if self.cache.zone_of(regs.rip).is_some() {
            return self.recover_here(ts, regs);
        }
        // A flushed cache that the thread has not left yet takes the current one's place for a moment.
        let n = self.retired.iter().position(|g| g.cache.zone_of(regs.rip).is_some())?;
        self.exchange(n);
        let result = self.recover_here(ts, regs);
        self.exchange(n);
        result
    }

    fn exchange(&mut self, n: usize) {
        if let Some(g) = self.retired.get_mut(n) {
            core::mem::swap(&mut self.cache, &mut g.cache);
            core::mem::swap(&mut self.fragments, &mut g.fragments);
        }
    }

    fn recover_here(&mut self, ts: &ThreadState, regs: &mut Regs) -> Option<Step> {
        let zone = self.cache.zone_of(regs.rip)?;
        let (id, hot) = zone.find(regs.rip)?;
        let exits = self.fragments.list.get(id as usize)?.exits;
        if !hot && let Some(exit) = self.stub_at(exits, regs.rip) {
            // In an exit stub: `mov gs:[slot_rcx], rcx` is its first instruction.
            if regs.rip > exit.0 {
                regs[Gpr::Rcx] = ts.slot_rcx;
            }
            regs.rip = exit.1;
            return Some(Step::Inside);
        }
        self.translate_again(id)?;
        let fragment = self.fragments.list.get(id as usize)?;
        let base = if hot { fragment.hot } else { fragment.cold };
        let offset = u32::try_from(regs.rip - base).ok()?;
        let position = *find_position(if hot { &self.out.positions } else { &self.out.cold_positions }, offset)?;
        let fixed = if position.pc == FAR_AWAY {
            // A jump whose target is too far for the map: the exit knows.
            self.exit_after(fragment.exits, regs.rip)?
        } else {
            fragment.tag.wrapping_add_signed(i64::from(position.pc))
        };
        Some(apply(ts, regs, position, offset, fixed))
    }

    /// As `recover`, in a stub of engine `direct`, which begins at `start`.
    fn recover_in_stub(&mut self, ts: &ThreadState, regs: &mut Regs, start: u64, stub: &Stub) -> Option<Step> {
        self.out.want_positions = true;
        let (tag, cold) = (GuestPc(stub.tag), Stub::cold(start));
        self.translator.translate(tag, stub.request(), CachePc(start), cold, &mut stub.original(), &mut self.out);
        self.out.want_positions = false;
        let offset = u32::try_from(regs.rip - start).ok()?;
        let position = *find_position(&self.out.positions, offset)?;
        let fixed = stub.tag.wrapping_add_signed(i64::from(position.pc));
        Some(apply(ts, regs, position, offset, fixed))
    }

    /// Fills `out` with a fragment's translation once more, for its position maps: from the code it was made from,
    /// which is unchanged or was kept.
    fn translate_again(&mut self, id: u32) -> Option<()> {
        let fragment = self.fragments.list.get(id as usize)?;
        let (tag, hot, cold) = (GuestPc(fragment.tag), CachePc(fragment.hot), CachePc(fragment.cold));
        let (insns, indirect, checked) = (fragment.insns, fragment.indirect, fragment.checked);
        let copy = fragment.source.as_deref();
        let mut source = Kept { tag: fragment.tag, len: fragment.guest_len, copy, direct: &self.direct };
        self.out.want_positions = true;
        if insns == 0 && fragment.guest_len == 0 {
            self.translator.translate_prologue(tag, hot, cold, &mut self.out);
        } else {
            let request = Request { indirect, single_entry: checked, max_insns: insns.max(1), ..Request::default() };
            self.translator.translate(tag, request, hot, cold, &mut source, &mut self.out);
        }
        self.out.want_positions = false;
        Some(())
    }

    /// Start and target of the stub that covers `pc`.
    fn stub_at(&self, (first, count): (u32, u32), pc: u64) -> Option<(u64, u64)> {
        // 9 bytes of store, 5 of move, 8 of jump.
        const STUB_BYTES: u64 = 22;
        (first..first + count)
            .filter_map(|id| self.fragments.exit(id))
            .find(|e| (e.stub..e.stub + STUB_BYTES).contains(&pc))
            .map(|e| (e.stub, e.target))
    }

    /// Target of the first exit whose displacement lies after `pc`.
    fn exit_after(&self, (first, count): (u32, u32), pc: u64) -> Option<u64> {
        (first..first + count).filter_map(|id| self.fragments.exit(id)).find(|e| e.site >= pc).map(|e| e.target)
    }
}

/// Rewrites `regs` as `position`, which covers `offset`, says; `fixed` is its guest pc. Returns whether an
/// instruction's code begins there.
fn apply(ts: &ThreadState, regs: &mut Regs, position: Position, offset: u32, fixed: u64) -> Step {
    let pc = match position.recover {
        Recover::Copied => fixed + u64::from(offset - position.offset),
        Recover::At | Recover::AtCall | Recover::OnTheWay => fixed,
        Recover::Scratch(r) => {
            regs[Gpr::numbered(r)] = ts.slot_scratch;
            fixed
        }
        Recover::TwoScratch(a, b) => {
            regs[Gpr::numbered(a)] = ts.slot_scratch;
            regs[Gpr::numbered(b)] = ts.slot_r11;
            fixed
        }
        Recover::Shifted(r) => {
            let shifted = regs[Gpr::numbered(r)];
            regs[Gpr::numbered(r)] = shifted.wrapping_sub(ts.guest_gs_base);
            regs[Gpr::R11] = ts.slot_r11;
            fixed
        }
        Recover::Rsp => {
            regs[Gpr::Rsp] = ts.regs[Gpr::Rsp];
            fixed
        }
        Recover::Rcx => {
            regs[Gpr::Rcx] = ts.slot_rcx;
            fixed
        }
        Recover::R11 => {
            regs[Gpr::R11] = ts.slot_r11;
            fixed
        }
        Recover::RcxR11 | Recover::TargetInRcx | Recover::DifferenceInRcx => {
            let rcx = regs[Gpr::Rcx];
            regs[Gpr::Rcx] = ts.slot_rcx;
            regs[Gpr::R11] = ts.slot_r11;
            match position.recover {
                Recover::TargetInRcx => rcx,
                Recover::DifferenceInRcx => fixed.wrapping_add(rcx),
                _ => fixed,
            }
        }
    };
    regs.rip = pc;
    match position.recover {
        Recover::Copied => Step::Begins,
        Recover::At if offset == position.offset => Step::Begins,
        Recover::AtCall if offset == position.offset => Step::Calls,
        _ => Step::Inside,
    }
}
