//! What the guest wants done on each signal, and what we tell the kernel.

use crate::gate::asm;
use crate::mem::lock::Mutex;
use crate::options;
use crate::sys::raw::{self, Errno};
use crate::sys::types::{SigAction, sa, sig};
use linux_raw_sys::general as k;

/// Signals 1 … 64.
pub const SIGNALS: usize = 64;
const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;
/// In the flags of a table entry: the kernel has not been asked yet what the image started with. No SA_ flag.
const NOT_ASKED: u64 = 1 << 63;
const INITIAL: SigAction = SigAction { handler: SIG_DFL, flags: NOT_ASKED, restorer: 0, mask: 0 };
/// Signals whose host handler is always there: faults that may be ours.
const ALWAYS_OURS: [i32; 5] = [sig::SIGSEGV, sig::SIGBUS, sig::SIGTRAP, sig::SIGILL, sig::SIGFPE];

/// See `ALWAYS_OURS`; with `--strict` also SIGSYS.
fn ours() -> impl Iterator<Item = i32> {
    let strict = options::get().strict.then_some(sig::SIGSYS);
    ALWAYS_OURS.into_iter().chain(strict)
}

/// The guest's actions, by signal number minus one.
pub struct ActionTable(Mutex<[SigAction; SIGNALS]>);

impl ActionTable {
    const fn new() -> Self {
        Self(Mutex::new([INITIAL; SIGNALS]))
    }

    /// The same actions in another table (clone(2) without CLONE_SIGHAND).
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Mutex::new(*self.0.lock()))
    }
}

/// The table of the first process.
pub static FIRST: ActionTable = ActionTable::new();

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

fn kernel_sigaction(signal: i32, new: Option<&SigAction>, old: Option<&mut SigAction>) -> Result<(), Errno> {
    let new = new.map_or(0, |a| core::ptr::from_ref(a) as u64);
    let old = old.map_or(0, |a| core::ptr::from_mut(a) as u64);
    #[expect(clippy::cast_sign_loss, reason = "the kernel takes the low 32 bits")]
    // SAFETY: both structures live during the call; the handlers are the runtime's.
    unsafe { raw::syscall(k::__NR_rt_sigaction, [signal as u64, new, old, 8]) }.map(|_| ())
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
        let mut old = SigAction::default();
        let host = host_action(signal, &SigAction::default());
        if kernel_sigaction(signal, Some(&host), Some(&mut old)).is_ok()
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
            let _ = kernel_sigaction(signal, Some(&ignore), None);
        }
    }
}

/// After an execve that failed: the handlers are ours again.
pub fn take_back() {
    let actions = table().lock();
    for signal in ours() {
        if let Some(action) = index(signal).and_then(|i| actions.get(i)) {
            let _ = kernel_sigaction(signal, Some(&host_action(signal, action)), None);
        }
    }
}

/// rt_sigaction(2) for the guest: `new` is set, the old action returned.
pub fn set(signal: i32, new: Option<&SigAction>) -> Result<SigAction, Errno> {
    let Some(i) = index(signal) else { return Err(Errno(22)) };
    let mut actions = table().lock();
    let Some(slot) = actions.get_mut(i) else { return Err(Errno(22)) };
    // What the image started with (default or ignored) is asked from the kernel the first time.
    if slot.flags & NOT_ASKED != 0 {
        kernel_sigaction(signal, None, Some(slot))?;
    }
    let old = *slot;
    if let Some(new) = new {
        // sigaction(2): SIGKILL and SIGSTOP cannot be changed; the kernel says so.
        let mut new = *new;
        new.flags &= sa::KNOWN;
        new.mask &= !(sig::bit(sig::SIGKILL) | sig::bit(sig::SIGSTOP));
        kernel_sigaction(signal, Some(&host_action(signal, &new)), None)?;
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

/// Gives the kernel the default action of a signal that is about to end the process.
pub fn make_fatal(signal: i32) {
    let _ = kernel_sigaction(signal, Some(&SigAction::default()), None);
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
