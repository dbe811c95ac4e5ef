//! What a pc in the gate means for a signal.

/// What a pc inside the runtime's text means for a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Region {
    /// The guest is about to execute its `syscall`; nothing has been saved yet: rcx holds the guest pc after it.
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
    /// As `AfterCall`, of a call that duplicates a descriptor, which is to be noted.
    Duplicated,
    /// As `Duplicated`; the flags for r11 are in its slot.
    DuplicatedNoting,
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
