//! Code appears: it is searched and patched, or its image is mapped.

use super::cold::{Cold, explain};
use super::functions::ElfImage;
use super::image::{self, Content, Found};
use super::key::Key;
use super::site::{Overwrite, Patch, SOURCE_BYTES, STUB_BYTES, Stub};
use super::survey::{Plan, Text, is_doubtful, is_patchable, sites_in, survey};
use super::window::{TRAP, Window};
use super::withheld::Range;
use crate::engine::Engine;
use crate::engine::translate::source::comes_by_fault;
use crate::gate::facts::{Fact, holds};
use crate::mem::concerns::CONCERNS;
use crate::mem::guest;
use crate::sys::{Fd, mem};
use alloc::vec::Vec;
use bt_translator::addr::GuestPc;
use bt_translator::scan::{Functions, NoFunctions};
use bt_translator::source::CodeSource;
use linux_raw_sys::general as k;

/// Bytes of `syscall` and of `cpuid`.
const SITE_BYTES: usize = 2;

/// What became of a range of code.
pub struct Arrival {
    /// What was written into it.
    pub written: Vec<Overwrite>,
    /// Every site that is certain is patched: an image of it would be complete.
    pub complete: bool,
    /// What is not certain: its pages are withheld.
    pub doubts: Vec<u64>,
}

impl Arrival {
    /// All of it is withheld.
    const fn incomplete() -> Self {
        Self { written: Vec::new(), complete: false, doubts: Vec::new() }
    }
}

impl Engine {
    /// Code of the file `fd`, from `offset` on, is about to be executed in `start..end`, private memory with the
    /// protection `prot`: patches its sites, or maps the image that is kept of it. No thread may be executing there
    /// yet.
    pub fn file_code_arrives(&mut self, start: u64, end: u64, prot: u32, fd: Fd, offset: u64) {
        if self.direct.files_are_read {
            return self.withhold(start, end, prot);
        }
        // glibc's loader maps the first segment as long as the whole library, past the file's end: nothing is there.
        let end = end.min(start.saturating_add(bytes_after(fd, offset)));
        if end <= start {
            return;
        }
        let found = match prot == k::PROT_READ | k::PROT_EXEC {
            true => image::find(fd, offset, start, end, prot, &mut self.direct.images),
            false => Found::Nothing(Cold::Access, None),
        };
        match found {
            Found::Nothing(why, key) => {
                let arrival = self.code_arrives(start, end, prot, ElfImage::of_file(fd, offset, start));
                let kept = self.keep(fd, start, key.ok_or(why), &arrival);
                explain(fd, end - start, why, kept);
            }
            Found::Known(image, doubts) => {
                self.direct.sites.remembered += 1;
                if let Some(image) = &image {
                    CONCERNS.add(image.map.0, image.map.1);
                }
                self.direct.images.extend(image);
                self.withhold_pages(&doubts, prot);
            }
        }
    }

    /// Keeps an image of what has arrived at `start`.
    fn keep(&self, fd: Fd, start: u64, key: Result<Key, Cold>, arrival: &Arrival) -> Result<(), Cold> {
        let key = key?;
        if !arrival.complete {
            return Err(Cold::Incomplete);
        }
        // A seccomp filter need not let the guest write files.
        if holds(Fact::Filtered) {
            return Err(Cold::Filtered);
        }
        let window = self.direct.windows.iter().rev().find(|w| w.code.0 == start & !4095);
        let map = window.map_or((start, start), |w| w.map);
        let patches: Vec<(u64, Patch)> =
            arrival.written.iter().filter_map(|w| Some((w.at, *self.direct.patches.get(&w.at)?))).collect();
        let stubs: Vec<(u64, Stub)> = self.direct.stubs.range(map.0..map.1).map(|(&at, &stub)| (at, stub)).collect();
        let Arrival { written, doubts, .. } = arrival;
        let content = Content { code: start, window: map, patches: &patches, written, stubs: &stubs, doubts };
        image::write(fd, &key, &content)
    }

    /// Code that is in memory only, or whose file nothing is known of but what `image` says.
    pub fn memory_code_arrives(&mut self, start: u64, end: u64, prot: u32, image: Option<ElfImage>) {
        // A call may lie across the seam to code that was there before.
        let joins = |pc: u64| self.map.find(pc).is_some_and(|(_, r)| r.is_exec() && !r.shared && r.prot == prot);
        let from = start - u64::from(image.is_none() && joins(start.wrapping_sub(1)));
        let to = end + u64::from(image.is_none() && joins(end));
        self.code_arrives(from, to, prot, image);
    }

    /// Code is about to be executed in `start..end`; `image` tells what is known of its file.
    pub fn code_arrives(&mut self, start: u64, end: u64, prot: u32, image: Option<ElfImage>) -> Arrival {
        // What another thread supplies when it is touched must not be touched here (userfaultfd(2)).
        if image.is_none() && comes_by_fault() && !(start & !4095..end).step_by(4096).all(mem::is_resident) {
            self.withhold(start, end, prot);
            return Arrival::incomplete();
        }
        if prot & k::PROT_READ != 0 {
            return self.search_and_patch(start, end, prot, image);
        }
        // Where a CPU has protection keys, code that may only be executed cannot be read (mprotect(2)).
        let (page, len) = (start & !4095, end.next_multiple_of(4096) - (start & !4095));
        // SAFETY: more access to the guest's own memory, for as long as it is searched, then what the guest asked for.
        let _ = unsafe { mem::mprotect(page, len, prot | k::PROT_READ) };
        let arrival = self.search_and_patch(start, end, prot | k::PROT_READ, image);
        let parts: Vec<Range> = self.direct.withheld.within(page, page + len).collect();
        // SAFETY: as above.
        let _ = unsafe { mem::mprotect(page, len, prot) };
        for part in parts {
            // SAFETY: as in `withhold`.
            let _ = unsafe { mem::mprotect(part.start, part.end - part.start, prot & !k::PROT_EXEC) };
        }
        arrival
    }

    fn search_and_patch(&mut self, start: u64, end: u64, prot: u32, image: Option<ElfImage>) -> Arrival {
        let mut none = NoFunctions;
        let has_file = image.is_some();
        let mut image = image;
        let functions: &mut dyn Functions = match &mut image {
            Some(image) => image,
            None => &mut none,
        };
        let found = survey(&self.direct, start, end, functions);
        self.direct.sites.scanned_bytes += end - start;
        let doubts: Vec<u64> =
            found.iter().filter(|(c, _)| is_doubtful(c.verdict, has_file)).map(|(c, _)| c.pc.0).collect();
        self.direct.sites.doubtful += doubts.len() as u64;
        let mut sites: Vec<u64> = found.iter().filter(|(c, _)| is_patchable(c.verdict)).map(|(c, _)| c.pc.0).collect();
        let mut plans: Vec<Plan> = found.into_iter().filter_map(|(_, plan)| plan).collect();
        self.plan_restored(start, end, &mut plans, &mut sites);
        // What the guest may write changes without notice.
        let is_open = !has_file && prot & k::PROT_WRITE != 0 && !plans.is_empty();
        if is_open {
            self.withhold(start, end, prot);
            return Arrival::incomplete();
        }
        let written = if plans.is_empty() { Vec::new() } else { self.carry_out(start, end, prot, &plans, &sites) };
        // Nothing is written unless all of it can be.
        if written.is_empty() && !plans.is_empty() {
            return Arrival::incomplete();
        }
        self.withhold_pages(&doubts, prot);
        Arrival { written, complete: true, doubts }
    }

    /// Adds plans for patches that were taken back from `start..end`, where the code is as it was.
    fn plan_restored(&mut self, start: u64, end: u64, plans: &mut Vec<Plan>, sites: &mut Vec<u64>) {
        let known: Vec<(u64, Patch)> =
            self.direct.restored.range(start..end).map(|(&at, &patch)| (at, patch)).collect();
        let before = plans.len();
        for (at, patch) in known {
            self.direct.restored.remove(&at);
            let mut now = [0u8; SOURCE_BYTES];
            let len = usize::try_from(patch.end - at).unwrap_or(0).min(SOURCE_BYTES);
            let (Some(now), Some(original)) = (now.get_mut(..len), patch.original.get(..len)) else { continue };
            let taken = plans.iter().any(|p| p.at < patch.end && at < p.at + p.len as u64);
            if taken || patch.end > end || Text(&self.direct).read(GuestPc(at), now) != len || now != original {
                continue;
            }
            let own = sites_in(at, original);
            let Some(&site) = own.first() else { continue };
            sites.extend(own);
            plans.push(Plan { at, len, trap: patch.trap, numbered: site != at });
        }
        if plans.len() != before {
            plans.sort_unstable_by_key(|p| p.at);
            sites.sort_unstable();
            sites.dedup();
        }
    }

    /// Carries out `plans`; `sites` are all that were found, ascending.
    pub(super) fn carry_out(
        &mut self,
        start: u64,
        end: u64,
        prot: u32,
        plans: &[Plan],
        sites: &[u64],
    ) -> Vec<Overwrite> {
        let code = (start & !4095, end.next_multiple_of(4096));
        let mut window = self.direct.windows.iter().position(|w| w.code == code);
        let existed = window.is_some();
        if window.is_none()
            && let Some(new) = Window::map(start, end, plans.len() as u64 * STUB_BYTES)
        {
            CONCERNS.add(new.map.0, new.map.1);
            self.direct.windows.push(new);
            window = Some(self.direct.windows.len() - 1);
        }
        let room = window.and_then(|n| self.direct.windows.get(n)).copied();
        let mut out: Vec<Overwrite> = Vec::with_capacity(plans.len());
        let is_open = room.filter(|_| existed).is_none_or(|room| room.set_writable(true));
        let mut complete = is_open;
        for plan in plans.iter().filter(|_| is_open) {
            let mut code = [0u8; SOURCE_BYTES];
            let Some(code) = code.get_mut(..plan.len) else { continue };
            if Text(&self.direct).read(GuestPc(plan.at), code) != plan.len {
                continue;
            }
            if !plan.trap && self.patch(window, plan.at, code, false, &mut out).is_some() {
                if plan.numbered {
                    self.direct.sites.numbered += 1;
                } else {
                    self.direct.sites.displaced += 1;
                }
                continue;
            }
            // Each call alone, also those that come after the first.
            let first = sites.partition_point(|&site| site < plan.at);
            for &site in sites.get(first..).unwrap_or(&[]) {
                let Some(code) = site.checked_sub(plan.at).and_then(|skip| {
                    let skip = usize::try_from(skip).ok()?;
                    code.get(skip..skip + SITE_BYTES)
                }) else {
                    break;
                };
                if self.patch(window, site, code, true, &mut out).is_some() {
                    self.direct.sites.trapped += 1;
                } else {
                    complete = false;
                }
            }
        }
        if let Some(room) = room {
            let _ = room.set_writable(false);
        }
        if !write(prot, &out) || !complete {
            // A policy forbids to write, or no room for a stub is left within reach: a site that stayed would be
            // missed.
            self.code_goes(start, end);
            self.withhold(start, end, prot);
            out.clear();
        }
        out
    }
}

/// Bytes of the pages that the file has from `offset` on; without a limit for what is no file.
fn bytes_after(fd: Fd, offset: u64) -> u64 {
    match fd.stat() {
        Ok(stat) if stat.mode & k::S_IFMT == k::S_IFREG => stat.size.next_multiple_of(4096).saturating_sub(offset),
        _ => u64::MAX,
    }
}

/// Writes the patches, through pages that are made writable for that long.
fn write(prot: u32, patches: &[Overwrite]) -> bool {
    let (Some(first), Some(last)) = (patches.first(), patches.last()) else { return true };
    let start = first.at & !4095;
    let len = (last.at + last.len as u64).next_multiple_of(4096) - start;
    let writable = prot & k::PROT_WRITE != 0;
    // Other code on the first or last page may be running: it stays executable, unless a policy forbids that.
    let open = k::PROT_READ | k::PROT_WRITE;
    let executable = prot & k::PROT_EXEC;
    let opens = |prot| {
        // SAFETY: private guest code; what is overwritten nobody executes yet.
        unsafe { mem::mprotect(start, len, prot) }.is_ok()
    };
    if !writable && !opens(open | executable) && !opens(open) {
        return false;
    }
    for patch in patches {
        guest::write_bytes(patch.at, patch.bytes.get(..patch.len).unwrap_or(&[TRAP]));
    }
    if !writable {
        // SAFETY: as above; the protection the guest asked for.
        let _ = unsafe { mem::mprotect(start, len, prot) };
    }
    true
}
