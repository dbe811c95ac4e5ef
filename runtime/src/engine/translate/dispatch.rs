//! The way in from the cache: finds or makes the fragment to go on with.

use super::cache;
use super::fragments::{self, EXIT_BITS, FAR_POINTER, Fragment, NONE};
use super::leave::Exit;
use super::source::{Source, comes_by_fault, touch};
use super::{ibl, perf_map};
use crate::engine::{Engine, lock, redirect};
use crate::mem::guest;
use crate::options;
use crate::sys::time;
use crate::thread::registers::Gpr;
use crate::thread::shared::add;
use crate::thread::state::ThreadState;
use alloc::vec;
use alloc::vec::Vec;
use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::{MAX_FRAGMENT_BYTES, Request};
use bt_translator::translation::{ExitKind, Translation};
use core::sync::atomic::Ordering;

/// The page at which the kernel emulates three system calls of old (vsyscall(7)).
const VSYSCALL: u64 = 0xffff_ffff_ff60_0000;
/// Where a far slot may begin so that its pointer is aligned.
const FAR_ALIGN: u64 = 8;

/// Instructions, and bytes, of a fragment that is compared at each entry, at most.
const CHECKED_INSNS: u32 = 16;
const CHECKED_BYTES: usize = 16 * CHECKED_INSNS as usize;

/// Exits of one fragment at most.
const MAX_EXITS: usize = 1024;

/// A thread left a fragment by the exit with this id.
pub fn left_by_exit(ts: &mut ThreadState, id: u32) -> Exit {
    add(&ts.shared.dispatches, 1);
    let mut engine = lock();
    ts.shared.epoch.store(engine.cache_epoch(), Ordering::Release);
    let Some(fragments::Exit { target, kind, .. }) = engine.exit(id) else {
        crate::report::internal("a fragment left through an unknown exit")
    };
    ts.regs.rip = target;
    match kind {
        ExitKind::Direct if comes_by_fault() => {
            drop(engine);
            redirect(ts, target);
            Exit::Resumed
        }
        ExitKind::Direct => {
            engine.resume_at(ts, target);
            Exit::Resumed
        }
        ExitKind::Step => Exit::Step,
        ExitKind::Int80 | ExitKind::Iret | ExitKind::Far | ExitKind::GsSelector | ExitKind::Unsupported => {
            drop(engine);
            super::special::run(ts, kind)
        }
    }
}

/// Entry from the look-up routine: the guest pc is in the thread state.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_on_lookup_miss(ts: *mut ThreadState) {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    add(&ts.shared.dispatches, 1);
    let pc = ts.regs.rip;
    touch(pc);
    let mut engine = lock();
    ts.shared.epoch.store(engine.cache_epoch(), Ordering::Release);
    engine.resume_at(ts, pc);
    if ts.is_translating {
        engine.make_indirect(pc);
    }
}

impl Engine {
    /// Points `resume` at the fragment for `pc`, which is made if need be. Where nothing can be executed the
    /// thread goes there natively, which raises the fault that the guest would see.
    pub fn resume_in_cache(&mut self, ts: &mut ThreadState, pc: u64) {
        let mut pc = pc;
        loop {
            let place = self.fragments.place(pc);
            if place.body != 0 {
                ts.resume = place.body;
                return;
            }
            if pc & !0xfff == VSYSCALL
                && let Some(back) = vsyscall(ts, pc)
            {
                pc = back;
                ts.regs.rip = pc;
                continue;
            }
            ts.resume = match self.map.find(pc) {
                Some((_, region)) if region.is_exec() => self.make(pc),
                _ => pc,
            };
            return;
        }
    }

    /// Translates the code at `pc`; returns the body's cache address.
    fn make(&mut self, pc: u64) -> u64 {
        if self.map.is_checked(pc) {
            return self.make_checked(pc);
        }
        if let Some(body) = self.fragments.enter_inside(pc) {
            return body;
        }
        let (checked, writable) = self.translate(pc, Request::default());
        if checked {
            // It runs into a page that is.
            return self.make_checked(pc);
        }
        let id = self.install(pc, false);
        if writable {
            self.keep_source(id);
        }
        self.fragments.place(pc).body
    }

    /// The fragment for code that can change without a fault: the last one if its source is still the same. It ends
    /// after every instruction that may write memory and at every branch, so that each entry comes here.
    fn make_checked(&mut self, pc: u64) -> u64 {
        if let Some(&id) = self.fragments.checked.get(&pc)
            && let Some(f) = self.fragments.list.get(id as usize)
            && f.alive
            && let Some(source) = &f.source
        {
            let mut now = [0u8; CHECKED_BYTES];
            let now = now.get_mut(..source.len()).unwrap_or(&mut []);
            if guest::read_bytes(pc, now) == source.len() && *now == **source {
                return f.hot + u64::from(f.body);
            }
            self.fragments.drop_fragment(id);
            self.stats.invalidations += 1;
        }
        let request =
            Request { end_after_store: true, single_entry: true, max_insns: CHECKED_INSNS, ..Request::default() };
        self.translate(pc, request);
        let id = self.install(pc, true);
        self.keep_source(id);
        self.fragments.checked.insert(pc, id);
        self.fragments.list.get(id as usize).map_or(pc, |f| f.hot + u64::from(f.body))
    }

    /// Fills `out` with the code at `pc`. Returns whether part of it can change without a fault, and whether part of it
    /// is writable.
    fn translate(&mut self, pc: u64, request: Request) -> (bool, bool) {
        if self.fragments.list.is_empty() {
            ibl::prepare();
            self.fragments.make_room();
        }
        self.zone_index = self.zone_with_room(pc);
        let Some(zone) = self.cache.zones.get_mut(self.zone_index) else {
            crate::report::fatal("no memory for the code cache: raise the limits (ulimit -v, ulimit -l)")
        };
        zone.hot = zone.hot.next_multiple_of(16);
        let (hot_at, cold_at) = (CachePc(zone.hot), CachePc(zone.cold));
        let (map, fragments, direct) = (&mut self.map, &self.fragments, &self.direct);
        let mut source = Source { map, fragments, direct, writable: false, checked: false };
        self.translator.translate(GuestPc(pc), request, hot_at, cold_at, &mut source, &mut self.out);
        if self.out.refused {
            crate::report::internal("a translation out of its own code's reach");
        }
        let found = (source.checked, source.writable);
        self.stats.fragments += 1;
        self.stats.insns += u64::from(self.out.insns);
        self.stats.guest_bytes += u64::from(self.out.guest_len);
        found
    }

    /// Keeps the code a fragment was made from.
    fn keep_source(&mut self, id: u32) {
        if let Some(f) = self.fragments.list.get_mut(id as usize) {
            let mut source = vec![0u8; f.guest_len as usize];
            guest::read_bytes(f.tag, &mut source);
            f.source = Some(source.into_boxed_slice());
        }
    }

    fn zone_with_room(&mut self, pc: u64) -> usize {
        // Ids of exits must not run out within a generation. Where memory is limited fewer fragments have to do.
        let has_ids = self.fragments.exits.len() + MAX_EXITS <= 1 << EXIT_BITS;
        if !has_ids || !self.fragments.can_grow() {
            self.flush();
        }
        if let Some(i) = self.cache.zone_for(GuestPc(pc), MAX_FRAGMENT_BYTES) {
            return i;
        }
        self.flush();
        self.cache.zone_for(GuestPc(pc), MAX_FRAGMENT_BYTES).unwrap_or(usize::MAX)
    }

    /// Places what `out` holds in a zone and makes it known. Returns the fragment's id.
    fn install(&mut self, tag: u64, checked: bool) -> u32 {
        let Some(zone) = self.cache.zones.get_mut(self.zone_index) else { return NONE };
        let out: &mut Translation = &mut self.out;
        let (hot_at, cold_at) = (zone.hot, zone.cold);
        let fragment = u32::try_from(self.fragments.list.len()).unwrap_or(NONE);
        let first_exit = u32::try_from(self.fragments.exits.len()).unwrap_or(NONE);
        let exit_count =
            complete_exits(out, hot_at, self.fragments.generation << EXIT_BITS | first_exit, &mut self.far);
        // SAFETY: both ranges are after the zone's used parts, and the zone has room for them.
        unsafe {
            cache::write(CachePc(hot_at), out.hot.bytes());
            cache::write(CachePc(cold_at), out.cold.bytes());
        }
        let offset = |at: u64| u32::try_from(at - zone.base).unwrap_or(0);
        zone.hot_index.push((offset(hot_at), fragment));
        zone.cold_index.push((offset(cold_at), fragment));
        zone.hot = hot_at + u64::from(out.hot.offset());
        zone.cold = cold_at + u64::from(out.cold.offset());
        self.stats.cache_bytes += u64::from(out.hot.offset()) + u64::from(out.cold.offset());
        if options::get().perf_map {
            perf_map::note(hot_at, u64::from(out.hot.offset()), tag);
        }
        let boundaries = (
            u32::try_from(self.fragments.boundaries.len()).unwrap_or(0),
            u32::try_from(out.boundaries.len()).unwrap_or(0),
        );
        self.fragments.boundaries.extend_from_slice(&out.boundaries);
        self.fragments.list.push(Fragment {
            tag,
            guest_len: out.guest_len,
            hot: hot_at,
            cold: cold_at,
            exits: (first_exit, exit_count),
            entries: NONE,
            boundaries,
            body: out.entries.first().map_or(0, |e| e.body),
            insns: out.insns,
            indirect: out.entries.first().is_some_and(|e| e.indirect.is_some()),
            source: None,
            checked,
            alive: true,
        });
        for (exit, &far) in out.exits.iter().zip(&self.far) {
            self.fragments.add_exit(fragments::Exit {
                target: exit.target.0,
                site: hot_at + u64::from(exit.site),
                stub: cold_at + u64::from(exit.stub),
                far,
                next: NONE,
                kind: exit.kind,
                linked: false,
            });
        }
        for entry in out.entries.iter().filter(|_| !checked) {
            self.fragments.add_entry(fragment, entry.pc.0, hot_at + u64::from(entry.body));
            if let Some(prologue) = entry.indirect {
                let prologue = hot_at + u64::from(prologue);
                self.fragments.set_prologue(entry.pc.0, prologue);
                ibl::hint(entry.pc.0, prologue);
            }
        }
        if out.guest_len != 0 {
            for page in tag >> 12..=(tag + u64::from(out.guest_len) - 1) >> 12 {
                self.fragments.by_page.entry(page).or_default().push(fragment);
            }
        }
        fragment
    }

    /// Makes `pc`, which has a body, findable by indirect branches.
    fn make_indirect(&mut self, pc: u64) {
        let place = self.fragments.place(pc);
        if place.body == 0 {
            return;
        }
        if place.prologue == 0 {
            let Some(zone_index) = self.cache.zone_for(GuestPc(pc), MAX_FRAGMENT_BYTES) else { return };
            self.zone_index = zone_index;
            let Some(zone) = self.cache.zones.get(zone_index) else { return };
            self.translator.translate_prologue(GuestPc(pc), CachePc(zone.hot), CachePc(zone.cold), &mut self.out);
            let prologue = zone.hot;
            self.install(pc, false);
            self.fragments.set_prologue(pc, prologue);
        }
        ibl::insert(pc, self.fragments.place(pc).prologue);
    }

    /// The exit with an id, which may be one of a flushed cache.
    fn exit(&self, id: u32) -> Option<fragments::Exit> {
        let (generation, index) = (id >> EXIT_BITS, id & ((1 << EXIT_BITS) - 1));
        if generation == self.fragments.generation {
            return self.fragments.exit(index).copied();
        }
        self.retired.iter().find(|g| g.fragments.generation == generation)?.fragments.exit(index).copied()
    }

    /// Number of flushes so far: a thread that has seen the current one holds no older cache pc.
    #[must_use]
    pub fn cache_epoch(&self) -> u64 {
        self.stats.flushes
    }
}

/// Answers a call into the vsyscall page as the kernel does (arch/x86/entry/vsyscall/vsyscall_64.c): the call, then
/// `ret`. `None` where the page has no call.
fn vsyscall(ts: &mut ThreadState, pc: u64) -> Option<u64> {
    let call = time::vsyscall(pc & 0xfff)?;
    let [_, _, _, _, rsp, _, rsi, rdi, ..] = ts.regs.gpr;
    let back: u64 = guest::read(rsp)?;
    ts.regs[Gpr::Rax] = call(rdi, rsi).unwrap_or_else(|errno| errno.as_result().cast_unsigned());
    ts.regs[Gpr::Rsp] = rsp + 8;
    Some(back)
}

/// Writes the exits' ids into their stubs, from `first_id` on, and adds a jump through a slot for each target that may
/// be out of reach; where these are, or 0, goes to `far`. Returns the number of exits.
fn complete_exits(out: &mut Translation, hot_at: u64, first_id: u32, far: &mut Vec<u64>) -> u32 {
    far.clear();
    let mut count = 0;
    for exit in &out.exits {
        out.cold.patch32(exit.id_at, (first_id + count).cast_signed());
        count += 1;
        let site = hot_at + u64::from(exit.site);
        let distance = exit.target.0.abs_diff(site);
        // Targets near the limit get a slot as well: their body may lie at the far end of a zone.
        far.push(if exit.kind == ExitKind::Direct && distance > (1 << 31) - 2 * cache::MAX_ZONE_BYTES {
            while !(out.cold.here().0 + FAR_POINTER).is_multiple_of(FAR_ALIGN) {
                out.cold.int3();
            }
            let at = out.cold.here().0;
            out.cold.jmp_through_next();
            out.cold.data64(0);
            at
        } else {
            0
        });
    }
    count
}
