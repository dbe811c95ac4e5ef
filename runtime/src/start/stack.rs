//! The initial stack: the kernel's own, with what concerns the program put right.
//!
//! bt-run was started with the guest's arguments and environment on its stack. Arguments of its own are taken away, the
//! file name and the auxiliary vector are made the guest's, and all of it is written again in the kernel's order.

use super::map::Image;
use alloc::vec::Vec;

/// Auxiliary vector entries that describe the program (getauxval(3)).
pub mod at {
    #![allow(missing_docs, reason = "the kernel's names")]
    pub const NULL: u64 = 0;
    pub const PHDR: u64 = 3;
    pub const PHNUM: u64 = 5;
    pub const BASE: u64 = 7;
    pub const ENTRY: u64 = 9;
    pub const UID: u64 = 11;
    pub const EUID: u64 = 12;
    pub const GID: u64 = 13;
    pub const EGID: u64 = 14;
    pub const PLATFORM: u64 = 15;
    pub const SECURE: u64 = 23;
    pub const BASE_PLATFORM: u64 = 24;
    pub const RANDOM: u64 = 25;
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
    /// Arguments.
    pub argv: &'a [&'a [u8]],
    /// AT_EXECFN.
    pub execfn: &'a [u8],
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
    /// Start and end of the argument strings.
    pub argv: (u64, u64),
    /// Start and end of the environment strings.
    pub envp: (u64, u64),
}

/// Writes bytes upwards.
struct Cursor(u64);

impl Cursor {
    /// # Safety
    /// The place must be free stack.
    unsafe fn put(&mut self, bytes: &[u8]) -> u64 {
        let at = self.0;
        // SAFETY: passed on.
        unsafe {
            let to = core::ptr::with_exposed_provenance_mut::<u8>(usize::try_from(at).unwrap_or(0));
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        self.0 += bytes.len() as u64;
        at
    }

    /// # Safety
    /// As [`Self::put`].
    unsafe fn put_string(&mut self, s: &[u8]) -> u64 {
        // SAFETY: passed on.
        unsafe {
            let at = self.put(s);
            self.put(&[0]);
            at
        }
    }

    /// # Safety
    /// As [`Self::put`].
    unsafe fn put_word(&mut self, v: u64) {
        // SAFETY: passed on.
        unsafe { self.put(&v.to_le_bytes()) };
    }
}

/// Bytes at AT_RANDOM.
const RANDOM_BYTES: usize = 16;
/// Zero bytes at the very top (fs/exec.c, bprm_stack_limits: `sizeof(void *)`).
const TOP_ZEROS: u64 = 8;

/// Writes the guest's initial stack over the kernel's, laid out as the kernel does (fs/exec.c, fs/binfmt_elf.c): from
/// the top the file name, environment and argument strings; platform string and random bytes; the block of pointers.
///
/// # Safety
/// Nothing may run on the process's initial stack.
#[must_use]
pub unsafe fn build(initial: &Initial, guest: &Guest<'_>) -> Built {
    // Everything that is kept is copied first: it is written over.
    // SAFETY: strings of the initial stack.
    let envp: Vec<Vec<u8>> = initial.envp.iter().map(|&e| unsafe { Initial::string(e) }.to_vec()).collect();
    let argv: Vec<Vec<u8>> = guest.argv.iter().map(|a| a.to_vec()).collect();
    // SAFETY: as above.
    let kept = |key| initial.aux(key).map(|p| unsafe { Initial::string(p) }.to_vec());
    let (platform, base_platform) = (kept(at::PLATFORM), kept(at::BASE_PLATFORM));
    let mut random = [0u8; RANDOM_BYTES];
    if let Some(p) = initial.aux(at::RANDOM) {
        crate::mem::guest::read_bytes(p, &mut random);
    }
    let old_execfn = initial.aux(at::EXECFN).unwrap_or(initial.sp);
    // SAFETY: as above.
    let top = old_execfn + unsafe { Initial::string(old_execfn) }.len() as u64 + 1 + TOP_ZEROS;

    let len = |list: &[Vec<u8>]| list.iter().map(|s| s.len() as u64 + 1).sum::<u64>();
    let strings = len(&argv) + len(&envp) + guest.execfn.len() as u64 + 1;
    let mut cursor = Cursor(top - TOP_ZEROS - strings);
    let strings_at = cursor.0;
    // SAFETY: all of this is initial stack, below its top.
    unsafe {
        let argv_at: Vec<u64> = argv.iter().map(|s| cursor.put_string(s)).collect();
        let argv_span = (strings_at, cursor.0);
        let envp_at: Vec<u64> = envp.iter().map(|s| cursor.put_string(s)).collect();
        let envp_span = (argv_span.1, cursor.0);
        let execfn_at = cursor.put_string(guest.execfn);
        cursor.put_word(0);

        // The kernel leaves a random gap below the strings; it moves with them.
        let gap =
            initial.argv.first().map_or(0, |&first| first.saturating_sub(initial.aux(at::RANDOM).unwrap_or(first)));
        let small = RANDOM_BYTES as u64 + 64;
        let mut small_cursor = Cursor((strings_at - gap.max(small)) & !15);
        let small_at = small_cursor.0;
        let random_at = small_cursor.put(&random);
        let platform_at = platform.map(|s| small_cursor.put_string(&s));
        let base_platform_at = base_platform.map(|s| small_cursor.put_string(&s));

        let words = 1 + argv_at.len() + 1 + envp_at.len() + 1 + 2 * (initial.auxv.len() + 1);
        let sp = (small_at - 8 * words as u64) & !15;
        let mut block = Cursor(sp);
        block.put_word(argv_at.len() as u64);
        argv_at.iter().for_each(|&a| block.put_word(a));
        block.put_word(0);
        envp_at.iter().for_each(|&e| block.put_word(e));
        block.put_word(0);
        let auxv_at = block.0;
        for &(key, value) in &initial.auxv {
            block.put_word(key);
            block.put_word(match key {
                at::PHDR => guest.program.phdr,
                at::PHNUM => guest.program.phnum,
                at::BASE => guest.interp_base,
                at::ENTRY => guest.program.entry,
                at::EXECFN => execfn_at,
                at::RANDOM => random_at,
                at::PLATFORM => platform_at.unwrap_or(value),
                at::BASE_PLATFORM => base_platform_at.unwrap_or(value),
                _ => value,
            });
        }
        block.put_word(0);
        block.put_word(0);
        Built { sp, auxv: (auxv_at, block.0 - auxv_at), argv: argv_span, envp: envp_span }
    }
}
