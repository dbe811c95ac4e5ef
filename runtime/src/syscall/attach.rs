//! A guest attaches to another process of the family (ptrace(2)): that one leaves the runtime first, so that its tracer
//! sees the program.
//!
//! The tracer's runtime does it between the call and its return: it stops the other process, writes what it asks for into
//! that one's image ([`REQUEST`]), has a signal arrive there, and follows its calls until it has left. A call that the
//! stop interrupted is made again, as the kernel makes it after a stop. Then the process is stopped, or goes on, as the
//! guest expects it.

use super::own_exe::runtime_file;
use crate::gate::facts::{Fact, holds};
use crate::process::image;
use crate::report::Text;
use crate::signal::natively::{ASKED, LEAVE, LEFT, MARK, NONE, REQUEST, SIGNAL};
use crate::sys::types::{SigInfo, sig};
use crate::sys::{Errno, fs, raw};
use alloc::vec::Vec;
use core::fmt::Write;
use linux_raw_sys::general as k;

/// Requests of ptrace(2) (include/uapi/linux/ptrace.h).
pub const ATTACH: i32 = 16;
/// PTRACE_SEIZE.
pub const SEIZE: i32 = 0x4206;
const PEEKDATA: u64 = 2;
const POKEDATA: u64 = 5;
const CONT: u64 = 7;
const GETREGS: u64 = 12;
const SETREGS: u64 = 13;
const SYSCALL: u64 = 24;
const SETOPTIONS: u64 = 0x4200;
const SETSIGINFO: u64 = 0x4203;
const INTERRUPT: u64 = 0x4207;
/// PTRACE_O_TRACESYSGOOD, and what stops at calls are told by then.
const O_TRACESYSGOOD: u64 = 1;
const AT_CALL: i32 = 5 | 0x80;
/// Stops after which the other one is left alone.
const PATIENCE: u32 = 4096;

/// `struct user_regs_struct` (sys/user.h) as words, and those that are used.
type UserRegs = [u64; 27];
const RAX: usize = 10;
const ORIG_RAX: usize = 15;
const RIP: usize = 16;
/// The results of a call that a stop interrupts: the kernel makes it again (include/linux/errno.h, ERESTARTSYS …).
const RESTARTS: [u64; 4] =
    [(-512i64).cast_unsigned(), (-513i64).cast_unsigned(), (-514i64).cast_unsigned(), (-516i64).cast_unsigned()];
const SYSCALL_BYTES: u64 = 2;
/// PTRACE_EVENT_STOP, and what waitid(2) waits for.
const EVENT_STOP: i32 = 128;
const P_PID: u64 = 1;

/// A process that this one has just attached to.
struct Tracee {
    pid: u64,
    /// Where the words of [`REQUEST`] lie in its memory: the mark and the state.
    words: [u64; 2],
}

impl Tracee {
    fn ask(&self, request: u64, address: u64, data: u64) -> Result<u64, Errno> {
        // SAFETY: the structures that requests read and write live during the call.
        unsafe { raw::syscall(k::__NR_ptrace, [request, self.pid, address, data]) }
    }

    fn word(&self, address: u64) -> Option<u64> {
        let mut word = 0u64;
        self.ask(PEEKDATA, address, &raw mut word as u64).ok().map(|_| word)
    }

    fn set_word(&self, address: u64, word: u64) -> Option<()> {
        self.ask(POKEDATA, address, word).ok().map(|_| ())
    }

    fn send(&self, signal: i32) -> Option<()> {
        // SAFETY: integers.
        unsafe { raw::syscall(k::__NR_tgkill, [self.pid, self.pid, u64::from(signal.cast_unsigned())]) }
            .ok()
            .map(|_| ())
    }

    /// Waits for a stop, but takes no end: that is the guest's. The signal, and the event above it.
    fn stopped(&self) -> Option<(i32, i32)> {
        let mut info = SigInfo { signo: 0, errno: 0, code: 0, pad: 0, fields: [0; 14] };
        let mut status = 0i32;
        let look = u64::from(k::WEXITED | k::WSTOPPED | k::WNOWAIT | k::__WALL);
        // SAFETY: the kernel writes `info` and `status`.
        unsafe {
            while raw::syscall(k::__NR_waitid, [P_PID, self.pid, &raw mut info as u64, look, 0]) == Err(Errno::EINTR) {}
            if info.code != k::CLD_TRAPPED.cast_signed() && info.code != k::CLD_STOPPED.cast_signed() {
                return None;
            }
            raw::syscall(k::__NR_wait4, [self.pid, &raw mut status as u64, u64::from(k::__WALL), 0]).ok()?;
        }
        Some((status >> 8 & 0xff, status >> 16))
    }

    /// The process has such words, and has not left. It need not be stopped
    /// (process_vm_readv(2)).
    fn may_leave(&self) -> bool {
        let mut words = [0u64; 2];
        let bytes = size_of_val(&words) as u64;
        let local = [words.as_mut_ptr() as u64, bytes];
        let [mark, _] = self.words;
        let remote = [mark, bytes];
        let args = [self.pid, local.as_ptr() as u64, 1, remote.as_ptr() as u64, 1, 0];
        // SAFETY: the kernel writes `words`.
        let read = unsafe { raw::syscall(k::__NR_process_vm_readv, args) };
        read == Ok(bytes) && words == [MARK, NONE]
    }

    /// Has the thread, stopped by the request's signal, make an interrupted call again. Returns whether there was one.
    fn restart(&self) -> Option<bool> {
        let mut regs: UserRegs = [0; 27];
        self.ask(GETREGS, 0, regs.as_mut_ptr() as u64).ok()?;
        let (result, number) = (*regs.get(RAX)?, *regs.get(ORIG_RAX)?);
        if number.cast_signed() < 0 || !RESTARTS.contains(&result) {
            return Some(false);
        }
        *regs.get_mut(RAX)? = number;
        *regs.get_mut(ORIG_RAX)? = u64::MAX;
        *regs.get_mut(RIP)? -= SYSCALL_BYTES;
        self.ask(SETREGS, 0, regs.as_ptr() as u64).ok()?;
        Some(true)
    }

    /// Has the process, to which `signal` was sent, stop by it as it had before. The guest is to be told of that.
    fn stop_again(&self, signal: i32) {
        for _ in 0..PATIENCE {
            let Some((arrived, event)) = self.stopped() else { return };
            let deliver = if event == 0 { u64::from(arrived.cast_unsigned()) } else { 0 };
            if self.ask(CONT, 0, deliver).is_err() {
                return;
            }
            if arrived == signal && event == 0 {
                break;
            }
        }
        let mut info = SigInfo { signo: 0, errno: 0, code: 0, pad: 0, fields: [0; 14] };
        let look = u64::from(k::WEXITED | k::WSTOPPED | k::WNOWAIT | k::__WALL);
        // SAFETY: the kernel writes `info`.
        let wait = || unsafe { raw::syscall(k::__NR_waitid, [P_PID, self.pid, &raw mut info as u64, look, 0]) };
        core::iter::repeat_with(wait).find(|waited| *waited != Err(Errno::EINTR));
    }

    /// Follows the process, which is stopped, until it has left or stays. Whether it goes on with a call that was
    /// interrupted.
    fn follow(&self) -> Option<bool> {
        let [_, state] = self.words;
        self.ask(SETOPTIONS, 0, O_TRACESYSGOOD).ok()?;
        self.set_word(state, ASKED)?;
        self.send(SIGNAL)?;
        let (mut is_in_call, mut is_asked, mut deliver) = (false, false, 0);
        for _ in 0..PATIENCE {
            self.ask(SYSCALL, 0, deliver).ok()?;
            let (signal, event) = self.stopped()?;
            deliver = u64::from(signal.cast_unsigned());
            match signal {
                SIGNAL if event == 0 && !is_asked => {
                    is_asked = true;
                    is_in_call = self.restart()?;
                    let info = SigInfo { signo: SIGNAL, errno: 0, code: LEAVE, pad: 0, fields: [0; 14] };
                    self.ask(SETSIGINFO, 0, &raw const info as u64).ok()?;
                }
                AT_CALL => {
                    deliver = 0;
                    if self.word(state) == Some(LEFT) {
                        // At the call that leads to the guest; and after it.
                        self.ask(SYSCALL, 0, 0).ok()?;
                        self.stopped()?;
                        return Some(is_in_call);
                    }
                    if is_asked && self.word(state) == Some(NONE) {
                        return Some(false);
                    }
                }
                sig::SIGSTOP => deliver = 0,
                _ if event != 0 => deliver = 0,
                _ => {}
            }
        }
        None
    }
}

/// Where the words of the request lie in a process with bt-run's image at `base`.
fn words_at(base: u64) -> [u64; 2] {
    REQUEST.each_ref().map(|word| base + (word.as_ptr() as u64 - image::range().0))
}

/// Where the image of this bt-run lies in a process (proc(5), /proc/PID/maps: the file's first mapping).
fn image_of(pid: i32) -> Option<u64> {
    let (_, wanted) = runtime_file()?;
    let mut path = Text::default();
    let _ = write!(path, "/proc/{pid}/maps\0");
    let path = core::ffi::CStr::from_bytes_until_nul(path.as_bytes()).ok()?;
    let file = fs::open(path, k::O_RDONLY | k::O_CLOEXEC).ok()?;
    let (mut text, mut chunk) = (Vec::new(), [0u8; 1024]);
    while let Ok(len @ 1..) = file.read(&mut chunk) {
        text.extend_from_slice(chunk.get(..len).unwrap_or(&[]));
    }
    file.close();
    core::str::from_utf8(&text).ok()?.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (range, offset, inode) = (fields.next()?, fields.nth(1)?, fields.nth(1)?);
        let is_first = u64::from_str_radix(offset, 16) == Ok(0) && inode.parse() == Ok(wanted);
        let (start, _) = range.split_once('-')?;
        u64::from_str_radix(start, 16).ok().filter(|_| is_first)
    })
}

/// This process has attached to `pid`, with `options`; `stops`: the guest waits for a stop by SIGSTOP.
pub fn attached(pid: i32, options: u64, stops: bool) {
    if holds(Fact::Filtered) {
        return;
    }
    let Some(base) = image_of(pid) else { return };
    let tracee = Tracee { pid: u64::from(pid.cast_unsigned()), words: words_at(base) };
    if !tracee.may_leave() || !has_one_thread(pid) {
        return;
    }
    if !stops && tracee.ask(INTERRUPT, 0, 0).is_err() {
        return;
    }
    let Some((signal, event)) = tracee.stopped() else { return };
    // A process that somebody had stopped before tells it so (ptrace(2), "Group-stop").
    let was_stopped = !stops && event == EVENT_STOP && signal != sig::SIGTRAP;
    let is_in_call = tracee.follow().unwrap_or(false);
    let _ = tracee.ask(SETOPTIONS, 0, options);
    if is_in_call {
        // Into the call again, which what follows interrupts as it would have.
        let _ = tracee.ask(SYSCALL, 0, 0);
        let _ = tracee.stopped();
    }
    if stops || was_stopped {
        let _ = tracee.send(if stops { sig::SIGSTOP } else { signal });
    }
    let _ = tracee.ask(CONT, 0, 0);
    if was_stopped {
        tracee.stop_again(signal);
    }
}

/// The process has one thread: its directory of threads has one entry (proc(5)).
fn has_one_thread(pid: i32) -> bool {
    let mut path = Text::default();
    let _ = write!(path, "/proc/{pid}/task\0");
    let Ok(path) = core::ffi::CStr::from_bytes_until_nul(path.as_bytes()) else { return false };
    // Itself, its parent's, and one for each thread (fs/proc/base.c, proc_task_getattr).
    fs::stat(path).is_ok_and(|stat| stat.links == 3)
}
