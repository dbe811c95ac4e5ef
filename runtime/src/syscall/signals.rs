//! Signal calls.

use crate::emulate::call::{Call, Outcome, prepare_outputs, put_user};
use crate::mem::guest;
use crate::signal::deliver::{alt_flags, on_alt_stack};
use crate::signal::sigreturn::sigreturn as restore;
use crate::signal::{action, never_blocked};
use crate::sys::Errno;
use crate::sys::signal::set_mask;
use crate::sys::types::AltStack;
use crate::sys::types::{SigAction, SigInfo, StackT, sig};
use crate::thread::registers::Gpr;
use crate::thread::state::ThreadState;
use linux_raw_sys::general as k;
const SEGV: u64 = sig::bit(sig::SIGSEGV);

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
    match action::set(signal, new.as_ref()) {
        Err(errno) => Outcome::Done(Err(errno)),
        Ok(old) => match call.arg(2) {
            0 => Outcome::Done(Ok(0)),
            at => Outcome::Done(put_user(at, &old).map(|()| 0)),
        },
    }
}

/// rt_sigprocmask(2): SIGSEGV is never blocked in the kernel, its bit is kept here.
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
    let kept = never_blocked();
    let before = call.ts.kept_mask;
    if new & kept == 0 && before == 0 {
        // Nothing of it is kept here.
        prepare_outputs(call);
        return Outcome::Tail;
    }
    // SIGKILL and SIGSTOP cannot be blocked (signal(7)).
    let kernel_new = new & !kept & !(sig::bit(sig::SIGKILL) | sig::bit(sig::SIGSTOP));
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
        call.ts.kept_mask = match how {
            0 => before | new & kept,
            1 => before & !new,
            _ => new & kept,
        };
    }
    release_held(call.ts);
    old |= before;
    match old_at {
        0 => Outcome::Done(Ok(0)),
        at => Outcome::Done(put_user(at, &old).map(|()| 0)),
    }
}

/// An asynchronous SIGSEGV that was held while blocked comes through.
fn release_held(ts: &mut ThreadState) {
    if ts.kept_mask & SEGV == 0
        && let [Some(_), _] = ts.held
        && ts.requeued == 0
    {
        ts.saved_mask = set_mask(crate::signal::ALL_BUT_FAULTS);
        ts.requeued = 1;
    }
}

/// rt_sigpending(2): with what is held.
pub fn sigpending(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    let outcome = call.pass();
    if outcome == Outcome::Done(Ok(0))
        && let [Some(_), _] = call.ts.held
        && let Some(set) = guest::read::<u64>(call.arg(0))
    {
        let _ = guest::write(call.arg(0), &(set | SEGV));
    }
    outcome
}

/// rt_sigreturn(2).
pub fn sigreturn(call: &mut Call<'_>) -> Outcome {
    restore(call.ts);
    // Only a frame that cannot be read comes back: the kernel raises SIGSEGV (signal_64.c, badframe).
    let info = SigInfo { signo: sig::SIGSEGV, errno: 0, code: k::SI_KERNEL.cast_signed(), pad: 0, fields: [0; 14] };
    call.ts.held[0] = Some(info);
    if call.ts.requeued == 0 {
        call.ts.saved_mask = set_mask(crate::signal::ALL_BUT_FAULTS);
        call.ts.requeued = 1;
    }
    Outcome::Done(Ok(0))
}

/// sigaltstack(2) (kernel/signal.c, do_sigaltstack).
pub fn sigaltstack(call: &mut Call<'_>) -> Outcome {
    const SS_DISABLE: u64 = 2;
    const SS_ONSTACK: u64 = 1;
    const SS_AUTODISARM: u64 = 1 << 31;
    let rsp = call.ts.regs[Gpr::Rsp];
    let ts = &mut *call.ts;
    let (new_at, old_at) = (call.args[0], call.args[1]);
    let old = ts.alt_stack;
    let old_flags = alt_flags(ts, rsp) | old.flags & SS_AUTODISARM;
    if new_at != 0 {
        let Some(new) = guest::read::<StackT>(new_at) else { return Outcome::Done(Err(Errno::EFAULT)) };
        if on_alt_stack(ts, rsp) {
            return Outcome::Done(Err(Errno::EPERM));
        }
        let flags = u64::from(new.flags.cast_unsigned());
        let mode = flags & !SS_AUTODISARM;
        if mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0 {
            return Outcome::Done(Err(Errno::EINVAL));
        }
        if mode == SS_DISABLE {
            ts.alt_stack = AltStack { sp: 0, flags: SS_DISABLE, size: 0 };
        } else {
            if new.size < crate::signal::alt_stack::min_bytes() {
                return Outcome::Done(Err(Errno::ENOMEM));
            }
            ts.alt_stack = AltStack { sp: new.sp, flags: flags & SS_AUTODISARM, size: new.size };
        }
    }
    if old_at != 0 {
        #[expect(clippy::cast_possible_truncation, reason = "the flags fit")]
        let out = StackT { sp: old.sp, flags: (old_flags as u32).cast_signed(), pad: 0, size: old.size };
        return Outcome::Done(put_user(old_at, &out).map(|()| 0));
    }
    Outcome::Done(Ok(0))
}

/// Runs `f` with the mask argument `mask` replaced by a copy without SIGSEGV, and the signals it lets through taken
/// under it.
fn under_mask(call: &mut Call<'_>, mask_at: u64, f: impl FnOnce(&mut Call<'_>, u64) -> Outcome) -> Outcome {
    prepare_outputs(call);
    if mask_at == 0 {
        return f(call, 0);
    }
    let Some(mask) = guest::read::<u64>(mask_at) else { return Outcome::Done(Err(Errno::EFAULT)) };
    let kernel_mask = mask & !never_blocked();
    call.ts.temporary_mask = Some(kernel_mask);
    let outcome = f(call, &raw const kernel_mask as u64);
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
