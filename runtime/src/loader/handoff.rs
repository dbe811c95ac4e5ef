//! From one image of the family to the next, over execve(2).
//!
//! The next bt-run is started from a descriptor of the runtime's own program, so the kernel tells it AT_EXECFN =
//! "/dev/fd/N". Descriptor N + 1 then holds this structure; the guest's arguments and environment are simply the process's.

use crate::options::Options;
use crate::sys::raw;
use core::mem::{MaybeUninit, size_of};
use linux_raw_sys::general as k;

/// "bt-run" and a version of the structure.
const MAGIC: u64 = 0x0001_6e75_722d_7462;
/// Longest AT_EXECFN, with its NUL.
pub const EXECFN_BYTES: usize = 4096;

/// What is handed over.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Handoff {
    magic: u64,
    /// The program's descriptor.
    pub exe_fd: i32,
    /// SIGSEGV is blocked as far as the guest knows.
    pub segv_blocked: u32,
    /// The options.
    pub options: Options,
    /// AT_EXECFN.
    pub execfn: [u8; EXECFN_BYTES],
    /// Length of `execfn` without NUL.
    pub execfn_len: usize,
    /// Name for /proc/self/comm, NUL-terminated.
    pub comm: [u8; 16],
}

impl Handoff {
    /// An empty one.
    #[must_use]
    pub fn new(exe_fd: i32, segv_blocked: u32) -> Self {
        Self {
            magic: MAGIC,
            exe_fd,
            segv_blocked,
            options: *crate::options::get(),
            execfn: [0; EXECFN_BYTES],
            execfn_len: 0,
            comm: [0; 16],
        }
    }

    /// Writes it to a new anonymous file, which is moved to descriptor `fd` and stays open over exec.
    pub fn write(&self, fd: i32) -> Result<(), raw::Errno> {
        // SAFETY: the name is NUL-terminated.
        let file = unsafe { raw::syscall(k::__NR_memfd_create, [c"bt-run".as_ptr() as u64, u64::from(k::MFD_CLOEXEC)])? };
        // SAFETY: a plain structure.
        let bytes = unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast::<u8>(), size_of::<Self>()) };
        let file = i32::try_from(file).unwrap_or(-1);
        raw::write_all(file, bytes);
        // SAFETY: `fd` is a number of ours.
        let result = unsafe {
            raw::syscall(k::__NR_dup3, [u64::from(file.cast_unsigned()), u64::from(fd.cast_unsigned()), 0])
        };
        raw::close(file);
        result.map(|_| ())
    }

    /// Takes over what the last image left, if `execfn` says that there was one. Returns it with the number N.
    #[must_use]
    pub fn take(execfn: &[u8]) -> Option<(Self, i32)> {
        let digits = execfn.strip_prefix(b"/dev/fd/")?;
        let mut n = 0i32;
        for d in digits {
            if !d.is_ascii_digit() {
                return None;
            }
            n = n.checked_mul(10)?.checked_add(i32::from(d - b'0'))?;
        }
        let mut this = MaybeUninit::<Self>::uninit();
        // SAFETY: as many bytes as the structure has, any of which are valid but the magic, which is checked; booleans are
        // written by us.
        let bytes = unsafe {
            core::ptr::write_bytes(this.as_mut_ptr(), 0, 1);
            core::slice::from_raw_parts_mut(this.as_mut_ptr().cast::<u8>(), size_of::<Self>())
        };
        if raw::pread(n + 1, bytes, 0) != Ok(size_of::<Self>()) {
            return None;
        }
        // SAFETY: all bytes were read from what `write` wrote.
        let this = unsafe { this.assume_init() };
        if this.magic != MAGIC {
            return None;
        }
        raw::close(n + 1);
        Some((this, n))
    }
}
