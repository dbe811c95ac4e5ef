//! Counts instructions in the running kernel's code.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result, bail};
use goblin::container::{Container, Ctx, Endian};
use goblin::elf::Elf;
use goblin::elf::program_header::{PT_LOAD, ProgramHeader};
use goblin::elf64::header::SIZEOF_EHDR;
use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

/// More than any way through code without loops.
const MOST: i64 = 1000;
const LONGEST_INSN: usize = 15;

/// The kernel's code as it is in memory: alternatives, calls of tracers and ways to return are patched at boot.
pub struct KernelCode {
    /// `/proc/kallsyms`.
    symbols: String,
    /// `/proc/kcore`, an ELF file.
    core: File,
    segments: Vec<Segment>,
}

/// Memory in the file.
struct Segment {
    address: u64,
    len: u64,
    offset: u64,
}

impl KernelCode {
    /// Opens what shows it.
    pub fn open() -> Result<Self> {
        let symbols = fs::read_to_string("/proc/kallsyms").context("/proc/kallsyms")?;
        let core = File::open("/proc/kcore").context("/proc/kcore")?;
        let segments = segments(&core).context("/proc/kcore")?;
        Ok(Self { symbols, core, segments })
    }

    /// Instructions of the function `symbol` up to its return; it may not look at anything.
    pub fn body(&self, symbol: &str) -> Result<i64> {
        let start = self.address(symbol).with_context(|| format!("the kernel has no {symbol}"))?;
        self.walk(start, None, None).with_context(|| symbol.to_owned())
    }

    /// Instructions by which the kernel gets from a call's number to its handler. None are counted on a kernel that has
    /// a table: there they are the same for all calls.
    pub fn dispatch(&self, number: i64, handler: &str) -> Result<i64> {
        let Some(start) = self.address("x64_sys_call") else { return Ok(0) };
        let handler = self.address(handler).with_context(|| format!("the kernel has no {handler}"))?;
        self.walk(start, Some(handler), Some(number)).with_context(|| format!("x64_sys_call({number})"))
    }

    fn address(&self, symbol: &str) -> Option<u64> {
        let line = self.symbols.lines().find(|line| line.split(' ').nth(2) == Some(symbol))?;
        u64::from_str_radix(line.split(' ').next()?, 16).ok().filter(|&address| address != 0)
    }

    /// Counts from `start` to `end`, or to a return. `number` is what rsi holds: comparisons with it decide branches.
    fn walk(&self, start: u64, end: Option<u64>, number: Option<i64>) -> Result<i64> {
        let mut pc = start;
        let mut compared = None;
        for count in 0..MOST {
            if Some(pc) == end {
                return Ok(count);
            }
            let insn = self.instruction(pc)?;
            let next = insn.next_ip();
            pc = match insn.mnemonic() {
                Mnemonic::Ret => {
                    return if end.is_none() { Ok(count + 1) } else { bail!("a return at {pc:#x}") };
                }
                Mnemonic::Jmp if insn.op0_kind() == OpKind::NearBranch64 => insn.near_branch_target(),
                Mnemonic::Cmp if is_number(insn.op0_register()) && is_immediate(&insn) => {
                    compared = number.zip(Some(insn.immediate(1).cast_signed()));
                    next
                }
                Mnemonic::Test if is_number(insn.op0_register()) && insn.op0_register() == insn.op1_register() => {
                    compared = number.zip(Some(0));
                    next
                }
                _ if insn.is_jcc_short_or_near() => {
                    let (left, right) = compared.with_context(|| format!("a branch at {pc:#x}"))?;
                    if holds(insn.mnemonic(), left, right)? { insn.near_branch_target() } else { next }
                }
                Mnemonic::Endbr64 | Mnemonic::Nop | Mnemonic::Mov if !is_number(insn.op0_register()) => next,
                other => bail!("{other:?} at {pc:#x} is not followed"),
            };
        }
        bail!("more than {MOST} instructions from {start:#x}")
    }

    fn instruction(&self, pc: u64) -> Result<Instruction> {
        let segment = self.segments.iter().find(|segment| pc.wrapping_sub(segment.address) < segment.len);
        let segment = segment.with_context(|| format!("no code at {pc:#x}"))?;
        let mut bytes = [0; LONGEST_INSN];
        self.core.read_exact_at(&mut bytes, segment.offset + (pc - segment.address))?;
        Ok(Decoder::with_ip(64, &bytes, pc, DecoderOptions::NONE).decode())
    }
}

fn is_number(register: Register) -> bool {
    register.is_gpr() && register.full_register() == Register::RSI
}

fn is_immediate(insn: &Instruction) -> bool {
    matches!(insn.op1_kind(), OpKind::Immediate8to32 | OpKind::Immediate32 | OpKind::Immediate8to64)
}

/// Whether the branch is taken after a comparison of numbers that are not negative.
fn holds(branch: Mnemonic, left: i64, right: i64) -> Result<bool> {
    Ok(match branch {
        Mnemonic::Je => left == right,
        Mnemonic::Jne => left != right,
        Mnemonic::Ja | Mnemonic::Jg => left > right,
        Mnemonic::Jae | Mnemonic::Jge => left >= right,
        Mnemonic::Jb | Mnemonic::Jl => left < right,
        Mnemonic::Jbe | Mnemonic::Jle => left <= right,
        other => bail!("{other:?} is not followed"),
    })
}

/// The segments in memory of an ELF file, of which only the headers are read.
fn segments(file: &File) -> Result<Vec<Segment>> {
    let mut bytes = [0; SIZEOF_EHDR];
    file.read_exact_at(&mut bytes, 0)?;
    let header = Elf::parse_header(&bytes)?;
    let count = usize::from(header.e_phnum);
    let mut table = vec![0; count * usize::from(header.e_phentsize)];
    file.read_exact_at(&mut table, header.e_phoff)?;
    let headers = ProgramHeader::parse(&table, 0, count, Ctx::new(Container::Big, Endian::Little))?;
    let in_memory = headers.into_iter().filter(|header| header.p_type == PT_LOAD);
    Ok(in_memory
        .map(|header| Segment { address: header.p_vaddr, len: header.p_filesz, offset: header.p_offset })
        .collect())
}
