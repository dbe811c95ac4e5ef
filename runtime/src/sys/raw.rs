//! System calls that the runtime makes for itself.
//!
//! Calls made on behalf of the guest do not go through here: they pass the one `syscall`
//! instruction of the gate (`gate::asm`), whose neighbourhood a signal handler can classify.

use super::errno::Errno;
use core::arch::naked_asm;

/// Makes a system call with the six argument registers of the x86-64 ABI (syscall(2)).
///
/// # Safety
/// The call must not break memory that Rust code relies on.
#[unsafe(naked)]
pub unsafe extern "C" fn syscall6(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, nr: u64) -> i64 {
    naked_asm!("mov rax, [rsp + 8]", "mov r10, rcx", "syscall", "ret")
}

/// As [`syscall6`], for a call of the guest's that cannot be interrupted: where the kernel says that a filter trapped it
/// ([`guest_call_return`]), the trap is the guest's.
///
/// # Safety
/// As [`syscall6`].
#[unsafe(naked)]
pub unsafe extern "C" fn guest_syscall6(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, nr: u64) -> i64 {
    naked_asm!("mov rax, [rsp + 8]", "mov r10, rcx", "syscall", "bt_guest_call_return:", "ret")
}

/// The address after the instruction of [`guest_syscall6`].
#[must_use]
pub fn guest_call_return() -> u64 {
    unsafe extern "C" {
        static bt_guest_call_return: u8;
    }
    &raw const bt_guest_call_return as u64
}

/// Converts a raw result into `Ok(value)` or the error number it encodes.
pub fn check(result: i64) -> Result<u64, Errno> {
    if (-4095..0).contains(&result) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked")]
        return Err(Errno::of((-result) as u16));
    }
    #[expect(clippy::cast_sign_loss, reason = "addresses above 2^63 do not exist in user space; counts are positive")]
    Ok(result as u64)
}

/// Arguments of a call, missing ones zero.
pub trait Args {
    /// The six registers.
    fn regs(self) -> [u64; 6];
}
impl<const N: usize> Args for [u64; N] {
    fn regs(self) -> [u64; 6] {
        let mut out = [0; 6];
        for (o, a) in out.iter_mut().zip(self) {
            *o = a;
        }
        out
    }
}

/// Makes the system call `nr`.
///
/// # Safety
/// As [`syscall6`].
pub unsafe fn syscall<const N: usize>(nr: u32, args: [u64; N]) -> Result<u64, Errno> {
    let [a, b, c, d, e, f] = args.regs();
    // SAFETY: passed on to the caller.
    check(unsafe { syscall6(a, b, c, d, e, f, u64::from(nr)) })
}
