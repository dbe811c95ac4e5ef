//! Where the gate sends each call: the rows of the calls, the options and the facts about the process decide.

use super::entry::{CallEntry, entry_address};
use super::facts::{self, Fact};
use super::labels::{Label, address};
use super::{allowed, duplicates, filters, low};
use crate::calls::route::{Filter, Operation, Route};
use crate::calls::{self, Mark, Row, Traits};
use crate::options::{self, EmulateLevel};
use crate::process::descriptors;
use crate::thread::registry;
use crate::thread::shared::COUNTED_CALLS;
use crate::thread::shared::{PerCall, Shared};
use crate::thread::state::ThreadState;
use core::sync::atomic::{AtomicU64, Ordering};

/// Makes a fact true or false, and sets the routes anew if that changes any.
pub fn learn(fact: Fact, is_true: bool) {
    if facts::set(fact, is_true) {
        update();
    }
}

/// Calls `nr` come to Rust, which knows some of their answers by name, or do so no longer.
pub fn ask_names(nr: u64, has: bool) {
    if facts::set_names(nr, has) {
        update();
    }
}

/// A descriptor of the runtime's own has another number, or the guest another limit: where it is low, or in the guest's
/// way, the gate is to leave descriptors to Rust.
pub fn note_own_descriptors() {
    learn(Fact::OwnDescriptorsLow, !descriptors::are_above(filters::FEW));
    learn(Fact::OwnDescriptorsInside, descriptors::inside().next().is_some());
}

/// The process may answer the call: the level includes it, no option excludes it, and no filter is to see it.
#[must_use]
pub fn is_answered(nr: u64) -> bool {
    calls::traits(nr).is_some_and(|traits| may_answer(nr, traits))
}

/// The process may answer the calls of all these operations of lanes.
#[must_use]
pub fn are_answered(operations: &[Operation]) -> bool {
    let is_one = |row: &&Row| matches!(row.route, Route::Lane(operation) if operations.contains(&operation));
    calls::all().filter(is_one).all(|row| is_answered(row.number()))
}

fn may_answer(nr: u64, traits: Traits) -> bool {
    let options = options::get();
    traits.answered_from(options.emulate) && !options.passed.has(nr) && !facts::holds(Fact::Filtered)
}

/// What the gate does with a call in a thread of this process, without regard to ring 0.
fn plain_entry(nr: u64) -> CallEntry {
    let entry = entry_without_writes(nr);
    if !facts::holds(Fact::WritesHeld) {
        return entry;
    }
    match entry {
        CallEntry::Pass | CallEntry::Look | CallEntry::Filter(_) => CallEntry::Slow,
        CallEntry::Lane(operation) => CallEntry::LaneOrReport(operation),
        answered => answered,
    }
}

/// The same, as long as no write is to be reported.
fn entry_without_writes(nr: u64) -> CallEntry {
    let Some(traits) = calls::traits(nr) else { return CallEntry::Slow };
    let options = options::get();
    let is_of_lanes = matches!(traits.route, Route::Lane(_));
    // Assembly takes no times.
    let is_of_assembly = is_of_lanes || matches!(traits.route, Route::Value(_) | Route::Clock(_));
    if facts::holds(Fact::SignalsHeld)
        || facts::holds(Fact::OwnDescriptorsInside) && traits.is(Mark::Makes)
        || facts::holds(Fact::PipesHeld) && !traits.is(Mark::Blind)
        || options.emulate >= EmulateLevel::Coherent && traits.ends_names()
        || facts::has_names(nr) && may_answer(nr, traits)
        || options.stats_time && !is_of_assembly
    {
        return CallEntry::Slow;
    }
    let filter = filter(traits);
    // These filters look whether the descriptor has a lane.
    let asks_lane = matches!(filter, Some(Filter::Fcntl | Filter::Close | Filter::Duplicate));
    // Whoever gives an offset to a lane asks what other threads are doing with the descriptor.
    let may_promote = options.emulate >= EmulateLevel::Coherent && facts::holds(Fact::Threaded);
    let is_told =
        facts::holds(Fact::FilesPromoted) || may_promote && (traits.is(Mark::Transfers) || traits.sees_more());
    let looks = is_told && traits.sees_first() && !traits.is_owned();
    let may_see = is_told && traits.may_see() && !is_of_lanes && !asks_lane && !looks;
    if options.trace || may_see || facts::holds(Fact::OutputsWatched) && traits.may_write() {
        return CallEntry::Slow;
    }
    if traits.is_owned() {
        return filter.map_or(CallEntry::Slow, CallEntry::Filter);
    }
    let answers = may_answer(nr, traits);
    match traits.route {
        Route::Value(value) if answers && !(value.is_credential() && facts::holds(Fact::CredentialsUnknown)) => {
            CallEntry::Answer
        }
        Route::Handler if answers => CallEntry::Slow,
        // With --strict the vDSO's own call, should it make one, would be taken for a site that was missed.
        Route::Clock(clock) if answers && !options.strict => CallEntry::Clock(clock),
        Route::Lane(operation) if answers && facts::holds(Fact::LanesAsked) => CallEntry::Lane(operation),
        // A lane may hold what the call moves.
        Route::Lane(_) if options.stats_time => CallEntry::Slow,
        _ if looks => CallEntry::Look,
        _ => CallEntry::Pass,
    }
}

/// What decides about a call that is the runtime's, without entering it.
fn filter(traits: Traits) -> Option<Filter> {
    let Route::Filter(filter) = traits.route else { return None };
    let is_usable = match filter {
        _ if options::get().strict => false,
        Filter::Close => !facts::holds(Fact::OwnDescriptorsLow),
        Filter::Break => !facts::holds(Fact::BreakKept),
        // What is opened may show the offsets of promoted files.
        Filter::OpenFirstPath | Filter::OpenSecondPath => {
            !facts::holds(Fact::FilesPromoted) && !facts::holds(Fact::OwnDescriptorsLow)
        }
        _ => true,
    };
    is_usable.then_some(filter)
}

/// What the gate does with each call, for threads to come.
static ENTRIES: PerCall = [const { AtomicU64::new(0) }; COUNTED_CALLS];
/// The same without regard to ring 0, if that is chosen.
static PLAIN_ENTRIES: PerCall = [const { AtomicU64::new(0) }; COUNTED_CALLS];

fn plain_entries() -> &'static PerCall {
    if allowed::is_chosen() { &PLAIN_ENTRIES } else { &ENTRIES }
}

/// Sets what the gate does with each call of a thread. The descriptors of another process in the same memory are not
/// ours.
fn apply_to(shared: &Shared) {
    // Ring 0 is bound to a process.
    let entries = if !shared.is_foreign() { &ENTRIES } else { plain_entries() };
    for (slot, entry) in shared.call_entries.iter().zip(entries) {
        slot.store(entry.load(Ordering::Relaxed), Ordering::Relaxed);
    }
    // Read where ring 0 is left, and nowhere else.
    if allowed::is_chosen() {
        for (slot, entry) in shared.plain_entries.iter().zip(&PLAIN_ENTRIES) {
            slot.store(entry.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
    if shared.is_foreign() && facts::holds(Fact::LanesAsked) {
        let lane_calls = calls::all().filter(|row| matches!(row.route, Route::Lane(_)));
        for slot in lane_calls.filter_map(|row| usize::try_from(row.number()).ok()) {
            if let Some(slot) = shared.call_entries.get(slot) {
                slot.store(entry_address(CallEntry::Pass), Ordering::Relaxed);
            }
        }
    }
}

/// Sets it for every thread. One thread at a time: what it has found must not come after what another finds later.
pub fn update() {
    registry::for_each_after(set_entries, apply_to);
}

fn set_entries() {
    duplicates::leave_to_rust(facts::holds(Fact::OwnDescriptorsLow));
    duplicates::unfollow(facts::holds(Fact::Threaded));
    let plain: [CallEntry; COUNTED_CALLS] = core::array::from_fn(|nr| plain_entry(nr as u64));
    if allowed::is_chosen() {
        allowed::allow(&plain);
    }
    for (nr, ((entry, plain_entry), plain)) in ENTRIES.iter().zip(plain_entries()).zip(plain).enumerate() {
        let what = allowed::call_entry(nr, plain);
        let has_value = calls::traits(nr as u64).is_some_and(|traits| matches!(traits.route, Route::Value(_)));
        plain_entry.store(entry_address(plain), Ordering::Relaxed);
        entry.store(entry_address(what), Ordering::Relaxed);
        low::set_stub_call(nr, what == CallEntry::Pass && !has_value, what == CallEntry::Answer);
    }
}

/// Prepares a thread: fills in the entry points that emitted code jumps to.
pub fn prepare(ts: &mut ThreadState) {
    ts.enter_exit = address(Label::EnterExit);
    ts.enter_lookup = address(Label::EnterLookup);
    ts.enter_gate = address(Label::EnterGate);
    ts.enter_slow = address(Label::Slow);
    ts.enter_cpuid = address(Label::EnterCpuid);
    apply_to(ts.shared);
}
