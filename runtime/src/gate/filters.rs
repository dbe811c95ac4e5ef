//! Calls that the runtime carries out, as far as assembly can tell that this one is the kernel's alone.
//!
//! The runtime looks at every path, fcntl(2) command and signal mask; nearly all concern it in nothing. An entry here
//! asks the question without changing a register or a flag, and passes the call on or gives it to Rust.
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_filter_NAME` | as `bt_pass` | `bt_pass_lane` or `bt_slow` |
//! | `bt_filter_open` | `next_pc` and `resume` set | the cache pc, after the call |
//! | `bt_filter_scan` | the same, and the path in r11 | `bt_pass_lane` or `bt_slow` |
//! | `bt_filter_scan_open` | as `bt_filter_scan` | `bt_filter_open` or `bt_slow` |
//!
//! A path concerns the runtime if its last step is `exe` (`syscall::own_exe`), however it begins, or `cgroup.event_control`
//! (`syscall::paths`), told by its last three bytes. To find its end it is
//! searched for its NUL, eight aligned bytes at a time, which never reach past the page that holds it. That takes flags
//! and rax: they are in their slots meanwhile.
//!
//! A fault in a look at the guest's memory gives the call to Rust. Until the jump the guest is about to execute its
//! `syscall`. What an open gives is noted after the call; a signal that comes first leaves the descriptor unknown,
//! which is always right.
//!
//! Descriptors are looked at up to [`FEW`] only: those of the runtime lie above (`syscall::descriptors::are_high`).

use super::lane::{DESCRIPTIONS, LANES, NEXT_DESCRIPTION};
use super::piece::Piece;
use super::region::Region;
use super::{duplicates, labels};
use crate::calls::route::Filter;
use core::sync::atomic::AtomicU32;
use linux_raw_sys::general as k;

labels! {
    /// A place in this block.
    pub enum Label {
        filter_labels: [
            FirstPath = bt_filter_first_path,
            SecondPath = bt_filter_second_path,
            OpenFirstPath = bt_filter_open_first_path,
            OpenSecondPath = bt_filter_open_second_path,
            Close = bt_filter_close,
            Fcntl = bt_filter_fcntl,
            Request = bt_filter_request,
            Mask = bt_filter_mask,
            ScanRaxSaved = bt_filter_scan_rax_saved,
            ScanFlagsSaved = bt_filter_scan_flags_saved,
            ScanEnd = bt_filter_scan_end,
            ScanOpenRaxSaved = bt_filter_scan_open_rax_saved,
            ScanOpenFlagsSaved = bt_filter_scan_open_flags_saved,
            ScanOpenEnd = bt_filter_scan_open_end,
            ScanSlow = bt_filter_scan_slow,
            ScanSlowEnd = bt_filter_scan_slow_end,
            Slow = bt_filter_slow,
            OpenCall = bt_filter_open_call,
            OpenNoted = bt_filter_open_noted,
            End = bt_filter_end,
        ],
    }
}

const ALL: [Filter; 8] = [
    Filter::FirstPath,
    Filter::SecondPath,
    Filter::OpenFirstPath,
    Filter::OpenSecondPath,
    Filter::Close,
    Filter::Fcntl,
    Filter::Request,
    Filter::Mask,
];

/// Where the gate enters for it.
#[must_use]
pub fn entry(filter: Filter) -> u64 {
    match filter {
        Filter::FirstPath => Label::FirstPath,
        Filter::SecondPath => Label::SecondPath,
        Filter::OpenFirstPath => Label::OpenFirstPath,
        Filter::OpenSecondPath => Label::OpenSecondPath,
        Filter::Close => Label::Close,
        Filter::Fcntl => Label::Fcntl,
        Filter::Request => Label::Request,
        Filter::Mask => Label::Mask,
        Filter::Duplicate => return duplicates::entry(),
        Filter::Break => return labels::address(labels::Label::Pass),
    }
    .address()
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

/// 1 for each letter (`_IOC_TYPE` of include/uapi/asm-generic/ioctl.h) of requests of ioctl(2) that give no descriptor to
/// others to hold: those about terminals and all files, sockets, and files of file systems.
static LETTERS: [u8; 256] = table(&[0x54, 0x89, 0x66]);

/// The request of ioctl(2) gives no descriptor to others to hold.
#[must_use]
pub fn keeps_descriptors(request: u32) -> bool {
    let [_, letter, ..] = request.to_le_bytes();
    LETTERS.get(usize::from(letter)).is_some_and(|&keeps| keeps != 0)
}

/// 1 for each first byte of a signal mask (signals 1 to 8) in which SIGBUS is not set.
static WITHOUT_BUS: [u8; 256] = without(k::SIGBUS - 1);
/// 1 for each second byte (signals 9 to 16) in which SIGSEGV is not set.
static WITHOUT_SEGV: [u8; 256] = without(k::SIGSEGV - 9);

/// 1 for each byte in which a bit is not set.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
const fn without(bit: u32) -> [u8; 256] {
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < bytes.len() {
        if byte & 1 << bit == 0 {
            bytes[byte] = 1;
        }
        byte += 1;
    }
    bytes
}

/// 1 for each member.
#[allow(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error of the build")]
pub(super) const fn table(members: &[u32]) -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < members.len() {
        table[members[at] as usize] = 1;
        at += 1;
    }
    table
}

/// One in each byte.
static ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of each byte.
static HIGHS: u64 = 0x8080_8080_8080_8080;

/// The piece as a signal handler sees it.
pub(super) fn piece() -> Piece {
    // A pc on these two labels still belongs to what is before them.
    let (called, noted) = (Label::OpenCall.address() + 1, Label::OpenNoted.address() + 1);
    let (first, slow, end) = (entry(Filter::FirstPath), Label::Slow.address(), Label::End.address());
    let between = |from: Label, to: Label| (from.address(), to.address());
    Piece::new((first, end))
        .entered_at(ALL.map(entry))
        .with_ranges([
            (between(Label::ScanRaxSaved, Label::ScanFlagsSaved), Region::BeforeCallRaxSaved),
            (between(Label::ScanFlagsSaved, Label::ScanEnd), Region::BeforeCallFlagsSaved),
            (between(Label::ScanOpenRaxSaved, Label::ScanOpenFlagsSaved), Region::BeforeCallRaxSaved),
            (between(Label::ScanOpenFlagsSaved, Label::ScanOpenEnd), Region::BeforeCallFlagsSaved),
            (between(Label::ScanSlow, Label::ScanSlowEnd), Region::BeforeCallFlagsSaved),
            ((first, called), Region::BeforeCall),
            ((called, noted), Region::AfterCall),
            ((noted, end), Region::AfterCallNoted),
        ])
        .with_fixups([
            (between(Label::ScanRaxSaved, Label::ScanSlow), Label::ScanSlow.address()),
            ((first, slow), slow),
        ])
}

/// The pc after the `syscall` of this block.
#[must_use]
pub fn call_end() -> u64 {
    const SYSCALL_BYTES: u64 = 2;
    Label::OpenCall.address() + SYSCALL_BYTES
}

/// The call has been made, or the thread is on its `syscall`.
#[must_use]
pub fn is_at_or_behind_call(pc: u64) -> bool {
    (Label::OpenCall.address()..Label::End.address()).contains(&pc)
}

macro_rules! begin {
    ($name:literal) => {
        concat!(".p2align 5\n", "bt_filter_", $name, ":\n", "mov gs:[{next_pc}], rcx\n", "mov gs:[{resume}], r11\n",)
    };
}

/// Puts the path into r11 and looks at it; without one the call is passed on.
macro_rules! path {
    ($register:literal, $scan:literal, $without:literal) => {
        concat!(
            "mov rcx, ",
            $register,
            "\n",
            "jrcxz 2f\n",
            "mov r11, rcx\n",
            "jmp ",
            $scan,
            "\n",
            "2:\n",
            "jmp ",
            $without,
            "\n",
        )
    };
}

/// Finds the end of the path at r11, and asks whether "exe" or "rol" is before it. `$name` is the label's, `$then` where the
/// call goes if not.
macro_rules! scan {
    ($name:literal, $then:literal) => {
        concat!(
            ".p2align 5\n",
            $name,
            ":\n",
            "mov gs:[{rax}], rax\n",
            $name,
            "_rax_saved:\n",
            "lahf\n",
            "seto al\n",
            "mov gs:[{slot_flags}], rax\n",
            $name,
            "_flags_saved:\n",
            // The eight aligned bytes that the path begins in; those before it count as ones.
            "mov ecx, r11d\n",
            "and r11, -8\n",
            "shl ecx, 3\n",
            "mov rax, -1\n",
            "shl rax, cl\n",
            "not rax\n",
            "or rax, [r11]\n",
            "jmp 3f\n",
            "2:\n",
            "add r11, 8\n",
            "mov rax, [r11]\n",
            "3:\n",
            // (x - ones) & ~x & highs: the lowest bit is that of the first byte which is zero.
            "mov rcx, rax\n",
            "not rcx\n",
            "sub rax, [rip + {ones}]\n",
            "and rax, rcx\n",
            "and rax, [rip + {highs}]\n",
            "jz 2b\n",
            "bsf rax, rax\n",
            "shr eax, 3\n",
            "cmp dword ptr [r11 + rax - 3], 0x00657865\n",
            "je bt_filter_scan_slow\n",
            "cmp dword ptr [r11 + rax - 3], 0x006c6f72\n",
            "je bt_filter_scan_slow\n",
            "mov rax, gs:[{slot_flags}]\n",
            "add al, 0x7f\n",
            "sahf\n",
            "mov rax, gs:[{rax}]\n",
            $name,
            "_end:\n",
            "jmp ",
            $then,
            "\n",
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
    gate_asm!(
        [rax resume next_pc slot_r11 slot_flags slot_scratch counts kept_mask foreign lane_use]
        {commands = sym COMMANDS, letters = sym LETTERS, without_bus = sym WITHOUT_BUS, without_segv = sym WITHOUT_SEGV, ones = sym ONES, highs = sym HIGHS, lanes = sym LANES, descriptions = sym DESCRIPTIONS, next = sym NEXT_DESCRIPTION, many = sym MANY, dupfd_cloexec = const k::F_DUPFD_CLOEXEC};
        filter_labels!(),
        begin!("first_path"),
        path!("rdi", "bt_filter_scan", "bt_pass_lane"),
        begin!("second_path"),
        path!("rsi", "bt_filter_scan", "bt_pass_lane"),
        begin!("open_first_path"),
        check_own!(),
        check_few!(),
        path!("rdi", "bt_filter_scan_open", "bt_filter_open"),
        begin!("open_second_path"),
        check_own!(),
        check_few!(),
        path!("rsi", "bt_filter_scan_open", "bt_filter_open"),
        begin!("close"),
        check_own!(),
        "mov ecx, edi",
        "mov gs:[{slot_scratch}], rcx",
        "mov ecx, dword ptr gs:[{slot_scratch} + 1]", // its upper 24 bits
        "jrcxz 2f",
        "lea ecx, [rdi + 1]", // programs close -1
        "jrcxz 4f",
        "jmp bt_filter_slow",
        "4:",
        "jmp bt_pass_lane",
        "2:",
        // First: a thread that is about to give it a lane looks at this afterwards.
        "mov ecx, edi",
        "lea r11, [rip + {descriptions}]",
        "mov dword ptr [r11 + rcx*4], 0",
        "lea r11, [rip + {lanes}]",
        "mov rcx, [r11 + rcx*8]",
        "jrcxz 3f",
        "jmp bt_filter_slow",
        "3:",
        "jmp bt_pass_lane",
        begin!("fcntl"),
        "mov ecx, esi",
        "jrcxz 6f", // F_DUPFD
        "lea ecx, [rsi - {dupfd_cloexec}]",
        "jrcxz 6f",
        "mov ecx, esi",
        "mov gs:[{slot_scratch}], rcx",
        "mov ecx, dword ptr gs:[{slot_scratch} + 1]", // its upper 24 bits
        "jrcxz 2f",
        "jmp bt_filter_slow",
        "2:",
        "movzx ecx, sil",
        "lea r11, [rip + {commands}]",
        "movzx ecx, byte ptr [r11 + rcx]",
        "jrcxz 4f",
        // Has the descriptor a lane? One of more than 16 bits has none, but Rust may say so.
        "mov gs:[{slot_scratch}], edi",
        "movzx ecx, word ptr gs:[{slot_scratch} + 2]",
        "jrcxz 3f",
        "jmp bt_filter_slow",
        "3:",
        // A command may change how the description is written to.
        "lea ecx, [rdi + 1]",
        "mov gs:[{lane_use}], ecx",
        "mov ecx, edi",
        "lea r11, [rip + {lanes}]",
        "mov rcx, [r11 + rcx*8]",
        "jrcxz 5f",
        "4:",
        "jmp bt_filter_slow",
        "5:",
        "jmp bt_pass_lane",
        "6:",
        "jmp bt_duplicate_asked",
        begin!("request"),
        "mov gs:[{slot_scratch}], rsi",
        "movzx ecx, byte ptr gs:[{slot_scratch} + 1]", // the letter
        "lea r11, [rip + {letters}]",
        "movzx ecx, byte ptr [r11 + rcx]",
        "jrcxz 4f",
        "jmp bt_pass_lane",
        "4:",
        "jmp bt_filter_slow",
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
        "movzx ecx, byte ptr [rsi]",
        "lea r11, [rip + {without_bus}]",
        "movzx ecx, byte ptr [r11 + rcx]",
        "jrcxz bt_filter_slow",
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
        // ---- where does the path end?
        scan!("bt_filter_scan", "bt_pass_lane"),
        scan!("bt_filter_scan_open", "bt_filter_open"),
        "bt_filter_scan_slow:",
        "mov rax, gs:[{slot_flags}]",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{rax}]",
        "bt_filter_scan_slow_end:",
        "jmp bt_filter_slow",
        "bt_filter_open_sampled:",
        "jmp bt_filter_slow",
        // ---- an open, whose result is noted: only r11 and rcx are free after it, and r11 holds the flags
        ".p2align 5",
        "bt_filter_open:",
        "mov rcx, gs:[{counts} + rax*8]",
        "lea rcx, [rcx + 1]",
        "mov gs:[{counts} + rax*8], rcx",
        "jrcxz bt_filter_open_sampled", // the runtime looks at this one
        "bt_filter_open_call:",
        "syscall",
        "mov gs:[{slot_scratch}], rax",
        "mov ecx, dword ptr gs:[{slot_scratch} + 4]",
        "jrcxz 2f",
        "jmp 4f", // an error
        "2:",
        "mov ecx, dword ptr gs:[{slot_scratch} + 1]",
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
    )
}
