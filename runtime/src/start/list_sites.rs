//! `bt-run sites FILE`: what engine `direct` would do with a file.

use crate::elf::LoadError;
use crate::elf::headers::Headers;
use crate::engine::direct::functions::ElfImage;
use crate::engine::direct::{Direct, survey};
use crate::report::Bytes;
use crate::report::LongText;
use crate::sys::{Errno, Fd, fs, mem, time};
use bt_translator::decode::Class;
use bt_translator::scan::Verdict;
use core::fmt::Write;
use linux_raw_sys::general as k;

/// Prints one line for each place in a file that looks like a site, and a line of sums.
pub fn print(path: &[u8]) -> Result<(), LoadError> {
    let failed = |e: Errno| LoadError::Failed("cannot be read", e.number());
    let mut path_z = path.to_vec();
    path_z.push(0);
    let path_c = core::ffi::CStr::from_bytes_with_nul(&path_z).map_err(|_| LoadError::NotFound)?;
    let fd = fs::open(path_c, k::O_RDONLY).map_err(failed)?;
    let headers = Headers::parse(&fd)?;
    let direct = Direct::default();
    let (mut bytes, mut took_ns) = (0u64, 0u64);
    let mut out = LongText::default();
    let (mut displaced, mut numbered, mut trapped, mut doubtful, mut others) = (0, 0, 0, 0, 0);
    for (offset, vaddr, len) in headers.code() {
        // SAFETY: a new mapping of our own.
        let at = unsafe { mem::mmap_file(0, len, k::PROT_READ, k::MAP_PRIVATE, fd, offset) }.map_err(failed)?;
        let Some(mut image) = ElfImage::of_file(fd, offset, at) else { continue };
        let before = time::now_ns();
        let found = survey::survey(&direct, at, at + len, &mut image);
        (bytes, took_ns) = (bytes + len, took_ns + time::now_ns() - before);
        for (candidate, plan) in found {
            let address = candidate.pc.0 - at + vaddr;
            let what = match (candidate.verdict, plan) {
                (Verdict::Site { class: Class::Syscall, .. }, Some(plan)) if plan.trap => {
                    trapped += 1;
                    "syscall: trap (what stands around it cannot be moved)"
                }
                (Verdict::Site { class: Class::Syscall, .. }, Some(plan)) if plan.numbered => {
                    numbered += 1;
                    "syscall: jump over the load of its number"
                }
                (Verdict::Site { class: Class::Syscall, .. }, Some(_)) => {
                    displaced += 1;
                    "syscall: jump over what follows"
                }
                (Verdict::Site { class: Class::Syscall, .. }, None) => "syscall: part of the patch before it",
                (Verdict::Site { class: Class::Cpuid, .. }, plan) => {
                    others += 1;
                    if plan.is_some_and(|plan| plan.trap) { "cpuid: trap" } else { "cpuid: jump" }
                }
                (Verdict::Site { .. }, _) => {
                    doubtful += 1;
                    "another way into the kernel, or a use of gs: its page runs translated"
                }
                (Verdict::NotCode, _) => continue,
                (Verdict::Doubtful, _) => {
                    doubtful += 1;
                    "doubtful, it may be data: its page runs translated until it has been executed"
                }
            };
            let _ = writeln!(out, "{address:#x} {what}");
        }
    }
    let _ = writeln!(
        out,
        "{}: {displaced} displaced, {numbered} numbered, {trapped} trapped, {doubtful} doubtful, {others} cpuid; \
         {bytes} bytes in {} us",
        Bytes(path),
        took_ns / 1000
    );
    Fd::STDOUT.write_all(&out.bytes);
    Ok(())
}
