//! A pipe whose two ends only this process has (pipe(7)).
//!
//! The kernel keeps a pipe's bytes in *slots* of one page, sixteen by default. A write first fills up the last slot
//! with what is over a multiple of a page, if all of that fits; the rest gets slots of its own (fs/pipe.c,
//! anon_pipe_write). A slot is free when it has been read to its end. So how much fits depends on how it was written;
//! the ring here keeps the same slots.

use super::count::{began, ended};
use crate::calls::route::Operation;
use crate::emulate::call::{Call, Outcome};
use crate::emulate::descriptors::{self, Access};
use crate::emulate::explain::{Reason, refused};
use crate::gate::facts::{Fact, holds};
use crate::gate::lane;
use crate::gate::lane::{Kind, Lane, RingHead};
use crate::gate::lanes::{Code, lane_with};
use crate::gate::routes::are_answered;
use crate::mem::guest;
use crate::sys::{Errno, Fd, mem};
use alloc::boxed::Box;
use core::sync::atomic::Ordering;
use linux_raw_sys::{general as k, ioctl};

const SLOT_BYTES: u64 = 4096;
/// Most slots of a pipe that is taken over: the default (pipe(7), "Pipe capacity").
const SLOTS: usize = 16;
/// Type of the file system of pipes without a name (include/uapi/linux/magic.h).
const PIPEFS: u64 = 0x5049_5045;

/// What is in a pipe.
#[repr(C)]
struct Ring {
    /// The part that the gate's assembly uses.
    head: RingHead,
    /// The pages.
    pages: u64,
    /// Index of the first slot.
    first: usize,
    /// Unread bytes of the slots after the first.
    lens: [u64; SLOTS],
    /// Slots there are.
    slots: usize,
    /// Lanes of the two ends.
    read_lane: Lane,
    write_lane: Lane,
    /// A descriptor of each end that is not closed.
    read_nonblocking: bool,
    write_nonblocking: bool,
}

/// Takes a pipe over, if both its ends are ours alone and it is empty.
pub fn take_over(nr: u32, fd: i32) -> bool {
    match find_ends(fd).and_then(|(read_end, write_end)| make(read_end, write_end)) {
        Ok(()) => true,
        Err(reason) => {
            refused(nr, fd, reason);
            false
        }
    }
}

/// One descriptor of each end.
fn find_ends(fd: i32) -> Result<(i32, i32), Reason> {
    if holds(Fact::Threaded) {
        return Err(Reason::Threads);
    }
    if !are_answered(&[Operation::Read, Operation::Write]) {
        return Err(Reason::Option);
    }
    if !descriptors::is_own(fd) || descriptors::file_system(fd) != PIPEFS {
        return Err(Reason::SharedPipe);
    }
    let identity = Fd(fd).stat().map_err(|_| Reason::Flags)?.identity();
    let (mut ends, mut numbers) = ([-1, -1], [0, 0]);
    for other in descriptors::known() {
        let Some(origin) = descriptors::origin(other) else { continue };
        if Fd(other).stat().ok().is_none_or(|stat| stat.identity() != identity) {
            continue;
        }
        if origin != descriptors::Origin::Pipe {
            // It was opened again, by /dev/fd/N.
            return Err(Reason::SharedPipe);
        }
        let end = match descriptors::access(other).ok_or(Reason::Flags)? {
            Access::ReadOnly => 0,
            Access::WriteOnly => 1,
            Access::ReadWrite => return Err(Reason::SharedPipe),
        };
        let number = descriptors::number(other);
        let (Some(place), Some(known)) = (ends.get_mut(end), numbers.get_mut(end)) else { continue };
        if !descriptors::is_own(other) || *known != 0 && *known != number {
            return Err(Reason::SharedPipe);
        }
        (*place, *known) = (other, number);
    }
    let [read_end, write_end] = ends;
    if read_end < 0 || write_end < 0 { Err(Reason::SharedPipe) } else { Ok((read_end, write_end)) }
}

fn make(read_end: i32, write_end: i32) -> Result<(), Reason> {
    let flags = [read_end, write_end].map(|fd| descriptors::flags(fd).unwrap_or(k::O_DIRECT));
    if flags.iter().any(|flags| flags & (k::O_DIRECT | k::FASYNC) != 0) {
        return Err(Reason::Flags);
    }
    let size = Fd(write_end).fcntl(k::F_GETPIPE_SZ, 0).map_err(|_| Reason::Flags)?;
    let slots = usize::try_from(size / SLOT_BYTES).unwrap_or(0);
    let mut waiting = 0i32;
    // SAFETY: FIONREAD (ioctl_pipe) writes one int.
    let asked = unsafe { Fd(read_end).ioctl(ioctl::FIONREAD, &mut waiting) };
    if asked.is_err() || waiting != 0 || slots == 0 || slots > SLOTS {
        return Err(Reason::NotEmpty);
    }
    let pages =
        mem::mmap_own(SLOTS as u64 * SLOT_BYTES, k::PROT_READ | k::PROT_WRITE, 0).map_err(|_| Reason::Memory)?;
    let code = |read, write| [read, write, Code::Rust, Code::Rust, Code::Rust];
    let ring = Box::into_raw(Box::new(Ring {
        head: RingHead { used: 0, base: pages, start: 0, len: 0, operations: 0 },
        pages,
        first: 0,
        lens: [0; SLOTS],
        slots,
        read_lane: lane_with(Kind::Pipe, code(Code::PipeRead, Code::Rust)),
        write_lane: lane_with(Kind::Pipe, code(Code::Rust, Code::PipeWrite)),
        read_nonblocking: flags[0] & k::O_NONBLOCK != 0,
        write_nonblocking: flags[1] & k::O_NONBLOCK != 0,
    }));
    // SAFETY: just made; this thread is the only one.
    let this = unsafe { &mut *ring };
    for lane in [&this.read_lane, &this.write_lane] {
        lane.base.store(ring as u64, Ordering::Relaxed);
    }
    descriptors::set_lane(read_end, &raw mut this.read_lane);
    descriptors::set_lane(write_end, &raw mut this.write_lane);
    began();
    Ok(())
}

fn ring_of(fd: i32) -> Option<*mut Ring> {
    let lane = lane::get(fd);
    if lane.is_null() {
        return None;
    }
    // SAFETY: a lane in the table exists.
    let lane = unsafe { &*lane };
    let ring = usize::try_from(lane.base.load(Ordering::Relaxed)).unwrap_or(0);
    (lane.kind == Kind::Pipe).then(|| core::ptr::with_exposed_provenance_mut(ring))
}

/// Answers a read or write that the assembly left to Rust; what must wait, or whose buffer is bad, is handed back.
pub fn answer(call: &mut Call<'_>, fd: i32) -> Option<Outcome> {
    let ring = ring_of(fd)?;
    // SAFETY: this thread is the only one.
    let ring = unsafe { &mut *ring };
    let is_read_end = core::ptr::eq(lane::get(fd), &raw const ring.read_lane);
    let done = match (call.operation(), is_read_end) {
        (Some(Operation::Read), true) => ring.read(call.arg(1), call.arg(2)),
        (Some(Operation::Write), false) => ring.write(call.arg(1), call.arg(2)),
        _ => None,
    };
    match done {
        Some(result) => {
            ring.head.operations += 1;
            Some(call.answered(result))
        }
        None => {
            hand_back(fd);
            None
        }
    }
}

impl Ring {
    fn page(&self, n: usize) -> u64 {
        self.pages + (self.first + n) as u64 % SLOTS as u64 * SLOT_BYTES
    }

    fn len_of(&self, n: usize) -> u64 {
        if n == 0 { self.head.len } else { self.lens.get(n).copied().unwrap_or(0) }
    }

    fn set_len(&mut self, n: usize, len: u64) {
        if n == 0 {
            self.head.len = len;
        } else if let Some(slot) = self.lens.get_mut(n) {
            *slot = len;
        }
    }

    /// Takes the first slot away.
    fn drop_first(&mut self) {
        self.head.used -= 1;
        self.first = (self.first + 1) % SLOTS;
        self.head.base = self.page(0);
        self.head.start = 0;
        let [_, next, ..] = self.lens;
        self.head.len = next;
        self.lens.copy_within(2.., 1);
    }

    /// read(2); `None` if the kernel is to do it.
    fn read(&mut self, to: u64, len: u64) -> Option<Result<u64, Errno>> {
        if self.head.used == 0 {
            return (self.read_nonblocking && len != 0).then_some(Err(Errno::EAGAIN));
        }
        let mut done = 0;
        // Nothing may be lost to a buffer that ends early: its whole length is known to be there before a slot is taken
        // away.
        if len == 0 || !guest::can_write(to, len.min(self.total())) {
            return None;
        }
        while self.head.used != 0 && done < len {
            let n = (len - done).min(self.head.len);
            if guest::copy_across(to + done, self.head.base + self.head.start, n) != n {
                return None;
            }
            done += n;
            self.head.start += n;
            self.head.len -= n;
            if self.head.len == 0 {
                self.drop_first();
            }
        }
        Some(Ok(done))
    }

    fn total(&self) -> u64 {
        (0..usize::try_from(self.head.used).unwrap_or(0)).map(|n| self.len_of(n)).sum()
    }

    /// write(2); `None` if the kernel is to do it.
    fn write(&mut self, from: u64, len: u64) -> Option<Result<u64, Errno>> {
        let over = len % SLOT_BYTES;
        let used = usize::try_from(self.head.used).unwrap_or(0);
        let mut merged = 0;
        if used != 0 && over != 0 {
            let end = self.len_of(used - 1) + if used == 1 { self.head.start } else { 0 };
            if end + over <= SLOT_BYTES {
                merged = over;
            }
        }
        let needed = usize::try_from((len - merged).div_ceil(SLOT_BYTES)).unwrap_or(usize::MAX);
        let free = self.slots - used;
        if len == 0
            || needed > free && (!self.write_nonblocking || free != 0 || merged != 0)
            || !guest::can_read(from, len)
        {
            return None;
        }
        if needed > free {
            return Some(Err(Errno::EAGAIN));
        }
        if merged != 0 {
            let at = self.page(used - 1) + self.len_of(used - 1) + if used == 1 { self.head.start } else { 0 };
            if guest::copy_across(at, from, merged) != merged {
                return None;
            }
            self.set_len(used - 1, self.len_of(used - 1) + merged);
        }
        let mut done = merged;
        while done < len {
            let n = (len - done).min(SLOT_BYTES);
            let slot = usize::try_from(self.head.used).unwrap_or(0);
            if slot == 0 {
                self.head.start = 0;
            }
            if guest::copy_across(self.page(slot), from + done, n) != n {
                return None;
            }
            self.set_len(slot, n);
            self.head.used += 1;
            done += n;
        }
        Some(Ok(done))
    }
}

/// Gives a pipe back: the kernel's gets the same slots, with the same bytes read of the first.
pub fn hand_back(fd: i32) {
    let Some(ring) = ring_of(fd) else { return };
    // SAFETY: this thread is the only one.
    let this = unsafe { &mut *ring };
    let read_lane: *const Lane = &raw const this.read_lane;
    let write_lane: *const Lane = &raw const this.write_lane;
    let read_end = descriptors::find_lane(|lane| core::ptr::eq(lane, read_lane));
    let write_end = descriptors::find_lane(|lane| core::ptr::eq(lane, write_lane));
    descriptors::clear_lane(read_lane);
    descriptors::clear_lane(write_lane);
    if let (Some(read_end), Some(write_end)) = (read_end, write_end) {
        for n in 0..usize::try_from(this.head.used).unwrap_or(0) {
            // The bytes before the unread ones were in the slot, too, and tell what fits after them.
            let before = if n == 0 { this.head.start } else { 0 };
            let len = before + this.len_of(n);
            // SAFETY: our pages. The pipe is empty and as large as the ring, so nothing waits.
            let _ = Fd(write_end).write(unsafe { bytes_at(this.page(n), len) });
        }
        if this.head.used != 0 && this.head.start != 0 {
            let mut rest = this.head.start;
            let mut bytes = [0u8; 512];
            while rest != 0 {
                let want = usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len());
                let got = bytes.get_mut(..want).map_or(Ok(0), |bytes| Fd(read_end).read(bytes));
                rest -= got.map_or(rest, |got| got as u64).min(rest);
            }
        }
    }
    ended(this.head.operations);
    // SAFETY: made by `Box::into_raw`; no descriptor leads to it any more.
    unsafe {
        mem::munmap_own(this.pages, SLOTS as u64 * SLOT_BYTES);
        drop(Box::from_raw(ring));
    }
}

/// Bytes of memory of ours.
///
/// # Safety
/// They must be mapped, and nobody may write them meanwhile.
unsafe fn bytes_at<'a>(address: u64, len: u64) -> &'a [u8] {
    let (address, len) = (usize::try_from(address).unwrap_or(0), usize::try_from(len).unwrap_or(0));
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(address), len) }
}
