//! The initial stack: the kernel's own, with what concerns the program put right.
//!
//! bt-run was started with the guest's arguments and environment on its stack. Arguments of its own are taken away, the
//! auxiliary vector is made the guest's, and the block of pointers is moved down to make room for new strings.

use super::elf::Image;
use alloc::vec::Vec;

/// Auxiliary vector entries that describe the program (getauxval(3)).
pub mod at {
    #![allow(missing_docs, reason = "the kernel's names")]
    pub const NULL: u64 = 0;
    pub const PHDR: u64 = 3;
    pub const PHNUM: u64 = 5;
    pub const BASE: u64 = 7;
    pub const ENTRY: u64 = 9;
    pub const SECURE: u64 = 23;
    pub const HWCAP2: u64 = 26;
    pub const EXECFN: u64 = 31;
    pub const SYSINFO_EHDR: u64 = 33;
    pub const MINSIGSTKSZ: u64 = 51;
}

/// The stack a process starts with, read once.
pub struct Initial {
    /// Address of argc.
    pub sp: u64,
    /// Addresses of the arguments.
    pub argv: Vec<u64>,
    /// Addresses of the environment strings.
    pub envp: Vec<u64>,
    /// Auxiliary vector without its end.
    pub auxv: Vec<(u64, u64)>,
}

fn word(at: u64) -> u64 {
    // SAFETY: the kernel's initial stack is mapped up to the end of the strings.
    unsafe { core::ptr::with_exposed_provenance::<u64>(usize::try_from(at).unwrap_or(0)).read() }
}

impl Initial {
    /// Reads the stack that begins at `sp` (System V ABI, AMD64 supplement, 3.4.1).
    ///
    /// # Safety
    /// `sp` must be the stack pointer the process started with.
    #[must_use]
    pub unsafe fn read(sp: u64) -> Self {
        let argc = word(sp);
        let argv: Vec<u64> = (0..argc).map(|i| word(sp + 8 + i * 8)).collect();
        let mut at = sp + 8 + (argc + 1) * 8;
        let mut envp = Vec::new();
        while word(at) != 0 {
            envp.push(word(at));
            at += 8;
        }
        at += 8;
        let mut auxv = Vec::new();
        while word(at) != at::NULL {
            auxv.push((word(at), word(at + 8)));
            at += 16;
        }
        Self { sp, argv, envp, auxv }
    }

    /// Value of an auxiliary vector entry.
    #[must_use]
    pub fn aux(&self, key: u64) -> Option<u64> {
        self.auxv.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    }

    /// The NUL-terminated string at `at`, without its NUL.
    ///
    /// # Safety
    /// `at` must be one of the strings of the initial stack.
    #[must_use]
    pub unsafe fn string(at: u64) -> &'static [u8] {
        // SAFETY: the strings stay where they are for the life of the process.
        unsafe { core::ffi::CStr::from_ptr(core::ptr::with_exposed_provenance(usize::try_from(at).unwrap_or(0))) }
            .to_bytes()
    }
}

/// What the guest's stack is to hold.
pub struct Guest<'a> {
    /// Addresses of arguments; those below 4096 are indices into `strings`.
    pub argv: &'a [u64],
    /// Strings that are not on the stack yet, without NUL.
    pub strings: &'a [&'a [u8]],
    /// Index in `strings` of AT_EXECFN.
    pub execfn: usize,
    /// The program.
    pub program: &'a Image,
    /// Load address of the interpreter, 0 without one.
    pub interp_base: u64,
}

/// What was built.
pub struct Built {
    /// The guest's initial stack pointer.
    pub sp: u64,
    /// Address and bytes of the auxiliary vector.
    pub auxv: (u64, u64),
    /// Addresses of the arguments.
    pub argv: Vec<u64>,
}

/// Writes the guest's initial stack below the kernel's.
///
/// # Safety
/// The memory below `initial.sp` must be free stack of this process, and nothing may run on it.
#[must_use]
pub unsafe fn build(initial: &Initial, guest: &Guest<'_>) -> Built {
    let strings_len: usize = guest.strings.iter().map(|s| s.len() + 1).sum();
    // The old block of pointers is in vectors by now: its place is used again. New strings go to the top of that place.
    let old_words = 1 + initial.argv.len() + 1 + initial.envp.len() + 1 + 2 * (initial.auxv.len() + 1);
    let top = initial.sp + 8 * old_words as u64;
    let strings_at = (top - strings_len as u64) & !15;
    let mut addresses = Vec::with_capacity(guest.strings.len());
    let mut put = strings_at;
    for s in guest.strings {
        addresses.push(put);
        // SAFETY: between the new block and the old block's end.
        unsafe {
            let to = core::ptr::with_exposed_provenance_mut::<u8>(usize::try_from(put).unwrap_or(0));
            core::ptr::copy_nonoverlapping(s.as_ptr(), to, s.len());
            to.add(s.len()).write(0);
        }
        put += s.len() as u64 + 1;
    }
    let argv: Vec<u64> = guest
        .argv
        .iter()
        .map(|&v| match usize::try_from(v) {
            Ok(i) if i < 4096 => addresses.get(i).copied().unwrap_or(0),
            _ => v,
        })
        .collect();
    let words = 1 + argv.len() + 1 + initial.envp.len() + 1 + 2 * (initial.auxv.len() + 1);
    let sp = (strings_at - 8 * words as u64) & !15;
    let mut at = sp;
    let mut push = |v: u64| {
        // SAFETY: below the strings, above everything this function uses.
        unsafe { core::ptr::with_exposed_provenance_mut::<u64>(usize::try_from(at).unwrap_or(0)).write(v) };
        at += 8;
    };
    push(argv.len() as u64);
    argv.iter().for_each(|&a| push(a));
    push(0);
    initial.envp.iter().for_each(|&e| push(e));
    push(0);
    let auxv_at = sp + 8 * (1 + argv.len() + 1 + initial.envp.len() + 1) as u64;
    for &(key, value) in &initial.auxv {
        push(key);
        push(match key {
            at::PHDR => guest.program.phdr,
            at::PHNUM => guest.program.phnum,
            at::BASE => guest.interp_base,
            at::ENTRY => guest.program.entry,
            at::EXECFN => addresses.get(guest.execfn).copied().unwrap_or(value),
            _ => value,
        });
    }
    push(0);
    push(0);
    Built { sp, auxv: (auxv_at, 16 * (initial.auxv.len() as u64 + 1)), argv }
}
