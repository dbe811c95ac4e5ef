//! `cpuid`: to the runtime, which keeps its answers.
//!
//! In a virtual machine the instruction traps into the hypervisor, which takes microseconds, and the start of a
//! dynamically linked program executes some forty of them.

use crate::emit::{Label, gpr};
use crate::rewrite::site::{Next, Site};
use crate::translation::Recover;

/// `mov gs:[scratch], rdx; lea rdx, [after]; jmp gs:[enter_cpuid]; after:`. The instruction overwrites rdx anyway.
pub(crate) fn emit(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let layout = site.layout;
    let mut after = Label::new();
    site.out.hot.mov_store_gs(layout.slot_scratch, gpr::RDX);
    site.mark(Recover::Scratch(gpr::RDX));
    site.out.hot.lea_rip(gpr::RDX, &mut after);
    site.out.hot.jmp_gs(layout.enter_cpuid);
    site.out.hot.bind(&mut after);
    Next::Continue
}
