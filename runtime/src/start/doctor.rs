//! `bt-run doctor`: what this machine can do, and what it lacks.

use crate::engine::direct::cold;
use crate::options;
use crate::report::{Bytes, LongText};
use crate::sys::cpu;
use crate::sys::shim::Kernel;
use crate::sys::{Fd, process};
use bt_shim::uapi::{CAN_FS, CAN_UNMASKED};
use bt_shim::{Device, Error};
use core::fmt::Write;
use linux_raw_sys::prctl as p;

/// Where images are kept.
fn cache_path() -> &'static [u8] {
    options::get().cache_path.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Prints a line for each engine and option that a machine may lack.
pub fn print() {
    let mut out = LongText::default();
    let gs = if cpu::has_fsgsbase() { "yes" } else { "yes; without rdfsbase and its like, threads start more slowly" };
    let _ = writeln!(out, "engine direct     yes");
    let _ = writeln!(out, "engine translate  {gs}");
    match Device::open(&Kernel) {
        Ok(device) => {
            let info = *device.info();
            let calls: u32 = info.calls.iter().map(|word| word.count_ones()).sum();
            let _ = write!(
                out,
                "engine ring0      yes: btshim version {}, {calls} system calls, {} KiB for code",
                info.version,
                info.code_bytes >> 10
            );
            if info.flags & CAN_FS == 0 {
                let _ = write!(out, "; code that uses fs stays in ring 3, as the CPU or the kernel has no rdfsbase");
            }
            if info.flags & CAN_UNMASKED != 0 {
                let _ = write!(out, "; loaded with allow_unmasked, which is for measurement only: no protection");
            }
            let _ = writeln!(out);
            device.close(&Kernel);
        }
        Err(error) => {
            let _ = writeln!(out, "engine ring0      no: {error}");
            if error == Error::NoModule {
                let _ = writeln!(out, "                  kmod-shim/README.md says how it is built and loaded");
            }
        }
    }
    let _ = match cold::probe() {
        Ok(()) => writeln!(out, "image cache       yes: {}", Bytes(cache_path())),
        Err(why) => writeln!(out, "image cache       no, each start searches program and libraries for calls: {why}"),
    };
    // SAFETY: switches off what is off already.
    let strict =
        unsafe { process::prctl(p::PR_SET_SYSCALL_USER_DISPATCH, [u64::from(p::PR_SYS_DISPATCH_OFF), 0, 0, 0]) };
    let strict = if strict.is_ok() { "yes" } else { "no: Syscall User Dispatch needs Linux 5.11" };
    let _ = writeln!(out, "option --strict   {strict}");
    Fd::STDOUT.write_all(&out.bytes);
}
