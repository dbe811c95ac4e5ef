//! The process and its threads, as the runtime itself asks the kernel for them.

use super::errno::Errno;
use super::fd::Fd;
use super::raw::{guest_syscall6, syscall};
use linux_raw_sys::{general as k, prctl as p};

/// exit_group(2).
pub fn exit_group(code: i32) -> ! {
    loop {
        #[expect(clippy::cast_sign_loss, reason = "the kernel takes the low 32 bits")]
        // SAFETY: does not return.
        let _ = unsafe { syscall(k::__NR_exit_group, [code as u64]) };
    }
}

/// gettid(2).
#[must_use]
pub fn gettid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall(k::__NR_gettid, []) }.map_or(0, |v| u32::try_from(v).unwrap_or(0))
}

/// getpid(2).
#[must_use]
pub fn getpid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall(k::__NR_getpid, []) }.map_or(0, |v| u32::try_from(v).unwrap_or(0))
}

/// sched_yield(2).
pub fn sched_yield() {
    // SAFETY: no arguments.
    let _ = unsafe { syscall(k::__NR_sched_yield, []) };
}

/// The effective user. Asks for nothing else: a seccomp filter sees the calls of the runtime too.
#[must_use]
pub fn effective_user() -> u32 {
    // SAFETY: no arguments; the call cannot fail.
    unsafe { syscall(k::__NR_geteuid, []) }.map_or(0, |id| u32::try_from(id).unwrap_or(0))
}

/// Real and effective user id, real and effective group id of the calling thread (credentials(7)).
#[must_use]
pub fn credentials() -> [u32; 4] {
    [k::__NR_getuid, k::__NR_geteuid, k::__NR_getgid, k::__NR_getegid].map(|nr| {
        // SAFETY: no arguments; these calls cannot fail.
        unsafe { syscall(nr, []) }.map_or(0, |id| u32::try_from(id).unwrap_or(0))
    })
}

/// prctl(2).
///
/// # Errors
/// The kernel's.
///
/// # Safety
/// Pointers must be what the option takes, and the option must not take away what the runtime needs.
pub unsafe fn prctl(option: u32, args: [u64; 4]) -> Result<u64, Errno> {
    let [a, b, c, d] = args;
    // SAFETY: the caller's promise.
    unsafe { syscall(k::__NR_prctl, [u64::from(option), a, b, c, d]) }
}

/// Names the calling thread: what /proc/PID/comm says (prctl(2), PR_SET_NAME).
pub fn set_name(name: &[u8; 16]) {
    // SAFETY: at most 16 bytes are read.
    let _ = unsafe { prctl(p::PR_SET_NAME, [name.as_ptr() as u64, 0, 0, 0]) };
}

/// Execs give no new rights any more (prctl(2), PR_GET_NO_NEW_PRIVS).
#[must_use]
pub fn has_no_new_privs() -> bool {
    // SAFETY: reads a flag.
    unsafe { prctl(p::PR_GET_NO_NEW_PRIVS, [0; 4]) == Ok(1) }
}

/// A seccomp filter is in force (prctl(2), PR_GET_SECCOMP).
#[must_use]
pub fn is_filtered() -> bool {
    // SAFETY: reads a number.
    unsafe { prctl(p::PR_GET_SECCOMP, [0; 4]).is_ok_and(|mode| mode != 0) }
}

/// Memory-deny-write-execute is in force (prctl(2), PR_GET_MDWE, Linux 6.3).
#[must_use]
pub fn refuses_new_code() -> bool {
    const PR_GET_MDWE: u32 = 66;
    // SAFETY: reads flags.
    unsafe { prctl(PR_GET_MDWE, [0; 4]).is_ok_and(|flags| flags != 0) }
}

/// A resource's limits, soft and hard (getrlimit(2)).
///
/// # Errors
/// The kernel's.
pub fn limits(resource: u32) -> Result<[u64; 2], Errno> {
    let mut limits = [0u64; 2];
    // SAFETY: the kernel writes two words.
    unsafe { syscall(k::__NR_getrlimit, [u64::from(resource), limits.as_mut_ptr() as u64]) }.map(|_| limits)
}

/// The soft limit of a resource; none if the kernel does not say.
#[must_use]
pub fn soft_limit(resource: u32) -> u64 {
    limits(resource).map_or(u64::MAX, |[soft, _]| soft)
}

/// Sets a resource's limits, soft and hard (setrlimit(2)).
///
/// # Errors
/// The kernel's.
pub fn set_limits(resource: u32, limits: [u64; 2]) -> Result<(), Errno> {
    // SAFETY: the kernel reads two words.
    unsafe { syscall(k::__NR_setrlimit, [u64::from(resource), limits.as_ptr() as u64]) }.map(|_| ())
}

/// The kernel's release as its first two numbers (uname(2)).
#[must_use]
pub fn kernel_release() -> (u32, u32) {
    // struct utsname: six fields of 65 bytes, the third is the release.
    let mut names = [0u8; 6 * 65];
    // SAFETY: the kernel writes the structure.
    let _ = unsafe { syscall(k::__NR_uname, [names.as_mut_ptr() as u64]) };
    let mut numbers =
        names.get(2 * 65..3 * 65).unwrap_or(&[]).split(|byte| !byte.is_ascii_digit()).map(|digits| {
            digits.iter().fold(0u32, |n, digit| n.wrapping_mul(10).wrapping_add(u32::from(digit - b'0')))
        });
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Execution domain and flags of the process (personality(2)).
///
/// # Errors
/// The kernel's.
pub fn personality() -> Result<u64, Errno> {
    /// Asks without changing.
    const ASK: u64 = 0xffff_ffff;
    // SAFETY: asks.
    unsafe { syscall(k::__NR_personality, [ASK]) }
}

/// Sets the calling thread's gs base (arch_prctl(2)).
///
/// # Safety
/// The thread's state must be there.
pub unsafe fn set_gs_base(address: u64) {
    const ARCH_SET_GS: u64 = 0x1001;
    // SAFETY: the caller's promise.
    let _ = unsafe { syscall(k::__NR_arch_prctl, [ARCH_SET_GS, address]) };
}

/// A random word (getrandom(2)); not random early in boot, where waiting would be needed.
#[must_use]
pub fn random() -> u64 {
    const GRND_NONBLOCK: u64 = 1;
    let mut value = 0u64;
    // SAFETY: the kernel writes eight bytes.
    let _ = unsafe { syscall(k::__NR_getrandom, [&raw mut value as u64, 8, GRND_NONBLOCK]) };
    value
}

/// execve(2). Returns only if it fails.
///
/// # Safety
/// The vectors must be null-terminated and hold addresses of NUL-terminated strings.
pub unsafe fn execute(path: &core::ffi::CStr, argv: &[u64], envp: &[u64]) -> Errno {
    // SAFETY: the caller's promise.
    let result = unsafe { syscall(k::__NR_execve, [path.as_ptr() as u64, argv.as_ptr() as u64, envp.as_ptr() as u64]) };
    result.err().unwrap_or(Errno::ENOSYS)
}

/// Whether an open file could be executed (execveat(2), AT_EXECVE_CHECK, Linux 6.14).
///
/// # Errors
/// What execve(2) would say; EINVAL: the kernel cannot be asked.
pub fn check_execution(fd: Fd) -> Result<(), Errno> {
    let arguments = [c"".as_ptr() as u64, 0];
    let environment = [0u64];
    let args = [
        fd.arg(),
        c"".as_ptr() as u64,
        arguments.as_ptr() as u64,
        environment.as_ptr() as u64,
        u64::from(k::AT_EMPTY_PATH | AT_EXECVE_CHECK),
    ];
    // SAFETY: null-terminated vectors; nothing is executed.
    unsafe { syscall(k::__NR_execveat, args) }.map(|_| ())
}

/// Flag of execveat(2): nothing is executed (include/uapi/linux/fcntl.h).
pub const AT_EXECVE_CHECK: u32 = 0x1_0000;

/// clone(2) of a process with a copy of the memory, which goes on where the caller does. The registers' contents are
/// the guest's; without a new stack. The result is raw: 0 in the child.
///
/// # Safety
/// Every lock that the child needs must be held by the caller.
pub unsafe fn fork_by_clone(args: &[u64; 6]) -> i64 {
    let [flags, _, parent_tid, child_tid, tls, last] = *args;
    // SAFETY: the caller's promise.
    unsafe { guest_syscall6(flags, 0, parent_tid, child_tid, tls, last, u64::from(k::__NR_clone)) }
}

/// The same by clone3(2), whose structure is `args`.
///
/// # Safety
/// As [`fork_by_clone`]; the structure must ask for no new stack and no shared memory.
pub unsafe fn fork_by_clone3<T>(args: &T) -> i64 {
    let address = core::ptr::from_ref(args) as u64;
    // SAFETY: the caller's promise.
    unsafe { guest_syscall6(address, size_of::<T>() as u64, 0, 0, 0, 0, u64::from(k::__NR_clone3)) }
}

/// What clone3(2) says to a structure that it must refuse, because it asks for a control group that is not there.
pub fn probe_clone3<T>(args: &T) -> Errno {
    let address = core::ptr::from_ref(args) as u64;
    // SAFETY: no child is made.
    let refused = unsafe { syscall(k::__NR_clone3, [address, size_of::<T>() as u64]) };
    refused.err().unwrap_or(Errno::EINVAL)
}
