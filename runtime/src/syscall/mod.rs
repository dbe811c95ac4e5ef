//! The calls that the runtime carries out itself, each by the handler that its row names.
//!
//! [`entry`] is where the gate arrives with a call that is not passed on by assembly alone.

pub mod attach;
pub mod descriptors;
pub mod entry;
pub mod exec;
pub mod handoff;
pub mod int80;
pub mod locking;
pub mod memory;
pub mod own_exe;
pub mod paths;
pub mod permission;
pub mod process;
pub mod program;
pub mod script;
pub mod signals;
pub mod thread;

use crate::calls::{self, Mark};
use crate::emulate::call::{Call, Outcome};
use crate::emulate::{self, identity, names};
use crate::gate::facts::{Fact, holds};
use crate::gate::routes::note_own_descriptors;
use crate::process::descriptors::leave_numbers;
use crate::sys::Errno;
use linux_raw_sys::general as k;

/// Carries out one call to its end.
pub fn run_whole(call: &mut Call<'_>) -> Outcome {
    match run(call) {
        Outcome::Tail => call.pass(),
        outcome => outcome,
    }
}

/// Carries out one call.
#[inline(always)]
pub fn run(call: &mut Call<'_>) -> Outcome {
    if let Some(outcome) = emulate::answer(call) {
        return outcome;
    }
    let change = names::before(call);
    loop {
        let mut outcome = handle(call);
        let is_awaited = change.is_some() || holds(Fact::OwnDescriptorsInside) && calls::is(call.nr, Mark::Makes);
        if outcome == Outcome::Tail && is_awaited {
            outcome = call.pass();
        }
        if outcome != Outcome::Done(Err(Errno::EMFILE)) || !gives_numbers(call) {
            return outcome;
        }
    }
}

/// No number is left for a descriptor: natively those of ours would be. Returns whether some are now.
#[cold]
fn gives_numbers(call: &Call<'_>) -> bool {
    // A filter of the guest's need not let anybody ask for limits.
    if call.ts.shared.is_foreign() || !holds(Fact::OwnDescriptorsInside) || holds(Fact::Filtered) {
        return false;
    }
    let any = leave_numbers() || descriptors::give_one_way();
    if any {
        note_own_descriptors();
    }
    any
}

/// Calls a handler, which may take further arguments.
macro_rules! handler {
    ($call:ident, $handler:path) => {
        $handler($call)
    };
    ($call:ident, $handler:path, $($extra:expr),*) => {
        $handler($call, $($extra),*)
    };
}

/// Makes the function that leads each call to the handler that its row names; what has none is passed on.
macro_rules! handlers {
    ($($number:ident: $([$($word:ident $(($value:expr))?),*])? $({$($held:ident),*})? ($($arg:expr),* $(,)?)
        -> $ret:ident $(($set:expr))? $(=> $handler:ident $(:: $more:ident)* $(($($extra:expr),*))?)?;)*) => {
        #[inline(always)]
        fn handle(call: &mut Call<'_>) -> Outcome {
            match call.nr {
                $($(k::$number => handler!(call, $handler $(:: $more)* $(, $($extra),*)?),)?)*
                _ => paths::pass_on(call),
            }
        }
    };
}
all_rows!(handlers);
