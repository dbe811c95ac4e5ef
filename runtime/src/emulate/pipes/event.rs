//! An eventfd that only this process has (eventfd(2)): a counter.

use super::count::{began, ended};
use crate::calls::route::Operation;
use crate::emulate::call::{Call, Outcome, put_user};
use crate::emulate::{descriptors, fdinfo};
use crate::gate::facts::{Fact, holds};
use crate::gate::lane;
use crate::gate::lane::{Kind, Lane};
use crate::gate::lanes::{Code, lane_with};
use crate::gate::routes::are_answered;
use crate::mem::guest;
use crate::sys::{Errno, Fd};
use alloc::boxed::Box;
use core::sync::atomic::{AtomicBool, Ordering};
use linux_raw_sys::general as k;

/// The counter. The lane is its first field.
#[repr(C)]
struct Counter {
    lane: Lane,
    value: u64,
    is_semaphore: bool,
    is_nonblocking: bool,
    operations: u64,
}

/// Something that the process has may give its eventfds to others to hold.
static ARE_GIVEN: AtomicBool = AtomicBool::new(false);

/// From here on every eventfd is the kernel's.
pub fn leave_to_kernel() {
    ARE_GIVEN.store(true, Ordering::Relaxed);
}

/// Takes an eventfd over, if it is ours alone.
pub fn take_over(fd: i32, is_semaphore: bool) -> bool {
    if ARE_GIVEN.load(Ordering::Relaxed)
        || holds(Fact::Threaded)
        || !descriptors::is_own(fd)
        || !are_answered(&[Operation::Read, Operation::Write])
    {
        return false;
    }
    let Some(flags) = descriptors::flags(fd).filter(|flags| flags & k::FASYNC == 0) else { return false };
    if fdinfo::is_shown(fd) {
        return false;
    }
    let mut value = 0u64;
    if Fd(fd).is_readable() {
        // A read takes all of a counter, but of a semaphore only one.
        let mut bytes = value.to_ne_bytes();
        if is_semaphore || Fd(fd).read(&mut bytes) != Ok(bytes.len()) {
            return false;
        }
        value = u64::from_ne_bytes(bytes);
    }
    let counter = Box::into_raw(Box::new(Counter {
        lane: lane_with(Kind::Event, [Code::Rust; 5]),
        value,
        is_semaphore,
        is_nonblocking: flags & k::O_NONBLOCK != 0,
        operations: 0,
    }));
    // SAFETY: just made.
    descriptors::set_lane(fd, unsafe { &raw mut (*counter).lane });
    began();
    true
}

fn counter_of(fd: i32) -> *mut Counter {
    lane::get(fd).cast()
}

/// Answers a read or write; what must wait, or whose buffer is bad, is handed back.
pub fn answer(call: &mut Call<'_>, fd: i32) -> Option<Outcome> {
    // SAFETY: the lane is an eventfd's; this thread is the only one.
    let counter = unsafe { &mut *counter_of(fd) };
    let result = match call.operation() {
        Some(Operation::Read | Operation::Write) if call.arg(2) < 8 => Some(Err(Errno::EINVAL)),
        // Kernels differ about what is longer.
        Some(Operation::Write) if call.arg(2) > 8 => None,
        Some(Operation::Read) => counter.read(call.arg(1)),
        Some(Operation::Write) => counter.write(call.arg(1)),
        _ => None,
    };
    if let Some(result) = result {
        counter.operations += 1;
        return Some(call.answered(result));
    }
    hand_back(fd);
    None
}

impl Counter {
    fn read(&mut self, to: u64) -> Option<Result<u64, Errno>> {
        if self.value == 0 {
            return self.is_nonblocking.then_some(Err(Errno::EAGAIN));
        }
        let value = if self.is_semaphore { 1 } else { self.value };
        put_user(to, &value).ok()?;
        self.value -= value;
        Some(Ok(8))
    }

    fn write(&mut self, from: u64) -> Option<Result<u64, Errno>> {
        let value: u64 = guest::read(from)?;
        if value == u64::MAX {
            return Some(Err(Errno::EINVAL));
        }
        if u64::MAX - self.value <= value {
            return self.is_nonblocking.then_some(Err(Errno::EAGAIN));
        }
        self.value += value;
        Some(Ok(8))
    }
}

/// Gives an eventfd back with its count.
pub fn hand_back(fd: i32) {
    let counter = counter_of(fd);
    // SAFETY: as in `answer`.
    let this = unsafe { &*counter };
    descriptors::clear_lane(&raw const this.lane);
    if this.value != 0 {
        // The kernel's count is zero, so nothing waits.
        let _ = Fd(fd).write(&this.value.to_ne_bytes());
    }
    ended(this.operations);
    // SAFETY: made by `Box::into_raw`; no descriptor leads to it any more.
    drop(unsafe { Box::from_raw(counter) });
}
