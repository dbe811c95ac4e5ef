//! Blocks in ring 0: units from a block's bytes, in a device of their own.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bt_shim::uapi::{REASONS, Run};
use bt_shim::{Device, Refusal};
use bt_units::Builder;

use super::block::Block;
use crate::device::{Bytes, Libc};

/// The device, and what came of the blocks.
pub(crate) struct Ring0 {
    device: Device,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    builder: Builder,
    /// Where blocks are that have code.
    bases: BTreeSet<u64>,
    loaded: u64,
    runs: u64,
    moved: u64,
    reasons: [u64; REASONS.len() + 1],
}

impl Ring0 {
    pub(crate) fn open() -> Result<Self> {
        let device = Device::open(&Libc).context("ring 0")?;
        Ok(Self { device, state: RefCell::default() })
    }

    pub(crate) const fn fd(&self) -> i32 {
        self.device.fd()
    }

    /// Adds the code of a block as it lies in memory.
    pub(crate) fn load(&self, block: &Block, at: *const u8) {
        // SAFETY: the block has been written there.
        let code = unsafe { std::slice::from_raw_parts(at, block.code.len()) };
        let state = &mut *self.state.borrow_mut();
        if !state.bases.insert(block.base) {
            if self.device.clear(&Libc).is_err() {
                return;
            }
            state.bases = BTreeSet::from([block.base]);
        }
        let mut bytes = Bytes { base: block.base, code };
        let mut dropped = 0;
        loop {
            state.builder.build(block.base, None, &mut bytes);
            let unit = state.builder.unit_mut();
            match self.device.load(&Libc, &unit.ops, 0) {
                Ok(_) => state.loaded += 1,
                Err(Refusal::Operation(n)) if n > 0 => {
                    unit.end_before(n as usize);
                    let _ = self.device.load(&Libc, &unit.ops, 0);
                }
                Err(Refusal::Dropped | Refusal::Full) if dropped == 0 => {
                    dropped = 1;
                    let _ = self.device.clear(&Libc);
                    state.bases = BTreeSet::from([block.base]);
                    continue;
                }
                Err(_) => {}
            }
            return;
        }
    }

    /// Counts how a run ended.
    pub(crate) fn note(&self, block: &Block, run: &Run) {
        let state = &mut *self.state.borrow_mut();
        state.runs += 1;
        state.moved += u64::from(run.pc != block.base);
        if let Some(count) = state.reasons.get_mut(run.reason as usize) {
            *count += 1;
        }
    }

    /// One line.
    pub(crate) fn summary(&self) -> String {
        let state = self.state.borrow();
        let reasons: Vec<String> =
            REASONS.iter().map(|(reason, word)| format!("{word} {}", state.reasons[*reason as usize])).collect();
        let State { loaded, runs, moved, .. } = &*state;
        format!("ring 0: {runs} runs, {loaded} units, {moved} got on; left: {}", reasons.join(", "))
    }
}
