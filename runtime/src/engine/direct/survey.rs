//! What is to be patched in a range of code, and how.

use super::Direct;
use super::site::{SOURCE_BYTES, Shape, shape};
use crate::mem::guest;
use alloc::vec::Vec;
use bt_translator::addr::GuestPc;
use bt_translator::decode::{Class, decode};
use bt_translator::scan::{Candidate, Functions, Verdict, branch_targets, scan};
use bt_translator::source::CodeSource;

/// Guest memory as the guest wrote it.
pub struct Text<'a>(pub &'a Direct);

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
pub fn plan(
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
            // After a jump the function goes on, or another begins.
            let pc = at + offset as u64;
            match functions.holding(pc) {
                Some(function) => Some(function) == own || function.0 == pc,
                None => flows && own.is_none(),
            }
        };
        let min_len = usize::try_from(site - at).unwrap_or(0) + 2;
        match shape(code.get(..got).unwrap_or(&[]), min_len, is_code) {
            Some(Shape::Displaced(len)) => Some(Plan { at, len, trap: false, numbered: at != site }),
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
        .unwrap_or(Plan { at: site, len: 2, trap: true, numbered: false })
}

/// The instruction at `pc` is one that is copied.
fn is_plain(direct: &Direct, pc: u64) -> bool {
    let mut code = [0u8; 15];
    let got = Text(direct).read(GuestPc(pc), &mut code);
    code.get(..got).and_then(|code| decode(code).ok()).is_some_and(|insn| insn.class == Class::Plain)
}

/// The calls among the instructions in `code`, which lies at `at`.
pub fn sites_in(at: u64, code: &[u8]) -> Vec<u64> {
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
pub fn is_patchable(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Site { class: Class::Syscall | Class::Cpuid, .. })
}

/// Something that must not run in place. Without a file nothing is known of the code; a just-in-time compiler's is full
/// of constants, and system calls in it are rare.
pub fn is_doubtful(verdict: Verdict, has_file: bool) -> bool {
    match verdict {
        Verdict::Site { .. } => !is_patchable(verdict),
        Verdict::Doubtful => has_file,
        Verdict::NotCode => false,
    }
}
