//! What the guest wants done on each signal, and what we tell the kernel.

use crate::gate::asm;
use crate::mem::lock::Mutex;
use crate::options;
use crate::sys::Errno;
use crate::sys::signal as kernel;
use crate::sys::types::{SigAction, sa, sig};
use crate::thread::actions::{NOT_ASKED, SIGNALS};

const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;
/// Signals whose host handler is always there: faults that may be ours.
const ALWAYS_OURS: [i32; 5] = [sig::SIGSEGV, sig::SIGBUS, sig::SIGTRAP, sig::SIGILL, sig::SIGFPE];

/// Those of them that the kernel blocks and queues for the guest.
const IN_THE_KERNEL: [i32; 3] = [sig::SIGTRAP, sig::SIGILL, sig::SIGFPE];

/// See `ALWAYS_OURS`; with `--strict` also SIGSYS.
fn ours() -> impl Iterator<Item = i32> {
    let strict = options::get().strict.then_some(sig::SIGSYS);
    ALWAYS_OURS.into_iter().chain(strict)
}

/// The calling thread's table.
fn table() -> &'static Mutex<[SigAction; SIGNALS]> {
    // SAFETY: gs is installed; the table outlives the thread.
    unsafe { &(*(*crate::thread::state::current()).actions).0 }
}

fn index(signal: i32) -> Option<usize> {
    usize::try_from(signal.checked_sub(1)?).ok().filter(|&i| i < SIGNALS)
}

/// The guest's action for a signal.
#[must_use]
pub fn get(signal: i32) -> SigAction {
    index(signal).and_then(|i| table().lock().get(i).copied()).unwrap_or_default()
}

/// The signal is ignored or has its default action.
#[must_use]
pub fn is_default_or_ignored(action: &SigAction) -> bool {
    action.handler == SIG_DFL || action.handler == SIG_IGN
}

/// The signal is ignored.
#[must_use]
pub fn is_ignored(action: &SigAction) -> bool {
    action.handler == SIG_IGN
}

/// What the kernel is told for a guest action.
fn host_action(signal: i32, guest: &SigAction) -> SigAction {
    let ours = ours().any(|s| s == signal);
    if is_default_or_ignored(guest) && !ours {
        return *guest;
    }
    SigAction {
        handler: asm::signal_entry as *const () as u64,
        flags: sa::SIGINFO | sa::ONSTACK | sa::RESTORER | guest.flags & (sa::RESTART | sa::NOCLDSTOP | sa::NOCLDWAIT),
        restorer: asm::restorer as *const () as u64,
        mask: super::ALL_BUT_FAULTS,
    }
}

/// Takes over the dispositions the process starts with and installs the handlers that are always there.
pub fn start() {
    let mut actions = table().lock();
    for signal in ours() {
        let host = host_action(signal, &SigAction::default());
        if let Ok(old) = kernel::action(signal, Some(&host))
            && let Some(slot) = index(signal).and_then(|i| actions.get_mut(i))
        {
            *slot = SigAction { handler: old.handler & SIG_IGN, ..SigAction::default() };
        }
    }
}

/// Before a native execve: dispositions that the new image inherits (ignored ones) must be the kernel's.
pub fn hand_back() {
    let actions = table().lock();
    for signal in ours() {
        if index(signal).and_then(|i| actions.get(i)).is_some_and(is_ignored) {
            let ignore = SigAction { handler: SIG_IGN, ..SigAction::default() };
            let _ = kernel::action(signal, Some(&ignore));
        }
    }
}

/// The kernel does from here on what the guest wants done. All signals must be blocked.
pub fn leave() {
    let actions = table().lock();
    for (signal, action) in (1..).zip(actions.iter()) {
        if action.flags & NOT_ASKED == 0 {
            let _ = kernel::action(signal, Some(action));
        }
    }
}

/// After an execve that failed: the handlers are ours again.
pub fn take_back() {
    let actions = table().lock();
    for signal in ours() {
        if let Some(action) = index(signal).and_then(|i| actions.get(i)) {
            let _ = kernel::action(signal, Some(&host_action(signal, action)));
        }
    }
}

/// rt_sigaction(2) for the guest: `new` is set, the old action returned.
pub fn set(signal: i32, new: Option<&SigAction>) -> Result<SigAction, Errno> {
    let Some(i) = index(signal) else { return Err(Errno::EINVAL) };
    let mut actions = table().lock();
    let Some(slot) = actions.get_mut(i) else { return Err(Errno::EINVAL) };
    // What the image started with (default or ignored) is asked from the kernel the first time.
    if slot.flags & NOT_ASKED != 0 {
        *slot = kernel::action(signal, None)?;
    }
    let old = *slot;
    if let Some(new) = new {
        // sigaction(2): SIGKILL and SIGSTOP cannot be changed; the kernel says so.
        let mut new = *new;
        new.flags &= sa::KNOWN;
        new.mask &= !(sig::bit(sig::SIGKILL) | sig::bit(sig::SIGSTOP));
        if is_ignored(&new) && IN_THE_KERNEL.contains(&signal) && kernel::pending() & sig::bit(signal) != 0 {
            // What is pending is gone (kernel/signal.c, do_sigaction); the kernel knows a handler of ours only.
            kernel::action(signal, Some(&new))?;
        }
        kernel::action(signal, Some(&host_action(signal, &new)))?;
        *slot = new;
    }
    Ok(old)
}

/// SA_RESETHAND: the action becomes the default, the flags stay (kernel/signal.c, get_signal).
pub fn reset(signal: i32) {
    let mut action = get(signal);
    action.handler = SIG_DFL;
    let _ = set(signal, Some(&action));
}

/// Held while forking.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    let _guard = table().lock();
    f()
}

/// clone(2) with CLONE_CLEAR_SIGHAND, in the child: every handler becomes the default.
pub fn clear_handlers() {
    for signal in 1..=64 {
        let action = get(signal);
        if action.handler > SIG_IGN {
            let _ = set(signal, Some(&SigAction::default()));
        }
    }
}
