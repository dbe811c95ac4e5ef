//! clone(2) and relatives, exit(2).
//!
//! A child that shares memory (CLONE_VM) gets a thread state and a runtime stack of its own before it runs guest code;
//! all signals stay blocked until then, because `gs` is copied from the parent. A child with its own memory goes on
//! with its copy of the parent's state.

use crate::emulate::call::{Call, Outcome};
use crate::emulate::follow;
use crate::emulate::sample;
use crate::emulate::{self, files, identity, names};
use crate::engine::ring0::sites;
use crate::engine::{self, direct::strict};
use crate::gate;
use crate::mem::{guest, heap};
use crate::observe::stats;
use crate::process::filter::{self, Own};
use crate::signal::{action, kept};
use crate::sys::plain::Plain;
use crate::sys::signal::set_mask;
use crate::sys::{Errno, mem, process, raw};
use crate::thread::registers::Gpr;
use crate::thread::registry;
use crate::thread::state::ThreadState;
use core::arch::naked_asm;
use core::sync::atomic::Ordering;
use linux_raw_sys::general as k;

/// CLONE_CLEAR_SIGHAND (clone(2)), which only clone3 can express.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/// `struct clone_args` (clone(2)) as far as this version knows it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}
// SAFETY: integers only.
unsafe impl Plain for CloneArgs {}

/// Prepares the state of a thread that is about to run: how the gate deals with its calls, and its counters.
pub fn prepare_state(ts: &mut ThreadState) {
    gate::prepare(ts);
    sample::begin(ts.shared);
    sites::give(ts);
}

/// clone3 with a new stack: the child starts on the runtime stack given in `args` and enters [`child_start`].
///
/// # Safety
/// `args` and the stack in it must be valid, all signals blocked.
#[unsafe(naked)]
unsafe extern "C" fn clone_vm(nr: u64, regs: *const u64, child: *mut ThreadState) -> i64 {
    naked_asm!(
        "push r12",
        "mov r12, rdx",
        "mov rax, rdi",
        "mov r11, rsi",
        "mov rdi, [r11]",
        "mov rsi, [r11 + 8]",
        "mov rdx, [r11 + 16]",
        "mov r10, [r11 + 24]",
        "mov r8, [r11 + 32]",
        "syscall",
        "test rax, rax",
        "je 2f",
        "pop r12",
        "ret",
        "2:",
        "xor ebp, ebp",
        "mov rdi, r12",
        "call {start}",
        "jmp bt_leave",
        start = sym child_start,
    )
}

/// First code of a child that shares memory, on its own runtime stack.
extern "C" fn child_start(ts: *mut ThreadState) {
    // SAFETY: the parent gave this thread the state; nobody else uses it.
    let ts = unsafe { &mut *ts };
    // SAFETY: this is the thread it belongs to.
    unsafe { ts.install_gs() };
    identity::set_ids(ts);
    ts.install_alt_stack();
    if ts.shared.foreign.load(Ordering::Relaxed) & CLEAR_SIGHAND != 0 {
        action::clear_handlers();
    }
    strict::arm();
    set_mask(ts.saved_mask);
}

/// `foreign`: the parent waits for this child and frees its state.
const VFORK_CHILD: u32 = 1;
/// `foreign`: handlers are cleared before the child runs.
const CLEAR_SIGHAND: u32 = 2;
/// `foreign`: another process in the same memory.
const OTHER_PROCESS: u32 = 4;

/// clone(2): flags, stack, parent_tid, child_tid, tls.
pub fn clone(call: &mut Call<'_>) -> Outcome {
    let flags = call.arg(0);
    let stack = call.arg(1);
    spawn(call, flags, stack, None)
}

/// fork(2).
pub fn fork(call: &mut Call<'_>) -> Outcome {
    call.args = [17, 0, 0, 0, 0, 0];
    call.nr = k::__NR_clone;
    spawn(call, 17, 0, None)
}

/// vfork(2).
pub fn vfork(call: &mut Call<'_>) -> Outcome {
    let flags = u64::from(k::CLONE_VM | k::CLONE_VFORK) | 17;
    call.args = [flags, 0, 0, 0, 0, 0];
    call.nr = k::__NR_clone;
    spawn(call, flags, 0, None)
}

/// clone3(2).
pub fn clone3(call: &mut Call<'_>) -> Outcome {
    let (at, size) = (call.arg(0), call.arg(1));
    if size < 64 || size > core::mem::size_of::<CloneArgs>() as u64 {
        // Too short, or a later version whose extra fields must be zero: the kernel knows.
        let mut tail = [0u8; 4096];
        if !(64..=4096).contains(&size) {
            return call.pass();
        }
        let known = core::mem::size_of::<CloneArgs>();
        let Some(extra) = tail.get_mut(..usize::try_from(size).unwrap_or(0) - known) else {
            return Outcome::Done(Err(Errno::EINVAL));
        };
        if guest::read_bytes(at + known as u64, extra) != extra.len() {
            return Outcome::Done(Err(Errno::EFAULT));
        }
        if extra.iter().any(|&b| b != 0) {
            return Outcome::Done(Err(Errno::E2BIG));
        }
    }
    let mut args = CloneArgs::default();
    let len = usize::try_from(size).unwrap_or(0).min(core::mem::size_of::<CloneArgs>());
    // SAFETY: plain integers.
    let bytes = unsafe { core::slice::from_raw_parts_mut((&raw mut args).cast::<u8>(), len) };
    if guest::read_bytes(at, bytes) != len {
        return Outcome::Done(Err(Errno::EFAULT));
    }
    // The kernel's own checks come first where ours could hide them (kernel/fork.c, clone3_stack_valid).
    let is_refused = (args.stack == 0) != (args.stack_size == 0)
        || args.stack.saturating_add(args.stack_size) > LOW_HALF && !kernel_takes_stack(args);
    if is_refused {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let stack = args.stack.wrapping_add(args.stack_size);
    let flags = args.flags;
    spawn(call, flags, stack, Some(args))
}

/// Below it every address is one that programs can have, whatever the CPU's page tables.
const LOW_HALF: u64 = (1 << 47) - 4096;

/// Whether the kernel takes the stack in `args`, of which it looks at the addresses only: before it finds that the
/// child is to go into a control group that no descriptor names (kernel/fork.c, clone3_args_valid and copy_process).
fn kernel_takes_stack(args: CloneArgs) -> bool {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    const NO_DESCRIPTOR: u64 = 0x7fff_ffff;
    let probe = CloneArgs {
        flags: CLONE_INTO_CGROUP,
        stack: args.stack,
        stack_size: args.stack_size,
        cgroup: NO_DESCRIPTOR,
        ..CloneArgs::default()
    };
    process::probe_clone3(&probe) != Errno::EINVAL
}

/// Makes the child. `stack` is the guest's stack pointer in the child, 0 for the parent's.
fn spawn(call: &mut Call<'_>, flags: u64, stack: u64, clone3: Option<CloneArgs>) -> Outcome {
    const SHARED_TABLE: u64 = k::CLONE_FILES as u64;
    if flags & (SHARED_TABLE | u64::from(k::CLONE_THREAD)) == SHARED_TABLE {
        follow::give_up();
        if !call.ts.shared.is_foreign() {
            // The child would close them for both.
            emulate::leave();
        }
    }
    if !call.ts.shared.is_foreign() {
        names::before_clone(flags);
        if flags & u64::from(k::CLONE_THREAD) != 0 {
            files::begin_threads();
        } else {
            emulate::before_fork();
        }
    }
    let is_process = !call.ts.shared.is_foreign() && flags & u64::from(k::CLONE_THREAD) == 0;
    let (outcome, is_child) = if flags & u64::from(k::CLONE_VM) == 0 {
        fork_like(call, flags, stack, clone3)
    } else {
        (vm_like(call, flags, stack, clone3), false)
    };
    if is_process && !is_child {
        emulate::after_fork_in_parent();
    }
    outcome
}

/// A child with a copy of the memory. Returns whether this is the child, too.
fn fork_like(call: &mut Call<'_>, flags: u64, stack: u64, clone3: Option<CloneArgs>) -> (Outcome, bool) {
    let ts: *mut ThreadState = call.ts;
    let args3 = clone3.map(|args| CloneArgs { stack: 0, stack_size: 0, ..args });
    // Every lock is held across the fork, so that the child finds whole structures.
    let result = files::with_work(|| {
        let _engine = engine::alone::alone();
        action::with_lock(|| {
            registry::with_lock(|| {
                emulate::with_lock(|| {
                    heap::with_lock(|| match &args3 {
                        // SAFETY: no new stack: the child goes on with a copy of this one.
                        Some(args) => unsafe { process::fork_by_clone3(args) },
                        // SAFETY: as above.
                        None => unsafe { process::fork_by_clone(&call.args) },
                    })
                })
            })
        })
    });
    if result == 0 {
        // SAFETY: the child's only thread.
        unsafe { registry::after_fork(ts) };
        let ts = &mut *call.ts;
        ts.populate();
        identity::set_ids(ts);
        kept::forget(ts);
        emulate::after_fork();
        if flags & u64::from(k::CLONE_NEWUSER) != 0 {
            identity::forget();
        }
        strict::arm();
        engine::lock().after_fork();
        // Locks on memory are not inherited (mlockall(2)).
        mem::set_locks_new(false);
        stats::reset(ts.shared);
        if let Some(args) = &args3
            && args.flags & CLONE_CLEAR_SIGHAND != 0
        {
            action::clear_handlers();
        }
        if stack != 0 {
            ts.regs[Gpr::Rsp] = stack;
        }
    }
    (Outcome::Done(raw::check(result)), result == 0)
}

/// A child in the same memory: a thread, a vfork child, or something in between.
fn vm_like(call: &mut Call<'_>, flags: u64, stack: u64, clone3: Option<CloneArgs>) -> Outcome {
    let Some(child) = registry::acquire() else { return Outcome::Done(Err(Errno::EAGAIN)) };
    let parent = &mut *call.ts;
    let mask = set_mask(!0);
    {
        // SAFETY: fresh, and ours until the child runs.
        let c = unsafe { &mut *child };
        c.regs = parent.regs;
        c.xmm = parent.xmm;
        c.resume = parent.resume;
        c.guest_gs_base = parent.guest_gs_base;
        c.is_translating = parent.is_translating;
        c.set_kept_mask(parent.kept_mask());
        c.shared.epoch.store(parent.shared.epoch.load(Ordering::Relaxed), Ordering::Release);
        c.answers = parent.answers;
        c.actions = parent.actions;
        c.saved_mask = if parent.requeued != 0 { parent.saved_mask } else { mask };
        c.shared.foreign.store(0, Ordering::Relaxed);
        if flags & u64::from(k::CLONE_VFORK) != 0 {
            c.shared.foreign.fetch_or(VFORK_CHILD, Ordering::Relaxed);
        }
        if flags & u64::from(k::CLONE_THREAD) == 0 {
            c.shared.foreign.fetch_or(OTHER_PROCESS, Ordering::Relaxed);
        }
        if flags & CLONE_CLEAR_SIGHAND != 0 {
            c.shared.foreign.fetch_or(CLEAR_SIGHAND, Ordering::Relaxed);
        }
        prepare_state(c);
        if flags & u64::from(k::CLONE_NEWUSER) != 0 {
            identity::forget();
        }
        if flags & u64::from(k::CLONE_SIGHAND) == 0 {
            c.copy_actions();
        }
        // sigaltstack(2): a new thread has none; a vfork child keeps its parent's (kernel/fork.c).
        if flags & u64::from(k::CLONE_VFORK) != 0 {
            c.alt_stack = parent.alt_stack;
        }
        c.regs[Gpr::Rax] = 0;
        if stack != 0 {
            c.regs[Gpr::Rsp] = stack;
        }
    }
    // SAFETY: the child's runtime stack is unused; signals are blocked.
    let result = unsafe {
        let (base, top) = ((*child).runtime_sp - crate::thread::state::RUNTIME_STACK_BYTES, (*child).runtime_sp);
        match clone3 {
            Some(args) => {
                let args = CloneArgs { stack: base, stack_size: top - base, ..args };
                let regs = [&raw const args as u64, core::mem::size_of::<CloneArgs>() as u64, 0, 0, 0];
                clone_vm(u64::from(k::__NR_clone3), regs.as_ptr(), child)
            }
            None => {
                let [_, _, c, d, e, _] = call.args;
                let regs = [flags, top, c, d, e];
                clone_vm(u64::from(k::__NR_clone), regs.as_ptr(), child)
            }
        }
    };
    // A vfork child has ended or left this memory by now; a failed clone made none.
    if result < 0 || flags & u64::from(k::CLONE_VFORK) != 0 {
        registry::release(child);
    }
    set_mask(mask);
    Outcome::Done(raw::check(result))
}

/// Ends the calling thread: the block is free again before the call, which needs no stack.
///
/// # Safety
/// All signals must be blocked; `word` must be the block's `in_use`, or null to keep it.
#[unsafe(naked)]
unsafe extern "C" fn exit_thread(code: u64, word: *mut u32) -> ! {
    naked_asm!("mov eax, 60", "test rsi, rsi", "je 2f", "mov dword ptr [rsi], 0", "2:", "syscall", "ud2",)
}

/// exit(2).
pub fn exit(call: &mut Call<'_>) -> Outcome {
    let ts = &mut *call.ts;
    let code = call.args[0];
    if ts.shared.foreign.load(Ordering::Relaxed) & OTHER_PROCESS == 0 {
        let mut threads = 0;
        registry::for_each(|t| threads += usize::from(t.foreign.load(Ordering::Relaxed) & OTHER_PROCESS == 0));
        if threads == 1 {
            emulate::leave();
            stats::finish("exit");
        }
    }
    stats::thread_ended(ts.shared);
    // A thread that may not block its signals keeps its block: a handler may still need it.
    let keeps_block = ts.shared.foreign.load(Ordering::Relaxed) & VFORK_CHILD != 0 || !filter::allows(Own::Mask);
    if filter::allows(Own::Mask) {
        set_mask(!0);
    }
    kept::ends(ts);
    let word = if keeps_block { core::ptr::null_mut() } else { ts.shared.in_use.as_ptr() };
    // SAFETY: signals are blocked.
    unsafe { exit_thread(code, word) }
}
