//! The guest's state at a cache pc (SIGNALS.md, rule 1).

use super::Engine;
use crate::thread::state::{Regs, ThreadState, reg};
use bt_translator::translation::{FAR_AWAY, Recover, find_position};

impl Engine {
    /// Rewrites `regs`, taken at a cache pc, into the guest's registers and pc. Returns the fragment, or `None` if `regs.rip` is
    /// not in the cache.
    pub fn recover(&self, ts: &ThreadState, regs: &mut Regs) -> Option<u32> {
        let zone = self.cache.zone_of(regs.rip)?;
        let (id, hot) = zone.find(regs.rip)?;
        let fragment = self.fragments.list.get(id as usize)?;
        if !hot && let Some(exit) = self.stub_at(fragment.exits, regs.rip) {
            // In an exit stub: `mov gs:[slot_rcx], rcx` is its first instruction.
            if regs.rip > exit.0 {
                set(regs, reg::RCX, ts.slot_rcx);
            }
            regs.rip = exit.1;
            return Some(id);
        }
        let base = if hot { fragment.hot } else { fragment.cold };
        let offset = u32::try_from(regs.rip - base).ok()?;
        let position = find_position(fragment.positions.get(usize::from(!hot))?, offset)?;
        let fixed = if position.pc == FAR_AWAY {
            // A jump whose target is too far for the map: the exit knows.
            self.exit_after(fragment.exits, regs.rip)?
        } else {
            fragment.tag.wrapping_add_signed(i64::from(position.pc))
        };
        let pc = match position.recover {
            Recover::Copied => fixed + u64::from(offset - position.offset),
            Recover::At => fixed,
            Recover::Scratch(r) => {
                set(regs, usize::from(r), ts.slot_scratch);
                fixed
            }
            Recover::TwoScratch(a, b) => {
                set(regs, usize::from(a), ts.slot_scratch);
                set(regs, usize::from(b), ts.slot_r11);
                fixed
            }
            Recover::Rcx => {
                set(regs, reg::RCX, ts.slot_rcx);
                fixed
            }
            Recover::R11 => {
                set(regs, reg::R11, ts.slot_r11);
                fixed
            }
            Recover::RcxR11 | Recover::TargetInRcx | Recover::DifferenceInRcx => {
                let rcx = regs.gpr.get(reg::RCX).copied().unwrap_or(0);
                set(regs, reg::RCX, ts.slot_rcx);
                set(regs, reg::R11, ts.slot_r11);
                match position.recover {
                    Recover::TargetInRcx => rcx,
                    Recover::DifferenceInRcx => fixed.wrapping_add(rcx),
                    _ => fixed,
                }
            }
        };
        regs.rip = pc;
        Some(id)
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

    /// Target of the first exit whose displacement lies behind `pc`.
    fn exit_after(&self, (first, count): (u32, u32), pc: u64) -> Option<u64> {
        (first..first + count).filter_map(|id| self.fragments.exit(id)).find(|e| e.site >= pc).map(|e| e.target)
    }
}

fn set(regs: &mut Regs, n: usize, value: u64) {
    if let Some(r) = regs.gpr.get_mut(n) {
        *r = value;
    }
}
