//! `--strict`: a call from a site that was not patched arrives in the gate all the same, and is reported.
//!
//! Syscall User Dispatch (Documentation/admin-guide/syscall-user-dispatch.rst) turns every `syscall` outside of the
//! runtime's own code into SIGSYS. Armed it makes each call of the kernel slower, which is why it is not the default.
//! It is a thread's own and neither inherited by children nor kept over execve(2). Stubs then make no call themselves.

use crate::engine::Engine;
use crate::options;
use crate::process::filter::{self, Own};
use crate::report::say;
use crate::sys::process;
use crate::sys::types::{SigInfo, UContext, sig};
use linux_raw_sys::prctl as p;

/// si_code of a SIGSYS by Syscall User Dispatch (include/uapi/asm-generic/siginfo.h).
const SYS_USER_DISPATCH: i32 = 2;
/// Bytes of `syscall`.
const SITE_BYTES: u64 = 2;

/// Arms the calling thread, if that is asked for. From here on only the runtime's code enters the kernel. Threads and
/// processes that begin after a filter which forbids it are not watched.
pub fn arm() {
    if !options::get().strict || !filter::allows(Own::Dispatch) {
        return;
    }
    let (start, end) = crate::process::image::range();
    // SAFETY: no selector: the range alone decides.
    let armed = unsafe {
        process::prctl(p::PR_SET_SYSCALL_USER_DISPATCH, [u64::from(p::PR_SYS_DISPATCH_ON), start, end - start, 0])
    };
    if armed.is_err() {
        say(format_args!("--strict needs Syscall User Dispatch: Linux 5.11 or later"));
        process::exit_group(126)
    }
}

/// The calling thread's calls are the kernel's again.
pub fn disarm() {
    if options::get().strict {
        // SAFETY: nothing is trapped any more.
        let _ =
            unsafe { process::prctl(p::PR_SET_SYSCALL_USER_DISPATCH, [u64::from(p::PR_SYS_DISPATCH_OFF), 0, 0, 0]) };
    }
}

/// The signal is a call from a site that was missed: its address.
#[must_use]
pub fn missed_site(signal: i32, info: &SigInfo, uc: &UContext) -> Option<u64> {
    let dispatched = signal == sig::SIGSYS && info.code == SYS_USER_DISPATCH && options::get().strict;
    // The kernel has undone the call but for the pc.
    dispatched.then(|| uc.mc.rip.wrapping_sub(SITE_BYTES))
}

impl Engine {
    /// Reports a missed site and returns the cache address at which its call goes on; `None` if that cannot be had in
    /// place, where it is withheld then.
    pub fn enter_missed_site(&mut self, site: u64, number: u64) -> Option<u64> {
        if !self.direct.inner.contains_key(&site) {
            self.direct.sites.missed += 1;
            say(format_args!("system call {number} at {site:#x} was not found by the scan: caught by --strict"));
        }
        let stub = self.stub_of_its_own(site, SITE_BYTES);
        if stub.is_none()
            && let Some((_, region)) = self.map.find(site)
        {
            self.withhold(site, site + SITE_BYTES, region.prot);
        }
        stub
    }
}
