//! Structures as the kernel lays them out on x86-64, with where they are declared.

use super::plain::Plain;

/// `struct kernel_sigaction` (arch/x86/include/uapi/asm/signal.h).
#[repr(C)]
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct SigAction {
    /// SIG_DFL, SIG_IGN or an address.
    pub handler: u64,
    /// SA_* flags.
    pub flags: u64,
    /// Where the handler returns to (SA_RESTORER).
    pub restorer: u64,
    /// Signals blocked during the handler.
    pub mask: u64,
}
// SAFETY: integers only.
unsafe impl Plain for SigAction {}

/// `siginfo_t` (include/uapi/asm-generic/siginfo.h), 128 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SigInfo {
    /// Signal number.
    pub signo: i32,
    /// errno.
    pub errno: i32,
    /// SI_* or a code of the signal.
    pub code: i32,
    /// Padding.
    pub pad: i32,
    /// The first word is si_addr for faults, si_pid and si_uid for others.
    pub fields: [u64; 14],
}
// SAFETY: integers only.
unsafe impl Plain for SigInfo {}

/// `stack_t` (arch/x86/include/uapi/asm/signal.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct StackT {
    /// Lowest address.
    pub sp: u64,
    /// SS_*.
    pub flags: i32,
    /// Padding.
    pub pad: i32,
    /// Bytes.
    pub size: u64,
}
// SAFETY: integers only.
unsafe impl Plain for StackT {}

/// `struct sigcontext` (arch/x86/include/uapi/asm/sigcontext.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct McContext {
    /// r8 … r15.
    pub r8_15: [u64; 8],
    /// rdi.
    pub rdi: u64,
    /// rsi.
    pub rsi: u64,
    /// rbp.
    pub rbp: u64,
    /// rbx.
    pub rbx: u64,
    /// rdx.
    pub rdx: u64,
    /// rax.
    pub rax: u64,
    /// rcx.
    pub rcx: u64,
    /// rsp.
    pub rsp: u64,
    /// rip.
    pub rip: u64,
    /// rflags.
    pub rflags: u64,
    /// cs, gs, fs, ss.
    pub selectors: [u16; 4],
    /// Page fault error code.
    pub err: u64,
    /// Trap number.
    pub trapno: u64,
    /// Old mask (first word).
    pub oldmask: u64,
    /// Fault address.
    pub cr2: u64,
    /// Address of the xsave area, 0 for none.
    pub fpstate: u64,
    /// Reserved.
    pub reserved: [u64; 8],
}

/// `struct ucontext` (include/uapi/asm-generic/ucontext.h).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct UContext {
    /// UC_*.
    pub flags: u64,
    /// Link.
    pub link: u64,
    /// Signal stack.
    pub stack: StackT,
    /// Registers.
    pub mc: McContext,
    /// Mask to restore.
    pub mask: u64,
}
// SAFETY: integers only.
unsafe impl Plain for UContext {}

/// `struct rt_sigframe` (arch/x86/include/asm/sigframe.h).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RtSigFrame {
    /// Return address: the restorer.
    pub pretcode: u64,
    /// Context.
    pub uc: UContext,
    /// Information.
    pub info: SigInfo,
}
// SAFETY: integers only.
unsafe impl Plain for RtSigFrame {}

/// Software-reserved bytes of the xsave area (`struct _fpx_sw_bytes`), at byte 464.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FpxSwBytes {
    /// `FP_XSTATE_MAGIC1`.
    pub magic1: u32,
    /// Bytes of the area with the closing magic.
    pub extended_size: u32,
    /// Features saved.
    pub xfeatures: u64,
    /// Bytes of the area.
    pub xstate_size: u32,
    /// Reserved.
    pub pad: [u32; 7],
}
// SAFETY: integers only.
unsafe impl Plain for FpxSwBytes {}

/// Offset of [`FpxSwBytes`] in the area.
pub const FPX_SW_OFFSET: u64 = 464;
/// `FP_XSTATE_MAGIC1`.
pub const FP_XSTATE_MAGIC1: u32 = 0x4650_5853;
/// `FP_XSTATE_MAGIC2`, after the area.
pub const FP_XSTATE_MAGIC2: u32 = 0x4650_5845;
/// `UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS` (arch/x86/include/uapi/asm/ucontext.h).
pub const UC_FLAGS: u64 = 7;

const _: () = assert!(core::mem::size_of::<McContext>() == 256);
const _: () = assert!(core::mem::size_of::<UContext>() == 304);
const _: () = assert!(core::mem::size_of::<SigInfo>() == 128);
const _: () = assert!(core::mem::size_of::<RtSigFrame>() == 440);
const _: () = assert!(core::mem::size_of::<FpxSwBytes>() == 48);

/// Signal numbers the runtime names (signal(7)).
pub mod sig {
    #![allow(missing_docs, reason = "the kernel's names")]
    pub const SIGILL: i32 = 4;
    pub const SIGTRAP: i32 = 5;
    pub const SIGABRT: i32 = 6;
    pub const SIGBUS: i32 = 7;
    pub const SIGFPE: i32 = 8;
    pub const SIGKILL: i32 = 9;
    pub const SIGSEGV: i32 = 11;
    pub const SIGSTOP: i32 = 19;
    pub const SIGSYS: i32 = 31;
    /// The bit of a signal in a mask.
    #[must_use]
    pub const fn bit(signal: i32) -> u64 {
        1 << ((signal - 1) & 63)
    }
}

/// Flags of sigaction(2).
pub mod sa {
    #![allow(missing_docs, reason = "the kernel's names")]
    pub const NOCLDSTOP: u64 = 1;
    pub const NOCLDWAIT: u64 = 2;
    pub const SIGINFO: u64 = 4;
    pub const RESTORER: u64 = 0x0400_0000;
    pub const ONSTACK: u64 = 0x0800_0000;
    pub const RESTART: u64 = 0x1000_0000;
    pub const NODEFER: u64 = 0x4000_0000;
    pub const RESETHAND: u64 = 0x8000_0000;
    pub const EXPOSE_TAGBITS: u64 = 0x800;
    /// The flags the kernel keeps (include/linux/signal.h, UAPI_SA_FLAGS).
    pub const KNOWN: u64 =
        NOCLDSTOP | NOCLDWAIT | SIGINFO | EXPOSE_TAGBITS | ONSTACK | RESTART | NODEFER | RESETHAND | RESTORER;
}

/// A stack for signal handlers, as sigaltstack(2) takes it: [`StackT`] with flags and padding in one word.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AltStack {
    /// Lowest address.
    pub sp: u64,
    /// SS_ONSTACK, SS_DISABLE, SS_AUTODISARM.
    pub flags: u64,
    /// Bytes.
    pub size: u64,
}
