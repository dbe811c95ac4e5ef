//! `syscall`: to the gate, or in a stub by itself.
//!
//! The instruction itself overwrites rcx with the pc behind it and r11 with the flags (Intel SDM vol. 2, SYSCALL), so both
//! are free: they carry the two return addresses into the gate.
//!
//! A stub makes the call itself where the gate need not see it. An indirect jump behind a system call is mispredicted, because
//! the kernel clears the branch history on entry.

use crate::addr::GuestPc;
use crate::block::{Next, Site};
use crate::emit::{Code, gpr};
use crate::layout::{Answer, ENTRIES};
use crate::translation::Recover;

/// Emits one call.
pub fn emit(site: &mut Site<'_>) -> Next {
    site.mark(Recover::At);
    if site.out.in_place && site.layout.stubs_call {
        in_stub(site, site.out.known_number.filter(|&number| number < TABLE_LEN));
    } else {
        let next = site.next();
        to_gate(&mut site.out.hot, next, site.layout.enter_gate);
    }
    Next::Continue
}

/// Numbers in [`Layout::stub_calls`].
const TABLE_LEN: u32 = 1 << 16;

/// `lea rcx, next; lea r11, [behind]; jmp gs:[enter_gate]`: the gate comes back behind the jump.
fn to_gate(hot: &mut Code, next: GuestPc, entry: i32) {
    hot.load_address(gpr::RCX, next.0);
    // lea r11, [rip + 8]: behind the jump, which is eight bytes long.
    hot.put(&[0x4c, 0x8d, 0x1d]);
    hot.put32(8);
    hot.jump_slot(entry);
}

/// Emits `jrcxz` and returns where its displacement ends.
fn jump_if_rcx_is_zero(hot: &mut Code) -> u32 {
    hot.put(&[0xe3, 0]);
    hot.offset()
}

/// Makes a short jump that ends at `from` lead here.
fn land(hot: &mut Code, from: u32) {
    let distance = u8::try_from(hot.offset() - from).unwrap_or(0);
    hot.patch8(from - 1, distance);
}

/// A call that the stub makes by itself, without a jump that is predicted by history, unless the gate must see it. No flag
/// changes: conditions are loads into rcx and `jrcxz`.
fn in_stub(site: &mut Site<'_>, number: Option<u32>) {
    let (layout, next) = (site.layout, site.next());
    let hot = &mut site.out.hot;
    let mut to_gate_from = [None; 2];
    match number {
        Some(number) => {
            let answered = layout.answers.iter().any(|a| a.number == number);
            let table = if answered { layout.stub_calls + TABLE_LEN } else { layout.stub_calls };
            // movzx ecx, byte [table + number]
            hot.put(&[0x0f, 0xb6, 0x0c, 0x25]);
            hot.put(&(table + number).to_le_bytes());
        }
        None => {
            // The kernel reads eax. Its upper half must be zero: by way of memory, as shifts change flags.
            hot.put(&[0x65, 0x89, 0x04, 0x25]); // mov gs:[scratch], eax
            hot.put32(layout.slot_scratch);
            hot.put(&[0x65, 0x0f, 0xb7, 0x0c, 0x25]); // movzx ecx, word gs:[scratch + 2]
            hot.put32(layout.slot_scratch + 2);
            let small = jump_if_rcx_is_zero(hot);
            hot.put(&[0xeb, 0]); // jmp to the gate
            to_gate_from[0] = Some(hot.offset());
            land(hot, small);
            hot.put(&[0x0f, 0xb7, 0xc8]); // movzx ecx, ax
            hot.put(&[0x0f, 0xb6, 0x89]); // movzx ecx, byte [rcx + stub_calls]
            hot.put(&layout.stub_calls.to_le_bytes());
        }
    }
    to_gate_from[1] = Some(jump_if_rcx_is_zero(hot));
    hot.put(&[0xeb, 0]); // jmp over the way into the gate
    let own = hot.offset();
    for from in to_gate_from.into_iter().flatten() {
        land(hot, from);
    }
    let entry = match number {
        Some(number) if number < ENTRIES => layout.call_entries + 8 * i32::try_from(number).unwrap_or(0),
        _ => layout.enter_gate,
    };
    to_gate(hot, next, entry);
    let gate_end = hot.offset();
    // Where the counter says that the runtime is to look at the call.
    let sampled = number.is_none_or(|number| layout.sampled.contains(&number)).then(|| {
        let start = hot.offset();
        to_gate(hot, next, layout.enter_slow);
        (start, hot.offset())
    });
    land(hot, own);
    match number.and_then(|number| layout.answers.iter().find(|a| a.number == number)) {
        Some(answer) => answer_here(site, answer),
        None => {
            match number {
                Some(number) => {
                    let count = layout.call_counts + i32::try_from(number * 8).unwrap_or(0);
                    hot.load_slot(gpr::RCX, count);
                    hot.put(&[0x48, 0x8d, 0x49, 0x01]); // lea rcx, [rcx + 1]; inc would change flags
                    hot.store_slot(count, gpr::RCX);
                }
                None => {
                    // eax is below the table's length, but what is above it in rax is not known.
                    hot.put(&[0x44, 0x0f, 0xb7, 0xd8]); // movzx r11d, ax
                    hot.put(&[0x65, 0x4a, 0x8b, 0x0c, 0xdd]); // mov rcx, gs:[r11*8 + counts]
                    hot.put32(layout.call_counts);
                    hot.put(&[0x48, 0x8d, 0x49, 0x01]);
                    hot.put(&[0x65, 0x4a, 0x89, 0x0c, 0xdd]); // mov gs:[r11*8 + counts], rcx
                    hot.put32(layout.call_counts);
                }
            }
            if let Some((start, _)) = sampled {
                // A displacement of one byte: the way into the runtime lies a few instructions back.
                let back = hot.offset() + 2 - start;
                hot.put(&[0xe3, u8::try_from(back).unwrap_or(0).wrapping_neg()]); // jrcxz
            }
            site.mark(Recover::AtCall);
            site.out.hot.put(&[0x0f, 0x05]);
        }
    }
    site.mark_at(next, Recover::At);
    let hot = &mut site.out.hot;
    hot.load_address(gpr::RCX, next.0);
    let behind = hot.offset();
    // The gate comes back here: the displacement is the field before its jump of eight bytes.
    for end in [Some(gate_end), sampled.map(|(_, end)| end)].into_iter().flatten() {
        hot.patch32(end - 8 - 4, i32::try_from(behind - (end - 8)).unwrap_or(0));
    }
}

/// A call that is answered with a value of the thread's state.
fn answer_here(site: &mut Site<'_>, answer: &Answer) {
    let layout = site.layout;
    let hot = &mut site.out.hot;
    hot.load_slot(gpr::RCX, answer.count);
    hot.put(&[0x48, 0x8d, 0x49, 0x01]); // lea rcx, [rcx + 1]
    hot.store_slot(answer.count, gpr::RCX);
    // The instruction leaves the flags in r11. The guest's stack is not ours to push them on.
    hot.store_slot(layout.slot_rsp, gpr::RSP);
    hot.load_slot(gpr::RSP, layout.runtime_sp);
    site.mark(Recover::Rsp);
    let hot = &mut site.out.hot;
    hot.put(&[0x9c, 0x41, 0x5b]); // pushfq; pop r11
    hot.load_slot(gpr::RSP, layout.slot_rsp);
    site.mark(Recover::AtCall);
    let hot = &mut site.out.hot;
    hot.put(&[0x65, 0x8b, 0x04, 0x25]); // mov eax, gs:[value]
    hot.put32(answer.value);
}
