//! Single steps in code that is kept unexecutable: a thread that translates leaves an instruction to the CPU.

use crate::engine::Engine;
use crate::sys::mem;
use linux_raw_sys::general as k;

/// Bytes of the longest instruction, but for its first.
const TAIL_BYTES: u64 = 14;

impl Engine {
    /// The instruction at `pc` is being executed in place and could not be fetched: it can be now, if that is because
    /// it was withheld. Until [`Engine::close_after_step`] other threads can execute beside it.
    pub fn open_for_step(&mut self, pc: u64) -> bool {
        let opened = self.set_executable(pc, true);
        self.direct.withheld.open_steps += u32::from(opened);
        opened
    }

    /// The step at `pc` is over.
    pub fn close_after_step(&mut self, pc: u64) {
        self.set_executable(pc, false);
        self.direct.withheld.open_steps -= 1;
    }

    /// True if a page was changed.
    fn set_executable(&mut self, pc: u64, executable: bool) -> bool {
        let mut any = false;
        for page in pc >> 12..=pc.saturating_add(TAIL_BYTES) >> 12 {
            let Some((_, region)) = self.map.find(page << 12).filter(|_| self.direct.withheld.holds(page << 12)) else {
                continue;
            };
            let is_closed = self.map.watched.get(&page).is_some_and(|watch| watch.protected);
            let mut prot = if executable { region.prot } else { self.direct.withheld.page_prot(page, region.prot) };
            if is_closed {
                prot &= !k::PROT_WRITE;
            }
            // SAFETY: the guest's memory, with no more access than it asked for.
            any |= unsafe { mem::mprotect(page << 12, 4096, prot) }.is_ok();
        }
        any
    }
}
