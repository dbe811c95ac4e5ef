//! The state of one guest thread, which hangs off `gs`.
//!
//! Emitted code and the gate's assembly reach its first fields as `gs:[offset]`; every offset they use is computed
//! from this declaration. One mapping holds, from low to high addresses: a guard page, the alternate signal
//! stack, the runtime's stack, this structure, and what other threads may look at ([`Shared`]).

use super::actions::ActionTable;
use super::held::never_blocked;
use super::registers::Regs;
use super::shared::{COUNTED_CALLS, Shared};
use crate::options;
use crate::sys::types::{AltStack, SigInfo, UContext};
use crate::sys::{Errno, mem, process, signal};
use core::mem::{offset_of, size_of};
use core::sync::atomic::Ordering;
use linux_raw_sys::general as k;

/// Bytes of the alternate stack on which host signal handlers run: two nested frames with full vector state.
pub const ALT_STACK_BYTES: u64 = 64 * 1024;
/// Bytes of the stack on which the dispatcher and the gate run.
pub const RUNTIME_STACK_BYTES: u64 = 128 * 1024;
/// [`bt_shim::uapi::Run`] after the registers.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct RunTail {
    /// Why ring 0 was left.
    pub reason: u32,
    /// The call concerned.
    pub call: u32,
    /// Calls made.
    pub calls: u64,
    /// Address of [`Shared::ring0_calls`].
    pub counts: u64,
    reserved: u64,
}

const _: () = {
    use bt_shim::uapi::Run;
    assert!(size_of::<Regs>() + size_of::<RunTail>() == size_of::<Run>());
    assert!(offset_of!(ThreadState, run) == offset_of!(ThreadState, regs) + size_of::<Regs>());
    assert!(offset_of!(Run, pc) == offset_of!(Regs, rip) && offset_of!(Run, flags) == offset_of!(Regs, rflags));
    assert!(offset_of!(Run, reason) == size_of::<Regs>() + offset_of!(RunTail, reason));
    assert!(offset_of!(Run, counts) == size_of::<Regs>() + offset_of!(RunTail, counts));
};

/// How a syscall in the runtime ended up, seen by the code that made it.
pub const INTERRUPTED: i64 = -0x7000_0000;

/// The low halves of the vector registers, where `movaps` can reach them.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Xmm(pub [[u64; 2]; 16]);

/// Where a thread that single-steps itself was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum StepFrom {
    /// In the guest's own code, in place.
    #[default]
    Guest = 0,
    /// In a fragment or stub.
    Cache = 1,
    /// In the runtime.
    Runtime = 2,
}

/// A run of the host signal handler, in the middle of which only signals come that the kernel never blocks.
#[derive(Clone, Copy, Debug)]
pub struct HostHandler {
    /// What the thread goes on with afterwards.
    pub context: *mut UContext,
    /// It interrupted guest code: the thread holds no lock.
    pub is_from_guest: bool,
}

/// State of one guest thread.
#[repr(C, align(64))]
pub struct ThreadState {
    /// This structure's own address.
    pub this: *mut ThreadState,
    /// What other threads may look at, which lies after this structure.
    pub shared: &'static Shared,
    /// Guest rcx and r11 while emitted code uses them.
    pub slot_rcx: u64,
    /// See `slot_rcx`.
    pub slot_r11: u64,
    /// A further spilled register (RIP-relative operands out of reach, gs-relative operands).
    pub slot_scratch: u64,
    /// Guest rax while the look-up routine uses it.
    pub slot_rax: u64,
    /// Flags in lahf/seto form while the look-up routine runs.
    pub slot_flags: u64,
    /// `gate::lookup::CHANGES` when the look-up routine was entered.
    pub slot_changes: u64,
    /// The guest's own gs base.
    pub guest_gs_base: u64,
    /// Where an exit stub enters the dispatcher with an exit's id.
    pub enter_exit: u64,
    /// Where emitted code enters with a guest pc in rcx that it could not look up.
    pub enter_lookup: u64,
    /// Where emitted code makes a system call.
    pub enter_gate: u64,
    /// Where emitted code executes a `cpuid`.
    pub enter_cpuid: u64,
    /// Where emitted code makes a system call that the runtime is to see.
    pub enter_slow: u64,
    /// Where the thread continues after the gate or the dispatcher: a cache pc, or a label of the runtime's call path.
    pub resume: u64,
    /// `resume` after a call that the gate makes for Rust (`bt_tail`).
    pub tail_resume: u64,
    /// Not zero while the gate runs a function of the vDSO for a call.
    pub in_vdso: u64,
    /// Guest pc after the system call being made.
    pub next_pc: u64,
    /// Initial stack pointer of the runtime.
    pub runtime_sp: u64,
    /// Stack pointer to return to when a call of the runtime's own call path ends.
    pub call_sp: u64,
    /// Not zero: a signal waits to be delivered, leave through `rt_sigreturn`.
    pub requeued: u64,
    /// The guest's mask at the time when the signal came.
    pub saved_mask: u64,
    /// The guest's registers, valid while the runtime runs. With what follows they are the argument of a run in ring 0.
    pub regs: Regs,
    /// The rest of that argument.
    pub run: RunTail,
    /// Guest xmm0–15, valid while the runtime runs.
    pub xmm: Xmm,
    /// Answers of the calls whose rows say `value`, by number.
    pub answers: [u32; COUNTED_CALLS],
    /// Table of sites at which ring 0 is entered (`gate::ring0`).
    pub ring0_sites: u64,
    /// Calls until one is looked at for ring 0.
    pub ring0_left: u64,
    /// The lane whose offset the thread is moving, or 0.
    pub lane_locked: u64,
    /// Reads of files that are answered before one is made, in a process with threads.
    pub lane_budget: u64,
    // From here on it is Rust's own.
    /// The guest's alternate signal stack: sp, size, flags.
    pub alt_stack: AltStack,
    /// The mask of a call with a temporary one (sigsuspend(2), ppoll(2) …) that is under way, as the guest gave it.
    pub temporary_mask: Option<u64>,
    /// The mask a signal frame is to restore instead of the current one: the one before the temporary mask, as the guest
    /// knows it.
    pub mask_to_restore: Option<u64>,
    /// The signal that waits, unless it is one of those that are held: all others are blocked until the thread leaves.
    pub waiting: Option<SigInfo>,
    /// The host signal handler's last run.
    pub host_handler: HostHandler,
    /// A single step in place is under way: mask to restore after it.
    pub step_mask: u64,
    /// Not zero while a single step is under way: 1 ours, 2 the guest's TF is set as well.
    pub stepping: u64,
    /// Not zero while the instruction at this pc, which is kept unexecutable, may be executed for such a step.
    pub step_opened: u64,
    /// Guest pc at which the guest's own trap flag was last reported.
    pub last_step: u64,
    /// Where the thread was when its own trap flag last trapped.
    pub step_from: StepFrom,
    /// Cache pc at which it last trapped before a guest instruction's code; 0 if it trapped in the runtime since.
    pub step_cache_pc: u64,
    /// Runs under engine `translate`; otherwise in place.
    pub is_translating: bool,
    /// Times that it came to code that must not run in place.
    pub visits: u32,
    /// Dispatches for which it goes on translating nevertheless.
    pub stay: u32,
    /// The guest's signal actions: shared as CLONE_SIGHAND says.
    pub actions: *const ActionTable,
    /// Room for the actions of a child that shares memory but not actions.
    pub own_actions: ActionTable,
    /// Process id.
    pub pid: u32,
    /// Calls made in ring 0 since the thread left ring 3.
    pub ring0_made: u64,
    /// Units made since the last of them.
    pub ring0_idle: u64,
}

/// A thread's state and what it shares, as they lie in its block.
#[repr(C)]
pub struct Block {
    pub(super) state: ThreadState,
    pub(super) shared: Shared,
}

/// Byte offsets from gs that assembly and emitted code use.
pub mod offset {
    #![allow(missing_docs, reason = "named after the fields")]
    use super::{Block, Regs, ThreadState, offset_of};
    pub const SLOT_RCX: usize = offset_of!(ThreadState, slot_rcx);
    pub const SLOT_R11: usize = offset_of!(ThreadState, slot_r11);
    pub const SLOT_SCRATCH: usize = offset_of!(ThreadState, slot_scratch);
    pub const SLOT_RAX: usize = offset_of!(ThreadState, slot_rax);
    pub const SLOT_FLAGS: usize = offset_of!(ThreadState, slot_flags);
    pub const SLOT_CHANGES: usize = offset_of!(ThreadState, slot_changes);
    pub const GUEST_GS_BASE: usize = offset_of!(ThreadState, guest_gs_base);
    pub const ENTER_EXIT: usize = offset_of!(ThreadState, enter_exit);
    pub const ENTER_LOOKUP: usize = offset_of!(ThreadState, enter_lookup);
    pub const ENTER_GATE: usize = offset_of!(ThreadState, enter_gate);
    pub const ENTER_CPUID: usize = offset_of!(ThreadState, enter_cpuid);
    pub const ENTER_SLOW: usize = offset_of!(ThreadState, enter_slow);
    pub const RESUME: usize = offset_of!(ThreadState, resume);
    pub const TAIL_RESUME: usize = offset_of!(ThreadState, tail_resume);
    pub const FOREIGN: usize = offset_of!(Block, shared.foreign);
    pub const KEPT_MASK: usize = offset_of!(Block, shared.kept_mask);
    pub const LANE_USE: usize = offset_of!(Block, shared.lane_use);
    pub const LANE_LOCKED: usize = offset_of!(ThreadState, lane_locked);
    pub const LANE_BUDGET: usize = offset_of!(ThreadState, lane_budget);
    pub const IN_VDSO: usize = offset_of!(ThreadState, in_vdso);
    pub const NEXT_PC: usize = offset_of!(ThreadState, next_pc);
    pub const RUNTIME_SP: usize = offset_of!(ThreadState, runtime_sp);
    pub const CALL_SP: usize = offset_of!(ThreadState, call_sp);
    pub const REQUEUED: usize = offset_of!(ThreadState, requeued);
    pub const XMM: usize = offset_of!(ThreadState, xmm);
    pub const ANSWERS: usize = offset_of!(ThreadState, answers);
    pub const ANSWERED: usize = offset_of!(Block, shared.answered);
    pub const CALL_ENTRIES: usize = offset_of!(Block, shared.call_entries);
    pub const PLAIN_ENTRIES: usize = offset_of!(Block, shared.plain_entries);
    pub const RING0_SITES: usize = offset_of!(ThreadState, ring0_sites);
    pub const RING0_LEFT: usize = offset_of!(ThreadState, ring0_left);
    pub const RUN: usize = offset_of!(ThreadState, regs);
    pub const RUN_REASON: usize = offset_of!(ThreadState, run) + offset_of!(super::RunTail, reason);
    pub const COUNTS: usize = offset_of!(Block, shared.counts);
    pub const LOOKUP_HITS: usize = offset_of!(Block, shared.lookup_hits);
    pub const RIP: usize = offset_of!(ThreadState, regs) + offset_of!(Regs, rip);
    pub const RFLAGS: usize = offset_of!(ThreadState, regs) + offset_of!(Regs, rflags);
    /// An offset as instructions hold it.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "asserted")]
    pub const fn displacement(offset: usize) -> i32 {
        assert!(offset <= i32::MAX as usize);
        offset as i32
    }
    /// Offset of general register `n`.
    #[must_use]
    pub const fn gpr(n: usize) -> usize {
        offset_of!(ThreadState, regs) + offset_of!(Regs, gpr) + 8 * n
    }
}

const _: () = assert!(offset::XMM.is_multiple_of(16));

const MAPPING_BYTES: u64 = ALT_STACK_BYTES + RUNTIME_STACK_BYTES + (size_of::<Block>() as u64).next_multiple_of(4096);

/// Bytes of a [`Block`] that the chosen engine touches, in pages.
fn used_bytes() -> u64 {
    let bytes =
        if options::get().engine == options::EngineChoice::Ring0 { size_of::<Block>() } else { offset::PLAIN_ENTRIES };
    (bytes as u64).next_multiple_of(4096)
}

impl ThreadState {
    /// Maps the block of a new thread and fills in what does not depend on the thread.
    pub fn allocate() -> Result<*mut ThreadState, Errno> {
        Self::allocate_with(0).map(|(state, _)| state)
    }

    /// As [`allocate`](Self::allocate), and maps `more` bytes with the block; their address.
    pub fn allocate_with(more: u64) -> Result<(*mut ThreadState, u64), Errno> {
        let base = mem::mmap_own(MAPPING_BYTES + more, k::PROT_READ | k::PROT_WRITE, k::MAP_NORESERVE)?;
        let top = base + ALT_STACK_BYTES + RUNTIME_STACK_BYTES;
        // All that is used is written soon, and the stack below it.
        mem::populate(top - 4096, 4096 + used_bytes());
        let block: *mut Block = core::ptr::with_exposed_provenance_mut(usize::try_from(top).unwrap_or(0));
        // SAFETY: fresh zeroed memory of the right size and alignment.
        Ok((unsafe { Self::initialise(block) }, base + MAPPING_BYTES))
    }

    /// Fills in what a state of zeros is not yet: where it lies, and that the thread has no alternate stack.
    ///
    /// # Safety
    /// The block's state must be zeroed memory that nobody else uses, below which the runtime's stack ends.
    pub(super) unsafe fn initialise(block: *mut Block) -> *mut ThreadState {
        // SAFETY: blocks are never unmapped; before the reference is made, the one field of which zero is no value is
        // set.
        unsafe {
            let this = &raw mut (*block).state;
            (&raw mut (*this).shared).write(&(*block).shared);
            let ts = &mut *this;
            ts.this = this;
            ts.runtime_sp = this as u64;
            ts.shared.in_use.store(1, Ordering::Relaxed);
            ts.alt_stack.flags = u64::from(k::SS_DISABLE);
            ts.temporary_mask = None;
            ts.waiting = None;
            ts.mask_to_restore = None;
            this
        }
    }

    /// Signals of [`never_blocked`] that the guest blocks.
    #[must_use]
    pub fn kept_mask(&self) -> u64 {
        self.shared.kept_mask()
    }

    /// See [`kept_mask`](Self::kept_mask).
    pub fn set_kept_mask(&self, mask: u64) {
        self.shared.kept_mask.store(mask & never_blocked(), Ordering::Relaxed);
    }

    /// Copies the actions into room of its own.
    pub fn copy_actions(&mut self) {
        // SAFETY: the table outlives every thread that points to it.
        let copy = unsafe { (*self.actions).copy() };
        self.own_actions = copy;
        self.actions = &raw const self.own_actions;
    }

    /// Has memory for the structure itself at hand: after a fork each page would be copied when it is first written, by
    /// a fault of its own.
    pub fn populate(&self) {
        mem::populate(self.runtime_sp, used_bytes());
    }

    /// Has memory for what the start of an image needs of the runtime's stack.
    pub fn populate_stack(&self) {
        const START_BYTES: u64 = 64 << 10;
        mem::populate(self.runtime_sp - START_BYTES, START_BYTES);
    }

    /// Lowest address of the host signal stack.
    #[must_use]
    pub fn alt_stack_base(&self) -> u64 {
        self.runtime_sp - RUNTIME_STACK_BYTES - ALT_STACK_BYTES
    }

    /// Start and length of the mapping that holds the state at an address, with its stacks and the page before them.
    pub(super) fn mapping(block: *mut Block) -> (u64, u64) {
        let guard = mem::GUARD_BYTES;
        (block as u64 - RUNTIME_STACK_BYTES - ALT_STACK_BYTES - guard, MAPPING_BYTES + guard)
    }

    /// Gives the thread its host signal stack (sigaltstack(2)).
    pub fn install_alt_stack(&self) {
        let stack = AltStack { sp: self.alt_stack_base(), flags: 0, size: ALT_STACK_BYTES };
        // SAFETY: the stack belongs to this thread for as long as it lives.
        unsafe { signal::set_alt_stack(&stack) };
    }

    /// A stack pointer of the host signal handler's.
    #[must_use]
    pub fn is_on_host_stack(&self, sp: u64) -> bool {
        (self.alt_stack_base()..self.alt_stack_base() + ALT_STACK_BYTES).contains(&sp)
    }

    /// Makes `gs` of the calling thread the guest's own: from here on nothing finds this state any more.
    pub fn restore_gs(&self) {
        let base = self.guest_gs_base;
        // SAFETY: changes nothing but the base, which the runtime does not use after this.
        unsafe {
            if crate::sys::cpu::has_fsgsbase() {
                core::arch::asm!("wrgsbase {}", in(reg) base, options(nostack, preserves_flags));
            } else {
                process::set_gs_base(base);
            }
        }
    }

    /// Makes `gs` of the calling thread point here.
    ///
    /// # Safety
    /// The calling thread must be the one this state belongs to.
    pub unsafe fn install_gs(&self) {
        let this = self.this as u64;
        // SAFETY: changes nothing but the base, which is to point here.
        unsafe {
            if crate::sys::cpu::has_fsgsbase() {
                core::arch::asm!("wrgsbase {}", in(reg) this, options(nostack, preserves_flags));
            } else {
                process::set_gs_base(this);
            }
        }
    }
}

/// The calling thread's state.
///
/// # Safety
/// `gs` must have been installed on this thread.
#[must_use]
pub unsafe fn current() -> *mut ThreadState {
    let this: *mut ThreadState;
    // SAFETY: gs:[0] is the self pointer.
    unsafe { core::arch::asm!("mov {}, gs:[0]", out(reg) this, options(nostack, preserves_flags, readonly, pure)) };
    this
}
