//! The way into a block and out of it: assembly, the signal handler, and what they share with compiled code.

use std::arch::naked_asm;
use std::cell::UnsafeCell;
use std::mem::offset_of;

use anyhow::{Context as _, Result};
use bt_shim::uapi::Run;

use super::state::{AREA_BYTES, Area, Registers};

const SIGNALS: [i32; 5] = [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE, libc::SIGBUS, libc::SIGTRAP];
const SIGNAL_STACK_BYTES: usize = 64 << 10;

/// What the assembly sees.
#[repr(C)]
pub(super) struct Frame {
    pub(super) area_in: Area,
    pub(super) area_out: Area,
    pub(super) registers_in: Registers,
    pub(super) registers_out: Registers,
    pub(super) host_rsp: u64,
    pub(super) host_fs: u64,
    pub(super) components: u64,
    pub(super) mxcsr: u64,
    /// Not 0 while a block runs.
    pub(super) running: u64,
    pub(super) signal: [u64; 6],
    /// The state while the block is in ring 0.
    pub(super) run: Run,
    /// Not negative: a descriptor of the device.
    pub(super) device: i32,
}

pub(super) struct Shared(pub(super) UnsafeCell<Frame>);
// SAFETY: the harness has one thread, whose signal handler uses it only while a block runs.
unsafe impl Sync for Shared {}

const NO_REGISTERS: Registers = Registers { gpr: [0; 16], flags: 0, fs: 0, gs: 0 };
pub(super) static FRAME: Shared = Shared(UnsafeCell::new(Frame {
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

/// No run of ring 0.
pub(super) const NO_RUN: Run =
    Run { regs: [0; 16], pc: 0, flags: 0, reason: 0, call: 0, calls: 0, counts: 0, reserved: 0 };

const fn gpr_run(n: usize) -> usize {
    offset_of!(Frame, run) + offset_of!(Run, regs) + 8 * n
}
const fn gpr_out(n: usize) -> usize {
    offset_of!(Frame, registers_out) + offset_of!(Registers, gpr) + 8 * n
}

/// Loads the state in the frame, goes through ring 0 if there is a device, and jumps to where the block goes on;
/// returns when it has ended.
///
/// # Safety
/// The frame must be filled in and the block must lead to [`leave`] or fault.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn enter() {
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

/// Takes the block's state out of the context and makes the thread continue after the block.
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

/// Installs the handler of the signals that blocks raise, on a stack of its own.
pub(super) fn install_handlers() -> Result<()> {
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
