//! The engines: where the guest's code runs, and how its system calls are caught.
//!
//! A thread runs in place ([`direct`]) or from the code cache ([`translate`]), as its state says
//! ([`ThreadState::is_translating`]); one that comes to what cannot run in place goes on translating. Signals and
//! system calls ask the same of both: [`redirect`] and [`Engine::resume_at`], where a thread goes on at a guest pc;
//! [`Engine::recover`], the guest's state at a pc of ours; [`Engine::write_fault`]; and what becomes of memory
//! ([`Engine::mapped`], [`Engine::protected`], [`Engine::unmapped`]).

pub mod advice;
pub mod alone;
pub mod cpuid;
pub mod direct;
pub mod inheritance;
pub mod memory;
pub mod original;
pub mod recover;
pub mod ring0;
pub mod translate;

use crate::gate::low;
use crate::mem::concerns::CONCERNS;
use crate::mem::lock::{Guard, Mutex};
use crate::mem::map::CodeMap;
use crate::options;
use crate::process::image;
use crate::thread::state::ThreadState;
use alloc::vec::Vec;
use bt_translator::block::Translator;
use bt_translator::layout::Layout;
use bt_translator::translation::Translation;
use core::sync::atomic::AtomicU64;
use direct::Direct;
use inheritance::Inheritance;
use ring0::Ring0;
use translate::cache::{Cache, MAX_ZONE_BYTES, MIN_ZONE_BYTES};
use translate::fragments::Fragments;
use translate::{Generation, ibl};

/// Everything the engines know, under one lock: a process can have threads of both.
pub struct Engine {
    /// Makes fragments.
    translator: Translator,
    /// Buffers of the translation under way.
    out: Translation,
    /// Far slots of the exits of the fragment being placed.
    far: Vec<u64>,
    /// Zone that the translation under way is made for.
    zone_index: usize,
    /// Cache memory.
    cache: Cache,
    /// What has been translated.
    fragments: Fragments,
    /// Caches that were flushed and that a thread may still be in.
    retired: Vec<Generation>,
    /// Guest memory that holds code, as the guest sees it.
    map: CodeMap,
    /// Guest memory that a fork's child does not have as it is.
    inheritance: Inheritance,
    /// What has been patched in place.
    direct: Direct,
    /// What runs in ring 0.
    ring0: Ring0,
    /// Links made in flushed caches.
    links_before: u64,
    /// Figures for `--stats`.
    stats: Stats,
}

/// Figures for `--stats`.
#[derive(Default, Clone, Copy)]
pub struct Stats {
    /// Fragments made.
    pub fragments: u64,
    /// Guest instructions translated.
    pub insns: u64,
    /// Guest bytes translated.
    pub guest_bytes: u64,
    /// Cache bytes emitted.
    pub cache_bytes: u64,
    /// Fragments dropped because their code changed.
    pub invalidations: u64,
    /// Write faults on pages protected because they hold translated code.
    pub write_faults: u64,
    /// Times the whole cache was dropped.
    pub flushes: u64,
    /// Instructions executed in place with the trap flag.
    pub steps: u64,
}

/// Offsets that emitted code uses.
fn layout() -> Layout {
    let ibtc = low::ibtc();
    use crate::thread::state::offset as o;
    Layout {
        slot_rcx: const { o::displacement(o::SLOT_RCX) },
        slot_r11: const { o::displacement(o::SLOT_R11) },
        slot_scratch: const { o::displacement(o::SLOT_SCRATCH) },
        slot_rsp: const { o::displacement(o::gpr(crate::thread::registers::Gpr::Rsp as usize)) },
        runtime_sp: const { o::displacement(o::RUNTIME_SP) },
        guest_gs_base: const { o::displacement(o::GUEST_GS_BASE) },
        enter_exit: const { o::displacement(o::ENTER_EXIT) },
        enter_lookup: const { o::displacement(o::ENTER_LOOKUP) },
        enter_gate: const { o::displacement(o::ENTER_GATE) },
        enter_cpuid: const { o::displacement(o::ENTER_CPUID) },
        enter_slow: const { o::displacement(o::ENTER_SLOW) },
        sampled: &crate::calls::SAMPLED,
        call_entries: const { o::displacement(o::CALL_ENTRIES) },
        stub_calls: ibtc + low::STUB_CALLS_OFFSET,
        call_counts: const { o::displacement(o::COUNTS) },
        // With --strict only the runtime's own code may make calls.
        stubs_call: !options::get().strict,
        answers: &crate::gate::ANSWERS,
        ibtc,
    }
}

/// Counts fragments dropped: a call during which this moves may have dropped the one it returns to.
pub static CODE_CHANGES: AtomicU64 = AtomicU64::new(0);

static ENGINE: Mutex<Option<Engine>> = Mutex::new(None);

/// Prepares the engine: maps the look-up table beside a `program` that is to be mapped where it says. `Err` says what
/// is missing.
pub fn start(program: (u64, u64)) -> Result<(), &'static str> {
    ibl::start(program)?;
    let table = u64::from(low::ibtc());
    CONCERNS.add(table, table + low::BYTES);
    let (start, end) = image::range();
    CONCERNS.add(start, end);
    *ENGINE.lock() = Some(Engine {
        translator: Translator::new(layout()),
        out: Translation::default(),
        far: Vec::new(),
        zone_index: 0,
        cache: Cache::default(),
        fragments: Fragments::default(),
        retired: Vec::new(),
        links_before: 0,
        map: CodeMap::default(),
        inheritance: Inheritance::default(),
        direct: Direct::default(),
        ring0: Ring0::new(),
        stats: Stats::default(),
    });
    Ok(())
}

/// The engine, for one thread at a time.
pub struct Locked(Guard<'static, Option<Engine>>);

/// Takes the engine's lock. Not from a host signal handler that interrupted the runtime (SIGNALS.md, "Lock rule").
#[must_use]
pub fn lock() -> Locked {
    Locked(ENGINE.lock())
}

impl core::ops::Deref for Locked {
    type Target = Engine;
    fn deref(&self) -> &Engine {
        match &*self.0 {
            Some(engine) => engine,
            None => crate::report::internal("the engine is used before it is started"),
        }
    }
}

impl core::ops::DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut Engine {
        match &mut *self.0 {
            Some(engine) => engine,
            None => crate::report::internal("the engine is used before it is started"),
        }
    }
}

/// What the engines have done, for `--stats`.
#[derive(Clone, Copy)]
pub struct Figures {
    /// Of the code cache.
    pub cache: Stats,
    /// Exits linked, in caches that were flushed as well.
    pub links: u64,
    /// Of code in place.
    pub sites: direct::Sites,
    /// Of ring 0.
    pub ring0: ring0::Stats,
}

/// Makes the thread continue at the guest pc `pc`.
pub fn redirect(ts: &mut ThreadState, pc: u64) {
    ts.regs.rip = pc;
    translate::source::touch(pc);
    lock().resume_at(ts, pc);
}

impl Engine {
    /// Points `resume` at where the thread goes on for the guest pc `pc`: there itself or in a stub, if that can run in
    /// place; else in the code cache.
    pub fn resume_at(&mut self, ts: &mut ThreadState, pc: u64) {
        if ts.is_translating && self.goes_on_in_place(ts, pc) {
            ts.is_translating = false;
        }
        if !ts.is_translating {
            if let Some(at) = self.in_place_entry(pc) {
                ts.resume = at;
                return;
            }
            ts.is_translating = true;
        }
        self.resume_in_cache(ts, pc);
    }

    /// Bytes of cache memory at which everything is dropped.
    pub fn set_cache_limit(&mut self, bytes: u64) {
        self.cache.max_bytes = bytes;
    }

    /// What has been done so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            cache: self.stats,
            links: self.links_before + self.fragments.links,
            sites: self.direct.sites,
            ring0: self.ring0.stats,
        }
    }

    /// An instruction is executed in place with the trap flag.
    pub fn count_step(&mut self) {
        self.stats.steps += 1;
    }

    /// Where a thread goes on that trapped at `pc` because it branched into overwritten code; `pc` itself if there is
    /// no other place, and `None` if nothing was overwritten there.
    pub fn enter_patch(&mut self, pc: u64) -> Option<u64> {
        self.direct.patch_at(pc)?;
        self.direct.sites.traps += 1;
        Some(self.in_place_entry(pc).unwrap_or(pc))
    }

    /// The program is mapped, and has no loader that maps more of it ([`Direct::files_are_read`]).
    pub fn program_is_whole(&mut self) {
        self.direct.files_are_read = true;
    }

    /// Makes sure that there is cache memory for code near `pc`. For a thread that runs in place, which may never need it,
    /// that is little: where it is full translation starts anew.
    pub fn keep_room(&mut self, pc: u64, is_translating: bool) {
        const IN_PLACE_BYTES: u64 = 8 << 20;
        let largest = if is_translating { MAX_ZONE_BYTES } else { IN_PLACE_BYTES };
        let _ = self.cache.zone_up_to(largest, bt_translator::addr::GuestPc(pc), MIN_ZONE_BYTES / 4);
    }

    /// Guest code that has been translated, the newest first: address and bytes of what each fragment was made from.
    pub fn translated_code(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let alive = self.fragments.list.iter().rev().filter(|fragment| fragment.alive);
        alive.map(|fragment| (fragment.tag, u64::from(fragment.guest_len)))
    }

    /// A stub begins at `pc`.
    #[must_use]
    pub fn begins_stub(&self, pc: u64) -> bool {
        self.direct.stub_at(pc).is_some_and(|(start, _)| start == pc)
    }
}
