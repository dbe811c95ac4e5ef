//! `syscall`: to the gate.
//!
//! The instruction itself overwrites rcx with the pc behind it and r11 with the flags (Intel SDM vol. 2, SYSCALL), so both
//! are free to carry the two return addresses.

use crate::block::{Next, Site};
use crate::emit::gpr;
use crate::translation::Recover;

/// `lea rcx, next; lea r11, [behind]; jmp gs:[enter_gate]`
pub fn emit(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    let next = site.next().0;
    let slot = site.layout.enter_gate;
    let hot = &mut site.out.hot;
    hot.load_address(gpr::RCX, next);
    // lea r11, [rip + 8]: behind the jump, which is eight bytes long.
    hot.put(&[0x4c, 0x8d, 0x1d]);
    hot.put32(8);
    hot.jump_slot(slot);
    Next::Continue
}
