//! `syscall`: to the gate, or by itself where its number is known.
//!
//! The instruction itself overwrites rcx with the pc behind it and r11 with the flags (Intel SDM vol. 2, SYSCALL), so both
//! are free: they carry the two return addresses into the gate.
//!
//! A stub whose number is known makes the call itself. An indirect jump behind a system call is mispredicted, because the kernel
//! clears the branch history on entry: to return from the gate costs 7 ns, to enter it by a pointer 4.

use crate::addr::GuestPc;
use crate::block::{Next, Site};
use crate::emit::{Code, gpr};
use crate::layout::{Answer, Layout};
use crate::translation::Recover;

/// Emits one call.
pub fn emit(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    match site.out.known_number.filter(|&n| site.out.in_place && n < site.layout.known_calls) {
        Some(number) => known(site, number),
        None => to_gate(site.layout, &mut site.out.hot, site.pc.plus(2)),
    }
    Next::Continue
}

/// `lea rcx, next; lea r11, [behind]; jmp gs:[enter_gate]`: the gate comes back behind the jump.
fn to_gate(layout: &Layout, hot: &mut Code, next: GuestPc) {
    hot.load_address(gpr::RCX, next.0);
    // lea r11, [rip + 8]: behind the jump, which is eight bytes long.
    hot.put(&[0x4c, 0x8d, 0x1d]);
    hot.put32(8);
    hot.jump_slot(layout.enter_gate);
}

/// The call `number`: without a jump that has to be predicted by history unless the gate must see it.
fn known(site: &mut Site<'_>, number: u32) {
    let (layout, next) = (site.layout, site.next());
    let n = i32::try_from(number).unwrap_or(0);
    let answer = layout.answers.iter().find(|a| a.number == number);
    let count = answer.map_or(layout.call_counts + 8 * n, |a| a.count);
    // movzx ecx, byte gs:[gated + n]; flags stay.
    let hot = &mut site.out.hot;
    hot.put(&[0x65, 0x0f, 0xb6, 0x0c, 0x25]);
    hot.put32(layout.gated_calls + n);
    hot.put(&[0xe3, 0]); // jrcxz over the way into the gate
    let gate_at = hot.offset();
    to_gate(layout, hot, next);
    let own_at = hot.offset();
    hot.patch8(gate_at - 1, u8::try_from(own_at - gate_at).unwrap_or(0));
    // inc would change flags.
    hot.load_slot(gpr::RCX, count);
    hot.put(&[0x48, 0x8d, 0x49, 0x01]); // lea rcx, [rcx + 1]
    hot.store_slot(count, gpr::RCX);
    match answer {
        Some(&Answer { value, .. }) => {
            // The instruction leaves the flags in r11. The guest's stack is not ours to push them on.
            hot.store_slot(layout.slot_rsp, gpr::RSP);
            hot.load_slot(gpr::RSP, layout.runtime_sp);
            site.mark(Recover::Rsp);
            let hot = &mut site.out.hot;
            hot.put(&[0x9c, 0x41, 0x5b]); // pushfq; pop r11
            hot.load_slot(gpr::RSP, layout.slot_rsp);
            site.mark(Recover::At);
            let hot = &mut site.out.hot;
            hot.put(&[0x65, 0x8b, 0x04, 0x25]); // mov eax, gs:[value]
            hot.put32(value);
        }
        None => hot.put(&[0x0f, 0x05]),
    }
    site.mark_at(next, Recover::At);
    let hot = &mut site.out.hot;
    hot.load_address(gpr::RCX, next.0);
    let behind = hot.offset();
    // The gate comes back here: the displacement is the field before its jump of eight bytes.
    hot.patch32(own_at - 8 - 4, i32::try_from(behind - (own_at - 8)).unwrap_or(0));
}
