//! Code appears, changes or goes.

use super::Direct;
use super::functions::ElfImage;
use super::image::{self, Content, Found};
use super::patch::{JUMP, Overwrite, Patch, SOURCE_BYTES, STUB_BYTES, Shape, Stub, shape};
use super::window::{TRAP, Window};
use crate::engine::Engine;
use crate::mem::guest;
use crate::sys::raw;
use alloc::vec::Vec;
use bt_translator::addr::GuestPc;
use bt_translator::block::CodeSource;
use bt_translator::decode::{Class, decode};
use bt_translator::scan::{Candidate, Functions, NoFunctions, Verdict, branch_targets, scan};
use linux_raw_sys::general as k;

/// Bytes of `syscall` and of `cpuid`.
const SITE_BYTES: usize = 2;

/// Guest memory as the guest wrote it.
struct Text<'a>(&'a Direct);

impl CodeSource for Text<'_> {
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
        let got = guest::read_bytes(pc.0, buf);
        if let Some(copy) = buf.get_mut(..got) {
            self.0.undo(pc.0, copy);
        }
        got
    }

    fn is_known(&self, _pc: GuestPc) -> bool {
        false
    }
}

/// A site and how it is to be overwritten.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The call.
    pub site: u64,
    /// First byte that is overwritten.
    pub at: u64,
    /// Bytes.
    pub len: usize,
    /// The site traps; otherwise it becomes a jump.
    pub trap: bool,
    /// It begins with the load of the call's number.
    pub numbered: bool,
}

/// All candidates in `start..end`, each site with its plan unless the one before covers it.
pub fn survey(direct: &Direct, start: u64, end: u64, functions: &mut dyn Functions) -> Vec<(Candidate, Option<Plan>)> {
    let found = scan(GuestPc(start), GuestPc(end), &mut Text(direct), functions);
    let mut covered = start;
    let mut function = None;
    let mut targets = Vec::new();
    found
        .into_iter()
        .map(|candidate| {
            let site = candidate.pc.0;
            let Verdict::Site { previous, .. } = candidate.verdict else { return (candidate, None) };
            if !is_patchable(candidate.verdict) {
                return (candidate, None);
            }
            if site < covered || direct.patch_at(site).is_some() {
                return (candidate, None);
            }
            let own = functions.holding(site);
            if own != function {
                function = own;
                targets = own.map_or_else(Vec::new, |extent| branch_targets(extent, &mut Text(direct)));
            }
            let plan = plan(direct, site, previous.map(|p| p.0), (covered, end), &targets, functions);
            covered = plan.at + plan.len as u64;
            (candidate, Some(plan))
        })
        .collect()
}

/// How a site is best overwritten: nothing of what lies outside of `room`. A branch to one of `targets` inside the
/// patch would trap, which is right but slow.
fn plan(
    direct: &Direct,
    site: u64,
    previous: Option<u64>,
    room: (u64, u64),
    targets: &[u64],
    functions: &mut dyn Functions,
) -> Plan {
    let own = functions.holding(site);
    let mut jump = |at: u64| {
        let mut code = [0u8; SOURCE_BYTES];
        let wanted = usize::try_from(room.1 - at).unwrap_or(SOURCE_BYTES).min(SOURCE_BYTES);
        let got = code.get_mut(..wanted).map_or(0, |code| Text(direct).read(GuestPc(at), code));
        let is_code = |offset: usize, flows: bool| {
            // Behind a jump the function goes on, or another begins.
            let pc = at + offset as u64;
            match functions.holding(pc) {
                Some(function) => Some(function) == own || function.0 == pc,
                None => flows && own.is_none(),
            }
        };
        let min_len = usize::try_from(site - at).unwrap_or(0) + 2;
        match shape(code.get(..got).unwrap_or(&[]), min_len, is_code) {
            Some(Shape::Displaced(len)) => Some(Plan { site, at, len, trap: false, numbered: at != site }),
            _ => None,
        }
    };
    let entered = |from: u64, to: u64| {
        let n = targets.partition_point(|&t| t <= from);
        targets.get(n).is_some_and(|&t| t < to)
    };
    let over_what_follows = jump(site);
    // The jump's second byte is no trap: no instruction may begin there.
    let leaves_a_byte = |load: u64| site - load >= 2;
    let over_the_load =
        previous.filter(|&load| load >= room.0 && leaves_a_byte(load) && is_plain(direct, load)).and_then(&mut jump);
    let free = |plan: &Plan| !entered(plan.at, plan.at + plan.len as u64);
    over_the_load
        .filter(free)
        .or(over_what_follows.filter(free))
        .or(over_what_follows)
        .or(over_the_load)
        .unwrap_or(Plan { site, at: site, len: 2, trap: true, numbered: false })
}

/// The instruction at `pc` is one that is copied.
fn is_plain(direct: &Direct, pc: u64) -> bool {
    let mut code = [0u8; 15];
    let got = Text(direct).read(GuestPc(pc), &mut code);
    code.get(..got).and_then(|code| decode(code).ok()).is_some_and(|insn| insn.class == Class::Plain)
}

/// What became of a range of code.
struct Arrival {
    written: Vec<Overwrite>,
    /// Every site has its jump: an image of it would be complete.
    complete: bool,
    /// It must not run in place.
    withheld: bool,
}

impl Engine {
    /// Code of the file `fd`, from `offset` on, is about to be executed in `start..end`, private memory with the protection
    /// `prot`: patches its sites, or maps the image that is kept of it. No thread may be executing there yet.
    pub fn file_code_arrives(&mut self, start: u64, end: u64, prot: u32, fd: i32, offset: u64) {
        let mut key = None;
        if prot == k::PROT_READ | k::PROT_EXEC {
            match image::find(fd, offset, start, end, prot, &mut self.direct.images) {
                Found::Nothing(unknown) => key = unknown,
                Found::Empty => {
                    self.direct.sites.remembered += 1;
                    return;
                }
                Found::Withheld => {
                    self.direct.sites.remembered += 1;
                    self.withhold(start, end, prot);
                    return;
                }
                Found::Mapped(image) => {
                    self.direct.sites.remembered += 1;
                    self.direct.images.push(image);
                    return;
                }
            }
        }
        let arrival = self.code_arrives(start, end, prot, ElfImage::of_file(fd, offset, start));
        let Some(key) = key.filter(|_| arrival.complete) else { return };
        let withheld = arrival.withheld;
        let window = self.direct.windows.iter().rev().find(|w| w.code.0 == start & !4095);
        if window.is_none() && !arrival.written.is_empty() {
            return;
        }
        let map = window.map_or((start, start), |w| w.map);
        let patches: Vec<(u64, Patch)> =
            arrival.written.iter().filter_map(|w| Some((w.at, *self.direct.patches.get(&w.at)?))).collect();
        let stubs: Vec<(u64, Stub)> = self.direct.stubs.range(map.0..map.1).map(|(&at, &stub)| (at, stub)).collect();
        let content =
            Content { code: start, window: map, patches: &patches, written: &arrival.written, stubs: &stubs, withheld };
        image::write(fd, &key, &content);
    }

    /// Code that is in memory only, or whose file nothing is known of but what `image` says.
    pub fn memory_code_arrives(&mut self, start: u64, end: u64, prot: u32, image: Option<ElfImage>) {
        // A call may lie across the seam to code that was there before.
        let joins = |pc: u64| self.map.find(pc).is_some_and(|(_, r)| r.is_exec() && !r.shared && r.prot == prot);
        let from = start - u64::from(image.is_none() && joins(start.wrapping_sub(1)));
        let to = end + u64::from(image.is_none() && joins(end));
        self.code_arrives(from, to, prot, image);
    }

    fn code_arrives(&mut self, start: u64, end: u64, prot: u32, image: Option<ElfImage>) -> Arrival {
        let mut none = NoFunctions;
        let has_file = image.is_some();
        let mut image = image;
        let functions: &mut dyn Functions = match &mut image {
            Some(image) => image,
            None => &mut none,
        };
        let found = survey(&self.direct, start, end, functions);
        self.direct.sites.scanned_bytes += end - start;
        let doubtful = found.iter().filter(|(candidate, _)| is_doubtful(candidate.verdict, has_file)).count() as u64;
        self.direct.sites.doubtful += doubtful;
        let mut sites: Vec<u64> = found.iter().filter(|(c, _)| is_patchable(c.verdict)).map(|(c, _)| c.pc.0).collect();
        let mut plans: Vec<Plan> = found.into_iter().filter_map(|(_, plan)| plan).collect();
        self.plan_restored(start, end, &mut plans, &mut sites);
        // What the guest may write changes without notice.
        let is_open = !has_file && prot & k::PROT_WRITE != 0 && !plans.is_empty();
        if doubtful != 0 || is_open {
            self.withhold(start, end, prot);
            return Arrival { written: Vec::new(), complete: true, withheld: true };
        }
        let written = if plans.is_empty() { Vec::new() } else { self.carry_out(start, end, prot, &plans, &sites) };
        let jumps = written.iter().all(|w| w.bytes.first() == Some(&JUMP));
        Arrival { complete: written.len() == plans.len() && jumps, written, withheld: false }
    }

    /// The kernel lets nobody execute `start..end`, private memory with the protection `prot`.
    pub fn withhold(&mut self, start: u64, end: u64, prot: u32) {
        let (start, end) = (start & !4095, end.next_multiple_of(4096));
        // SAFETY: the guest's mapping; a thread that executes there faults and is translated.
        if unsafe { raw::mprotect(start, end - start, prot & !k::PROT_EXEC) }.is_ok() {
            self.direct.forget_withheld(start, end);
            self.direct.withheld.push((start, end));
        }
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
            plans.push(Plan { site, at, len, trap: patch.trap, numbered: site != at });
        }
        if plans.len() != before {
            plans.sort_unstable_by_key(|p| p.at);
            sites.sort_unstable();
            sites.dedup();
        }
    }

    /// Carries out `plans`; `sites` are all that were found, ascending.
    fn carry_out(&mut self, start: u64, end: u64, prot: u32, plans: &[Plan], sites: &[u64]) -> Vec<Overwrite> {
        let code = (start & !4095, end.next_multiple_of(4096));
        let mut window = self.direct.windows.iter().position(|w| w.code == code);
        if window.is_none()
            && let Some(new) = Window::map(start, end, plans.len() as u64 * STUB_BYTES)
        {
            self.direct.windows.push(new);
            window = Some(self.direct.windows.len() - 1);
        }
        let mut out: Vec<Overwrite> = Vec::with_capacity(plans.len());
        for plan in plans {
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
            // Each call alone, also those that stand behind the first.
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
                }
            }
        }
        if !write(prot, &out) {
            self.code_goes(start, end);
            out.clear();
        }
        out
    }

    /// The guest's mapping of `start..end` is gone or replaced: its patches went with it.
    pub fn code_goes(&mut self, start: u64, end: u64) {
        self.unfold_images(start, end, false);
        let gone: Vec<u64> = self.direct.patches.range(start..end).map(|(&at, _)| at).collect();
        for at in gone {
            self.direct.patches.remove(&at);
        }
        // Their stubs stay: a thread may be in one, or asleep in a call that returns there.
        self.forget_inner(start, end);
        let restored: Vec<u64> = self.direct.restored.range(start..end).map(|(&at, _)| at).collect();
        for at in restored {
            self.direct.restored.remove(&at);
        }
        self.direct.forget_withheld(start, end);
    }

    fn forget_inner(&mut self, start: u64, end: u64) {
        let inner: Vec<u64> = self.direct.inner.range(start..end).map(|(&at, _)| at).collect();
        for at in inner {
            self.direct.inner.remove(&at);
        }
    }

    /// Images of which a part changes, or all that is concerned with `keep_all`: what is left of them are patches like others. A whole image that goes leaves its stubs,
    /// for threads that are in them, and is there again if the same file is mapped at the same place.
    fn unfold_images(&mut self, start: u64, end: u64, keep_all: bool) {
        for n in 0..self.direct.images.len() {
            let Some(image) = self.direct.images.get_mut(n) else { continue };
            if image.gone || image.code.1 <= start || end <= image.code.0 {
                continue;
            }
            let whole = !keep_all && start <= image.code.0 && image.code.1 <= end;
            let copy = *image;
            image.gone = true;
            if !whole {
                for (at, patch) in copy.patches_in(copy.code.0, copy.code.1) {
                    self.direct.patches.insert(at, patch);
                }
            }
        }
    }

    /// The guest may write `start..end` from now on and not execute it: it finds its own bytes there.
    pub fn restore_code(&mut self, start: u64, end: u64) {
        let patches = self.take_patches(start, end);
        for (at, patch) in &patches {
            let len = usize::try_from(patch.end - at).unwrap_or(0);
            guest::write_bytes(*at, patch.original.get(..len).unwrap_or(&[]));
        }
        self.code_goes(start, end);
        self.direct.restored.extend(patches);
    }

    /// As [`Engine::restore_code`], in memory that the guest may not write now: `prot` is its protection.
    fn restore_closed_code(&mut self, start: u64, end: u64, prot: u32) {
        // SAFETY: the guest's mapping; whoever executes there meanwhile faults, and waits for the engine's lock.
        if unsafe { raw::mprotect(start, end - start, k::PROT_READ | k::PROT_WRITE) }.is_ok() {
            self.restore_code(start, end);
            // SAFETY: as above; the protection the guest asked for.
            let _ = unsafe { raw::mprotect(start, end - start, prot) };
        }
    }

    /// The patches in `start..end`, those of images among them.
    fn take_patches(&mut self, start: u64, end: u64) -> Vec<(u64, Patch)> {
        self.unfold_images(start, end, true);
        self.direct.patches.range(start..end).map(|(&at, &patch)| (at, patch)).collect()
    }

    /// There are patches in `start..end`.
    fn is_patched(&self, start: u64, end: u64) -> bool {
        self.direct.patches.range(start..end).next().is_some()
            || self.direct.images.iter().any(|image| image.patches_in(start, end).next().is_some())
    }

    /// The guest gave `start..end`, which it could execute before with the protection `before`, the protection `prot` with
    /// which it can as well, and the kernel has done so.
    pub fn code_stays(&mut self, start: u64, end: u64, before: u32, prot: u32) {
        match (before & k::PROT_WRITE != 0, prot & k::PROT_WRITE != 0) {
            (false, true) if self.is_patched(start, end) => {
                self.restore_closed_code(start, end, prot & !k::PROT_EXEC);
                self.code_arrives(start, end, prot, None);
            }
            (true, false) => {
                self.direct.forget_withheld(start, end);
                self.code_arrives(start, end, prot, None);
            }
            _ => {
                let withheld: Vec<(u64, u64)> = self.direct.withheld_in(start, end).collect();
                for (from, to) in withheld {
                    // SAFETY: as in `withhold`.
                    let _ = unsafe { raw::mprotect(from, to - from, prot & !k::PROT_EXEC) };
                }
            }
        }
    }

    /// The contents of `start..end`, which the guest may execute with the protection `prot`, were thrown away: a file's are what
    /// they were before they were patched.
    pub fn code_is_discarded(&mut self, start: u64, end: u64, prot: u32) {
        let patches: Vec<(u64, Patch)> = self.direct.patches.range(start..end).map(|(&at, &p)| (at, p)).collect();
        for (at, patch) in patches {
            self.direct.patches.remove(&at);
            self.direct.restored.insert(at, patch);
        }
        self.forget_inner(start, end);
        if self.direct.restored.range(start..end).next().is_some() {
            self.code_arrives(start, end, prot, None);
        }
    }

    /// Code in `start..end`, with the protection `prot`, is about to be moved: what was done to it is taken back and returned.
    pub fn lift_code(&mut self, start: u64, end: u64, prot: u32) -> Lifted {
        let withheld: Vec<(u64, u64)> = self.direct.withheld_in(start, end).collect();
        if self.is_patched(start, end) {
            self.restore_closed_code(start, end, prot);
        }
        let patches = self.direct.restored.range(start..end).map(|(&at, &patch)| (at, patch)).collect();
        Lifted { patches, withheld }
    }

    /// Code that was lifted is in `start..end` now, `distance` from where it was.
    pub fn land_code(&mut self, start: u64, end: u64, prot: u32, lifted: &Lifted, distance: u64) {
        for (at, patch) in &lifted.patches {
            let moved = Patch { end: patch.end.wrapping_add(distance), ..*patch };
            self.direct.restored.insert(at.wrapping_add(distance), moved);
        }
        self.code_arrives(start, end, prot, None);
        for (from, to) in &lifted.withheld {
            let (from, to) = (from.wrapping_add(distance).max(start), to.wrapping_add(distance).min(end));
            if from < to {
                self.withhold(from, to, prot);
            }
        }
    }
}

/// What was done to code that is about to be moved.
pub struct Lifted {
    patches: Vec<(u64, Patch)>,
    withheld: Vec<(u64, u64)>,
}

/// The calls among the instructions in `code`, which stands at `at`.
fn sites_in(at: u64, code: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    let mut offset = 0;
    while let Some(Ok(insn)) = code.get(offset..).filter(|c| !c.is_empty()).map(decode) {
        if matches!(insn.class, Class::Syscall | Class::Cpuid) {
            found.push(at + offset as u64);
        }
        offset += usize::from(insn.len);
    }
    found
}

/// A site that a patch can take over.
fn is_patchable(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Site { class: Class::Syscall | Class::Cpuid, .. })
}

/// Something that must not run in place. Without a file nothing is known of the code; a just-in-time compiler's is full of
/// constants, and system calls in it are rare.
fn is_doubtful(verdict: Verdict, has_file: bool) -> bool {
    match verdict {
        Verdict::Site { .. } => !is_patchable(verdict),
        Verdict::Doubtful => has_file,
        Verdict::NotCode => false,
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
    let opens = |prot| {
        // SAFETY: private guest code; what is overwritten nobody executes yet.
        unsafe { raw::mprotect(start, len, prot) }.is_ok()
    };
    if !writable && !opens(open | k::PROT_EXEC) && !opens(open) {
        return false;
    }
    for patch in patches {
        guest::write_bytes(patch.at, patch.bytes.get(..patch.len).unwrap_or(&[TRAP]));
    }
    if !writable {
        // SAFETY: as above; the protection the guest asked for.
        let _ = unsafe { raw::mprotect(start, len, prot) };
    }
    true
}
