//! Fixed places that emitted code uses: offsets from gs, and addresses of tables.

/// Call numbers below this one have a pointer in [`Layout::call_entries`].
pub const ENTRIES: u32 = 512;

/// A system call that is answered with a value from the thread's state.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Its number.
    pub number: u32,
    /// The value, an offset from gs.
    pub value: i32,
    /// A counter of 64 bits.
    pub count: i32,
}

/// Offsets from the gs base and addresses that emitted code uses; the runtime computes them from its own types.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Spill slot: the guest's rcx, while emitted code uses the register.
    pub slot_rcx: i32,
    /// Spill slot for r11.
    pub slot_r11: i32,
    /// Spill slot for whichever register a rewrite needs.
    pub slot_scratch: i32,
    /// Spill slot for rsp.
    pub slot_rsp: i32,
    /// The runtime's stack pointer.
    pub runtime_sp: i32,
    /// The guest's own gs base.
    pub guest_gs_base: i32,
    /// Pointer to the entry for exits: ecx = exit id.
    pub enter_exit: i32,
    /// Pointer to the look-up routine: rcx = guest pc.
    pub enter_lookup: i32,
    /// Pointer to the entry for `cpuid`: rdx = cache pc after it, guest rdx in `slot_scratch`.
    pub enter_cpuid: i32,
    /// Pointer to the gate: rcx = guest pc after the call, r11 = cache pc after it.
    pub enter_gate: i32,
    /// Pointers by call number, offset from gs: where `enter_gate` goes on, with the same contract. For [`ENTRIES`]
    /// numbers.
    pub call_entries: i32,
    /// Address of 65,536 bytes by call number: not zero where a stub may make the call itself. After them come as many,
    /// of which only those for [`answers`](Self::answers) need exist: not zero where a stub may answer. Below 2 GiB.
    pub stub_calls: u32,
    /// Counters of 64 bits, offset from gs, by call number, for the calls that a stub makes: those with a byte in
    /// `stub_calls`.
    pub call_counts: i32,
    /// Pointer to the entry for a call that the runtime is to see: as `enter_gate`.
    pub enter_slow: i32,
    /// Numbers of calls that go to `enter_slow` when their counter has come up to zero.
    pub sampled: &'static [u32],
    /// Stubs may make calls at all; otherwise they always enter the gate.
    pub stubs_call: bool,
    /// Calls that a stub answers with a 32-bit value.
    pub answers: &'static [Answer],
    /// Address of the indirect-branch table: 65,536 pointers indexed by the low 16 bits of a guest pc. Below 2 GiB.
    pub ibtc: u32,
}
