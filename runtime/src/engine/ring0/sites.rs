//! Call sites: which enter ring 0.
//!
//! Of the calls that do not, every so many is looked at. A site that is seen often becomes an entry. An entry that
//! brings too few calls for what entering costs is taken out; each time it has to be seen twice as often to come back.

use crate::sys::{Errno, mem};
use crate::thread::state::ThreadState;
use core::sync::atomic::{AtomicU64, Ordering};
use linux_raw_sys::general as k;

/// Calls between looks.
pub const LOOK_EVERY: u64 = 32;
/// Looks that must have seen a site.
const SEEN: u32 = 4;
/// Looks after which what was seen counts half.
const FADE: u32 = 256;
/// Entries after which a site is judged.
const TRIAL: u32 = 64;
/// Calls that an entry must bring on average. What is saved per call is a third of what an entry costs.
const CALLS_PER_ENTRY: u64 = 4;
/// Sites that are told apart.
const SITES: usize = 64;
/// Slots of the gate's table: the low 16 bits of a pc.
const TABLE: usize = 1 << 16;

/// A call site, known by the pc after it.
#[derive(Clone, Copy)]
struct Site {
    pc: u64,
    seen: u32,
    /// It is in the gate's table.
    enters: bool,
    entries: u32,
    calls: u64,
    /// Times it was taken out.
    guilty: u32,
}

const NO_SITE: Site = Site { pc: 0, seen: 0, enters: false, entries: 0, calls: 0, guilty: 0 };

/// The sites of the process.
pub struct Sites {
    list: [Site; SITES],
    looks: u32,
}

/// Address of the gate's table, 0 without one.
static GATE_TABLE: AtomicU64 = AtomicU64::new(0);

impl Default for Sites {
    fn default() -> Self {
        Self::new()
    }
}

/// What becomes of a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing yet.
    Wait,
    /// It is worth an entry.
    Enter,
}

impl Sites {
    /// None.
    pub const fn new() -> Self {
        Self { list: [NO_SITE; SITES], looks: 0 }
    }

    /// A look has seen a call of the site after which is `pc`.
    pub fn look(&mut self, pc: u64) -> Verdict {
        self.looks += 1;
        if self.looks.is_multiple_of(FADE) {
            for site in &mut self.list {
                site.seen /= 2;
            }
        }
        let n = match self.list.iter().position(|site| site.pc == pc) {
            Some(n) => n,
            None => {
                // Whoever was seen least gives way; entries stay.
                let free = self.list.iter().enumerate().filter(|(_, site)| !site.enters);
                let Some((n, _)) = free.min_by_key(|(_, site)| (site.seen, site.guilty)) else { return Verdict::Wait };
                if let Some(site) = self.list.get_mut(n) {
                    *site = Site { pc, ..NO_SITE };
                }
                n
            }
        };
        let Some(site) = self.list.get_mut(n) else { return Verdict::Wait };
        site.seen += 1;
        if !site.enters && site.seen >= SEEN << site.guilty.min(16) { Verdict::Enter } else { Verdict::Wait }
    }

    /// The site enters from now on.
    pub fn enter(&mut self, pc: u64) {
        if let Some(site) = self.list.iter_mut().find(|site| site.pc == pc) {
            site.enters = true;
            site.entries = 0;
            site.calls = 0;
            write(pc, pc.wrapping_neg());
        }
    }

    /// An entry by the site is over. Returns whether it was taken out.
    pub fn judge(&mut self, pc: u64, calls: u64) -> bool {
        let Some(site) = self.list.iter_mut().find(|site| site.pc == pc) else { return false };
        site.entries += 1;
        site.calls += calls;
        if site.entries < TRIAL {
            return false;
        }
        let is_guilty = site.calls < u64::from(site.entries) * CALLS_PER_ENTRY;
        site.entries = 0;
        site.calls = 0;
        if is_guilty {
            self.take_out(pc);
        }
        is_guilty
    }

    /// The site does not enter any more.
    pub fn take_out(&mut self, pc: u64) {
        if let Some(site) = self.list.iter_mut().find(|site| site.pc == pc) {
            site.enters = false;
            site.seen = 0;
            site.guilty += 1;
            write(pc, 0);
        }
    }

    /// No site enters any more; all are as if they had never been seen.
    pub fn forget(&mut self) {
        for n in 0..SITES {
            if let Some(site) = self.list.get(n).copied().filter(|site| site.enters) {
                write(site.pc, 0);
            }
        }
        self.list = [NO_SITE; SITES];
    }
}

/// Maps the gate's table.
///
/// # Errors
/// There is no memory.
pub fn start(ts: &mut ThreadState) -> Result<(), Errno> {
    let table = mem::mmap_own((TABLE * 8) as u64, k::PROT_READ | k::PROT_WRITE, k::MAP_NORESERVE)?;
    GATE_TABLE.store(table, Ordering::Relaxed);
    give(ts);
    Ok(())
}

/// Writes the slot of `pc` in the gate's table.
fn write(pc: u64, value: u64) {
    let table = GATE_TABLE.load(Ordering::Relaxed);
    #[expect(clippy::cast_possible_truncation, reason = "the low 16 bits")]
    let at = table + 8 * u64::from(pc as u16);
    if table != 0 {
        let slot: *mut u64 = core::ptr::with_exposed_provenance_mut(usize::try_from(at).unwrap_or(0));
        // SAFETY: inside the mapping made by `start`; the gate reads whole words.
        unsafe { slot.write_volatile(value) };
    }
}

/// Prepares a thread.
pub fn give(ts: &mut ThreadState) {
    ts.ring0_sites = GATE_TABLE.load(Ordering::Relaxed);
    ts.ring0_left = LOOK_EVERY;
    ts.run.counts = ts.shared.ring0_calls.as_ptr() as u64;
}

#[cfg(test)]
mod tests {
    use super::{CALLS_PER_ENTRY, SEEN, SITES, Sites, TRIAL, Verdict};

    #[test]
    fn a_site_seen_often_enters_and_one_seen_once_does_not() {
        let mut sites = Sites::new();
        assert_eq!(sites.look(2), Verdict::Wait);
        let verdicts: [Verdict; SEEN as usize] = core::array::from_fn(|_| sites.look(1));
        assert_eq!(verdicts.last(), Some(&Verdict::Enter));
        assert!(verdicts.iter().rev().skip(1).all(|&verdict| verdict == Verdict::Wait));
    }

    #[test]
    fn an_entry_with_few_calls_is_taken_out_and_comes_back_harder() {
        let mut sites = Sites::new();
        for _ in 0..SEEN {
            sites.look(1);
        }
        sites.enter(1);
        assert!((1..TRIAL).all(|_| !sites.judge(1, CALLS_PER_ENTRY - 1)));
        assert!(sites.judge(1, 0));
        assert!((0..SEEN).all(|_| sites.look(1) == Verdict::Wait));
        assert!((0..SEEN).any(|_| sites.look(1) == Verdict::Enter));
    }

    #[test]
    fn an_entry_with_enough_calls_stays() {
        let mut sites = Sites::new();
        sites.look(1);
        sites.enter(1);
        assert!((0..10 * TRIAL).all(|_| !sites.judge(1, CALLS_PER_ENTRY)));
    }

    #[test]
    fn many_sites_do_not_push_out_one_that_is_seen_often() {
        let mut sites = Sites::new();
        sites.look(1);
        sites.look(1);
        for pc in 0..3 * SITES as u64 {
            sites.look(100 + pc);
        }
        sites.look(1);
        assert_eq!(sites.look(1), Verdict::Enter);
    }
}
