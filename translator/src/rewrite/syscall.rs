//! `syscall`: to the gate, or in a stub by itself.
//!
//! The instruction itself overwrites rcx with the pc after it and r11 with the flags (Intel SDM vol. 2, SYSCALL), so
//! both are free: they carry the two return addresses into the gate.
//!
//! A stub makes the call itself where the gate need not see it. An indirect jump after a system call is mispredicted,
//! because the kernel clears the branch history on entry.

use crate::addr::GuestPc;
use crate::emit::{Code, Label, gpr};
use crate::layout::{Answer, ENTRIES, Layout};
use crate::rewrite::site::{Next, Site};
use crate::translation::Recover;

/// Emits one call.
pub(crate) fn emit(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    if site.out.in_place && site.layout.stubs_call {
        in_stub(site, site.out.known_number.filter(|&number| number < TABLE_LEN));
    } else {
        let next = site.next();
        let mut after = Label::new();
        to_gate(&mut site.out.hot, next, site.layout.enter_gate, &mut after);
        site.out.hot.bind(&mut after);
    }
    Next::Continue
}

/// Numbers in [`Layout::stub_calls`].
const TABLE_LEN: u32 = 1 << 16;

/// `lea rcx, next; lea r11, [back]; jmp gs:[entry]`: the gate comes back at `back`.
fn to_gate(hot: &mut Code, next: GuestPc, entry: i32, back: &mut Label) {
    hot.load_address(gpr::RCX, next.0);
    hot.lea_rip(gpr::R11, back);
    hot.jmp_gs(entry);
}

/// A call that the stub makes by itself, without a jump that is predicted by history, unless the gate must see it. No
/// flag changes: conditions are loads into rcx and `jrcxz`.
///
/// The code is: does the gate see the call? the way into the gate; the way into the runtime for what is sampled; the
/// call; and the place at which gate and runtime come back.
fn in_stub(site: &mut Site<'_>, number: Option<u32>) {
    let (layout, next) = (site.layout, site.next());
    let hot = &mut site.out.hot;
    let (mut gate, mut sampled, mut own, mut back) = (Label::new(), Label::new(), Label::new(), Label::new());
    match number {
        Some(number) => test_number(hot, layout, number),
        None => test_any_number(hot, layout, &mut gate),
    }
    hot.jrcxz(&mut gate);
    hot.jmp_short(&mut own);
    hot.bind(&mut gate);
    let entry = match number {
        Some(number) if number < ENTRIES => layout.call_entries + 8 * i32::try_from(number).unwrap_or(0),
        _ => layout.enter_gate,
    };
    to_gate(hot, next, entry, &mut back);
    // Where the counter says that the runtime is to look at the call.
    let is_sampled = number.is_none_or(|number| layout.sampled.contains(&number));
    if is_sampled {
        hot.bind(&mut sampled);
        to_gate(hot, next, layout.enter_slow, &mut back);
    }
    hot.bind(&mut own);
    match number.and_then(|number| layout.answers.iter().find(|a| a.number == number)) {
        Some(answer) => answer_here(site, answer),
        None => {
            count_call(hot, layout, number);
            if is_sampled {
                hot.jrcxz(&mut sampled);
            }
            site.mark(Recover::AtCall);
            site.out.hot.syscall();
        }
    }
    site.mark_at(next, Recover::At);
    let hot = &mut site.out.hot;
    hot.load_address(gpr::RCX, next.0);
    hot.bind(&mut back);
}

/// rcx = 0 where the gate must see call `number`.
fn test_number(hot: &mut Code, layout: &Layout, number: u32) {
    let is_answered = layout.answers.iter().any(|a| a.number == number);
    let table = if is_answered { layout.stub_calls + TABLE_LEN } else { layout.stub_calls };
    hot.movzx_byte_abs(gpr::RCX, table + number);
}

/// rcx = 0 where the gate must see the call whose number is in eax; a number that the table does not have goes to
/// `gate`.
fn test_any_number(hot: &mut Code, layout: &Layout, gate: &mut Label) {
    // The kernel reads eax. Its upper half must be zero: by way of memory, as shifts change flags.
    hot.mov32_store_gs(layout.slot_scratch, gpr::RAX);
    hot.movzx_word_gs(gpr::RCX, layout.slot_scratch + 2);
    let mut is_small = Label::new();
    hot.jrcxz(&mut is_small);
    hot.jmp_short(gate);
    hot.bind(&mut is_small);
    hot.movzx_word(gpr::RCX, gpr::RAX);
    hot.movzx_byte_base(gpr::RCX, gpr::RCX, layout.stub_calls);
}

/// Adds one to the call's counter; rcx is its new value.
fn count_call(hot: &mut Code, layout: &Layout, number: Option<u32>) {
    match number {
        Some(number) => count_at(hot, layout.call_counts + i32::try_from(number * 8).unwrap_or(0)),
        None => {
            // eax is below the table's length, but what is above it in rax is not known.
            hot.movzx_word(gpr::R11, gpr::RAX);
            hot.mov_load_gs_index8(gpr::RCX, gpr::R11, layout.call_counts);
            hot.lea_base_disp8(gpr::RCX, gpr::RCX, 1);
            hot.mov_store_gs_index8(gpr::R11, layout.call_counts, gpr::RCX);
        }
    }
}

/// Adds one to the counter at `gs:[count]` by way of rcx; `inc` would change flags.
fn count_at(hot: &mut Code, count: i32) {
    hot.mov_load_gs(gpr::RCX, count);
    hot.lea_base_disp8(gpr::RCX, gpr::RCX, 1);
    hot.mov_store_gs(count, gpr::RCX);
}

/// A call that is answered with a value of the thread's state.
fn answer_here(site: &mut Site<'_>, answer: &Answer) {
    let layout = site.layout;
    let hot = &mut site.out.hot;
    count_at(hot, answer.count);
    // The instruction leaves the flags in r11. The guest's stack is not ours to push them on.
    hot.mov_store_gs(layout.slot_rsp, gpr::RSP);
    hot.mov_load_gs(gpr::RSP, layout.runtime_sp);
    site.mark(Recover::Rsp);
    let hot = &mut site.out.hot;
    hot.pushfq();
    hot.pop(gpr::R11);
    hot.mov_load_gs(gpr::RSP, layout.slot_rsp);
    site.mark(Recover::AtCall);
    site.out.hot.mov32_load_gs(gpr::RAX, answer.value);
}
