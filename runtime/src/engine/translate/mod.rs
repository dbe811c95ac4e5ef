//! Engine `translate`: the guest runs from a code cache and the translator never emits a `syscall`.
//!
//! [`dispatch`] is the way in from the cache; it finds or makes a fragment ([`fragments`]), places it in a zone of the
//! [`cache`], and links exits to it ([`link`]). Indirect branches find fragments through [`ibl`].

pub mod cache;
pub mod dispatch;
pub mod fragments;
pub mod ibl;
pub mod invalidate;
pub mod perf_map;
pub mod recover;
pub mod source;
pub mod special;

use crate::engine::direct::Direct;
use crate::mem::lock::{Guard, Mutex};
use crate::mem::map::CodeMap;
use crate::options;
use alloc::vec::Vec;
use bt_translator::block::Translator;
use bt_translator::layout::Layout;
use bt_translator::translation::Translation;
use fragments::Fragments;

/// Everything the engine knows; under one lock.
pub struct Engine {
    /// Makes fragments.
    pub translator: Translator,
    /// Buffers of the translation under way.
    pub out: Translation,
    /// Far slots of the exits of the fragment being placed.
    far: Vec<u64>,
    /// Zone that the translation under way is made for.
    zone_index: usize,
    /// Cache memory.
    pub cache: cache::Cache,
    /// What has been translated.
    pub fragments: Fragments,
    /// Caches that were flushed and that a thread may still be in.
    pub retired: Vec<Generation>,
    /// Guest memory that holds code, as the guest sees it.
    pub map: CodeMap,
    /// What engine `direct` has patched.
    pub direct: Direct,
    /// Links made in flushed caches.
    pub links_before: u64,
    /// Figures for `--stats`.
    pub stats: Stats,
}

/// A flushed cache: its memory, and what is needed to leave it or to recover a guest's state in it.
pub struct Generation {
    /// Number of the flush that ended it.
    pub flush: u64,
    /// Its memory.
    pub cache: cache::Cache,
    /// Its fragments.
    pub fragments: Fragments,
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
    /// Exits linked.
    pub links: u64,
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
fn layout(ibtc: u32) -> Layout {
    use crate::thread::state::offset as o;
    let off = |n: usize| i32::try_from(n).unwrap_or(0);
    Layout {
        slot_rcx: off(o::SLOT_RCX),
        slot_r11: off(o::SLOT_R11),
        slot_scratch: off(o::SLOT_SCRATCH),
        slot_rsp: off(o::gpr(crate::thread::state::reg::RSP)),
        runtime_sp: off(o::RUNTIME_SP),
        guest_gs_base: off(o::GUEST_GS_BASE),
        enter_exit: off(o::ENTER_EXIT),
        enter_lookup: off(o::ENTER_LOOKUP),
        enter_gate: off(o::ENTER_GATE),
        enter_cpuid: off(o::ENTER_CPUID),
        stub_calls: ibtc + ibl::STUB_CALLS_OFFSET,
        call_counts: off(o::COUNTS),
        // With --strict only the runtime's own code may make calls.
        stubs_call: !options::get().strict,
        answers: &crate::gate::ANSWERS,
        ibtc,
    }
}

static ENGINE: Mutex<Option<Engine>> = Mutex::new(None);

/// Prepares the engine: maps the look-up table. `Err` says what is missing.
pub fn start() -> Result<(), &'static str> {
    let ibtc = ibl::start()?;
    *ENGINE.lock() = Some(Engine {
        translator: Translator::new(layout(ibtc)),
        out: Translation::default(),
        far: Vec::new(),
        zone_index: 0,
        cache: cache::Cache::default(),
        fragments: Fragments::default(),
        retired: Vec::new(),
        links_before: 0,
        map: CodeMap::default(),
        direct: Direct::default(),
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
