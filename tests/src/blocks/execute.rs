//! Runs blocks in this process: loads a full state, enters the block, and takes the full state it left at its end, or
//! when it raised a signal.

use anyhow::{Result, bail};
use bt_shim::uapi::Run;

use super::block::Block;
use super::frame::{FRAME, NO_RUN, enter, install_handlers};
use super::memory::{map, pointer, protect, write};
use super::places::{
    ARENA_BYTES, ARENAS, CODE_BYTES, CONSTANTS_BYTES, INDICES_32, INDICES_64, MXCSR_VALUES, REGIONS, Region, SELECTORS,
    USER_DS, XSAVE_IMAGE,
};
use super::random::Random;
use super::ring0::Ring0;
use super::state::{Components, End, Outcome, Registers, hash, interesting, mxcsr};

/// AT_HWCAP2: rdfsbase and relatives can be used (arch/x86/include/uapi/asm/hwcap2.h).
const HWCAP2_FSGSBASE: u64 = 2;

/// Memory, handlers, and the arenas' contents.
pub(crate) struct Harness {
    pub(crate) components: Components,
    pristine: Vec<u8>,
    /// Blocks go through ring 0.
    pub(crate) ring0: Option<Ring0>,
}

impl Harness {
    /// Maps everything and installs the handlers.
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: getauxval only reads.
        if unsafe { libc::getauxval(libc::AT_HWCAP2) } & HWCAP2_FSGSBASE == 0 {
            bail!("the kernel or the CPU has no rdfsbase");
        }
        // SAFETY: the CPU has xsave, as every one with FSGSBASE does.
        let components = Components::find(unsafe { xgetbv() });
        // SAFETY: no block runs.
        unsafe { (*FRAME.0.get()).components = components.enabled };
        let mut random = Random::new(1);
        let bytes = usize::try_from(ARENA_BYTES)?;
        let pristine: Vec<u8> = (0..bytes / 8).flat_map(|_| interesting(&mut random).to_le_bytes()).collect();
        for arena in ARENAS {
            map(arena, ARENA_BYTES, false)?;
            write(arena, &pristine);
        }
        for region in &REGIONS {
            map(region.code, CODE_BYTES, false)?;
            if region.in_place {
                let all = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
                protect(region.code, CODE_BYTES, all)?;
            }
        }
        for at in [REGIONS[0].constants, REGIONS[1].constants] {
            map(at, CONSTANTS_BYTES, false)?;
            let mut random = Random::new(2);
            for n in 0..64 {
                let small = random.below(500).to_le_bytes();
                if n < 8 {
                    write(at + INDICES_64 + n * 8, &small);
                }
                if n < 16 {
                    write(at + INDICES_32 + n * 4, &small[..4]);
                }
                write(at + SELECTORS + n * 2, &USER_DS.to_le_bytes()[..2]);
                write(at + MXCSR_VALUES + n * 4, &mxcsr(&mut random).to_le_bytes());
            }
            let image = components.random(&mut random);
            write(at + XSAVE_IMAGE, &image.0);
            protect(at, CONSTANTS_BYTES, libc::PROT_READ)?;
        }
        let this = Self { components, pristine, ring0: None };
        install_handlers()?;
        Ok(this)
    }

    /// Writes all blocks that are not rewritten in place, and makes them executable.
    pub(crate) fn load(&self, blocks: &[(Block, &'static Region)]) -> Result<()> {
        for region in REGIONS.iter().filter(|region| !region.in_place) {
            let mut mine = blocks.iter().filter(|(_, of)| of.code == region.code).map(|(block, _)| block).peekable();
            if mine.peek().is_none() {
                continue;
            }
            map(region.code, CODE_BYTES, true)?;
            for block in mine {
                write(block.base, &block.code);
            }
            protect(region.code, CODE_BYTES, libc::PROT_READ | libc::PROT_EXEC)?;
        }
        Ok(())
    }

    /// Runs a loaded block; adds a line for each word of memory that it changed to `changes`, where there is one.
    pub(crate) fn run(&self, block: &Block, region: &Region, changes: Option<&mut Vec<String>>) -> Outcome {
        if region.in_place {
            write(block.base, &block.code);
        }
        let mut random = Random::new(block.seed);
        let registers = Registers::initial(block, &mut random);
        // SAFETY: no block runs, and the handler uses the frame only while one does.
        let frame = unsafe { &mut *FRAME.0.get() };
        frame.registers_in = registers;
        frame.area_in = self.components.random(&mut random);
        frame.area_out.0.fill(0);
        frame.signal = [0; 6];
        frame.run = Run { regs: registers.gpr, pc: block.base, flags: registers.flags, ..NO_RUN };
        frame.device = self.ring0.as_ref().map_or(-1, |ring0| {
            ring0.load(block, pointer(block.base));
            ring0.fd()
        });
        // SAFETY: the block is in executable memory and ends in `leave`; its operands are in the arenas or nowhere.
        unsafe { enter() };
        // SAFETY: as above; the block has ended.
        let frame = unsafe { &mut *FRAME.0.get() };
        if let Some(ring0) = &self.ring0 {
            ring0.note(block, &frame.run);
        }
        let end = match frame.signal {
            [0, ..] => End::Done,
            [number, code, address, pc, trap, error] => End::Signal {
                number: i32::try_from(number).unwrap_or(0),
                code: u32::try_from(code).unwrap_or(0).cast_signed(),
                address,
                pc,
                trap,
                error,
            },
        };
        let mut area = Box::new(frame.area_out.clone());
        self.components.canonical(&mut area.0);
        Outcome { end, registers: frame.registers_out, area, memory: self.take_changes(changes) }
    }

    /// Hash of what differs from the arenas' first contents, which are put back. The differing words go to `list`.
    fn take_changes(&self, mut list: Option<&mut Vec<String>>) -> u64 {
        const CHUNK: usize = 1024;
        let mut sum = 0;
        for arena in ARENAS {
            // SAFETY: the arena is mapped, and no block runs that could write to it.
            let bytes = unsafe { std::slice::from_raw_parts_mut(pointer(arena), self.pristine.len()) };
            if *bytes == *self.pristine {
                continue;
            }
            if let Some(list) = &mut list {
                let words = bytes.chunks(8).zip(self.pristine.chunks(8));
                for (n, (is, _)) in words.enumerate().filter(|(_, (is, was))| is != was) {
                    let text: String = is.iter().rev().map(|byte| format!("{byte:02x}")).collect();
                    list.push(format!("[{:x}] {text}", arena + 8 * n as u64));
                }
            }
            for (n, (is, was)) in bytes.chunks_mut(CHUNK).zip(self.pristine.chunks(CHUNK)).enumerate() {
                if is != was {
                    sum = hash(sum ^ arena ^ n as u64, is);
                    is.copy_from_slice(was);
                }
            }
        }
        sum
    }
}

/// XCR0.
///
/// # Safety
/// The CPU must have `xgetbv`.
#[target_feature(enable = "xsave")]
unsafe fn xgetbv() -> u64 {
    // SAFETY: the caller's word.
    unsafe { std::arch::x86_64::_xgetbv(0) }
}
