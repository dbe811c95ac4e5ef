//! Blocks in ring 0: units from a block's bytes, in a device of their own.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::CStr;

use anyhow::{Context as _, Result};
use bt_shim::uapi::{Op, REASONS, Run};
use bt_shim::{Device, Errno, Host, Refusal};
use bt_translator::kernel::{Builder, Outside};

use super::generate::Block;

/// System calls by the C library.
pub(crate) struct Libc;

fn last_error() -> Errno {
    Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

impl Host for Libc {
    fn open(&self, path: &CStr) -> Result<i32, Errno> {
        // SAFETY: a C string.
        let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
        if fd < 0 { Err(last_error()) } else { Ok(fd) }
    }

    fn ioctl<T>(&self, fd: i32, request: u32, argument: &mut T) -> Result<u64, Errno> {
        // SAFETY: the client gives each request the structure that its number names.
        let result = unsafe { libc::ioctl(fd, request.into(), std::ptr::from_mut(argument)) };
        if result < 0 { Err(last_error()) } else { Ok(u64::from(result.cast_unsigned())) }
    }

    fn close(&self, fd: i32) {
        // SAFETY: the device's own descriptor.
        unsafe { libc::close(fd) };
    }
}

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

/// The bytes of one block.
struct Bytes<'a> {
    base: u64,
    code: &'a [u8],
    known: BTreeSet<u64>,
}

impl Outside for Bytes<'_> {
    fn read_code(&mut self, pc: u64, buf: &mut [u8]) -> usize {
        let skip = usize::try_from(pc.wrapping_sub(self.base)).unwrap_or(usize::MAX);
        let rest = self.code.get(skip..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        count
    }

    fn read_pointer(&mut self, _address: u64) -> Option<u64> {
        None
    }

    fn has_code(&mut self, pc: u64) -> bool {
        self.known.contains(&pc)
    }

    fn check_call(&mut self, _number: u32, _checks: &mut Vec<Op>) -> bool {
        false
    }
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
        let mut bytes = Bytes { base: block.base, code, known: BTreeSet::new() };
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
