//! Calls that the runtime carries out, as far as assembly can tell that this one is the kernel's alone.
//!
//! The runtime looks at every path, fcntl(2) command and signal mask; nearly all concern it in nothing. An entry here asks the question
//! without changing a register or a flag, and passes the call on or gives it to Rust.
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_filter_NAME` | as `bt_pass` | `bt_pass_lane` or `bt_slow` |
//! | `bt_filter_open` | `next_pc` and `resume` set | the cache pc, after the call |
//!
//! A fault in a look at the guest's memory gives the call to Rust. Until the jump the guest is about to execute its `syscall`. What an
//! open gives is noted behind the call; a signal that comes first leaves the descriptor unknown, which is always right.
//!
//! Descriptors are looked at up to [`FEW`] only: those of the runtime lie above (`syscall::descriptors::are_high`).

use super::lane::{DESCRIPTIONS, LANES, NEXT_DESCRIPTION};
use super::piece::Piece;
use super::region::Region;
use crate::calls::route::Filter;
use crate::thread::state::offset as o;
use core::arch::naked_asm;
use core::sync::atomic::AtomicU32;
use linux_raw_sys::general as k;

unsafe extern "C" {
    static bt_filter_first_path: u8;
    static bt_filter_second_path: u8;
    static bt_filter_open_first_path: u8;
    static bt_filter_open_second_path: u8;
    static bt_filter_close: u8;
    static bt_filter_fcntl: u8;
    static bt_filter_mask: u8;
    static bt_filter_slow: u8;
    static bt_filter_open_call: u8;
    static bt_filter_open_noted: u8;
    static bt_filter_end: u8;
}

const ALL: [Filter; 7] = [
    Filter::FirstPath,
    Filter::SecondPath,
    Filter::OpenFirstPath,
    Filter::OpenSecondPath,
    Filter::Close,
    Filter::Fcntl,
    Filter::Mask,
];

/// Where the gate enters for it.
#[must_use]
pub fn entry(filter: Filter) -> u64 {
    let at = match filter {
        Filter::FirstPath => &raw const bt_filter_first_path,
        Filter::SecondPath => &raw const bt_filter_second_path,
        Filter::OpenFirstPath => &raw const bt_filter_open_first_path,
        Filter::OpenSecondPath => &raw const bt_filter_open_second_path,
        Filter::Close => &raw const bt_filter_close,
        Filter::Fcntl => &raw const bt_filter_fcntl,
        Filter::Mask => &raw const bt_filter_mask,
    };
    at as u64
}

/// Descriptors below this number can be told by their upper bytes.
pub const FEW: i32 = 256;

/// 1 after an open gave a descriptor that is not among the few.
static MANY: AtomicU32 = AtomicU32::new(0);

/// 1 for each command of fcntl(2) that changes nothing the runtime knows, on a descriptor without a lane.
static COMMANDS: [u8; 256] = table(&[
    k::F_GETFD,
    k::F_SETFD,
    k::F_GETFL,
    k::F_SETFL,
    k::F_GETLK,
    k::F_SETLK,
    k::F_SETLKW,
    k::F_OFD_GETLK,
    k::F_OFD_SETLK,
    k::F_OFD_SETLKW,
]);

/// 1 for each second byte of a signal mask (signals 9 to 16) in which SIGSEGV is not set.
static WITHOUT_SEGV: [u8; 256] = {
    const SEGV_BIT: usize = 1 << (k::SIGSEGV - 9);
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < bytes.len() {
        if byte & SEGV_BIT == 0 {
            bytes[byte] = 1;
        }
        byte += 1;
    }
    bytes
};

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
const fn table(members: &[u32]) -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < members.len() {
        table[members[at] as usize] = 1;
        at += 1;
    }
    table
}

/// The piece as a signal handler sees it.
pub(super) fn piece() -> Piece {
    let at = |label: *const u8| label as u64;
    // A pc on these two labels still belongs to what is before them.
    let (called, noted) = (at(&raw const bt_filter_open_call) + 1, at(&raw const bt_filter_open_noted) + 1);
    let (first, slow, end) = (entry(Filter::FirstPath), at(&raw const bt_filter_slow), at(&raw const bt_filter_end));
    Piece::new((first, end))
        .entered_at(ALL.map(entry))
        .with_ranges([
            ((first, called), Region::BeforeCall),
            ((called, noted), Region::AfterCall),
            ((noted, end), Region::AfterCallNoted),
        ])
        .with_fixups([((first, slow), slow)])
}

/// The pc behind the `syscall` of this block.
#[must_use]
pub fn call_end() -> u64 {
    const SYSCALL_BYTES: u64 = 2;
    &raw const bt_filter_open_call as u64 + SYSCALL_BYTES
}

/// The call has been made, or the thread is on its `syscall`.
#[must_use]
pub fn is_at_or_behind_call(pc: u64) -> bool {
    (&raw const bt_filter_open_call as u64..&raw const bt_filter_end as u64).contains(&pc)
}

macro_rules! begin {
    ($name:literal) => {
        concat!(".p2align 5\n", "bt_filter_", $name, ":\n", "mov gs:[{next_pc}], rcx\n", "mov gs:[{resume}], r11\n",)
    };
}

/// Asks whether the path at a register begins with "/pro" or is "exe".
macro_rules! path {
    ($register:literal, $otherwise:literal) => {
        concat!(
            "mov ecx, [",
            $register,
            "]\n",
            "lea ecx, [rcx - 0x6f72702f]\n",
            "jrcxz 2f\n",
            "mov ecx, [",
            $register,
            "]\n",
            "lea ecx, [rcx - 0x00657865]\n",
            "jrcxz 2f\n",
            $otherwise,
            "\n2:\n",
            "jmp bt_filter_slow\n",
        )
    };
}

/// Only a thread of this process: another's descriptors are not ours.
macro_rules! check_own {
    () => {
        concat!("mov ecx, gs:[{foreign}]\n", "jrcxz 3f\n", "jmp bt_filter_slow\n", "3:\n")
    };
}

/// Once an open gave a number above the few, Rust makes them all: ours may have to move.
macro_rules! check_few {
    () => {
        concat!("mov ecx, [rip + {many}]\n", "jrcxz 4f\n", "jmp bt_filter_slow\n", "4:\n")
    };
}

/// All of it, in one block. Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts above.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    naked_asm!(
        ".globl bt_filter_first_path, bt_filter_second_path, bt_filter_fcntl, bt_filter_mask, bt_filter_slow, bt_filter_end",
        ".globl bt_filter_open_first_path, bt_filter_open_second_path, bt_filter_close, bt_filter_open, bt_filter_open_call, bt_filter_open_noted",
        ".hidden bt_filter_open_first_path, bt_filter_open_second_path, bt_filter_close, bt_filter_open, bt_filter_open_call, bt_filter_open_noted",
        ".hidden bt_filter_first_path, bt_filter_second_path, bt_filter_fcntl, bt_filter_mask, bt_filter_slow, bt_filter_end",
        begin!("first_path"),
        path!("rdi", "jmp bt_pass_lane"),
        begin!("second_path"),
        path!("rsi", "jmp bt_pass_lane"),
        begin!("open_first_path"),
        check_own!(),
        check_few!(),
        path!("rdi", "jmp bt_filter_open"),
        begin!("open_second_path"),
        check_own!(),
        check_few!(),
        path!("rsi", "jmp bt_filter_open"),
        begin!("close"),
        check_own!(),
        "mov ecx, edi",
        "mov gs:[{scratch}], rcx",
        "mov ecx, dword ptr gs:[{scratch} + 1]", // its upper 24 bits
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        "mov ecx, edi",
        "lea r11, [rip + {lanes}]",
        "mov rcx, [r11 + rcx*8]",
        "jrcxz 3f",
        "jmp bt_filter_slow",
        "3:",
        "mov ecx, edi",
        "lea r11, [rip + {descriptions}]",
        "mov dword ptr [r11 + rcx*4], 0",
        "jmp bt_pass_lane",
        begin!("fcntl"),
        "mov ecx, esi",
        "mov gs:[{scratch}], rcx",
        "mov ecx, dword ptr gs:[{scratch} + 1]", // its upper 24 bits
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        "movzx ecx, sil",
        "lea r11, [rip + {commands}]",
        "movzx ecx, byte ptr [r11 + rcx]",
        "jrcxz 4f",
        // Has the descriptor a lane? One of more than 16 bits has none, but Rust may say so.
        "mov gs:[{scratch}], edi",
        "movzx ecx, word ptr gs:[{scratch} + 2]",
        "jrcxz 3f",
        "jmp bt_filter_slow",
        "3:",
        "mov ecx, edi",
        "lea r11, [rip + {lanes}]",
        "mov rcx, [r11 + rcx*8]",
        "jrcxz 5f",
        "4:",
        "jmp bt_filter_slow",
        "5:",
        "jmp bt_pass_lane",
        begin!("mask"),
        "lea rcx, [r10 - 8]", // sigsetsize
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        "mov rcx, gs:[{kept_mask}]",
        "jrcxz 3f",
        "jmp bt_filter_slow",
        "3:",
        "mov rcx, rsi",
        "jrcxz 5f", // only asks
        "movzx ecx, byte ptr [rsi + 1]",
        "lea r11, [rip + {without_segv}]",
        "movzx ecx, byte ptr [r11 + rcx]",
        "jrcxz bt_filter_slow",
        "5:",
        "jmp bt_pass_lane",
        "bt_filter_slow:",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp bt_slow",
        // ---- an open, whose result is noted: only r11 and rcx are free behind it, and r11 holds the flags
        ".p2align 5",
        "bt_filter_open:",
        "mov rcx, gs:[{counts} + rax*8]",
        "lea rcx, [rcx + 1]",
        "mov gs:[{counts} + rax*8], rcx",
        "bt_filter_open_call:",
        "syscall",
        "mov gs:[{scratch}], rax",
        "mov ecx, dword ptr gs:[{scratch} + 4]",
        "jrcxz 2f",
        "jmp 4f", // an error
        "2:",
        "mov ecx, dword ptr gs:[{scratch} + 1]",
        "jrcxz 3f",
        "mov dword ptr [rip + {many}], 1",
        "jmp 4f",
        "3:",
        "mov gs:[{slot_r11}], r11",
        "bt_filter_open_noted:",
        // In a process with threads two may get one number; there no descriptor gets a lane any more.
        "mov ecx, [rip + {next}]",
        "lea r11d, [rcx + 1]",
        "mov [rip + {next}], r11d",
        "lea r11, [rip + {descriptions}]",
        "lea ecx, [rcx*4]", // origin: a file
        "mov [r11 + rax*4], ecx",
        "mov r11, gs:[{slot_r11}]",
        "4:",
        "mov rcx, gs:[{next_pc}]",
        "jmp qword ptr gs:[{resume}]",
        "bt_filter_end:",
        next_pc = const o::NEXT_PC, resume = const o::RESUME, scratch = const o::SLOT_SCRATCH,
        kept_mask = const o::KEPT_MASK, commands = sym COMMANDS, without_segv = sym WITHOUT_SEGV, lanes = sym LANES,
        descriptions = sym DESCRIPTIONS, next = sym NEXT_DESCRIPTION, counts = const o::COUNTS, slot_r11 = const o::SLOT_R11,
        foreign = const o::FOREIGN, many = sym MANY,
    )
}
