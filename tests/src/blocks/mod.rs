//! Instruction differential: random blocks over everything that this CPU executes, natively and under an engine.
//!
//! The program `blocks` makes blocks from a seed, runs each with a random state and prints a line that depends on all
//! of the state it left. It runs natively and under the engine; a line that differs is told with the block's
//! disassembly and both states. Addresses of code and data are fixed, so that all addresses in a state are the same in
//! both runs.
//!
//! With `--emulator` what QEMU 7.2 gets wrong is left out: some instructions, and a REX in front of other prefixes,
//! which a CPU ignores. With `--ring0` each block is entered through the btshim module, and goes on in ring 3 where it
//! leaves ring 0.

mod block;
mod coverage;
mod encoding;
mod execute;
mod flow;
mod frame;
mod generate;
mod generator;
mod memory;
mod opcodes;
mod places;
mod plain;
mod random;
mod ring0;
mod state;
mod steer;
mod target;

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use iced_x86::{Decoder, DecoderOptions, Formatter as _, InstructionInfoFactory, IntelFormatter};

pub(crate) use random::Random;

use block::{Block, Specs};
use coverage::Coverage;
use execute::Harness;
use places::{Region, SLOTS, region_of};
use ring0::Ring0;
use state::{End, Outcome};

/// Trials after which an instruction that never completed is taken to fault by nature.
const TRIALS: u64 = 16;

/// Parts of names of instructions that are left out where QEMU runs the machine. It aborts (a scalar rounding with
/// VEX.L); reads a user's stack with the kernel's rights, of which with SMAP the kernel dies (far transfers); takes XOP
/// for POP; refuses NOPs; makes any flags of an ADCX. And what concerns segments, system state and x87, none of which
/// runs in ring 0, it does not always do alike.
const NOT_EMULATED: [&str; 35] = [
    "Vrounds",
    "Iret",
    "Retf",
    "XOP",
    "Call_m16",
    "Jmp_m16",
    "_mm",
    "Reservednop",
    "Nop_rm",
    "Sreg",
    "Sldt",
    "Str_",
    "Smsw",
    "Lar_",
    "Lsl_",
    "Verr",
    "Verw",
    "Int",
    "Hlt",
    "Cli",
    "Sti",
    "Ins",
    "Outs",
    "Popf",
    "save",
    "rstor",
    "base",
    "Cpuid",
    "Rdtsc",
    "Lfs_",
    "Lgs_",
    "Lss_",
    "_FS",
    "Adcx",
    "Adox",
];

fn is_emulated(spec: &opcodes::Spec) -> bool {
    let name = format!("{:?}", spec.code);
    let is_x87 = name.starts_with('F');
    let is_double_shift = (name.starts_with("Shld") || name.starts_with("Shrd")) && name.ends_with("imm8");
    !is_x87 && !is_double_shift && !NOT_EMULATED.iter().any(|part| name.contains(part))
}

/// What `blocks` is asked to do.
#[derive(Clone, Copy, Debug)]
struct Arguments {
    seed: u64,
    count: u64,
    show: Option<u64>,
    list: bool,
    ring0: bool,
    emulator: bool,
}

fn arguments() -> Result<Arguments> {
    let mut parsed = Arguments { seed: 1, count: 1000, show: None, list: false, ring0: false, emulator: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let text = words.next().with_context(|| format!("{word} needs a number"))?;
            Ok(match text.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16)?,
                None => text.parse()?,
            })
        };
        match word.as_str() {
            "--seed" => parsed.seed = number()?,
            "--count" => parsed.count = number()?,
            "--show" => parsed.show = Some(number()?),
            "--list" => parsed.list = true,
            "--ring0" => parsed.ring0 = true,
            "--emulator" => parsed.emulator = true,
            _ => bail!("usage: blocks [--seed N] [--count N] [--show BLOCK] [--list] [--ring0] [--emulator]"),
        }
    }
    Ok(parsed)
}

/// The program `blocks`: true when every instruction was covered.
pub fn run() -> Result<bool> {
    let arguments = arguments()?;
    let mut info = InstructionInfoFactory::new();
    let mut harness = Harness::start()?;
    let mut specs =
        Specs { list: opcodes::all(), running: Vec::new(), faulting: Vec::new(), no_stray_prefix: arguments.emulator };
    if arguments.emulator {
        specs.list.retain(is_emulated);
    }
    let unsupported = probe(&harness, &mut specs, &mut info)?;
    if arguments.ring0 {
        harness.ring0 = Some(Ring0::open()?);
    }
    if arguments.list {
        for &number in &unsupported {
            println!("not this CPU's: {:?}", specs.list[number]);
        }
        for &number in &specs.faulting {
            println!("faults: {:?}", specs.list[number]);
        }
        return Ok(true);
    }
    println!(
        "seed {:#x}, {} blocks, {} instructions run, {} fault, {} are not this CPU's",
        arguments.seed,
        arguments.count,
        specs.running.len(),
        specs.faulting.len(),
        unsupported.len()
    );
    if let Some(index) = arguments.show {
        show(&harness, arguments.seed, index, &specs, &mut info)?;
        return Ok(true);
    }
    let mut coverage = Coverage::new(&specs);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for first in (0..arguments.count).step_by(usize::try_from(SLOTS)?) {
        let last = (first + SLOTS).min(arguments.count);
        let blocks: Vec<(Block, &'static Region)> = (first..last)
            .map(|index| {
                let block = generate::block(arguments.seed, index, &specs, &mut info);
                (block, region_of(index))
            })
            .collect();
        harness.load(&blocks)?;
        for (block, region) in &blocks {
            let outcome = harness.run(block, region, None);
            writeln!(out, "{}", outcome.line(block))?;
            coverage.add(&specs, block, &outcome);
        }
    }
    out.flush()?;
    drop(out);
    if let Some(ring0) = &harness.ring0 {
        eprintln!("{}", ring0.summary());
    }
    let unsupported: Vec<opcodes::Spec> = unsupported.iter().map(|&number| specs.list[number]).collect();
    Ok(coverage.report(&specs, &unsupported, arguments.count))
}

/// Finds out what the CPU has: what completes, what faults. Returns the numbers of what is refused with SIGILL.
fn probe(harness: &Harness, specs: &mut Specs, info: &mut InstructionInfoFactory) -> Result<Vec<usize>> {
    let is_branch = |number: &usize| flow::is_construct(specs.list[*number].code);
    let (mut running, mut open): (Vec<usize>, Vec<usize>) = (0..specs.list.len()).partition(is_branch);
    let mut faults = vec![false; specs.list.len()];
    for trial in 0..TRIALS {
        let mut rest = Vec::new();
        for batch in open.chunks(usize::try_from(SLOTS)?) {
            let blocks: Vec<(Option<Block>, usize)> = (0..)
                .zip(batch)
                .map(|(index, &number)| (generate::probe(index, number, trial, specs, info), number))
                .collect();
            let loaded: Vec<(Block, &'static Region)> = blocks
                .iter()
                .filter_map(|(block, _)| Some((block.clone()?, region_of(block.as_ref()?.index))))
                .collect();
            harness.load(&loaded)?;
            for (block, number) in &blocks {
                let end = block.as_ref().map(|block| harness.run(block, region_of(block.index), None).end);
                match end {
                    Some(End::Done) => {
                        running.push(*number);
                        continue;
                    }
                    Some(End::Signal { number: signal, .. }) if signal != libc::SIGILL => {
                        faults[*number] = true;
                    }
                    _ => {}
                }
                rest.push(*number);
            }
        }
        open = rest;
    }
    running.sort_unstable();
    specs.running = running;
    let (faulting, unsupported) = open.into_iter().partition(|&number| faults[number]);
    specs.faulting = faulting;
    Ok(unsupported)
}

/// Prints one block and the state it leaves.
fn show(harness: &Harness, seed: u64, index: u64, specs: &Specs, info: &mut InstructionInfoFactory) -> Result<()> {
    let block = generate::block(seed, index, specs, info);
    let region = region_of(index);
    print!("{}", disassembly(&block));
    harness.load(&[(block.clone(), region)])?;
    let mut random = random::Random::new(block.seed);
    let initial = state::Registers::initial(&block, &mut random);
    let area = harness.components.random(&mut random);
    let before = Outcome { end: End::Done, registers: initial, area: Box::new(area), memory: 0 };
    print!("before: {}", before.details(&block));
    let mut changes = Vec::new();
    let outcome = harness.run(&block, region, Some(&mut changes));
    print!("after: {}", outcome.details(&block));
    for line in changes {
        println!("{line}");
    }
    Ok(())
}

/// The block's instructions with their bytes.
fn disassembly(block: &Block) -> String {
    let mut text = format!("block {} at {:#x}\n", block.index, block.base);
    let mut formatter = IntelFormatter::new();
    let end = block.code.len().saturating_sub(14);
    let code = block.code.get(..end).unwrap_or_default();
    for insn in Decoder::with_ip(64, code, block.base, DecoderOptions::NONE) {
        let from = usize::try_from(insn.ip() - block.base).unwrap_or(0);
        let mut line = String::new();
        formatter.format(&insn, &mut line);
        let bytes: String = block.code[from..from + insn.len()].iter().map(|byte| format!("{byte:02x}")).collect();
        let is_planned = block.planned.iter().any(|planned| planned.offset == from);
        let mark = if is_planned { '>' } else { ' ' };
        text.push_str(&format!("{mark} +{from:03x} {bytes:<30} {line}\n"));
    }
    text
}
