//! A loop of user code in ring 0, and what each time round it costs.

use anyhow::{Context as _, Result, anyhow, bail};
use bt_shim::uapi::{Op, RUN, Reason, Run};
use bt_shim::{Device, Refusal};
use bt_tests::device::{Bytes, Libc};
use bt_units::Builder;

use super::ticks::least_ticks;
use crate::module;

/// Calls of a loop. A loop is shorter than the time between two timer interrupts.
pub const COUNT: i64 = 1000;
/// Loops of which the best counts.
pub const ROUNDS: usize = 20;
/// Where units pretend to be: the module does not look at code.
pub const BASE: u64 = 0x50_0000;
/// Flags as a process has them: interrupts on, and bit 1, which is always set.
pub const FLAGS: u64 = 0x202;
const RBX: usize = 3;
const RSP: usize = 4;
const RDI: usize = 7;

/// Where data is: near enough for operands relative to the pc.
pub const DATA: usize = 0x60_0000;
/// Bytes of the data.
pub const DATA_BYTES: usize = 0x1000;

/// What rsp and rdi are: the middle of the data.
pub const POINTER: u64 = DATA as u64 + DATA_BYTES as u64 / 2;

/// The quotient, rounded to the nearest.
pub fn rounded(sum: i64, count: i64) -> i64 {
    (sum + count / 2).div_euclid(count)
}

/// One unit, loaded in a device of its own.
pub struct Region {
    device: Device,
}

impl Region {
    /// Loads what the translator makes of `code`.
    pub fn load(code: &[u8]) -> Result<Self> {
        Self::load_changed(code, |_| ())
    }

    /// The same, with changes.
    pub fn load_changed(code: &[u8], change: impl FnOnce(&mut [Op])) -> Result<Self> {
        module::ensure_loaded()?;
        let device = Device::open(&Libc)?;
        let mut builder = Builder::new();
        builder.build(BASE, None, &mut Bytes { base: BASE, code });
        let ops = &mut builder.unit_mut().ops;
        change(ops);
        let loaded = match device.load(&Libc, ops, 0) {
            // The first vector instructions: there was nothing to lose.
            Err(Refusal::Dropped) => device.load(&Libc, ops, 0),
            other => other,
        };
        loaded.map_err(|refusal| anyhow!("the unit does not load: {refusal}"))?;
        Ok(Self { device })
    }

    /// The device's descriptor.
    pub fn fd(&self) -> i32 {
        self.device.fd()
    }

    /// Instructions of each time round a loop that counts rbx down, and has so many calls in it. The way in and out is
    /// the same for a loop that is twice as long, and so cancels.
    pub fn per_round(&self, calls: u64) -> Result<i64> {
        let once = self.loop_ticks(COUNT, calls)?;
        Ok(rounded(self.loop_ticks(2 * COUNT, calls)? - once, COUNT))
    }

    fn loop_ticks(&self, count: i64, calls: u64) -> Result<i64> {
        let mut result = Ok(());
        let ticks = least_ticks(ROUNDS, || {
            if let Err(error) = self.run_loop(count.cast_unsigned(), calls) {
                result = Err(error);
            }
        });
        result.map(|()| ticks)
    }

    /// Runs to the loop's end. If the kernel has work on the way, where the loop would go on may be within a block: it
    /// is begun again. That only adds, and the best round counts.
    fn run_loop(&self, count: u64, calls: u64) -> Result<()> {
        const TRIES: u32 = 10;
        for _ in 0..TRIES {
            let mut run = Run { pc: BASE, flags: FLAGS, ..Run::default() };
            run.regs[RBX] = count;
            run.regs[RSP] = POINTER;
            run.regs[RDI] = POINTER;
            // SAFETY: the structure is there; the unit accesses no memory but the data of `operations`.
            let result = unsafe { libc::syscall(libc::SYS_lseek, self.device.fd(), &raw mut run, RUN) };
            match Reason::of(run.reason) {
                _ if result < 0 => return Err(std::io::Error::last_os_error()).context("lseek"),
                Some(Reason::Untranslated) if run.regs[RBX] == 0 && run.calls == calls * count => return Ok(()),
                Some(Reason::Work) => {}
                reason => {
                    bail!("left by {reason:?} at {:#x} with {} calls made, {} to go", run.pc, run.calls, run.regs[RBX])
                }
            }
        }
        bail!("the kernel had work {TRIES} times")
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // There is nothing to write back that could fail.
        let _ = nix::unistd::close(self.device.fd());
    }
}
