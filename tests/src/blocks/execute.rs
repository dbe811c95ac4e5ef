//! Runs blocks in this process: loads a full state, jumps to the block, and gets the full state back at its end or from
//! the signal it raised.

use std::arch::naked_asm;
use std::cell::UnsafeCell;
use std::mem::offset_of;

use anyhow::{Context as _, Result, bail};
use bt_shim::uapi::Run;

use super::generate::Block;
use super::places::{
    ARENA_BYTES, ARENAS, CODE_BYTES, CONSTANTS_BYTES, INDICES_32, INDICES_64, MXCSR_VALUES, REGIONS, Region, SELECTORS,
    USER_DS, XSAVE_IMAGE,
};
use super::random::Random;
use super::ring0::Ring0;
use super::state::{AREA_BYTES, Area, Components, End, Outcome, Registers, hash, interesting, mxcsr};

const SIGNALS: [i32; 5] = [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE, libc::SIGBUS, libc::SIGTRAP];
const SIGNAL_STACK_BYTES: usize = 64 << 10;
/// AT_HWCAP2: rdfsbase and relatives can be used (arch/x86/include/uapi/asm/hwcap2.h).
const HWCAP2_FSGSBASE: u64 = 2;

/// What the assembly sees.
#[repr(C)]
struct Frame {
    area_in: Area,
    area_out: Area,
    registers_in: Registers,
    registers_out: Registers,
    host_rsp: u64,
    host_fs: u64,
    components: u64,
    mxcsr: u64,
    /// Not 0 while a block runs.
    running: u64,
    signal: [u64; 6],
    /// The state while the block is in ring 0.
    run: Run,
    /// Not negative: a descriptor of the device.
    device: i32,
}

struct Shared(UnsafeCell<Frame>);
// SAFETY: the harness has one thread, whose signal handler uses it only while a block runs.
unsafe impl Sync for Shared {}

const NO_REGISTERS: Registers = Registers { gpr: [0; 16], flags: 0, fs: 0, gs: 0 };
static FRAME: Shared = Shared(UnsafeCell::new(Frame {
    area_in: Area([0; AREA_BYTES]),
    area_out: Area([0; AREA_BYTES]),
    registers_in: NO_REGISTERS,
    registers_out: NO_REGISTERS,
    host_rsp: 0,
    host_fs: 0,
    components: 0,
    mxcsr: 0x1f80,
    running: 0,
    signal: [0; 6],
    run: NO_RUN,
    device: -1,
}));

const NO_RUN: Run = Run { regs: [0; 16], pc: 0, flags: 0, reason: 0, call: 0, calls: 0, counts: 0, reserved: 0 };

const fn gpr_run(n: usize) -> usize {
    offset_of!(Frame, run) + offset_of!(Run, regs) + 8 * n
}
const fn gpr_out(n: usize) -> usize {
    offset_of!(Frame, registers_out) + offset_of!(Registers, gpr) + 8 * n
}

/// Loads the state in the frame, goes through ring 0 if there is a device, and jumps to where the block goes on; returns when it has
/// ended.
///
/// # Safety
/// The frame must be filled in and the block must lead to [`leave`] or fault.
#[unsafe(naked)]
unsafe extern "C" fn enter() {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rip + {frame} + {host_rsp}], rsp",
        "rdfsbase rax",
        "mov [rip + {frame} + {host_fs}], rax",
        "mov eax, [rip + {frame} + {components}]",
        "xor edx, edx",
        "xrstor64 [rip + {frame} + {area}]",
        "mov rax, [rip + {frame} + {fs}]",
        "wrfsbase rax",
        "mov rax, [rip + {frame} + {gs}]",
        "wrgsbase rax",
        "mov edi, [rip + {frame} + {device}]",
        "test edi, edi",
        "js 2f",
        "lea rsi, [rip + {frame} + {run}]",
        "mov edx, {whence}",
        "mov eax, {lseek}",
        "syscall",
        "2:",
        "mov qword ptr [rip + {frame} + {running}], 1",
        "push qword ptr [rip + {frame} + {flags}]",
        "popfq",
        "mov rax, [rip + {frame} + {rax}]",
        "mov rcx, [rip + {frame} + {rcx}]",
        "mov rdx, [rip + {frame} + {rdx}]",
        "mov rbx, [rip + {frame} + {rbx}]",
        "mov rsp, [rip + {frame} + {rsp_}]",
        "mov rbp, [rip + {frame} + {rbp}]",
        "mov rsi, [rip + {frame} + {rsi}]",
        "mov rdi, [rip + {frame} + {rdi}]",
        "mov r8, [rip + {frame} + {r8}]",
        "mov r9, [rip + {frame} + {r9}]",
        "mov r10, [rip + {frame} + {r10}]",
        "mov r11, [rip + {frame} + {r11}]",
        "mov r12, [rip + {frame} + {r12}]",
        "mov r13, [rip + {frame} + {r13}]",
        "mov r14, [rip + {frame} + {r14}]",
        "mov r15, [rip + {frame} + {r15}]",
        "jmp qword ptr [rip + {frame} + {pc}]",
        frame = sym FRAME,
        host_rsp = const offset_of!(Frame, host_rsp),
        host_fs = const offset_of!(Frame, host_fs),
        components = const offset_of!(Frame, components),
        area = const offset_of!(Frame, area_in),
        running = const offset_of!(Frame, running),
        device = const offset_of!(Frame, device),
        run = const offset_of!(Frame, run),
        whence = const bt_shim::uapi::RUN,
        lseek = const libc::SYS_lseek,
        fs = const offset_of!(Frame, registers_in) + offset_of!(Registers, fs),
        gs = const offset_of!(Frame, registers_in) + offset_of!(Registers, gs),
        flags = const offset_of!(Frame, run) + offset_of!(Run, flags),
        pc = const offset_of!(Frame, run) + offset_of!(Run, pc),
        rax = const gpr_run(0), rcx = const gpr_run(1), rdx = const gpr_run(2), rbx = const gpr_run(3),
        rsp_ = const gpr_run(4), rbp = const gpr_run(5), rsi = const gpr_run(6), rdi = const gpr_run(7),
        r8 = const gpr_run(8), r9 = const gpr_run(9), r10 = const gpr_run(10), r11 = const gpr_run(11),
        r12 = const gpr_run(12), r13 = const gpr_run(13), r14 = const gpr_run(14), r15 = const gpr_run(15),
    )
}

/// Where a block goes at its end, with its own state in every register.
///
/// # Safety
/// Only after [`enter`].
#[unsafe(naked)]
unsafe extern "C" fn leave() {
    naked_asm!(
        "mov [rip + {frame} + {rax}], rax",
        "mov [rip + {frame} + {rcx}], rcx",
        "mov [rip + {frame} + {rdx}], rdx",
        "mov [rip + {frame} + {rbx}], rbx",
        "mov [rip + {frame} + {rsp_}], rsp",
        "mov [rip + {frame} + {rbp}], rbp",
        "mov [rip + {frame} + {rsi}], rsi",
        "mov [rip + {frame} + {rdi}], rdi",
        "mov [rip + {frame} + {r8}], r8",
        "mov [rip + {frame} + {r9}], r9",
        "mov [rip + {frame} + {r10}], r10",
        "mov [rip + {frame} + {r11}], r11",
        "mov [rip + {frame} + {r12}], r12",
        "mov [rip + {frame} + {r13}], r13",
        "mov [rip + {frame} + {r14}], r14",
        "mov [rip + {frame} + {r15}], r15",
        "mov rsp, [rip + {frame} + {host_rsp}]",
        "pushfq",
        "pop qword ptr [rip + {frame} + {flags}]",
        // AC and DF are not for compiled code.
        "push 2",
        "popfq",
        "mov qword ptr [rip + {frame} + {running}], 0",
        "rdfsbase rax",
        "mov [rip + {frame} + {fs}], rax",
        "rdgsbase rax",
        "mov [rip + {frame} + {gs}], rax",
        "mov rax, [rip + {frame} + {host_fs}]",
        "wrfsbase rax",
        "mov eax, [rip + {frame} + {components}]",
        "xor edx, edx",
        "xsave64 [rip + {frame} + {area}]",
        "jmp {back}",
        frame = sym FRAME,
        back = sym back,
        host_rsp = const offset_of!(Frame, host_rsp),
        host_fs = const offset_of!(Frame, host_fs),
        components = const offset_of!(Frame, components),
        area = const offset_of!(Frame, area_out),
        running = const offset_of!(Frame, running),
        fs = const offset_of!(Frame, registers_out) + offset_of!(Registers, fs),
        gs = const offset_of!(Frame, registers_out) + offset_of!(Registers, gs),
        flags = const offset_of!(Frame, registers_out) + offset_of!(Registers, flags),
        rax = const gpr_out(0), rcx = const gpr_out(1), rdx = const gpr_out(2), rbx = const gpr_out(3),
        rsp_ = const gpr_out(4), rbp = const gpr_out(5), rsi = const gpr_out(6), rdi = const gpr_out(7),
        r8 = const gpr_out(8), r9 = const gpr_out(9), r10 = const gpr_out(10), r11 = const gpr_out(11),
        r12 = const gpr_out(12), r13 = const gpr_out(13), r14 = const gpr_out(14), r15 = const gpr_out(15),
    )
}

/// Back into compiled code: rsp is the one [`enter`] left.
///
/// # Safety
/// Only from [`leave`] and from the signal handler.
#[unsafe(naked)]
unsafe extern "C" fn back() {
    naked_asm!(
        "fninit",
        "ldmxcsr [rip + {frame} + {mxcsr}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        frame = sym FRAME,
        mxcsr = const offset_of!(Frame, mxcsr),
    )
}

/// The signal handler's first instructions: AC and the thread pointer are the block's.
///
/// # Safety
/// Only the kernel calls it.
#[unsafe(naked)]
unsafe extern "C" fn on_signal() {
    naked_asm!(
        "push 2",
        "popfq",
        "cmp qword ptr [rip + {frame} + {running}], 0",
        "je 2f",
        "rdfsbase rax",
        "mov [rip + {frame} + {fs}], rax",
        "rdgsbase rax",
        "mov [rip + {frame} + {gs}], rax",
        "mov rax, [rip + {frame} + {host_fs}]",
        "wrfsbase rax",
        "2:",
        "jmp {handle}",
        frame = sym FRAME,
        handle = sym handle,
        host_fs = const offset_of!(Frame, host_fs),
        running = const offset_of!(Frame, running),
        fs = const offset_of!(Frame, registers_out) + offset_of!(Registers, fs),
        gs = const offset_of!(Frame, registers_out) + offset_of!(Registers, gs),
    )
}

/// Takes the block's state out of the context and makes the thread continue behind the block.
unsafe extern "C" fn handle(number: i32, info: *const libc::siginfo_t, context: *mut libc::ucontext_t) {
    const GREGS: [i32; 16] = [
        libc::REG_RAX,
        libc::REG_RCX,
        libc::REG_RDX,
        libc::REG_RBX,
        libc::REG_RSP,
        libc::REG_RBP,
        libc::REG_RSI,
        libc::REG_RDI,
        libc::REG_R8,
        libc::REG_R9,
        libc::REG_R10,
        libc::REG_R11,
        libc::REG_R12,
        libc::REG_R13,
        libc::REG_R14,
        libc::REG_R15,
    ];
    // SAFETY: the kernel passes both; the frame is this thread's, which is in the block that faulted.
    let (info, context, frame) = unsafe { (&*info, &mut *context, &mut *FRAME.0.get()) };
    let gregs = &mut context.uc_mcontext.gregs;
    let at = |register: i32| usize::try_from(register).unwrap_or(0);
    if std::mem::replace(&mut frame.running, 0) == 0 {
        let text = format!("the harness itself raised signal {number} at {:#x}\n", gregs[at(libc::REG_RIP)]);
        // SAFETY: write and _exit are async-signal-safe.
        unsafe {
            libc::write(2, text.as_ptr().cast(), text.len());
            libc::_exit(3);
        }
    }
    for (value, register) in frame.registers_out.gpr.iter_mut().zip(GREGS) {
        *value = gregs[at(register)].cast_unsigned();
    }
    frame.registers_out.flags = gregs[at(libc::REG_EFL)].cast_unsigned();
    // SAFETY: si_addr is there for each of these signals.
    let address = unsafe { info.si_addr() } as u64;
    frame.signal = [
        u64::from(number.cast_unsigned()),
        u64::from(info.si_code.cast_unsigned()),
        // An interrupt instruction has no address: the field holds what was there before.
        if number == libc::SIGTRAP { 0 } else { address },
        gregs[at(libc::REG_RIP)].cast_unsigned(),
        gregs[at(libc::REG_TRAPNO)].cast_unsigned(),
        gregs[at(libc::REG_ERR)].cast_unsigned(),
    ];
    let saved = context.uc_mcontext.fpregs.cast::<u8>();
    // SAFETY: the kernel's frame holds an area in the standard form, with its size in the bytes that are
    // software's (arch/x86/include/uapi/asm/sigcontext.h).
    unsafe {
        let size = saved.add(464 + 16).cast::<u32>().read_unaligned() as usize;
        let size = size.min(AREA_BYTES);
        frame.area_out.0.fill(0);
        std::ptr::copy_nonoverlapping(saved, frame.area_out.0.as_mut_ptr(), size);
    }
    gregs[at(libc::REG_RIP)] = (back as *const () as usize).cast_signed() as i64;
    gregs[at(libc::REG_RSP)] = frame.host_rsp.cast_signed();
    gregs[at(libc::REG_EFL)] = 0x202;
}

/// Where blocks end.
pub(crate) fn leave_address() -> u64 {
    leave as *const () as u64
}

fn pointer(address: u64) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(usize::try_from(address).unwrap_or(0))
}

/// Maps memory at a fixed address.
fn map(address: u64, bytes: u64, replace: bool) -> Result<()> {
    let fixed = if replace { libc::MAP_FIXED } else { libc::MAP_FIXED_NOREPLACE };
    // SAFETY: the address is free, or holds what was mapped here before.
    let got = unsafe {
        libc::mmap(
            pointer(address).cast(),
            usize::try_from(bytes)?,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | fixed,
            -1,
            0,
        )
    };
    if got as u64 != address {
        bail!("{address:#x} cannot be mapped: {}", std::io::Error::last_os_error());
    }
    Ok(())
}

fn protect(address: u64, bytes: u64, protection: i32) -> Result<()> {
    // SAFETY: a range of ours.
    let done = unsafe { libc::mprotect(pointer(address).cast(), usize::try_from(bytes)?, protection) };
    if done != 0 {
        return Err(std::io::Error::last_os_error()).context("mprotect");
    }
    Ok(())
}

fn write(address: u64, bytes: &[u8]) {
    // SAFETY: callers write to ranges that they have mapped writable.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), pointer(address), bytes.len()) };
}

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

    /// Runs a loaded block; tells the words of memory that it changed if asked.
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

fn install_handlers() -> Result<()> {
    let stack = Box::leak(vec![0_u8; SIGNAL_STACK_BYTES].into_boxed_slice());
    let alternate = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIGNAL_STACK_BYTES };
    // SAFETY: the stack is never freed.
    if unsafe { libc::sigaltstack(&raw const alternate, std::ptr::null_mut()) } != 0 {
        return Err(std::io::Error::last_os_error()).context("sigaltstack");
    }
    for signal in SIGNALS {
        // SAFETY: all zeros is a valid sigaction.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: the handler has the signature that SA_SIGINFO asks for.
        if unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) } != 0 {
            return Err(std::io::Error::last_os_error()).context("sigaction");
        }
    }
    Ok(())
}
