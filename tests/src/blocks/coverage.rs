//! Which instructions were executed, and how often.

use std::collections::BTreeMap;

use super::block::{Block, Specs};
use super::opcodes::{Form, Spec};
use super::state::{End, Outcome};

/// Executions that each instruction needs.
const NEEDED: u32 = 20;
/// Blocks from which on the need is enforced.
const ENFORCED_FROM: u64 = 100_000;

/// Instructions that may stay below [`NEEDED`], with the reason.
const EXCEPTIONS: &[(iced_x86::Code, &str)] = &[];

/// Hits by spec.
#[derive(Debug)]
pub(crate) struct Coverage {
    hits: Vec<u32>,
    done: u64,
    signals: BTreeMap<i32, u64>,
}

impl Coverage {
    pub(crate) fn new(specs: &Specs) -> Self {
        Self { hits: vec![0; specs.list.len()], done: 0, signals: BTreeMap::new() }
    }

    /// Counts what `block` executed.
    pub(crate) fn add(&mut self, specs: &Specs, block: &Block, outcome: &Outcome) {
        let fault = match outcome.end {
            End::Done => {
                self.done += 1;
                None
            }
            End::Signal { number, pc, .. } => {
                *self.signals.entry(number).or_default() += 1;
                Some(usize::try_from(pc.wrapping_sub(block.base)).unwrap_or(usize::MAX))
            }
        };
        if fault.is_some() && block.has_flow {
            // Not known which were executed.
            return;
        }
        for planned in &block.planned {
            let is_executed = match fault {
                None => true,
                Some(at) => planned.offset < at || planned.offset == at && specs.faulting.contains(&planned.spec),
            };
            if is_executed {
                self.hits[planned.spec] += 1;
            }
        }
    }

    /// Prints the sums; false if something stayed below its need.
    pub(crate) fn report(&self, specs: &Specs, unsupported: &[Spec], blocks: u64) -> bool {
        let signals: Vec<String> =
            self.signals.iter().map(|(number, count)| format!("{count} by signal {number}")).collect();
        println!("{blocks} blocks: {} came to their end, {}", self.done, signals.join(", "));
        let needed: Vec<usize> = specs.running.iter().chain(&specs.faulting).copied().collect();
        let mut below = Vec::new();
        let (mut least, mut sum) = (u32::MAX, 0_u64);
        for &number in &needed {
            let hits = self.hits[number];
            least = least.min(hits);
            sum += u64::from(hits);
            if hits < NEEDED {
                below.push(number);
            }
        }
        let forms = |form| needed.iter().filter(|&&number| specs.list[number].form == form).count();
        println!(
            "coverage: {} instructions ({} register and {} memory forms), {} of them fault by nature; {} are not this CPU's; \
             {sum} executions, {least} at least",
            needed.len(),
            forms(Form::Register),
            forms(Form::Memory),
            specs.faulting.len(),
            unsupported.len(),
        );
        let mut complete = true;
        for number in below {
            let spec = specs.list[number];
            let why = EXCEPTIONS.iter().find(|(code, _)| *code == spec.code).map(|(_, why)| *why);
            if blocks >= ENFORCED_FROM || why.is_some() {
                println!(
                    "below {NEEDED}: {:?} {:?}: {} ({})",
                    spec.code,
                    spec.form,
                    self.hits[number],
                    why.unwrap_or("not expected")
                );
            }
            complete &= why.is_some() || blocks < ENFORCED_FROM;
        }
        complete
    }
}
