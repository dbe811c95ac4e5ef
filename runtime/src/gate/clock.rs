//! Calls answered by a function of the vDSO, in assembly.
//!
//! Contracts:
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_clock_OP` | as `bt_pass` | `bt_pass_lane`, or its body |
//! | a body | `next_pc` and `resume` set; rcx and r11 free, all else the guest's | `bt_lane_done` or `bt_lane_slow` |
//! | `bt_clock_lost` | `in_vdso` was set, anything in the registers | `bt_lane_slow` |
//!
//! The function runs on the runtime's stack and writes to it; the guest's memory is written afterwards, where a fault
//! gives the call to Rust. While `in_vdso` is set a signal is requeued, wherever the thread is, and a fault leads to
//! `bt_clock_lost`: rdtsc faults after `prctl(PR_SET_TSC)`, and a guest may unmap the vDSO. The function may make its
//! system call after all, where the clock's hardware is not for user space: that goes to the kernel. Where the vDSO's
//! `syscall` is patched (`start`), the entry is entered once more, and passes the call on.

use super::filters::table;
use super::lanes::Code;
use super::piece::Piece;
use super::region::Region;
use crate::calls::route::Clock;
use core::sync::atomic::AtomicU64;
use linux_raw_sys::general as k;

/// Where the gate enters for it.
#[must_use]
pub fn entry(clock: Clock) -> u64 {
    match clock {
        Clock::Gettime => Label::Gettime,
        Clock::Getres => Label::Getres,
        Clock::Gettimeofday => Label::Gettimeofday,
        Clock::Time => Label::Time,
        Clock::Getcpu => Label::Getcpu,
    }
    .address()
}

/// Where each function is, in the order of [`Clock::ALL`], or 0.
pub static FUNCTIONS: [AtomicU64; Clock::ALL.len()] = [const { AtomicU64::new(0) }; Clock::ALL.len()];

/// 1 for each clock that the vDSO tells (lib/vdso/gettimeofday.c: VDSO_HRES, VDSO_COARSE, VDSO_RAW).
static CLOCKS: [u8; 256] = table(&[
    k::CLOCK_REALTIME,
    k::CLOCK_MONOTONIC,
    k::CLOCK_MONOTONIC_RAW,
    k::CLOCK_REALTIME_COARSE,
    k::CLOCK_MONOTONIC_COARSE,
    k::CLOCK_BOOTTIME,
    k::CLOCK_TAI,
]);

labels! {
    /// A place in this block.
    pub enum Label {
        clock_labels: [Gettime = bt_clock_gettime, Getres = bt_clock_getres, Gettimeofday = bt_clock_gettimeofday, Time = bt_clock_time, Getcpu = bt_clock_getcpu, Bodies = bt_clock_bodies, Lost = bt_clock_lost, End = bt_clock_end],
    }
}

/// The piece as a signal handler sees it. A body's only accesses of guest memory write the answer.
pub(super) fn piece() -> Piece {
    let (first, bodies) = (entry(Clock::Gettime), Label::Bodies.address());
    Piece::new((first, Label::End.address()))
        .entered_at(Clock::ALL.map(entry))
        .with_ranges([((first, bodies), Region::BeforeCall)])
        .with_fixups([((bodies, Label::Lost.address()), Code::Slow.address())])
}

/// Where a thread continues that faulted in the vDSO.
#[must_use]
pub fn lost() -> u64 {
    Label::Lost.address()
}

/// `bt_clock_OP`: passes a call on that the vDSO makes, without changing a flag.
macro_rules! begin {
    ($operation:literal) => {
        concat!(
            ".p2align 5\n",
            "bt_clock_",
            $operation,
            ":\n",
            "mov gs:[{next_pc}], rcx\n",
            "mov gs:[{resume}], r11\n",
            "mov rcx, gs:[{in_vdso}]\n",
            "jrcxz 2f\n",
            // Within a function of C: flags are free. What was asked for will count as answered, and is not.
            "dec qword ptr gs:[{answered} + rax*8]\n",
            "jmp bt_pass_lane\n",
            "2:\n",
        )
    };
}

/// Goes to the body if edi is a clock of [`CLOCKS`], else passes on.
macro_rules! check_clock {
    ($body:literal) => {
        concat!(
            "mov ecx, edi\n",
            "mov gs:[{slot_scratch}], rcx\n",
            "mov ecx, dword ptr gs:[{slot_scratch} + 1]\n", // its upper 24 bits
            "jrcxz 3f\n",
            "jmp bt_pass_lane\n",
            "3:\n",
            "movzx ecx, dil\n",
            "lea r11, [rip + {clocks}]\n",
            "movzx ecx, byte ptr [r11 + rcx]\n",
            "jrcxz 4f\n",
            "jmp ",
            $body,
            "\n",
            "4:\n",
            "jmp bt_pass_lane\n",
        )
    };
}

/// Begins a body: r11 = the function, and everything kept that it may change. Two results of 16 bytes lie at rsp + 16.
macro_rules! prepare {
    ($function:literal) => {
        concat!(
            enter!(),
            "mov r11, [rip + {functions} + 8 * ",
            $function,
            "]\n",
            "test r11, r11\n",
            "je bt_lane_slow\n",
            "mov gs:[{r8}], r8\n",
            "mov gs:[{r9}], r9\n",
            "mov gs:[{r10}], r10\n",
            "mov gs:[{rbx}], rbx\n",
            "mov gs:[{rbp}], rbp\n",
            "mov gs:[{r12}], r12\n",
            "mov gs:[{r13}], r13\n",
            "mov gs:[{r14}], r14\n",
            "mov gs:[{r15}], r15\n",
            "sub rsp, 32\n",
            "push qword ptr gs:[{next_pc}]\n",
            "push qword ptr gs:[{resume}]\n",
        )
    };
}

/// Calls the function. The registers that are not restored here are free or the function's to keep. The results are at
/// rsp.
macro_rules! call {
    () => {
        concat!(
            "mov qword ptr gs:[{in_vdso}], 1\n",
            "call r11\n",
            "mov qword ptr gs:[{in_vdso}], 0\n",
            "mov r8, gs:[{r8}]\n",
            "mov r9, gs:[{r9}]\n",
            "mov r10, gs:[{r10}]\n",
            "pop qword ptr gs:[{resume}]\n",
            "pop qword ptr gs:[{next_pc}]\n",
        )
    };
}

/// All of it, in one block. Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts above.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    gate_asm!(
        [rax rdx rbx rsp_ rbp rsi rdi r8 r9 r10 r12 r13 r14 r15 rflags runtime_sp resume next_pc slot_scratch answered in_vdso rare_flags]
        {clocks = sym CLOCKS, functions = sym FUNCTIONS};
        clock_labels!(),
        begin!("gettime"),
        check_clock!("20f"),
        begin!("getres"),
        check_clock!("21f"),
        begin!("gettimeofday"),
        "jmp 22f",
        begin!("time"),
        "jmp 23f",
        begin!("getcpu"),
        "jmp 24f",
        ".p2align 5",
        "bt_clock_bodies:",
        // ---- clock_gettime
        "20:",
        prepare!("0"),
        "lea rsi, [rsp + 16]",
        call!(),
        "test eax, eax",
        "jne bt_lane_slow",
        "mov rsi, gs:[{rsi}]",
        "mov rax, [rsp]",
        "mov rcx, [rsp + 8]",
        "mov [rsi], rax",
        "mov [rsi + 8], rcx",
        "xor eax, eax",
        "jmp bt_lane_done",
        // ---- clock_getres: the address may be null
        ".p2align 5",
        "21:",
        prepare!("1"),
        "lea rsi, [rsp + 16]",
        call!(),
        "test eax, eax",
        "jne bt_lane_slow",
        "mov rsi, gs:[{rsi}]",
        "test rsi, rsi",
        "je 5f",
        "mov rax, [rsp]",
        "mov rcx, [rsp + 8]",
        "mov [rsi], rax",
        "mov [rsi + 8], rcx",
        "5:",
        "xor eax, eax",
        "jmp bt_lane_done",
        // ---- gettimeofday: either address may be null
        ".p2align 5",
        "22:",
        prepare!("2"),
        "lea rdi, [rsp + 16]",
        "lea rsi, [rsp + 32]",
        call!(),
        "test eax, eax",
        "jne bt_lane_slow",
        "mov rdi, gs:[{rdi}]",
        "test rdi, rdi",
        "je 5f",
        "mov rax, [rsp]",
        "mov rcx, [rsp + 8]",
        "mov [rdi], rax",
        "mov [rdi + 8], rcx",
        "5:",
        "mov rsi, gs:[{rsi}]",
        "test rsi, rsi",
        "je 5f",
        "mov rax, [rsp + 16]",
        "mov [rsi], rax",
        "5:",
        "xor eax, eax",
        "jmp bt_lane_done",
        // ---- time: the result is the time
        ".p2align 5",
        "23:",
        prepare!("3"),
        "xor edi, edi",
        call!(),
        "mov rdi, gs:[{rdi}]",
        "test rdi, rdi",
        "je bt_lane_done",
        "mov [rdi], rax",
        "jmp bt_lane_done",
        // ---- getcpu: either address may be null
        ".p2align 5",
        "24:",
        prepare!("4"),
        "lea rdi, [rsp + 16]",
        "lea rsi, [rsp + 32]",
        "xor edx, edx",
        call!(),
        "test eax, eax",
        "jne bt_lane_slow",
        "mov rdi, gs:[{rdi}]",
        "test rdi, rdi",
        "je 5f",
        "mov eax, [rsp]",
        "mov [rdi], eax",
        "5:",
        "mov rsi, gs:[{rsi}]",
        "test rsi, rsi",
        "je 5f",
        "mov eax, [rsp + 16]",
        "mov [rsi], eax",
        "5:",
        "xor eax, eax",
        "jmp bt_lane_done",
        // ---- a fault in the vDSO
        "bt_clock_lost:",
        "mov qword ptr gs:[{in_vdso}], 0",
        "mov rsp, gs:[{runtime_sp}]",
        "sub rsp, 48", // as `prepare!` left it
        "pop qword ptr gs:[{resume}]",
        "pop qword ptr gs:[{next_pc}]",
        "mov r8, gs:[{r8}]",
        "mov r9, gs:[{r9}]",
        "mov r10, gs:[{r10}]",
        "mov rbx, gs:[{rbx}]",
        "mov rbp, gs:[{rbp}]",
        "mov r12, gs:[{r12}]",
        "mov r13, gs:[{r13}]",
        "mov r14, gs:[{r14}]",
        "mov r15, gs:[{r15}]",
        "jmp bt_lane_slow",
        "bt_clock_end:",
    )
}
