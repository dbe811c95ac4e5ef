//! Signals that are pending for the guest and that the kernel has delivered already: those that it never blocks.
//!
//! SIGSEGV and SIGBUS must reach the runtime at any time, with `--strict` SIGSYS too, so the guest's blocking of them is
//! kept by the runtime, and a signal that somebody sends meanwhile waits here. So does one that comes because it is let
//! through for the time of a single step. As in the kernel there is one place for
//! each thread and one for the process, and of several such signals the first is kept (kernel/signal.c,
//! `legacy_queue`).
//!
//! A host signal handler may come in the middle of everything here: there is no lock, and a slot that is being changed
//! counts as full.

use crate::sys::types::{SigInfo, sig};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Signals that may be held: those that the kernel never blocks, and those that it does not block during a single step
/// (`signal::step`).
pub const SIGNALS: [i32; 6] = [sig::SIGSEGV, sig::SIGBUS, sig::SIGSYS, sig::SIGTRAP, sig::SIGILL, sig::SIGFPE];

/// Words of a [`SigInfo`].
const WORDS: usize = 16;

const EMPTY: u32 = 0;
const CHANGING: u32 = 1;
const FULL: u32 = 2;

/// One signal that waits. Zeros are an empty slot.
struct Slot {
    state: AtomicU32,
    words: [AtomicU64; WORDS],
}

impl Slot {
    const fn empty() -> Self {
        Self { state: AtomicU32::new(EMPTY), words: [const { AtomicU64::new(0) }; WORDS] }
    }

    fn is_full(&self) -> bool {
        self.state.load(Ordering::Acquire) == FULL
    }

    fn begin(&self, from: u32) -> bool {
        self.state.compare_exchange(from, CHANGING, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// What one thread, or the process, holds.
#[repr(C)]
pub struct Held([Slot; SIGNALS.len()]);

/// What is pending for the process: any thread that does not block it may take it.
pub static OF_PROCESS: Held = Held([const { Slot::empty() }; SIGNALS.len()]);

impl Held {
    fn slot(&self, signal: i32) -> Option<&Slot> {
        SIGNALS.iter().zip(&self.0).find_map(|(&s, slot)| (s == signal).then_some(slot))
    }

    /// The signals that wait, as a mask.
    #[must_use]
    pub fn mask(&self) -> u64 {
        let full = SIGNALS.iter().zip(&self.0).filter(|(_, slot)| slot.is_full());
        full.fold(0, |mask, (&signal, _)| mask | sig::bit(signal))
    }

    /// Holds a signal, unless there is one already. Returns whether it does.
    pub fn put(&self, signal: i32, info: &SigInfo) -> bool {
        let Some(slot) = self.slot(signal).filter(|slot| slot.begin(EMPTY)) else { return false };
        for (to, from) in slot.words.iter().zip(words(info)) {
            to.store(from, Ordering::Relaxed);
        }
        slot.state.store(FULL, Ordering::Release);
        true
    }

    /// Takes a signal out.
    pub fn take(&self, signal: i32) -> Option<SigInfo> {
        let slot = self.slot(signal).filter(|slot| slot.begin(FULL))?;
        let words = core::array::from_fn(|n| slot.words.get(n).map_or(0, |word| word.load(Ordering::Relaxed)));
        slot.state.store(EMPTY, Ordering::Release);
        Some(info(words))
    }

    /// Forgets the signals in `mask`.
    pub fn discard(&self, mask: u64) {
        for signal in SIGNALS {
            if mask & sig::bit(signal) != 0 {
                let _ = self.take(signal);
            }
        }
    }
}

fn words(info: &SigInfo) -> [u64; WORDS] {
    let pair = |low: i32, high: i32| u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32;
    let mut words = [0; WORDS];
    let [first, second, rest @ ..] = &mut words;
    *first = pair(info.signo, info.errno);
    *second = pair(info.code, info.pad);
    *rest = info.fields;
    words
}

fn info(words: [u64; WORDS]) -> SigInfo {
    #[expect(clippy::cast_possible_truncation, reason = "splits a word")]
    let halves = |word: u64| ((word as u32).cast_signed(), ((word >> 32) as u32).cast_signed());
    let [first, second, fields @ ..] = words;
    let ((signo, errno), (code, pad)) = (halves(first), halves(second));
    SigInfo { signo, errno, code, pad, fields }
}

/// Signals that the kernel never blocks, because the runtime needs them at any time. The guest's bits are kept in
/// [`Shared::kept_mask`](super::shared::Shared::kept_mask).
#[must_use]
pub fn never_blocked() -> u64 {
    let strict = if crate::options::get().strict { sig::bit(sig::SIGSYS) } else { 0 };
    sig::bit(sig::SIGSEGV) | sig::bit(sig::SIGBUS) | strict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(signal: i32, pid: u64) -> SigInfo {
        SigInfo { signo: signal, errno: 1, code: -6, pad: 2, fields: [pid; 14] }
    }

    #[test]
    fn first_of_two_is_kept() {
        let held = Held([const { Slot::empty() }; SIGNALS.len()]);
        held.put(sig::SIGBUS, &sent(sig::SIGBUS, 7));
        held.put(sig::SIGBUS, &sent(sig::SIGBUS, 8));
        assert_eq!(held.mask(), sig::bit(sig::SIGBUS));
        let info = held.take(sig::SIGBUS).unwrap();
        assert_eq!((info.signo, info.errno, info.code, info.pad, info.fields), (sig::SIGBUS, 1, -6, 2, [7; 14]));
        assert!(held.take(sig::SIGBUS).is_none());
    }

    #[test]
    fn what_is_discarded_is_gone() {
        let held = Held([const { Slot::empty() }; SIGNALS.len()]);
        for signal in SIGNALS {
            held.put(signal, &sent(signal, 1));
        }
        held.discard(sig::bit(sig::SIGSEGV));
        assert_eq!(held.mask() & sig::bit(sig::SIGSEGV), 0);
        assert_ne!(held.mask() & sig::bit(sig::SIGBUS), 0);
    }

    #[test]
    fn other_signals_are_not_held() {
        let held = Held([const { Slot::empty() }; SIGNALS.len()]);
        held.put(sig::SIGABRT, &sent(sig::SIGABRT, 1));
        assert_eq!(held.mask(), 0);
    }
}
