//! Memory calls: the kernel carries them out, the map of guest code follows.

use crate::emulate::call::{Call, Outcome, prepare_outputs};
use crate::emulate::{files, follow};
use crate::engine::advice::Advice;
use crate::engine::alone::{Beside, alone};
use crate::engine::memory::Mapping;
use crate::engine::translate::source::pages_come_by_fault;
use crate::engine::{Engine, lock};
use crate::gate::facts::Fact;
use crate::gate::low;
use crate::gate::routes::learn;
use crate::mem::guest;
use crate::options;
use crate::signal::natively;
use crate::sys::{Errno, Fd, mem};
use crate::thread::registry;
use core::sync::atomic::{AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// What is reserved without access, for code to come, is worth remembering from this size on: searching it would take
/// long.
const RESERVED_BYTES: u64 = 1 << 20;

fn page_up(n: u64) -> u64 {
    n.saturating_add(4095) & !4095
}

/// Makes the call alone, so that no thread translates from memory that is being replaced.
fn locked(call: &Call<'_>, args: &[u64; 6], then: impl FnOnce(&mut Engine, u64)) -> Outcome {
    let mut engine = alone();
    // Ranges of the runtime were excluded by `is_ours`.
    let result = call.make_with(args);
    if let Ok(value) = result {
        engine.note_drops(|engine| then(engine, value));
    }
    Outcome::Done(result)
}

/// The program has memory now that it can execute and change without a call: in place its system calls are not seen. So
/// nothing of descriptors is kept in the process any more.
fn note_open_code(call: &Call<'_>, prot: u32, is_shared: bool) {
    let is_open = prot & k::PROT_EXEC != 0 && (prot & k::PROT_WRITE != 0 || is_shared);
    if is_open && options::get().engine.runs_in_place() && !call.ts.shared.is_foreign() {
        follow::give_up();
    }
}

/// `start..end` contains memory of the runtime: its image, cache, tables, heap or thread blocks.
pub(super) fn is_ours(start: u64, end: u64) -> bool {
    let overlaps = |s: u64, e: u64| s < end && start < e;
    let (s, e) = crate::process::image::range();
    if overlaps(s, e) || mem::is_own(start, end) {
        return true;
    }
    let table = u64::from(low::ibtc());
    if overlaps(table, table + low::BYTES) {
        return true;
    }
    let mut found = lock().owns(start, end);
    registry::for_each_block(|s, e| found |= overlaps(s, e));
    if files::any() {
        files::for_each_mapping(|s, e| found |= overlaps(s, e));
    }
    found
}

/// Makes an mmap(2) that gives no execute access beside those of other threads, if that can be.
fn map_beside(call: &Call<'_>, len: u64, prot: u32, is_fixed: bool, is_shared: bool) -> Option<Outcome> {
    let beside = Beside::enter(call.ts.shared)?;
    let addr = call.arg(0);
    // What another thread, or this one, has noted of what is replaced is for who is alone.
    if is_fixed && beside.may_go(addr, addr.saturating_add(len))?.is_some() {
        return None;
    }
    // Large pages may reach past its end.
    let note = if is_shared {
        Some(beside.room(len).filter(|_| call.int(3).cast_unsigned() & k::MAP_HUGETLB == 0)?)
    } else {
        None
    };
    let result = call.make();
    if let (Ok(at), Some(note)) = (result, note) {
        beside.note(note, (at, at.saturating_add(len)), prot);
    }
    Some(Outcome::Done(result))
}

/// mmap(2).
pub fn mmap(call: &mut Call<'_>) -> Outcome {
    let (len, prot, flags) = (page_up(call.arg(1)), call.int(2).cast_unsigned(), call.int(3).cast_unsigned());
    let addr = call.arg(0);
    let (is_fixed, is_shared) = (flags & k::MAP_FIXED != 0, flags & k::MAP_TYPE != k::MAP_PRIVATE);
    let is_blank = flags & k::MAP_ANONYMOUS != 0 && !is_shared;
    let is_reserved = is_blank && prot == k::PROT_NONE && len >= RESERVED_BYTES;
    if prot & k::PROT_EXEC == 0 && !is_reserved {
        if !is_fixed && !is_shared {
            // New private data where nothing was: no code is concerned.
            return Outcome::Tail;
        }
        if let Some(outcome) = map_beside(call, len, prot, is_fixed, is_shared) {
            return outcome;
        }
    }
    if is_fixed && is_ours(addr, addr.saturating_add(len)) {
        crate::report::say(format_args!("mmap(MAP_FIXED) at {addr:#x} over memory of bt-run is refused"));
        return Outcome::Done(Err(Errno::ENOMEM));
    }
    note_open_code(call, prot, is_shared);
    let file = (!is_blank).then(|| (Fd(call.int(4)), call.arg(5)));
    locked(call, &call.args, |engine, at| {
        engine.on_map(Mapping { span: (at, at.saturating_add(len)), prot, is_shared, file, is_reserved });
    })
}

/// Makes a munmap(2) of data beside those of other threads, if that can be.
fn unmap_beside(call: &Call<'_>, start: u64, end: u64) -> Option<Outcome> {
    let beside = Beside::enter(call.ts.shared)?;
    let note = beside.may_go(start, end)?;
    let result = call.make();
    if let (Ok(_), Some(note)) = (result, note) {
        beside.forget(note);
    }
    Some(Outcome::Done(result))
}

/// munmap(2).
pub fn munmap(call: &mut Call<'_>) -> Outcome {
    let (start, len) = (call.arg(0), page_up(call.arg(1)));
    let end = start.saturating_add(len);
    if let Some(outcome) = unmap_beside(call, start, end) {
        return outcome;
    }
    if is_ours(start, end) {
        crate::report::say(format_args!("munmap of {start:#x}..{end:#x}, which holds memory of bt-run, is refused"));
        return Outcome::Done(Err(Errno::EINVAL));
    }
    locked(call, &call.args, |engine, _| engine.unmapped(start, end))
}

/// Makes a call about the data in `start..end`, which stays mapped, beside those of other threads, if that can be.
fn change_beside(call: &Call<'_>, start: u64, end: u64) -> Option<Outcome> {
    let beside = Beside::enter(call.ts.shared)?;
    beside.is_data(start, end).then(|| Outcome::Done(call.make()))
}

/// mprotect(2), pkey_mprotect(2).
pub fn mprotect(call: &mut Call<'_>) -> Outcome {
    let (start, len, prot) = (call.arg(0), page_up(call.arg(1)), call.int(2).cast_unsigned());
    let end = start.saturating_add(len);
    if prot & !(k::PROT_READ | k::PROT_WRITE) == 0
        && let Some(outcome) = change_beside(call, start, end)
    {
        return outcome;
    }
    if is_ours(start, end) {
        return Outcome::Done(Err(Errno::ENOMEM));
    }
    note_open_code(call, prot, false);
    let mut engine = alone();
    let result = call.make();
    let changed = match result {
        Ok(_) => end,
        // A call that fails in the middle has changed what lies before (mprotect(2), ENOMEM; mseal(2), EPERM).
        Err(Errno::ENOMEM | Errno::EACCES | Errno::EPERM) => start + changed_before_failure(call, len),
        Err(_) => start,
    };
    if changed > start {
        engine.on_protect(start, changed, prot);
    }
    Outcome::Done(result)
}

/// Bytes at the start of `len` whose protection an mprotect(2) changed that failed: as many as it can be asked for
/// again without a failure.
fn changed_before_failure(call: &Call<'_>, len: u64) -> u64 {
    let [start, _, prot, pkey, ..] = call.args;
    let (mut changed, mut failed) = (0, len >> 12);
    while failed - changed > 1 {
        let pages = changed + (failed - changed) / 2;
        // What the call before has done already, or what fails again.
        match call.make_with(&[start, pages << 12, prot, pkey, 0, 0]) {
            Ok(_) => changed = pages,
            Err(_) => failed = pages,
        }
    }
    changed << 12
}

/// Makes an mremap(2) of private data, to where the kernel finds room, beside the calls of other threads, if that can be.
fn move_beside(call: &Call<'_>, (old, old_len): (u64, u64), new_len: u64) -> Option<Outcome> {
    let beside = Beside::enter(call.ts.shared)?;
    // Where it grows in place nothing is mapped, or it is moved.
    let _none @ None = beside.may_go(old, old.saturating_add(old_len.max(new_len)))? else { return None };
    // With an old length of 0 a shared mapping would get an alias.
    (old_len != 0).then(|| Outcome::Done(call.make()))
}

/// mremap(2).
pub fn mremap(call: &mut Call<'_>) -> Outcome {
    let (old, old_len, new_len) = (call.arg(0), page_up(call.arg(1)), page_up(call.arg(2)));
    let flags = call.int(3).cast_unsigned();
    let fixed = flags & k::MREMAP_FIXED != 0;
    let new = call.arg(4);
    if !fixed && let Some(outcome) = move_beside(call, (old, old_len), new_len) {
        return outcome;
    }
    if is_ours(old, old.saturating_add(old_len)) {
        return Outcome::Done(Err(beyond_mapping(call)));
    }
    if fixed && is_ours(new, new.saturating_add(new_len)) {
        return Outcome::Done(Err(Errno::ENOMEM));
    }
    let mut engine = alone();
    let lifted = engine.lift(old, old_len);
    let result = call.make();
    match result {
        Ok(new) => engine.note_drops(|engine| engine.on_move(lifted, (old, old_len), (new, new_len))),
        Err(_) => engine.put_back(lifted),
    }
    Outcome::Done(result)
}

/// What mremap(2) says where the old range reaches beyond the guest's mapping: it looks at its arguments first
/// (mm/mremap.c, `check_mremap_params` and `vma_to_resize`).
fn beyond_mapping(call: &Call<'_>) -> Errno {
    const KNOWN: u32 = k::MREMAP_MAYMOVE | k::MREMAP_FIXED | k::MREMAP_DONTUNMAP;
    let [old, old_len, new_len, ..] = call.args;
    let flags = call.int(3).cast_unsigned();
    let moves = flags & k::MREMAP_MAYMOVE != 0;
    let is_bad = flags & !KNOWN != 0
        || flags & (k::MREMAP_FIXED | k::MREMAP_DONTUNMAP) != 0 && !moves
        || flags & k::MREMAP_DONTUNMAP != 0 && page_up(old_len) != page_up(new_len)
        || flags & k::MREMAP_FIXED != 0 && call.arg(4) & 4095 != 0
        || old & 4095 != 0
        || page_up(new_len) == 0;
    if is_bad { Errno::EINVAL } else { Errno::EFAULT }
}

/// The main stack was made executable: all of it is.
pub fn note_exec_mapping(page: u64) {
    // A stack grows downwards to its limit; 8 MiB is the default, and addresses below what is mapped cannot be fetched.
    const STACK_BYTES: u64 = 8 << 20;
    let prot = k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC;
    alone().on_executable_stack(page.saturating_sub(STACK_BYTES), page + (256 << 10), prot);
}

/// Start and current end of a break kept by the runtime, where the kernel does not let us place its own; 0 if it does.
static OWN_BRK: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// The kernel without CONFIG_CHECKPOINT_RESTORE: brk is answered here.
pub fn own_brk(start: u64) {
    natively::bind();
    learn(Fact::BreakKept, true);
    for word in &OWN_BRK {
        word.store(start, Ordering::Relaxed);
    }
}

/// brk(2): the kernel's own, set up for the guest at start.
pub fn brk(call: &mut Call<'_>) -> Outcome {
    let [start, end] = [OWN_BRK[0].load(Ordering::Relaxed), OWN_BRK[1].load(Ordering::Relaxed)];
    if start == 0 {
        return call.pass();
    }
    let _engine = lock();
    let wanted = call.arg(0);
    if wanted < start {
        return Outcome::Done(Ok(end));
    }
    let (old_page, new_page) = (page_up(end), page_up(wanted));
    if new_page > old_page {
        let prot = k::PROT_READ | k::PROT_WRITE;
        match mem::mmap_anon(old_page, new_page - old_page, prot, k::MAP_FIXED_NOREPLACE) {
            Ok(at) if at == old_page => {}
            _ => return Outcome::Done(Ok(end)),
        }
    } else if new_page < old_page {
        // SAFETY: the guest gave it back.
        unsafe { mem::munmap(new_page, old_page - new_page) };
    }
    OWN_BRK[1].store(wanted, Ordering::Relaxed);
    Outcome::Done(Ok(wanted))
}

/// shmat(2).
pub fn shmat(call: &mut Call<'_>) -> Outcome {
    const SHM_EXEC: i32 = 0o100_000;
    const SHM_RDONLY: i32 = 0o10_000;
    const SHM_REMAP: i32 = 0o40_000;
    let flags = call.int(2);
    let addr = call.arg(1);
    let len = mem::segment_bytes(call.int(0)).map_or(4096, page_up);
    if flags & SHM_REMAP != 0 && is_ours(addr, addr.saturating_add(len)) {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let mut prot = k::PROT_READ;
    if flags & SHM_RDONLY == 0 {
        prot |= k::PROT_WRITE;
    }
    if flags & SHM_EXEC != 0 {
        prot |= k::PROT_EXEC;
    }
    note_open_code(call, prot, true);
    locked(call, &call.args, |engine, at| engine.mapped(at, at + len, prot, true))
}

/// shmdt(2).
pub fn shmdt(call: &mut Call<'_>) -> Outcome {
    let addr = call.arg(0);
    locked(call, &call.args, |engine, _| engine.on_detach(addr))
}

/// remap_file_pages(2): other contents at the same addresses.
pub fn remap_file_pages(call: &mut Call<'_>) -> Outcome {
    let (start, len) = (call.arg(0), page_up(call.arg(1)));
    locked(call, &call.args, |engine, _| {
        engine.drop_range(start, start.saturating_add(len));
    })
}

/// madvise(2): some advice throws contents away, now or in a child.
pub fn madvise(call: &mut Call<'_>) -> Outcome {
    let (start, len) = (call.arg(0), page_up(call.arg(1)));
    let end = start.saturating_add(len);
    let Some(advice) = Advice::of(call.int(2).cast_unsigned()) else { return call.pass() };
    if advice == Advice::Discards
        && let Some(outcome) = change_beside(call, start, end)
    {
        return outcome;
    }
    if is_ours(start, end) {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let mut engine = alone();
    let result = call.make();
    engine.note_drops(|engine| engine.on_advice(start, end, advice, result.is_ok()));
    Outcome::Done(result)
}

/// process_madvise(2) may be about the process itself, as far as the kernel then allows (Linux 6.13). No matter which
/// process it names: what is dropped is made again.
pub fn process_madvise(call: &mut Call<'_>) -> Outcome {
    /// UIO_MAXIOV (include/uapi/linux/uio.h).
    const MOST: u64 = 1024;
    let Some(advice) = Advice::of(call.int(3).cast_unsigned()) else { return call.pass() };
    let (vector, count) = (call.arg(1), call.arg(2).min(MOST));
    let piece = |i: u64| {
        let [start, len] = guest::read::<[u64; 2]>(vector.wrapping_add(i * 16))?;
        Some((start, start.saturating_add(page_up(len))))
    };
    if (0..count).map_while(piece).any(|(start, end)| is_ours(start, end)) {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let mut engine = alone();
    let result = call.make();
    engine.note_drops(|engine| {
        for (start, end) in (0..count).map_while(piece) {
            engine.on_advice(start, end, advice, false);
        }
    });
    Outcome::Done(result)
}

/// mseal(2): the protection of sealed memory stays as it is, so pages that were write-protected are given back first.
pub fn mseal(call: &mut Call<'_>) -> Outcome {
    let (start, len) = (call.arg(0), page_up(call.arg(1)));
    let end = start.saturating_add(len);
    if is_ours(start, end) {
        return Outcome::Done(Err(Errno::ENOMEM));
    }
    let mut engine = lock();
    engine.note_drops(|engine| engine.release_range(start, end));
    Outcome::Done(call.make())
}

/// userfaultfd(2).
pub fn userfaultfd(call: &mut Call<'_>) -> Outcome {
    pages_come_by_fault();
    call.pass()
}

/// process_vm_writev(2) may be aimed at the process itself.
pub fn process_vm_writev(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    // No matter which process it names: in this one only pages we protected change, and they are given back.
    let (riov, count) = (call.arg(3), call.arg(4).min(1024));
    for i in 0..count {
        let Some([base, len]) = guest::read::<[u64; 2]>(riov + i * 16) else { break };
        lock().note_drops(|engine| engine.release_range(base, base.saturating_add(len)));
    }
    call.pass()
}
