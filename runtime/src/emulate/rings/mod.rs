//! Pipes and eventfds that only this process has: what is in them is kept in memory.
//!
//! A pipe's both ends, or an eventfd, must have been made by this process and be shared with nobody, and the process must have one
//! thread: then nobody else can read, write or wait. While something is kept here every call but those that can neither see nor
//! wait for it ([`is_blind`]) hands all of it back first, contents and places in the kernel's buffers intact.

pub mod event;
pub mod pipe;

use super::descriptors;
use crate::gate::lane;
use crate::gate::lane::Kind;
use crate::options::{self, EmulateLevel};
use crate::policy;
use crate::syscall::{Call, Outcome};
use core::sync::atomic::{AtomicU32, Ordering};
use linux_raw_sys::general as k;

/// Pipes and eventfds that are kept here.
static COUNT: AtomicU32 = AtomicU32::new(0);
/// How much seldomer one is taken over, as a power of two: each that was handed back before it paid makes it seldomer.
static PENALTY: AtomicU32 = AtomicU32::new(0);
const MAX_PENALTY: u32 = 10;
/// Operations behind which taking over has paid.
const WORTH: u64 = 512;

/// Something is kept here.
#[must_use]
pub fn any() -> bool {
    COUNT.load(Ordering::Relaxed) != 0
}

fn began() {
    if COUNT.fetch_add(1, Ordering::Relaxed) == 0 {
        policy::apply();
    }
}

/// One is the kernel's again; it answered so many operations.
fn ended(answered: u64) {
    let penalty = PENALTY.load(Ordering::Relaxed);
    PENALTY.store(if answered >= WORTH { 0 } else { (penalty + 1).min(MAX_PENALTY) }, Ordering::Relaxed);
    if COUNT.fetch_sub(1, Ordering::Relaxed) == 1 {
        policy::apply();
    }
}

/// As [`files::promote::penalty`](super::files::promote::penalty).
#[must_use]
pub fn penalty() -> u32 {
    PENALTY.load(Ordering::Relaxed)
}

/// Takes over what a descriptor leads to, if it may be.
pub fn consider(fd: i32) -> bool {
    if options::get().emulate < EmulateLevel::Coherent {
        return false;
    }
    match descriptors::origin(fd) {
        Some(descriptors::Origin::Pipe) => pipe::take_over(fd),
        Some(descriptors::Origin::Event) => event::take_over(fd, false),
        Some(descriptors::Origin::Semaphore) => event::take_over(fd, true),
        _ => false,
    }
}

/// Answers a read or write that the assembly left to Rust, if its descriptor leads to something kept here.
pub fn answer(call: &Call<'_>) -> Option<Outcome> {
    let fd = call.int(0);
    let lane = lane::get(fd);
    if lane.is_null() {
        return None;
    }
    // SAFETY: a lane in the table exists.
    match unsafe { (*lane).kind } {
        Kind::Pipe => pipe::answer(call, fd),
        Kind::Event => event::answer(call, fd),
        Kind::Device | Kind::File => None,
    }
}

/// Gives back what a descriptor leads to.
pub fn hand_back(fd: i32) {
    let lane = lane::get(fd);
    if lane.is_null() {
        return;
    }
    // SAFETY: a lane in the table exists.
    match unsafe { (*lane).kind } {
        Kind::Pipe => pipe::hand_back(fd),
        Kind::Event => event::hand_back(fd),
        Kind::Device | Kind::File => {}
    }
}

/// Gives all of it back.
pub fn hand_back_all() {
    while any() {
        let Some(fd) = descriptors::find_lane(|lane| matches!(lane.kind, Kind::Pipe | Kind::Event)) else { return };
        hand_back(fd);
    }
}

/// Calls that can neither see nor change what is kept here, nor wait for it.
const BLIND: [u32; 41] = [
    k::__NR_read,
    k::__NR_write,
    k::__NR_pread64,
    k::__NR_pwrite64,
    k::__NR_lseek,
    k::__NR_close,
    k::__NR_dup,
    k::__NR_brk,
    k::__NR_mmap,
    k::__NR_munmap,
    k::__NR_mprotect,
    k::__NR_mremap,
    k::__NR_madvise,
    k::__NR_futex,
    k::__NR_clock_gettime,
    k::__NR_clock_getres,
    k::__NR_gettimeofday,
    k::__NR_time,
    k::__NR_nanosleep,
    k::__NR_clock_nanosleep,
    k::__NR_sched_yield,
    k::__NR_getrandom,
    k::__NR_getpid,
    k::__NR_gettid,
    k::__NR_getppid,
    k::__NR_getuid,
    k::__NR_geteuid,
    k::__NR_getgid,
    k::__NR_getegid,
    k::__NR_umask,
    k::__NR_uname,
    k::__NR_getrusage,
    k::__NR_times,
    k::__NR_rt_sigprocmask,
    k::__NR_rt_sigaction,
    k::__NR_rt_sigreturn,
    k::__NR_sigaltstack,
    k::__NR_kill,
    k::__NR_tgkill,
    k::__NR_setitimer,
    k::__NR_getitimer,
];

/// See [`BLIND`].
#[must_use]
pub fn is_blind(nr: u64) -> bool {
    BLIND.iter().any(|&n| u64::from(n) == nr)
}
