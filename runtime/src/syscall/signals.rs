//! Signal calls.

use crate::emulate::call::{Call, Outcome, pass_with_held, prepare_outputs, put_user};
use crate::mem::guest;
use crate::signal::alt_stack::{self, SS_AUTODISARM, alt_flags};
use crate::signal::deliver::force_segv;
use crate::signal::sigreturn::{Stopped, sigreturn as restore};
use crate::signal::{action, kept};
use crate::sys::Errno;
use crate::sys::types::{SigAction, StackT, sig};
use crate::thread::held::never_blocked;
use crate::thread::registers::Gpr;

/// rt_sigaction(2).
pub fn sigaction(call: &mut Call<'_>) -> Outcome {
    let signal = call.int(0);
    if call.arg(3) != 8 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let new = match call.arg(1) {
        0 => None,
        at => match guest::read::<SigAction>(at) {
            Some(action) => Some(action),
            None => return Outcome::Done(Err(Errno::EFAULT)),
        },
    };
    if new.is_some() && matches!(signal, sig::SIGKILL | sig::SIGSTOP) {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let old = action::set(signal, new.as_ref());
    if old.is_ok() && new.is_some_and(|action| action::is_ignored(&action)) {
        kept::discard(call.ts, sig::bit(signal));
    }
    match old {
        Err(errno) => Outcome::Done(Err(errno)),
        Ok(old) => match call.arg(2) {
            0 => Outcome::Done(Ok(0)),
            at => Outcome::Done(put_user(at, &old).map(|()| 0)),
        },
    }
}

/// rt_sigprocmask(2): the bits of what the kernel never blocks are kept here.
pub fn sigprocmask(call: &mut Call<'_>) -> Outcome {
    if call.arg(3) != 8 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let (how, new_at, old_at) = (call.int(0), call.arg(1), call.arg(2));
    let mut new = 0u64;
    if new_at != 0 {
        match guest::read::<u64>(new_at) {
            Some(mask) => new = mask,
            None => return Outcome::Done(Err(Errno::EFAULT)),
        }
    }
    if new_at != 0 && !(0..=2).contains(&how) {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let never = never_blocked();
    let before = call.ts.kept_mask();
    if new & never == 0 && before == 0 {
        // Nothing of it is kept here.
        prepare_outputs(call);
        return Outcome::Tail;
    }
    // SIGKILL and SIGSTOP cannot be blocked (signal(7)).
    let kernel_new = new & !never & !(sig::bit(sig::SIGKILL) | sig::bit(sig::SIGSTOP));
    let mut old = 0u64;
    let args = [
        u64::from(how.cast_unsigned()),
        if new_at == 0 { 0 } else { &raw const kernel_new as u64 },
        &raw mut old as u64,
        8,
        0,
        0,
    ];
    match call.pass_with(&args) {
        Outcome::Interrupted => {
            // A signal came first and was put back, with every signal blocked: the guest's mask is the one that was
            // saved.
            old = call.ts.saved_mask;
            call.ts.saved_mask = match (new_at != 0, how) {
                (true, 0) => old | kernel_new,
                (true, 1) => old & !kernel_new,
                (true, _) => kernel_new,
                (false, _) => old,
            };
        }
        Outcome::Done(Ok(0)) => {}
        outcome => return outcome,
    }
    if new_at != 0 {
        call.ts.set_kept_mask(match how {
            0 => before | new,
            1 => before & !new,
            _ => new,
        });
    }
    kept::take_unblocked(call.ts);
    old |= before;
    match old_at {
        0 => Outcome::Done(Ok(0)),
        at => Outcome::Done(put_user(at, &old).map(|()| 0)),
    }
}

/// rt_sigtimedwait(2): a signal that the runtime needs can be taken by it only if the kernel blocks it meanwhile.
pub fn sigtimedwait(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    let set = guest::read::<u64>(call.arg(0)).unwrap_or(0);
    if set & call.ts.kept_mask() == 0 {
        return Outcome::Tail;
    }
    let args = call.args;
    pass_with_held(call.ts, call.nr, &args)
}

/// rt_sigreturn(2).
pub fn sigreturn(call: &mut Call<'_>) -> Outcome {
    match restore(call.ts) {
        Stopped::Interrupted => Outcome::Interrupted,
        Stopped::BadFrame => {
            // The kernel raises SIGSEGV (signal_64.c, badframe).
            force_segv(call.ts);
            Outcome::Done(Ok(0))
        }
    }
}

/// sigaltstack(2).
pub fn sigaltstack(call: &mut Call<'_>) -> Outcome {
    let sp = call.ts.regs[Gpr::Rsp];
    let (new_at, old_at) = (call.args[0], call.args[1]);
    let old = call.ts.alt_stack;
    let old_flags = alt_flags(call.ts, sp) | old.flags & SS_AUTODISARM;
    if new_at != 0 {
        let Some(new) = guest::read::<StackT>(new_at) else { return Outcome::Done(Err(Errno::EFAULT)) };
        if let Err(errno) = alt_stack::set(call.ts, sp, &new, alt_stack::min_bytes()) {
            return Outcome::Done(Err(errno));
        }
    }
    if old_at != 0 {
        #[expect(clippy::cast_possible_truncation, reason = "the flags fit")]
        let out = StackT { sp: old.sp, flags: (old_flags as u32).cast_signed(), pad: 0, size: old.size };
        return Outcome::Done(put_user(old_at, &out).map(|()| 0));
    }
    Outcome::Done(Ok(0))
}

/// Runs `f` with the address of a copy of the mask, and has the signals that it lets through taken under it. Nothing of
/// the runtime's can fault while the kernel has that mask: it may block all.
fn under_mask(call: &mut Call<'_>, mask_at: u64, f: impl FnOnce(&mut Call<'_>, u64) -> Outcome) -> Outcome {
    prepare_outputs(call);
    if mask_at == 0 {
        return f(call, 0);
    }
    let Some(mask) = guest::read::<u64>(mask_at) else { return Outcome::Done(Err(Errno::EFAULT)) };
    call.ts.temporary_mask = Some(mask);
    let outcome = f(call, &raw const mask as u64);
    // Still set at the way out only if a signal was taken under it.
    if outcome != Outcome::Done(Err(Errno::EINTR)) || call.ts.requeued == 0 {
        call.ts.temporary_mask = None;
    }
    outcome
}

/// Calls with a mask and its size as arguments `mask_arg` and `size_arg`.
pub fn with_mask(call: &mut Call<'_>, mask_arg: usize, size_arg: usize) -> Outcome {
    let at = call.arg(mask_arg);
    if at != 0 && call.arg(size_arg) != 8 {
        return call.pass();
    }
    under_mask(call, at, |call, mask| {
        let mut args = call.args;
        if let Some(arg) = args.get_mut(mask_arg) {
            *arg = mask;
        }
        call.pass_with(&args)
    })
}

/// pselect6(2): the sixth argument points to the mask's address and size.
pub fn pselect6(call: &mut Call<'_>) -> Outcome {
    let at = call.arg(5);
    if at == 0 {
        prepare_outputs(call);
        return call.pass();
    }
    let Some([mask_at, size]) = guest::read::<[u64; 2]>(at) else { return Outcome::Done(Err(Errno::EFAULT)) };
    if mask_at == 0 || size != 8 {
        prepare_outputs(call);
        return call.pass();
    }
    under_mask(call, mask_at, |call, mask| {
        let pair = [mask, 8u64];
        let mut args = call.args;
        args[5] = pair.as_ptr() as u64;
        call.pass_with(&args)
    })
}
