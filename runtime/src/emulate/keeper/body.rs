//! What the keeper does. It runs in the guest's memory, but not on a guest thread: `gs`, the heap and the locks are the guest's and
//! stay untouched.

use super::protocol::{Control, Header, Request, Verb};
use crate::emulate::files::lane::FileLane;
use crate::emulate::seeded::{Bug, is_planted};
use crate::gate::lane::{REVOKED, TOUCH};
use crate::sys::Errno;
use crate::sys::process;
use crate::sys::raw;
use crate::sys::types::{SigAction, sa};
use core::arch::naked_asm;
use core::sync::atomic::{Ordering, fence};
use linux_raw_sys::general as k;

/// Descriptions one keeper can hold.
pub const LANES: usize = 256;
/// Length of a tick.
const TICK_NS: u64 = 4_000_000;
/// Ticks without an access after which a lane is given up.
const PATIENCE: u32 = 8;
/// The signal by which the kernel tells of a lease that is to be broken (fcntl(2), F_SETSIG 0).
const SIGIO: u64 = 29;

const MEMBARRIER_PRIVATE_EXPEDITED: u64 = 1 << 3;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: u64 = 1 << 4;

/// Announces that the process will use the barrier (membarrier(2)).
pub fn register_barrier() -> Result<(), Errno> {
    // SAFETY: integers.
    unsafe { raw::syscall(k::__NR_membarrier, [MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0]) }.map(|_| ())
}

/// Every thread of the guest executes a full barrier.
fn barrier() {
    fence(Ordering::SeqCst);
    // SAFETY: integers.
    let _ = unsafe { raw::syscall(k::__NR_membarrier, [MEMBARRIER_PRIVATE_EXPEDITED, 0, 0]) };
}

/// clone(2) with CLONE_VM and no signal at its end; the child calls [`run`] with `socket` on the stack that ends at `top`.
///
/// # Safety
/// The stack must be unused, all signals blocked.
#[unsafe(naked)]
pub unsafe extern "C" fn spawn(top: u64, socket: u64) -> i64 {
    naked_asm!(
        "push r12",
        "mov r12, rsi",
        "mov rsi, rdi",
        "mov edi, {flags}",
        "xor edx, edx",
        "xor r10d, r10d",
        "xor r8d, r8d",
        "mov eax, 56",
        "syscall",
        "test rax, rax",
        "je 2f",
        "pop r12",
        "ret",
        "2:",
        "xor ebp, ebp",
        "mov rdi, r12",
        "call {run}",
        "ud2",
        flags = const k::CLONE_VM,
        run = sym run,
    )
}

/// Interrupts the wait; all it has to do is return.
#[unsafe(naked)]
unsafe extern "C" fn awaken() {
    naked_asm!("ret")
}

struct Keeper {
    socket: u64,
    lanes: [*mut FileLane; LANES],
}

extern "C" fn run(socket: u64) -> ! {
    prepare(socket);
    let mut keeper = Keeper { socket, lanes: [core::ptr::null_mut(); LANES] };
    keeper.reply(0);
    loop {
        let mut wanted = [socket & 0xffff_ffff | u64::from(k::POLLIN) << 32];
        let busy = keeper.lanes().any(|lane| lane.ticking.load(Ordering::Relaxed) != 0);
        let tick = [0u64, TICK_NS];
        let let_through: u64 = !(1 << (SIGIO - 1));
        let timeout = if busy { tick.as_ptr() as u64 } else { 0 };
        // SAFETY: the structures live during the call.
        let ready = unsafe {
            raw::syscall(k::__NR_ppoll, [wanted.as_mut_ptr() as u64, 1, timeout, &raw const let_through as u64, 8])
        };
        keeper.watch();
        match ready {
            Ok(0) => keeper.tick(),
            Ok(_) => keeper.serve(),
            Err(_) => {}
        }
    }
}

/// Its own session and descriptors, default actions for what it may not survive.
fn prepare(socket: u64) {
    let default = SigAction::default();
    let awaken = SigAction {
        handler: awaken as *const () as u64,
        flags: sa::RESTORER,
        restorer: crate::gate::asm::restorer as *const () as u64,
        mask: 0,
    };
    // SAFETY: no memory is touched but the structures.
    unsafe {
        for signal in 1..=64u64 {
            let action = if signal == SIGIO { &raw const awaken } else { &raw const default };
            let _ = raw::syscall(k::__NR_rt_sigaction, [signal, action as u64, 0, 8]);
        }
        let _ = raw::syscall(k::__NR_setsid, []);
        // It must not keep a file system busy.
        let _ = raw::syscall(k::__NR_chdir, [c"/".as_ptr() as u64]);
        // PR_SET_NAME
        let _ = raw::syscall(k::__NR_prctl, [15, c"bt-keeper".as_ptr() as u64]);
        let below = if socket == 0 { Ok(0) } else { raw::syscall(k::__NR_close_range, [0, socket - 1, 0]) };
        let above = raw::syscall(k::__NR_close_range, [socket + 1, u64::from(u32::MAX), 0]);
        if below.is_err() || above.is_err() {
            process::exit_group(1);
        }
    }
}

impl Keeper {
    fn lanes(&self) -> impl Iterator<Item = &FileLane> {
        // SAFETY: the guest frees a lane only after it was dropped from the list.
        self.lanes.iter().filter(|lane| !lane.is_null()).map(|&lane| unsafe { &*lane })
    }

    fn reply(&self, word: u64) {
        // SAFETY: eight bytes of the stack. A guest that is gone is found out by the next wait.
        let _ = unsafe { raw::syscall(k::__NR_write, [self.socket, &raw const word as u64, 8]) };
    }

    /// Gives up every lease that somebody waits for.
    fn watch(&self) {
        for lane in self.lanes() {
            let held = lane.lease.load(Ordering::Relaxed);
            if held == UNLEASED {
                continue;
            }
            // While a lease is being broken F_GETLEASE tells what is to be left of it.
            let fd = u64::from(lane.keeper_fd.load(Ordering::Relaxed).cast_unsigned());
            // SAFETY: integers.
            let now = unsafe { raw::syscall(k::__NR_fcntl, [fd, u64::from(k::F_GETLEASE)]) };
            if now != Ok(u64::from(held)) {
                give_up(lane);
            }
        }
    }

    /// A tick has passed.
    fn tick(&self) {
        for lane in self.lanes().filter(|lane| lane.ticking.load(Ordering::Relaxed) != 0) {
            if touch(lane) {
                lane.idle.store(0, Ordering::Relaxed);
                continue;
            }
            // The lane's next access is to be made by the kernel; one that has just been made counts.
            lane.lane.state.fetch_or(TOUCH, Ordering::SeqCst);
            barrier();
            touch(lane);
            let idle = lane.idle.load(Ordering::Relaxed) + 1;
            lane.idle.store(idle, Ordering::Relaxed);
            if idle >= PATIENCE {
                lane.ticking.store(0, Ordering::Relaxed);
                give_up(lane);
            }
        }
    }

    /// Takes one request.
    fn serve(&mut self) {
        let mut request = Request { verb: 0, lane: core::ptr::null_mut() };
        let iov = [&raw mut request as u64, size_of::<Request>() as u64];
        let mut control = Control::new(-1);
        let mut header = Header {
            name: 0,
            name_len: 0,
            iov: iov.as_ptr() as u64,
            iov_len: 1,
            control: &raw mut control as u64,
            control_len: size_of::<Control>() as u64,
            flags: 0,
        };
        // SAFETY: the structures live during the call. MSG_CMSG_CLOEXEC = 0x40000000.
        let got = unsafe { raw::syscall(k::__NR_recvmsg, [self.socket, &raw mut header as u64, 0x4000_0000]) };
        match got {
            Ok(0) => process::exit_group(0),
            Ok(_) => {}
            Err(_) => return,
        }
        let slot = |lanes: &mut [*mut FileLane; LANES], wanted| lanes.iter().position(|&lane| lane == wanted);
        if request.verb == Verb::Keep as u64 {
            let free = slot(&mut self.lanes, core::ptr::null_mut());
            // SAFETY: the guest waits for the answer with the lane in its hands.
            let lane = unsafe { &*request.lane };
            let taken = free.ok_or(Errno::EMFILE).and_then(|_| take(lane, control.fd));
            match (taken, free.and_then(|free| self.lanes.get_mut(free))) {
                (Ok(()), Some(place)) => {
                    *place = request.lane;
                    self.reply(0);
                }
                (taken, _) => {
                    raw::close(control.fd);
                    self.reply(u64::from(taken.err().map_or(22, |e| e.0)));
                }
            }
        } else if request.verb == Verb::Drop as u64 {
            if let Some(place) = slot(&mut self.lanes, request.lane).and_then(|n| self.lanes.get_mut(n)) {
                *place = core::ptr::null_mut();
                // SAFETY: as above.
                raw::close(unsafe { &*request.lane }.keeper_fd.load(Ordering::Relaxed));
            }
            self.reply(0);
        } else if let Some(lane) = self.lanes().find(|&lane| core::ptr::eq(lane, request.lane)) {
            lane.idle.store(0, Ordering::Relaxed);
            lane.ticking.store(1, Ordering::Relaxed);
        }
    }
}

/// [`FileLane::lease`] without a lease (F_UNLCK).
const UNLEASED: u32 = 2;

/// Takes the lease.
fn take(lane: &FileLane, fd: i32) -> Result<(), Errno> {
    let number = u64::from(fd.cast_unsigned());
    let kind = u64::from(lane.wanted_lease);
    // SAFETY: integers. The owner is set first: a lease may be broken as soon as it exists.
    unsafe {
        let me = raw::syscall(k::__NR_getpid, [])?;
        raw::syscall(k::__NR_fcntl, [number, u64::from(k::F_SETOWN), me])?;
        if let Err(e) = raw::syscall(k::__NR_fcntl, [number, u64::from(k::F_SETLEASE), kind]) {
            let _ = raw::syscall(k::__NR_fcntl, [number, u64::from(k::F_SETOWN), 0]);
            return Err(e);
        }
    }
    lane.keeper_fd.store(fd, Ordering::Relaxed);
    lane.lease.store(lane.wanted_lease, Ordering::Relaxed);
    lane.ticking.store(1, Ordering::Relaxed);
    Ok(())
}

/// Revokes the lane, and lets go of the file (runtime/COHERENCE.md).
fn give_up(lane: &FileLane) {
    if !is_planted(Bug::SkipLeaseBreak) {
        lane.lane.state.fetch_or(REVOKED, Ordering::SeqCst);
        barrier();
    }
    touch(lane);
    lane.ticking.store(0, Ordering::Relaxed);
    lane.lease.store(UNLEASED, Ordering::Relaxed);
    let fd = u64::from(lane.keeper_fd.load(Ordering::Relaxed).cast_unsigned());
    // SAFETY: integers.
    let _ = unsafe { raw::syscall(k::__NR_fcntl, [fd, u64::from(k::F_SETLEASE), u64::from(k::F_UNLCK)]) };
}

/// A real access, if there were any since the last one.
fn touch(lane: &FileLane) -> bool {
    lane.touch(lane.keeper_fd.load(Ordering::Relaxed))
}
