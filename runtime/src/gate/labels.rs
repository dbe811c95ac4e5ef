//! The labels of the gate's main block and of its call from Rust ([`asm`](super::asm)), and what a pc between them means for a signal.

use super::piece::{Piece, Span};
use super::region::Region;

unsafe extern "C" {
    static bt_enter_exit: u8;
    static bt_enter_lookup: u8;
    static bt_lookup_check: u8;
    static bt_lookup_end: u8;
    static bt_lookup_miss: u8;
    static bt_enter_gate: u8;
    static bt_enter_cpuid: u8;
    static bt_gate_rax_saved: u8;
    static bt_pass: u8;
    static bt_tail: u8;
    static bt_lane_check: u8;
    static bt_answer: u8;
    static bt_answer_flags: u8;
    static bt_answer_flags_end: u8;
    static bt_answer_end: u8;
    static bt_slow: u8;
    static bt_gate_flags_saved: u8;
    static bt_syscall: u8;
    static bt_syscall_end: u8;
    static bt_gate_end: u8;
    static bt_leave: u8;
    static bt_leave_end: u8;
    static bt_call_window: u8;
    static bt_call_syscall: u8;
    static bt_call_return: u8;
    static bt_call_interrupted: u8;
}

/// A place in the gate's assembly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "named as the assembly labels, whose contracts stand in `asm`")]
pub enum Label {
    EnterExit,
    EnterLookup,
    LookupCheck,
    LookupEnd,
    LookupMiss,
    EnterGate,
    EnterCpuid,
    GateRaxSaved,
    GateFlagsSaved,
    Pass,
    Tail,
    LaneCheck,
    Answer,
    AnswerFlags,
    AnswerFlagsEnd,
    AnswerEnd,
    Slow,
    Syscall,
    SyscallEnd,
    GateEnd,
    Leave,
    LeaveEnd,
    CallWindow,
    CallSyscall,
    CallReturn,
    CallInterrupted,
}

/// The address of a label.
#[must_use]
pub fn address(label: Label) -> u64 {
    let at = match label {
        Label::EnterExit => &raw const bt_enter_exit,
        Label::EnterLookup => &raw const bt_enter_lookup,
        Label::LookupCheck => &raw const bt_lookup_check,
        Label::LookupEnd => &raw const bt_lookup_end,
        Label::LookupMiss => &raw const bt_lookup_miss,
        Label::EnterGate => &raw const bt_enter_gate,
        Label::EnterCpuid => &raw const bt_enter_cpuid,
        Label::GateRaxSaved => &raw const bt_gate_rax_saved,
        Label::GateFlagsSaved => &raw const bt_gate_flags_saved,
        Label::Pass => &raw const bt_pass,
        Label::Tail => &raw const bt_tail,
        Label::LaneCheck => &raw const bt_lane_check,
        Label::Answer => &raw const bt_answer,
        Label::AnswerFlags => &raw const bt_answer_flags,
        Label::AnswerFlagsEnd => &raw const bt_answer_flags_end,
        Label::AnswerEnd => &raw const bt_answer_end,
        Label::Slow => &raw const bt_slow,
        Label::Syscall => &raw const bt_syscall,
        Label::SyscallEnd => &raw const bt_syscall_end,
        Label::GateEnd => &raw const bt_gate_end,
        Label::Leave => &raw const bt_leave,
        Label::LeaveEnd => &raw const bt_leave_end,
        Label::CallWindow => &raw const bt_call_window,
        Label::CallSyscall => &raw const bt_call_syscall,
        Label::CallReturn => &raw const bt_call_return,
        Label::CallInterrupted => &raw const bt_call_interrupted,
    };
    at as u64
}

fn between(from: Label, to: Label) -> Span {
    (address(from), address(to))
}

/// The way of a call that is passed on or answered with a value.
pub(super) fn pass_piece() -> Piece {
    use Label as L;
    Piece::new(between(L::EnterGate, L::GateEnd))
        .entered_at([L::EnterGate, L::Pass, L::Answer].map(address))
        .with_ranges([
            (between(L::EnterGate, L::GateRaxSaved), Region::BeforeCall),
            (between(L::GateRaxSaved, L::GateFlagsSaved), Region::BeforeCallRaxSaved),
            (between(L::GateFlagsSaved, L::Pass), Region::BeforeCallFlagsSaved),
            (between(L::Pass, L::Syscall), Region::BeforeCall),
            (between(L::Syscall, L::SyscallEnd), Region::OnCall),
            (between(L::SyscallEnd, L::Answer), Region::AfterCall),
            (between(L::AnswerFlags, L::AnswerFlagsEnd), Region::AnsweringOffStack),
            (between(L::Answer, L::AnswerEnd), Region::BeforeCall),
            (between(L::AnswerEnd, L::GateEnd), Region::AfterCall),
        ])
}

/// A call that Rust makes, until the kernel has taken it.
pub(super) fn call_piece() -> Piece {
    let span = between(Label::CallWindow, Label::CallReturn);
    Piece::new(span).with_ranges([(span, Region::CallWindow)])
}

/// The end of the look-up routine.
pub(super) fn lookup_piece() -> Piece {
    let span = between(Label::LookupCheck, Label::LookupEnd);
    Piece::new(span).with_ranges([(span, Region::LookupCheck)])
}

/// The way out of the runtime.
pub(super) fn leave_piece() -> Piece {
    let span = between(Label::Leave, Label::LeaveEnd);
    Piece::new(span).with_ranges([(span, Region::Leave)])
}
