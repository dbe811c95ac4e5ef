//! Duplicates of descriptors (dup(2), fcntl(2) with `F_DUPFD` and `F_DUPFD_CLOEXEC`): the kernel's alone but for what is
//! known of the old descriptor, which is known of the new one too ([`DESCRIPTIONS`]).
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_duplicate` | as `bt_pass` | the cache pc, after the call, or `bt_slow` |
//! | `bt_duplicate_asked` | the same, `next_pc` and `resume` set | the same |
//!
//! A descriptor that has a lane, or whose number is not among the [`FEW`](super::filters::FEW), is Rust's. So is a new
//! one with such a number: Rust notes it after the call (`bt_on_duplicate`). Where no number is left Rust makes the call
//! again.
//!
//! A duplicate that nobody followed would share what is held of its description. So a signal that comes between the
//! call and the note finds it noted: the handler does that ([`Region::Duplicated`]). In a process with threads another
//! one may have closed the new descriptor meanwhile, and the note would be false: there nothing is known of a description with
//! duplicates, and a descriptor gets a lane only if it is known.

use super::entries;
use super::lane::{DESCRIPTIONS, LANES};
use super::piece::Piece;
use super::region::Region;
use crate::sys::Errno;
use core::sync::atomic::{AtomicU32, Ordering};

labels! {
    /// A place in this block.
    pub enum Label {
        duplicate_labels: [
            Entry = bt_duplicate,
            Call = bt_duplicate_call,
            UsedUp = bt_duplicate_used_up,
            UsedUpEnd = bt_duplicate_used_up_end,
            Rust = bt_duplicate_rust,
            RustEnd = bt_duplicate_rust_end,
            Noting = bt_duplicate_noting,
            End = bt_duplicate_end,
        ],
    }
}

/// EMFILE (dup(2)): no number is left, unless the runtime's own can give way.
const USED_UP: u64 = Errno::EMFILE.as_result().unsigned_abs();

/// 1 where Rust makes them all: descriptors of the runtime's own are in the way.
static ARE_RUSTS: AtomicU32 = AtomicU32::new(0);

/// Leaves all duplicates to Rust, or none.
pub(super) fn leave_to_rust(leave: bool) {
    ARE_RUSTS.store(u32::from(leave), Ordering::Relaxed);
}

/// 1 in a process with threads: what has duplicates is not known.
static ARE_UNFOLLOWED: AtomicU32 = AtomicU32::new(0);

/// What is duplicated from here on is not known any more.
pub(super) fn unfollow(unfollow: bool) {
    ARE_UNFOLLOWED.store(u32::from(unfollow), Ordering::Relaxed);
}

/// Where the gate enters for dup(2).
#[must_use]
pub fn entry() -> u64 {
    Label::Entry.address()
}

/// The piece as a signal handler sees it.
pub(super) fn piece() -> Piece {
    // A pc on the call still belongs to what is before it.
    let called = Label::Call.address() + 1;
    let (first, noting, end) = (entry(), Label::Noting.address() + 1, Label::End.address());
    Piece::new((first, end)).entered_at([first]).with_ranges([
        ((first, called), Region::BeforeCall),
        ((Label::UsedUp.address(), Label::UsedUpEnd.address()), Region::BeforeCallRaxSaved),
        // From there it goes into Rust, and on the way out signals are taken.
        ((Label::Rust.address(), Label::RustEnd.address()), Region::Runtime),
        ((called, noting), Region::Duplicated),
        ((noting, end), Region::DuplicatedNoting),
    ])
}

/// The pc after the `syscall` of this block.
#[must_use]
pub fn call_end() -> u64 {
    const SYSCALL_BYTES: u64 = 2;
    Label::Call.address() + SYSCALL_BYTES
}

/// The call has been made, or the thread is on its `syscall`.
#[must_use]
pub fn is_at_or_behind_call(pc: u64) -> bool {
    (Label::Call.address()..Label::End.address()).contains(&pc)
}

/// All of it, in one block. Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts above.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rcx r11 rsi rip_ resume next_pc slot_r11 slot_scratch counts foreign]
        {lanes = sym LANES, descriptions = sym DESCRIPTIONS, are_rusts = sym ARE_RUSTS, are_unfollowed = sym ARE_UNFOLLOWED, on_duplicate = sym entries::bt_on_duplicate, used_up = const USED_UP};
        duplicate_labels!(),
        ".p2align 5",
        "bt_duplicate:",
        "mov gs:[{next_pc}], rcx",
        "mov gs:[{resume}], r11",
        "bt_duplicate_asked:",
        // Only a thread of this process: another's descriptors are not ours.
        "mov ecx, gs:[{foreign}]",
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        "mov ecx, [rip + {are_rusts}]",
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        "mov ecx, edi",
        "mov gs:[{slot_scratch}], rcx",
        "mov ecx, dword ptr gs:[{slot_scratch} + 1]", // its upper 24 bits
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        // First: a thread that is about to give it a lane looks at this afterwards.
        "mov ecx, [rip + {are_unfollowed}]",
        "jrcxz 2f",
        "mov ecx, edi",
        "lea r11, [rip + {descriptions}]",
        "mov dword ptr [r11 + rcx*4], 0",
        "2:",
        "mov ecx, edi",
        "lea r11, [rip + {lanes}]",
        "mov rcx, [r11 + rcx*8]",
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        "mov rcx, gs:[{counts} + rax*8]",
        "lea rcx, [rcx + 1]",
        "mov gs:[{counts} + rax*8], rcx",
        "mov gs:[{rax}], rax",
        // ---- only r11 and rcx are free after it, and r11 holds the flags
        "bt_duplicate_call:",
        "syscall",
        "mov gs:[{slot_scratch}], rax",
        "mov ecx, dword ptr gs:[{slot_scratch} + 4]",
        "jrcxz 2f",
        // ---- an error
        "lea rcx, [rax + {used_up}]",
        "jrcxz 4f",
        "mov rcx, gs:[{next_pc}]",
        "jmp qword ptr gs:[{resume}]",
        // ---- numbers of the runtime's own may be had: Rust makes the call again
        "4:",
        "bt_duplicate_used_up:",
        "mov rax, gs:[{rax}]",
        "mov rcx, gs:[{counts} + rax*8]",
        "lea rcx, [rcx - 1]",
        "mov gs:[{counts} + rax*8], rcx",
        "jmp bt_filter_slow",
        "bt_duplicate_used_up_end:",
        "2:",
        "mov ecx, dword ptr gs:[{slot_scratch} + 1]",
        "jrcxz 3f",
        "bt_duplicate_rust:",
        "mov gs:[{rax}], rax",
        "mov rcx, gs:[{next_pc}]",
        "mov gs:[{rcx}], rcx",
        "mov gs:[{rip_}], rcx",
        "mov gs:[{r11}], r11",
        "mov gs:[{rsi}], rsi",
        "lea rax, [rip + {on_duplicate}]",
        "jmp bt_enter_rust",
        "bt_duplicate_rust_end:",
        "3:",
        "mov gs:[{slot_r11}], r11",
        "bt_duplicate_noting:",
        "lea r11, [rip + {descriptions}]",
        "mov ecx, edi",
        "mov ecx, [r11 + rcx*4]",
        "mov [r11 + rax*4], ecx",
        "mov r11, gs:[{slot_r11}]",
        "mov rcx, gs:[{next_pc}]",
        "jmp qword ptr gs:[{resume}]",
        "bt_duplicate_end:",
    )
}
