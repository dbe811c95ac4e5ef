//! `cpuid`: to the runtime, which keeps its answers.
//!
//! In a virtual machine the instruction traps into the hypervisor, which takes microseconds, and the start of a dynamically linked
//! program executes some forty of them.

use crate::block::{Next, Site};
use crate::emit::gpr;
use crate::translation::Recover;

/// `mov gs:[scratch], rdx; lea rdx, [behind]; jmp gs:[enter_cpuid]`: rdx is overwritten by the instruction anyway.
pub fn emit(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let layout = site.layout;
    site.out.hot.store_slot(layout.slot_scratch, gpr::RDX);
    site.mark(Recover::Scratch(gpr::RDX));
    // lea rdx, [rip + 8]: behind the jump, which is eight bytes long.
    site.out.hot.put(&[0x48, 0x8d, 0x15]);
    site.out.hot.put32(8);
    site.out.hot.jump_slot(layout.enter_cpuid);
    Next::Continue
}
