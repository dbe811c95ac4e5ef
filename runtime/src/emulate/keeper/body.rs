//! What the keeper does. It runs in the guest's memory, but not on a guest thread: `gs`, the heap and the locks are the
//! guest's and stay untouched.

use super::protocol::{Request, Verb};
use crate::emulate::files::lane::FileLane;
use crate::emulate::seeded::{Bug, is_planted};
use crate::gate::lane::{REVOKED, TOUCH};
use crate::sys::types::{SigAction, sa, sig};
use crate::sys::{Errno, Fd, process, signal, socket};
use core::arch::naked_asm;
use core::sync::atomic::{AtomicBool, Ordering, fence};
use linux_raw_sys::general as k;

/// Descriptions one keeper can hold.
pub const LANES: usize = 256;
/// Length of a tick.
const TICK_NS: u64 = 4_000_000;
/// Ticks without an access after which a lane is given up.
const PATIENCE: u32 = 8;
/// The signal by which the kernel tells of a lease that is to be broken (fcntl(2), F_SETSIG 0).
const SIGIO: i32 = 29;
const SIGNALS: i32 = 64;

const MEMBARRIER_PRIVATE_EXPEDITED: u64 = 1 << 3;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: u64 = 1 << 4;

/// The process is registered for the barrier because the runtime uses it. The kernel keeps that over a fork.
static IS_REGISTERED: AtomicBool = AtomicBool::new(false);

/// Announces that the process will use the barrier (membarrier(2)).
pub fn register_barrier() -> Result<(), Errno> {
    process::membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED)?;
    IS_REGISTERED.store(true, Ordering::Relaxed);
    Ok(())
}

/// [`register_barrier`] was called, by this process or one that it descends from.
#[must_use]
pub fn has_registered_barrier() -> bool {
    IS_REGISTERED.load(Ordering::Relaxed)
}

/// Every thread of the guest executes a full barrier.
fn barrier() {
    fence(Ordering::SeqCst);
    let _ = process::membarrier(MEMBARRIER_PRIVATE_EXPEDITED);
}

/// clone(2) with CLONE_VM and no signal at its end; the child calls `run` with `socket` on the stack that ends at
/// `top`.
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
    socket: Fd,
    lanes: [*mut FileLane; LANES],
}

extern "C" fn run(socket: u64) -> ! {
    let socket = Fd(i32::try_from(socket).unwrap_or(-1));
    prepare(socket);
    let mut keeper = Keeper { socket, lanes: [core::ptr::null_mut(); LANES] };
    keeper.reply(0);
    loop {
        let busy = keeper.lanes().any(|lane| lane.ticking.load(Ordering::Relaxed) != 0);
        let tick = [0u64, TICK_NS];
        let let_through: u64 = !sig::bit(SIGIO);
        let ready = socket::wait(socket, busy.then_some(&tick), let_through);
        keeper.watch();
        match ready {
            Ok(false) => keeper.tick(),
            Ok(true) => keeper.serve(),
            Err(_) => {}
        }
    }
}

/// Its own session and descriptors, default actions for what it may not survive.
fn prepare(socket: Fd) {
    let default = SigAction::default();
    let awaken = SigAction {
        handler: awaken as *const () as u64,
        flags: sa::RESTORER,
        restorer: crate::gate::asm::restorer as *const () as u64,
        mask: 0,
    };
    for number in 1..=SIGNALS {
        let _ = signal::action(number, Some(if number == SIGIO { &awaken } else { &default }));
    }
    process::begin_session();
    // It must not keep a file system busy.
    process::change_directory(c"/");
    process::set_name(b"bt-keeper\0\0\0\0\0\0\0");
    if process::close_all_but(socket).is_err() {
        process::exit_group(1);
    }
}

impl Keeper {
    fn lanes(&self) -> impl Iterator<Item = &FileLane> {
        // SAFETY: the guest frees a lane only after it was dropped from the list.
        self.lanes.iter().filter(|lane| !lane.is_null()).map(|&lane| unsafe { &*lane })
    }

    fn reply(&self, word: u64) {
        // A guest that is gone is found out by the next wait.
        let _ = self.socket.write(&word.to_ne_bytes());
    }

    /// Gives up every lease that somebody waits for.
    fn watch(&self) {
        for lane in self.lanes() {
            let held = lane.lease.load(Ordering::Relaxed);
            if held == UNLEASED {
                continue;
            }
            // While a lease is being broken F_GETLEASE tells what is to be left of it.
            let now = Fd(lane.keeper_fd.load(Ordering::Relaxed)).fcntl(k::F_GETLEASE, 0);
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
        // SAFETY: the guest is the only sender, and any bytes are a request.
        let fd = match unsafe { socket::receive(self.socket, &mut request) } {
            Ok((0, _)) => process::exit_group(0),
            Ok((_, fd)) => fd,
            Err(_) => return,
        };
        let slot = |lanes: &mut [*mut FileLane; LANES], wanted| lanes.iter().position(|&lane| lane == wanted);
        if request.verb == Verb::Keep as u64 {
            let free = slot(&mut self.lanes, core::ptr::null_mut());
            // SAFETY: the guest waits for the answer with the lane in its hands.
            let lane = unsafe { &*request.lane };
            let taken = free.ok_or(Errno::EMFILE).and_then(|_| take(lane, fd));
            match (taken, free.and_then(|free| self.lanes.get_mut(free))) {
                (Ok(()), Some(place)) => {
                    *place = request.lane;
                    self.reply(0);
                }
                (taken, _) => {
                    fd.close();
                    self.reply(u64::from(taken.err().map_or(22, |e| e.number())));
                }
            }
        } else if request.verb == Verb::Drop as u64 {
            if let Some(place) = slot(&mut self.lanes, request.lane).and_then(|n| self.lanes.get_mut(n)) {
                *place = core::ptr::null_mut();
                // SAFETY: as above.
                Fd(unsafe { &*request.lane }.keeper_fd.load(Ordering::Relaxed)).close();
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
fn take(lane: &FileLane, fd: Fd) -> Result<(), Errno> {
    // The owner is set first: a lease may be broken as soon as it exists.
    fd.fcntl(k::F_SETOWN, u64::from(process::getpid()))?;
    if let Err(errno) = fd.fcntl(k::F_SETLEASE, u64::from(lane.wanted_lease)) {
        let _ = fd.fcntl(k::F_SETOWN, 0);
        return Err(errno);
    }
    lane.keeper_fd.store(fd.0, Ordering::Relaxed);
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
    let _ = Fd(lane.keeper_fd.load(Ordering::Relaxed)).fcntl(k::F_SETLEASE, u64::from(k::F_UNLCK));
}

/// A real access, if there were any since the last one.
fn touch(lane: &FileLane) -> bool {
    lane.touch(lane.keeper_fd.load(Ordering::Relaxed))
}
