//! The labels of [`asm`](super::asm), and what a pc between them means for a signal.

use super::piece::{Piece, Span};
use super::region::Region;

labels! {
    /// A place in the gate's assembly.
    pub enum Label {
        enter_labels: [EnterExit = bt_enter_exit, EnterCpuid = bt_enter_cpuid, EnterRust = bt_enter_rust],
        lookup_labels: [
            EnterLookup = bt_enter_lookup,
            LookupCheck = bt_lookup_check,
            LookupEnd = bt_lookup_end,
            LookupMiss = bt_lookup_miss,
        ],
        pass_labels: [
            EnterGate = bt_enter_gate,
            GateRaxSaved = bt_gate_rax_saved,
            GateFlagsSaved = bt_gate_flags_saved,
            Pass = bt_pass,
            PassLane = bt_pass_lane,
            Tail = bt_tail,
            Syscall = bt_syscall,
            SyscallEnd = bt_syscall_end,
            Answer = bt_answer,
            AnswerFlags = bt_answer_flags,
            AnswerFlagsEnd = bt_answer_flags_end,
            AnswerEnd = bt_answer_end,
            GateEnd = bt_gate_end,
            Slow = bt_slow,
        ],
        call_labels: [
            CallWindow = bt_call_window,
            CallSyscall = bt_call_syscall,
            CallReturn = bt_call_return,
            CallInterrupted = bt_call_interrupted,
        ],
        leave_labels: [Leave = bt_leave, LeaveEnd = bt_leave_end],
    }
}

/// The address of a label.
#[must_use]
pub fn address(label: Label) -> u64 {
    label.address()
}

fn between(from: Label, to: Label) -> Span {
    (from.address(), to.address())
}

/// The way of a call that is passed on or answered with a value.
pub(super) fn pass_piece() -> Piece {
    use Label as L;
    Piece::new(between(L::EnterGate, L::GateEnd))
        .entered_at([L::EnterGate, L::Pass, L::Answer].map(Label::address))
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
