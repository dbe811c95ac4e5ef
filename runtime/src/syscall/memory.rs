//! Memory calls: the kernel carries them out, the map of guest code follows.

use crate::emulate::call::{Call, Outcome, prepare_outputs};
use crate::emulate::files;
use crate::engine::{CODE_CHANGES, Engine, Locked, lock};
use crate::gate::low;
use crate::mem::guest;
use crate::mem::map::Region;
use crate::options;
use crate::sys::{Errno, Fd, mem};
use crate::thread::registry;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// What is reserved without access, for code to come, is worth remembering from this size on: searching it would take long.
const RESERVED_BYTES: u64 = 1 << 20;

fn page_up(n: u64) -> u64 {
    n.saturating_add(4095) & !4095
}

/// Runs `f` on the engine and notes if fragments were dropped.
fn update(engine: &mut Locked, f: impl FnOnce(&mut Engine)) {
    let before = engine.stats.invalidations;
    f(engine);
    if engine.stats.invalidations != before {
        CODE_CHANGES.fetch_add(1, Ordering::AcqRel);
    }
}

/// Makes the call under the engine's lock, so that no thread translates from memory that is being replaced.
fn locked(call: &Call<'_>, args: &[u64; 6], then: impl FnOnce(&mut Engine, u64)) -> Outcome {
    let mut engine = lock();
    // Ranges of the runtime were excluded by `is_ours`.
    let result = call.make_with(args);
    if let Ok(value) = result {
        update(&mut engine, |engine| then(engine, value));
    }
    Outcome::Done(result)
}

/// `start..end` contains memory of the runtime: its image, cache, tables or thread blocks.
fn is_ours(start: u64, end: u64) -> bool {
    let overlaps = |s: u64, e: u64| s < end && start < e;
    let (s, e) = crate::process::image::range();
    if overlaps(s, e) {
        return true;
    }
    let table = u64::from(low::ibtc());
    if overlaps(table, table + low::BYTES) {
        return true;
    }
    let mut found = {
        let engine = lock();
        let retired = engine.retired.iter().flat_map(|g| g.cache.ranges());
        engine.cache.ranges().chain(retired).chain(engine.direct.ranges()).any(|(s, e)| overlaps(s, e))
    };
    registry::for_each_block(|s, e| found |= overlaps(s, e));
    if files::any() {
        files::for_each_mapping(|s, e| found |= overlaps(s, e));
    }
    found
}

/// mmap(2).
pub fn mmap(call: &mut Call<'_>) -> Outcome {
    let (len, prot, flags) = (page_up(call.arg(1)), call.int(2).cast_unsigned(), call.int(3).cast_unsigned());
    let addr = call.arg(0);
    if flags & k::MAP_FIXED != 0 && is_ours(addr, addr.saturating_add(len)) {
        crate::report::say(format_args!("mmap(MAP_FIXED) at {addr:#x} over memory of bt-run is refused"));
        return Outcome::Done(Err(Errno::ENOMEM));
    }
    let shared = flags & k::MAP_TYPE != k::MAP_PRIVATE;
    let relevant = flags & k::MAP_FIXED != 0 || prot & k::PROT_EXEC != 0 || shared;
    let is_blank = flags & k::MAP_ANONYMOUS != 0 && !shared;
    let is_reserved = is_blank && prot == k::PROT_NONE && len >= RESERVED_BYTES;
    if !relevant && !is_reserved {
        // New private data where nothing was: no code is concerned.
        return Outcome::Done(call.make());
    }
    let in_place = in_place() && prot & k::PROT_EXEC != 0 && !shared;
    let (fd, offset) = (Fd(call.int(4)), call.arg(5));
    locked(call, &call.args, |engine, at| {
        let end = at.saturating_add(len);
        engine.mapped(at, end, prot, shared);
        if in_place && !is_blank {
            engine.file_code_arrives(at, end, prot, fd, offset);
        }
        if is_reserved {
            engine.map.insert_blank(at, end);
        }
    })
}

/// Code that appears is to be patched.
fn in_place() -> bool {
    options::get().engine.runs_in_place()
}

/// munmap(2).
pub fn munmap(call: &mut Call<'_>) -> Outcome {
    let (start, len) = (call.arg(0), page_up(call.arg(1)));
    let end = start.saturating_add(len);
    if is_ours(start, end) {
        crate::report::say(format_args!("munmap of {start:#x}..{end:#x}, which holds memory of bt-run, is refused"));
        return Outcome::Done(Err(Errno::EINVAL));
    }
    locked(call, &call.args, |engine, _| engine.unmapped(start, end))
}

/// mprotect(2), pkey_mprotect(2).
pub fn mprotect(call: &mut Call<'_>) -> Outcome {
    let (start, len, prot) = (call.arg(0), page_up(call.arg(1)), call.int(2).cast_unsigned());
    let end = start.saturating_add(len);
    if is_ours(start, end) {
        return Outcome::Done(Err(Errno::ENOMEM));
    }
    let prot_bits = prot & (k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC);
    let mut engine = lock();
    let result = call.make();
    let changed = match result {
        Ok(_) => end,
        // A call that fails in the middle has changed what lies before (mprotect(2), ENOMEM).
        Err(Errno::ENOMEM | Errno::EACCES) => start + changed_before_failure(call, len),
        Err(_) => start,
    };
    if changed > start {
        // PROT_GROWSDOWN extends the range to the mapping's start.
        let start = if prot & k::PROT_GROWSDOWN != 0 {
            engine.map.find(start).map_or(start, |(s, _)| s.min(start))
        } else {
            start
        };
        let (before, filled) = (engine.map.pieces(start, changed), engine.map.filled(start, changed));
        update(&mut engine, |engine| {
            engine.protected(start, changed, prot_bits);
            if in_place() {
                in_place_protected(engine, start, changed, prot_bits, &before, &filled);
            }
        });
    }
    Outcome::Done(result)
}

/// Bytes at the start of `len` whose protection an mprotect(2) changed that failed: as many as it can be asked for again without a failure.
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

/// What runs in place follows a change of protection. `before`: what was known of `start..end`; `filled`: the parts that may hold
/// something.
fn in_place_protected(
    engine: &mut Engine,
    start: u64,
    end: u64,
    prot: u32,
    before: &[(u64, Region)],
    filled: &[(u64, u64)],
) {
    if prot & k::PROT_EXEC == 0 {
        if prot & k::PROT_WRITE != 0 {
            engine.restore_code(start, end);
        }
        return;
    }
    let arrive = |engine: &mut Engine, start: u64, end: u64| {
        for &(from, to) in filled {
            let (from, to) = (from.max(start), to.min(end));
            if from < to {
                engine.memory_code_arrives(from, to, prot, None);
            }
        }
    };
    // What could be executed before has been looked at.
    let mut at = start;
    for &(from, region) in before.iter().filter(|(_, r)| r.is_exec() || r.shared) {
        if from > at {
            arrive(engine, at, from);
        }
        at = at.max(region.end);
        if !region.shared {
            engine.code_stays(from, region.end, region.prot, prot);
        }
    }
    if at < end {
        arrive(engine, at, end);
    }
}

/// mremap(2).
pub fn mremap(call: &mut Call<'_>) -> Outcome {
    let (old, old_len, new_len) = (call.arg(0), page_up(call.arg(1)), page_up(call.arg(2)));
    let flags = call.int(3).cast_unsigned();
    let fixed = flags & k::MREMAP_FIXED != 0;
    let new = call.arg(4);
    if is_ours(old, old.saturating_add(old_len)) || fixed && is_ours(new, new.saturating_add(new_len)) {
        return Outcome::Done(Err(Errno::ENOMEM));
    }
    let mut engine = lock();
    let pieces = engine.map.pieces(old, old.saturating_add(old_len.max(1)));
    let code: Vec<(u64, Region)> =
        pieces.iter().copied().filter(|(_, r)| in_place() && r.is_exec() && !r.shared).collect();
    let lifted: Vec<_> = code.iter().map(|&(start, r)| (start, r, engine.lift_code(start, r.end, r.prot))).collect();
    let result = call.make();
    let Ok(at) = result else {
        for (start, region, code) in lifted {
            engine.land_code(start, region.end, region.prot, &code, 0);
        }
        return Outcome::Done(result);
    };
    update(&mut engine, |engine| {
        // MREMAP_DONTUNMAP leaves an empty mapping behind; an old length of 0 makes an alias of a shared mapping.
        if old_len != 0 && at != old {
            engine.unmapped(old, old + old_len);
        }
        if at != old {
            engine.unmapped(at, at + new_len);
        } else if new_len < old_len {
            engine.unmapped(at + new_len, at + old_len);
        }
        let last = pieces.len().saturating_sub(1);
        for (i, (start, region)) in pieces.iter().enumerate() {
            let from = at + (start - old);
            let end = if i == last { at + new_len } else { (at + (region.end - old)).min(at + new_len) };
            if at != old || i == last {
                engine.map.insert(from, end.max(from), region.prot, region.shared);
            }
        }
        for (start, region, code) in lifted {
            let (from, end) = (at + (start - old), (at + (region.end - old)).min(at + new_len));
            if from < end {
                engine.land_code(from, end, region.prot, &code, at.wrapping_sub(old));
            }
        }
    });
    Outcome::Done(result)
}

/// The main stack was made executable: all of it is.
pub fn note_exec_mapping(page: u64) {
    // A stack grows downwards to its limit; 8 MiB is the default, and addresses below what is mapped cannot be fetched.
    const STACK_BYTES: u64 = 8 << 20;
    let prot = k::PROT_READ | k::PROT_WRITE | k::PROT_EXEC;
    lock().map.insert(page.saturating_sub(STACK_BYTES), page + (256 << 10), prot, false);
}

/// Start and current end of a break kept by the runtime, where the kernel does not let us place its own; 0 if it does.
static OWN_BRK: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// The kernel without CONFIG_CHECKPOINT_RESTORE: brk is answered here.
pub fn own_brk(start: u64) {
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
    locked(call, &call.args, |engine, at| engine.mapped(at, at + len, prot, true))
}

/// shmdt(2).
pub fn shmdt(call: &mut Call<'_>) -> Outcome {
    let addr = call.arg(0);
    locked(call, &call.args, |engine, _| {
        if let Some((start, region)) = engine.map.find(addr) {
            engine.unmapped(start, region.end);
        }
    })
}

/// remap_file_pages(2): other contents at the same addresses.
pub fn remap_file_pages(call: &mut Call<'_>) -> Outcome {
    let (start, len) = (call.arg(0), page_up(call.arg(1)));
    locked(call, &call.args, |engine, _| {
        engine.drop_range(start, start.saturating_add(len));
    })
}

/// madvise(2): some advice throws contents away.
pub fn madvise(call: &mut Call<'_>) -> Outcome {
    let (start, len, advice) = (call.arg(0), page_up(call.arg(1)), call.int(2).cast_unsigned());
    let end = start.saturating_add(len);
    let discards =
        matches!(advice, k::MADV_DONTNEED | k::MADV_FREE | k::MADV_REMOVE | k::MADV_DONTNEED_LOCKED | 102 | 103);
    if !discards {
        return call.pass();
    }
    if is_ours(start, end) {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    locked(call, &call.args, |engine, _| {
        engine.drop_range(start, end);
        if in_place() {
            for (from, region) in engine.map.pieces(start, end) {
                if region.is_exec() && !region.shared {
                    engine.code_is_discarded(from, region.end, region.prot);
                }
            }
        }
    })
}

/// process_vm_writev(2) may be aimed at the process itself.
pub fn process_vm_writev(call: &mut Call<'_>) -> Outcome {
    prepare_outputs(call);
    // No matter which process it names: in this one only pages we protected change, and they are given back.
    let (riov, count) = (call.arg(3), call.arg(4).min(1024));
    for i in 0..count {
        let Some([base, len]) = guest::read::<[u64; 2]>(riov + i * 16) else { break };
        let mut engine = lock();
        update(&mut engine, |engine| {
            engine.release_range(base, base.saturating_add(len));
        });
    }
    call.pass()
}
