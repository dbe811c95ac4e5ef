//! Where in the gate a thread was stopped.

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

/// What a pc inside the runtime's text means for a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Region {
    /// The guest is about to execute its `syscall`; nothing has been saved yet: rcx holds the guest pc behind it.
    BeforeCallLive,
    /// As above; next pc saved, rax and flags still live.
    BeforeCall,
    /// As above; rax is in its slot, flags still live.
    BeforeCallRaxSaved,
    /// As above; rax and flags are in their slots.
    BeforeCallFlagsSaved,
    /// As `BeforeCall`, perhaps on the runtime's stack: the guest's stack pointer is in its slot.
    AnsweringOffStack,
    /// On the one `syscall` instruction: rax and flags are live.
    OnCall,
    /// The guest's call is done, its result is in rax.
    AfterCall,
    /// As `AfterCall`; the flags for r11 are in its slot.
    AfterCallNoted,
    /// In the runtime's own call path, before the kernel took the call.
    CallWindow,
    /// About to enter ring 0, or to make a call of ring 0 again.
    Ring0Window,
    /// The look-up routine is about to jump to a fragment.
    LookupCheck,
    /// A lane has answered: the guest's registers are being restored.
    LaneCheck,
    /// The guest's registers are being restored.
    Leave,
    /// Anywhere else.
    Runtime,
}

/// Classifies a pc of the runtime.
#[must_use]
pub fn classify(pc: u64) -> Region {
    use Label as L;
    let within = |from: L, to: L| (address(from)..address(to)).contains(&pc);
    if within(L::EnterGate, L::GateEnd) {
        if pc == address(L::EnterGate) || pc == address(L::Pass) || pc == address(L::Answer) {
            return Region::BeforeCallLive;
        }
        if within(L::AnswerFlags, L::AnswerFlagsEnd) {
            return Region::AnsweringOffStack;
        }
        if within(L::Answer, L::AnswerEnd) {
            return Region::BeforeCall;
        }
        if pc == address(L::AnswerEnd) {
            return Region::AfterCall;
        }
        if within(L::SyscallEnd, L::Answer) {
            return Region::AfterCall;
        }
        if pc == address(L::Syscall) {
            return Region::OnCall;
        }
        if within(L::EnterGate, L::GateRaxSaved) || within(L::Pass, L::Syscall) {
            return Region::BeforeCall;
        }
        if within(L::GateRaxSaved, L::GateFlagsSaved) {
            return Region::BeforeCallRaxSaved;
        }
        return Region::BeforeCallFlagsSaved;
    }
    if within(L::CallWindow, L::CallReturn) {
        return Region::CallWindow;
    }
    if within(L::LookupCheck, L::LookupEnd) {
        return Region::LookupCheck;
    }
    if within(L::Leave, L::LeaveEnd) {
        return Region::Leave;
    }
    if let Some(region) = super::lanes::classify(pc)
        .or_else(|| super::clock::classify(pc))
        .or_else(|| super::filters::classify(pc))
        .or_else(|| super::ring0::classify(pc))
    {
        return region;
    }
    Region::Runtime
}
