//! One system call of the guest's under way: its arguments, what became of it, and the ways to pass it on.

use crate::calls::route::{Operation, Route};
use crate::calls::{self, GuestMemory, Mark};
use crate::engine::lock;
use crate::gate::asm;
use crate::gate::facts::{Fact, holds};
use crate::gate::routes::is_answered;
use crate::mem::guest;
use crate::sys::plain::Plain;
use crate::sys::types::sig;
use crate::sys::{Errno, raw, signal};
use crate::thread::held;
use crate::thread::registers::Gpr;
use crate::thread::state::{INTERRUPTED, ThreadState};

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The result.
    Done(Result<u64, Errno>),
    /// The call is to be made as it is, with nothing to do after it. The gate makes it, because after a system call the
    /// CPU has forgotten where Rust's callers return to, and mispredicts each return.
    Tail,
    /// A signal came first: the guest is to execute its `syscall` again, after the handler.
    Interrupted,
    /// Registers, pc and `resume` are set already.
    Elsewhere,
}

/// The value for rax (syscall(2)).
#[must_use]
pub fn encode(result: Result<u64, Errno>) -> u64 {
    result.unwrap_or_else(|errno| errno.as_result().cast_unsigned())
}

/// One call under way.
pub struct Call<'a> {
    /// The calling thread.
    pub ts: &'a mut ThreadState,
    /// Number, as the kernel reads it: the low 32 bits of rax.
    pub nr: u32,
    /// rdi, rsi, rdx, r10, r8, r9.
    pub args: [u64; 6],
    /// The result is the process's own.
    pub is_answered: bool,
}

impl<'a> Call<'a> {
    /// The call that a thread has come with.
    #[inline(always)]
    #[must_use]
    pub fn of(ts: &'a mut ThreadState) -> Self {
        // The gate has just stored the registers, each as a word: loads of two at a time, which the compiler would make of
        // it, would have to wait until the stores are done.
        // SAFETY: a register of the thread's.
        let load = |register: Gpr| unsafe { (&raw const ts.regs[register]).read_volatile() };
        let args = [Gpr::Rdi, Gpr::Rsi, Gpr::Rdx, Gpr::R10, Gpr::R8, Gpr::R9].map(load);
        #[expect(clippy::cast_possible_truncation, reason = "the kernel reads eax")]
        let nr = load(Gpr::Rax) as u32;
        Self { ts, nr, args, is_answered: false }
    }

    /// The argument `n` as a 32-bit int, as the kernel reads descriptors, signals and flags.
    #[must_use]
    pub fn int(&self, n: usize) -> i32 {
        let [low, ..] = self.words(n);
        low.cast_signed()
    }

    fn words(&self, n: usize) -> [u32; 2] {
        let v = self.args.get(n).copied().unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, reason = "splits a word")]
        [v as u32, (v >> 32) as u32]
    }

    /// What the call does by its descriptor's lane, if it is one of the lanes' calls.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        match calls::traits(u64::from(self.nr))?.route {
            Route::Lane(operation) => Some(operation),
            _ => None,
        }
    }

    /// The process has answered the call: the kernel was not asked.
    pub fn answered(&mut self, result: Result<u64, Errno>) -> Outcome {
        self.is_answered = true;
        Outcome::Done(result)
    }

    /// What becomes of a call whose handler answers it: it is answered if the process may answer it and `value` knows
    /// the answer. The kernel is asked otherwise.
    pub fn answer(&mut self, value: impl FnOnce() -> Option<Result<u64, Errno>>) -> Outcome {
        if is_answered(u64::from(self.nr))
            && let Some(result) = value()
        {
            return self.answered(result);
        }
        prepare_outputs(self);
        Outcome::Tail
    }

    /// The argument `n`.
    #[must_use]
    pub fn arg(&self, n: usize) -> u64 {
        self.args.get(n).copied().unwrap_or(0)
    }

    /// Makes the call as it is. Inlined, as what leads here: after a system call the CPU has forgotten where its
    /// caller's callers return to, and mispredicts each return.
    #[inline(always)]
    pub fn pass(&mut self) -> Outcome {
        let args = self.args;
        self.pass_with(&args)
    }

    /// Has the kernel carry the call out at once, with other arguments. For calls that do not wait: a signal is taken
    /// only after it, and the registers of the runtime's caller are not the guest's meanwhile.
    ///
    /// # Errors
    /// The kernel's.
    pub fn make_with(&self, args: &[u64; 6]) -> Result<u64, Errno> {
        let [a, b, c, d, e, f] = *args;
        // SAFETY: the call is the guest's, on its own memory: the handler has seen to it that no memory of the runtime
        // is concerned.
        raw::check(unsafe { raw::guest_syscall6(a, b, c, d, e, f, u64::from(self.nr)) })
    }

    /// As [`make_with`](Self::make_with), with the guest's arguments.
    ///
    /// # Errors
    /// The kernel's.
    pub fn make(&self) -> Result<u64, Errno> {
        self.make_with(&self.args)
    }

    /// Makes the call with other arguments.
    #[inline(always)]
    pub fn pass_with(&mut self, args: &[u64; 6]) -> Outcome {
        pass(self.ts, self.nr, args)
    }
}

/// Makes a system call for the guest. A signal for the guest that comes before the kernel takes the call ends it.
#[inline(always)]
pub fn pass(ts: &mut ThreadState, nr: u32, args: &[u64; 6]) -> Outcome {
    if holds(Fact::SignalsHeld) && calls::is(nr, Mark::SeesPending) {
        return pass_with_held(ts, nr, args);
    }
    make_in_gate(nr, args)
}

#[inline(always)]
fn make_in_gate(nr: u32, args: &[u64; 6]) -> Outcome {
    // SAFETY: the call is the guest's, with pointers the kernel checks.
    let result = unsafe { asm::call(u64::from(nr), args.as_ptr()) };
    if result == INTERRUPTED { Outcome::Interrupted } else { Outcome::Done(raw::check(result)) }
}

/// Has the kernel see the thread as its guest does, for one call: signals that the guest blocks are blocked, also those
/// that the runtime needs, and what is held for the thread is pending. Nothing of the runtime's between here and the
/// return can fault: the gate makes the call. What is left pending comes back at the end and is held again.
#[cold]
pub fn pass_with_held(ts: &mut ThreadState, nr: u32, args: &[u64; 6]) -> Outcome {
    let kept = ts.kept_mask();
    if kept == 0 {
        return make_in_gate(nr, args);
    }
    signal::block(kept);
    let of_process = (!ts.shared.is_foreign()).then_some(&held::OF_PROCESS);
    for signal in held::SIGNALS.into_iter().filter(|&signal| kept & sig::bit(signal) != 0) {
        for held in [Some(&ts.shared.held), of_process].into_iter().flatten() {
            if let Some(info) = held.take(signal) {
                let _ = signal::queue_to_self(signal, &info);
            }
        }
    }
    let outcome = make_in_gate(nr, args);
    signal::unblock(kept);
    outcome
}

/// Guest memory for the table's descriptors.
pub struct Memory;

impl GuestMemory for Memory {
    fn read(&self, addr: u64, buf: &mut [u8]) -> usize {
        guest::read_bytes(addr, buf)
    }
}

/// Gives write access back to the pages the kernel is about to write: it would answer EFAULT where native execution
/// succeeds.
pub fn prepare_outputs(call: &Call<'_>) {
    if !holds(Fact::OutputsWatched) || !calls::may_write(u64::from(call.nr)) {
        return;
    }
    calls::outputs(u64::from(call.nr), &call.args, &Memory, &mut |addr, len| {
        lock().release_range(addr, addr.saturating_add(len));
    });
}

/// Writes a value where the guest asked for it, as the kernel would.
pub fn put_user<T: Plain>(addr: u64, value: &T) -> Result<(), Errno> {
    if holds(Fact::OutputsWatched) {
        lock().release_range(addr, addr.saturating_add(core::mem::size_of::<T>() as u64));
    }
    guest::write(addr, value).ok_or(Errno::EFAULT)
}
