//! System calls: the table that describes all of them, and those the runtime carries out itself.
//!
//! [`on_syscall`] is where the gate arrives with a call that is not passed on by assembly alone.

pub mod descriptors;
pub mod exec;
pub mod handoff;
pub mod int80;
pub mod memory;
pub mod paths;
pub mod process;
pub mod program;
pub mod signals;
pub mod thread;

use crate::calls::{self, GuestMemory};
use crate::emulate::{self, identity, sample};
use crate::engine::{lock, redirect, ring0};
use crate::gate::asm;
use crate::gate::region::{Label, address};
use crate::mem::guest;
use crate::observe::{stats, trace_line};
use crate::options::{self, EngineChoice};
use crate::policy;
use crate::thread::state::{INTERRUPTED, ThreadState, reg};
use core::sync::atomic::{AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The result for rax.
    Done(i64),
    /// The same, of a call that the kernel was not asked about.
    Answered(i64),
    /// The call is to be made as it is, with nothing to do behind it. The gate makes it, because behind a system call the CPU has
    /// forgotten where Rust's callers return to, and mispredicts each return.
    Tail,
    /// A signal came first: the guest is to execute its `syscall` again, after the handler.
    Interrupted,
    /// Registers, pc and `resume` are set already.
    Elsewhere,
}

/// One call under way.
pub struct Call<'a> {
    /// The calling thread.
    pub ts: &'a mut ThreadState,
    /// Number, as the kernel reads it: the low 32 bits of rax.
    pub nr: u32,
    /// rdi, rsi, rdx, r10, r8, r9.
    pub args: [u64; 6],
}

impl Call<'_> {
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

    /// The argument `n`.
    #[must_use]
    pub fn arg(&self, n: usize) -> u64 {
        self.args.get(n).copied().unwrap_or(0)
    }

    /// Makes the call as it is. Inlined, as what leads here: behind a system call the CPU has forgotten where its caller's callers
    /// return to, and mispredicts each return.
    #[inline(always)]
    pub fn pass(&mut self) -> Outcome {
        let args = self.args;
        self.pass_with(&args)
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
    let _ = ts;
    // SAFETY: the call is the guest's, with pointers the kernel checks.
    let result = unsafe { asm::call(u64::from(nr), args.as_ptr()) };
    if result == INTERRUPTED { Outcome::Interrupted } else { Outcome::Done(result) }
}

/// Guest memory for the table's descriptors.
pub struct Memory;
impl GuestMemory for Memory {
    fn read(&self, addr: u64, buf: &mut [u8]) -> usize {
        guest::read_bytes(addr, buf)
    }
}

/// Counts fragments dropped: a call during which this moves may have dropped the one it returns to.
pub static CODE_CHANGES: AtomicU64 = AtomicU64::new(0);

/// Entry from the gate.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
pub unsafe extern "C" fn on_syscall(ts: *mut ThreadState) {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    let [rax, _, rdx, _, _, _, rsi, rdi, r8, r9, r10, ..] = ts.regs.gpr;
    set(ts, reg::R11, ts.regs.rflags);
    #[expect(clippy::cast_possible_truncation, reason = "the kernel reads eax")]
    let nr = rax as u32;
    let args = [rdi, rsi, rdx, r10, r8, r9];
    let resume = ts.resume;
    let changes = CODE_CHANGES.load(Ordering::Acquire);
    if ring0::is_chosen() && ts.ring0_left == 0 {
        ring0::leave::look(ts);
    }
    if sample::count(ts, nr) {
        sample::look(ts, nr, &args);
    }
    let mut outcome = if options::get().stats_time {
        stats::timed(nr, || run_whole(ts, nr, &args))
    } else if options::get().trace {
        trace_line::traced(nr, &args, || run_whole(ts, nr, &args))
    } else {
        run(Call { ts: &mut *ts, nr, args })
    };
    if outcome == Outcome::Tail && CODE_CHANGES.load(Ordering::Acquire) != changes {
        // What the gate would return to may be gone.
        outcome = pass(ts, nr, &args);
    }
    finish(ts, outcome, nr, resume, changes);
}

fn finish(ts: &mut ThreadState, outcome: Outcome, nr: u32, resume: u64, changes: u64) {
    match outcome {
        Outcome::Done(result) | Outcome::Answered(result) => {
            if let (Outcome::Answered(_), Some(passed), Some(answered)) =
                (outcome, ts.counts.get_mut(nr as usize), ts.answered.get_mut(nr as usize))
            {
                *passed = passed.wrapping_sub(1);
                *answered += 1;
            }
            set(ts, reg::RAX, result.cast_unsigned());
            ts.resume = resume;
            if CODE_CHANGES.load(Ordering::Acquire) != changes {
                let pc = ts.regs.rip;
                redirect(ts, pc);
            }
        }
        Outcome::Interrupted => {
            set(ts, reg::RAX, u64::from(nr));
            let pc = ts.regs.rip - 2;
            redirect(ts, pc);
        }
        Outcome::Tail => {
            ts.tail_resume = resume;
            ts.resume = address(Label::Tail);
        }
        Outcome::Elsewhere => {}
    }
    if ts.regs.rflags & TRAP_FLAG != 0 {
        // The kernel returns with the flag set: the CPU reports no step before the next instruction was executed.
        ts.last_step = ts.regs.rip;
    }
}

/// TF of RFLAGS.
const TRAP_FLAG: u64 = 1 << 8;

/// Sets a guest register.
pub fn set(ts: &mut ThreadState, n: usize, value: u64) {
    if let Some(r) = ts.regs.gpr.get_mut(n) {
        *r = value;
    }
}

/// Carries out one call to its end.
pub fn run_whole(ts: &mut ThreadState, nr: u32, args: &[u64; 6]) -> Outcome {
    match run(Call { ts: &mut *ts, nr, args: *args }) {
        Outcome::Tail => pass(ts, nr, args),
        outcome => outcome,
    }
}

/// Carries out one call.
#[inline(always)]
pub fn run(mut call: Call<'_>) -> Outcome {
    if let Some(outcome) = emulate::answer(&mut call) {
        return outcome;
    }
    if !policy::is_owned(u64::from(call.nr)) {
        prepare_outputs(&call);
        return Outcome::Tail;
    }
    match call.nr {
        k::__NR_mmap => memory::mmap(&mut call),
        k::__NR_munmap => memory::munmap(&mut call),
        k::__NR_mprotect | k::__NR_pkey_mprotect => memory::mprotect(&mut call),
        k::__NR_mremap => memory::mremap(&mut call),
        k::__NR_brk => memory::brk(&mut call),
        k::__NR_shmat => memory::shmat(&mut call),
        k::__NR_shmdt => memory::shmdt(&mut call),
        k::__NR_remap_file_pages => memory::remap_file_pages(&mut call),
        k::__NR_madvise => memory::madvise(&mut call),
        k::__NR_process_vm_writev => memory::process_vm_writev(&mut call),
        k::__NR_rt_sigaction => signals::sigaction(&mut call),
        k::__NR_rt_sigprocmask => signals::sigprocmask(&mut call),
        k::__NR_rt_sigreturn => signals::sigreturn(&mut call),
        k::__NR_sigaltstack => signals::sigaltstack(&mut call),
        k::__NR_rt_sigsuspend => signals::with_mask(&mut call, 0, 1),
        k::__NR_ppoll => signals::with_mask(&mut call, 3, 4),
        k::__NR_epoll_pwait | k::__NR_epoll_pwait2 => signals::with_mask(&mut call, 4, 5),
        k::__NR_pselect6 => signals::pselect6(&mut call),
        k::__NR_rt_sigpending => signals::sigpending(&mut call),
        k::__NR_clone => thread::clone(&mut call),
        k::__NR_clone3 => thread::clone3(&mut call),
        k::__NR_fork => thread::fork(&mut call),
        k::__NR_vfork => thread::vfork(&mut call),
        k::__NR_exit => thread::exit(&mut call),
        k::__NR_exit_group => process::exit_group(&mut call),
        k::__NR_execve => exec::execve(&mut call),
        k::__NR_execveat => exec::execveat(&mut call),
        k::__NR_arch_prctl => process::arch_prctl(&mut call),
        k::__NR_rseq if options::get().engine == EngineChoice::Translate => Outcome::Done(-38),
        k::__NR_membarrier => process::membarrier(&mut call),
        k::__NR_readlink => paths::readlink(&mut call),
        k::__NR_readlinkat => paths::readlinkat(&mut call),
        k::__NR_open | k::__NR_stat | k::__NR_access => paths::first_path(&mut call),
        k::__NR_openat
        | k::__NR_openat2
        | k::__NR_statx
        | k::__NR_newfstatat
        | k::__NR_faccessat
        | k::__NR_faccessat2 => paths::second_path(&mut call),
        k::__NR_setuid
        | k::__NR_setgid
        | k::__NR_setreuid
        | k::__NR_setregid
        | k::__NR_setresuid
        | k::__NR_setresgid => identity::change(&mut call),
        k::__NR_unshare => process::unshare(&mut call),
        k::__NR_setns => identity::enter_namespace(&mut call),
        k::__NR_io_uring_setup | k::__NR_io_uring_enter => {
            // A ring can close and install descriptors.
            emulate::descriptors::give_up();
            prepare_outputs(&call);
            call.pass()
        }
        k::__NR_close => descriptors::close(&mut call),
        k::__NR_close_range => descriptors::close_range(&mut call),
        k::__NR_getdents | k::__NR_getdents64 => descriptors::getdents(&mut call),
        k::__NR_setrlimit | k::__NR_prlimit64 => descriptors::limit(&mut call),
        k::__NR_pidfd_getfd => descriptors::get_from_process(&mut call),
        k::__NR_pipe | k::__NR_pipe2 => descriptors::pipe(&mut call),
        k::__NR_eventfd | k::__NR_eventfd2 => descriptors::eventfd(&mut call),
        k::__NR_epoll_ctl => descriptors::epoll_ctl(&mut call),
        k::__NR_dup => descriptors::dup(&mut call),
        k::__NR_dup2 | k::__NR_dup3 => descriptors::dup2(&mut call),
        k::__NR_fcntl => descriptors::fcntl(&mut call),
        k::__NR_sendmsg | k::__NR_sendmmsg => descriptors::send(&mut call),
        k::__NR_wait4 | k::__NR_waitid => process::wait(&mut call),
        k::__NR_prctl => process::prctl(&mut call),
        k::__NR_ptrace => process::ptrace(&mut call),
        k::__NR_seccomp => process::seccomp(&mut call),
        _ => {
            prepare_outputs(&call);
            Outcome::Tail
        }
    }
}

/// Gives write access back to the pages the kernel is about to write: it would answer EFAULT where native execution
/// succeeds.
pub fn prepare_outputs(call: &Call<'_>) {
    if !policy::is_watching() || !calls::may_write(u64::from(call.nr)) {
        return;
    }
    calls::outputs(u64::from(call.nr), &call.args, &Memory, &mut |addr, len| {
        lock().release_range(addr, addr.saturating_add(len));
    });
}

/// Writes a value where the guest asked for it, as the kernel would.
pub fn put_user<T: guest::Plain>(addr: u64, value: &T) -> Result<(), i64> {
    if policy::is_watching() {
        lock().release_range(addr, addr.saturating_add(core::mem::size_of::<T>() as u64));
    }
    guest::write(addr, value).ok_or(-14)
}
