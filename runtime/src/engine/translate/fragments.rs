//! What has been translated: fragments, their exits, and who waits for which guest pc.
//!
//! One map answers all questions about a guest pc: where its body is, where its prologue is, and which exits
//! lead there. An exit to a pc that is not translated yet is linked the moment it is.

use super::cache;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use bt_translator::block::MAX_INSNS;
use bt_translator::translation::{ExitKind, find_entry};
use core::hash::{BuildHasherDefault, Hasher};
use hashbrown::HashMap;

/// No exit, no fragment.
pub const NONE: u32 = u32::MAX;

/// Offset of the pointer in a far slot, after `jmp [rip + 0]`.
pub const FAR_POINTER: u64 = 6;
/// Bits of an exit's id that number it within its generation.
pub const EXIT_BITS: u32 = 22;
/// Generations that ids can tell apart.
pub const GENERATIONS: u32 = 1 << (32 - EXIT_BITS);

/// One fragment.
#[derive(Debug)]
pub struct Fragment {
    /// Guest pc of its first instruction.
    pub tag: u64,
    /// Bytes of guest code it represents, from the tag on.
    pub guest_len: u32,
    /// Cache address of its hot code.
    pub hot: u64,
    /// Cache address of its cold code.
    pub cold: u64,
    /// First exit and number of exits.
    pub exits: (u32, u32),
    /// First of its entries in [`Fragments::entries`].
    pub entries: u32,
    /// First and number of its instructions' lengths in [`Fragments::boundaries`].
    pub boundaries: (u32, u32),
    /// Offset of the first body in the hot code.
    pub body: u32,
    /// Guest instructions; 0 for a prologue made after its body.
    pub insns: u32,
    /// Its first entry has a prologue.
    pub indirect: bool,
    /// It is compared with its source at each entry.
    pub checked: bool,
    /// The guest code it was made from, if that can change without our seeing it happen.
    pub source: Option<Box<[u8]>>,
    /// False once it has been dropped; its memory may still be executed by a thread inside it.
    pub alive: bool,
}

/// One exit of a fragment.
#[derive(Debug, Clone, Copy)]
pub struct Exit {
    /// Guest pc it leads to.
    pub target: u64,
    /// Cache address of the displacement.
    pub site: u64,
    /// Cache address of its stub.
    pub stub: u64,
    /// Cache address of a 64-bit slot with a jump through it, for targets out of reach; 0 if there is none.
    pub far: u64,
    /// Next exit to the same target.
    pub next: u32,
    /// What it is.
    pub kind: ExitKind,
    /// It leads to the target's body, not to its stub.
    pub linked: bool,
}

/// What is known of a guest pc.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Cache address of the body, 0 if there is none.
    pub body: u64,
    /// Cache address of the prologue for indirect branches, 0 if there is none.
    pub prologue: u64,
    /// The fragment that holds the body.
    pub fragment: u32,
    /// First exit that leads here.
    pub exits: u32,
}

const UNKNOWN: Place = Place { body: 0, prologue: 0, fragment: NONE, exits: NONE };

/// Hash of a guest pc: one multiplication.
#[derive(Default)]
pub struct PcHasher(u64);

impl Hasher for PcHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(u64::from(b));
        }
    }
    fn write_u64(&mut self, pc: u64) {
        let h = (self.0 ^ pc).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = h ^ h >> 32;
    }
}

/// A map keyed by guest pc.
pub type PcMap<V> = HashMap<u64, V, BuildHasherDefault<PcHasher>>;

/// All fragments.
#[derive(Default, Debug)]
pub struct Fragments {
    /// By id.
    pub list: Vec<Fragment>,
    /// By the lower part of their id. Ids are what exit stubs carry.
    pub exits: Vec<Exit>,
    /// The upper part of the ids: exits of a flushed cache are told apart from those of the current one.
    pub generation: u32,
    /// Guest pcs of the fragments' entries, each with the next of the same fragment.
    pub entries: Vec<(u64, u32)>,
    /// Lengths of guest instructions and of the code emitted for them (`Translation::boundaries`).
    pub boundaries: Vec<[u8; 2]>,
    /// By guest pc.
    pub places: PcMap<Place>,
    /// Fragments of code that is compared at each entry, by guest pc: they have no place, so nothing is linked to them
    /// and no look-up finds them.
    pub checked: PcMap<u32>,
    /// Fragments by guest page number.
    pub by_page: BTreeMap<u64, Vec<u32>>,
    /// Links made.
    pub links: u64,
}

impl Fragments {
    /// None yet.
    #[must_use]
    pub fn new(generation: u32) -> Self {
        Self { generation: generation & (GENERATIONS - 1), ..Self::default() }
    }

    /// Room for what the smallest dynamically linked program needs: growing a map costs more than its memory.
    pub fn make_room(&mut self) {
        self.places.reserve(3500);
    }

    /// There is memory to note one fragment more (setrlimit(2), RLIMIT_AS).
    pub fn can_grow(&mut self) -> bool {
        /// Its instructions, and the places that it leads to.
        const MOST: usize = 2 * MAX_INSNS as usize;
        self.list.try_reserve(1).is_ok()
            && self.exits.try_reserve(MOST).is_ok()
            && self.entries.try_reserve(MOST).is_ok()
            && self.boundaries.try_reserve(MOST).is_ok()
            && self.places.try_reserve(MOST).is_ok()
    }

    /// What is known of `pc`.
    #[must_use]
    pub fn place(&self, pc: u64) -> Place {
        self.places.get(&pc).copied().unwrap_or(UNKNOWN)
    }

    /// The exit with an id.
    #[must_use]
    pub fn exit(&self, id: u32) -> Option<&Exit> {
        self.exits.get(id as usize)
    }

    /// Enters an exit into the list of its target, and links it if the target is translated.
    pub fn add_exit(&mut self, mut exit: Exit) -> u32 {
        let id = u32::try_from(self.exits.len()).unwrap_or(NONE);
        let mut body = 0;
        if exit.kind == ExitKind::Direct {
            let place = self.places.entry(exit.target).or_insert(UNKNOWN);
            exit.next = place.exits;
            place.exits = id;
            body = place.body;
        }
        self.exits.push(exit);
        if body != 0 {
            self.link(id, body);
        }
        id
    }

    /// Makes `pc` known, and links the exits that wait for it.
    pub fn set_body(&mut self, pc: u64, body: u64, fragment: u32) {
        let place = self.places.entry(pc).or_insert(UNKNOWN);
        place.body = body;
        place.fragment = fragment;
        let mut id = place.exits;
        while let Some(exit) = self.exits.get(id as usize) {
            let next = exit.next;
            self.link(id, body);
            id = next;
        }
    }

    /// Adds `pc`, at `body`, to the entries of a fragment.
    pub fn add_entry(&mut self, fragment: u32, pc: u64, body: u64) {
        let id = u32::try_from(self.entries.len()).unwrap_or(NONE);
        let Some(f) = self.list.get_mut(fragment as usize) else { return };
        self.entries.push((pc, f.entries));
        f.entries = id;
        self.set_body(pc, body, fragment);
    }

    /// A fragment that has translated `pc` on its way can be entered there: makes it known. Returns the cache pc.
    pub fn enter_inside(&mut self, pc: u64) -> Option<u64> {
        let candidates = self.by_page.get(&(pc >> 12))?;
        let (id, offset) = candidates.iter().rev().find_map(|&id| {
            let f = self.list.get(id as usize)?;
            if f.checked || !(f.tag < pc && pc < f.tag + u64::from(f.guest_len)) {
                return None;
            }
            let (first, count) = f.boundaries;
            let boundaries = self.boundaries.get(first as usize..(first + count) as usize)?;
            Some((id, find_entry(boundaries, f.body, pc - f.tag)?))
        })?;
        let body = self.list.get(id as usize)?.hot + u64::from(offset);
        self.add_entry(id, pc, body);
        Some(body)
    }

    /// Records the prologue of `pc`.
    pub fn set_prologue(&mut self, pc: u64, prologue: u64) {
        self.places.entry(pc).or_insert(UNKNOWN).prologue = prologue;
    }

    fn link(&mut self, id: u32, body: u64) {
        let Some(exit) = self.exits.get_mut(id as usize) else { return };
        // SAFETY: `site` and `far` are places of this exit in cache memory.
        unsafe {
            if !cache::patch(exit.site, body) {
                if exit.far == 0 {
                    return;
                }
                core::ptr::with_exposed_provenance_mut::<u64>(usize::try_from(exit.far + FAR_POINTER).unwrap_or(0))
                    .write_volatile(body);
                cache::patch(exit.site, exit.far);
            }
        }
        exit.linked = true;
        self.links += 1;
    }

    /// Points an exit at its stub again.
    fn unlink(&mut self, id: u32) {
        let Some(exit) = self.exits.get_mut(id as usize) else { return };
        if exit.linked {
            // SAFETY: `site` is this exit's displacement.
            unsafe { cache::patch(exit.site, exit.stub) };
            exit.linked = false;
        }
    }

    /// Makes a fragment unreachable: exits that lead to it go to the dispatcher again, look-ups miss, and its own exits
    /// are unlinked, so that a thread inside it leaves at the next branch.
    pub fn drop_fragment(&mut self, fragment: u32) {
        let Some(f) = self.list.get_mut(fragment as usize) else { return };
        if !core::mem::replace(&mut f.alive, false) {
            return;
        }
        let mut entry = f.entries;
        let (first, count) = f.exits;
        let pages = f.tag >> 12..=(f.tag + u64::from(f.guest_len.max(1)) - 1) >> 12;
        while let Some(&(pc, next)) = self.entries.get(entry as usize) {
            entry = next;
            let Some(place) = self.places.get_mut(&pc) else { continue };
            if place.fragment != fragment {
                continue;
            }
            place.body = 0;
            place.fragment = NONE;
            let prologue = core::mem::take(&mut place.prologue);
            let mut id = place.exits;
            if prologue != 0 {
                super::ibl::remove(pc, prologue);
            }
            while let Some(exit) = self.exits.get(id as usize) {
                let next = exit.next;
                self.unlink(id);
                id = next;
            }
        }
        for id in first..first + count {
            self.unlink(id);
            self.forget_exit(id);
        }
        for page in pages {
            if let Some(list) = self.by_page.get_mut(&page) {
                list.retain(|&x| x != fragment);
                if list.is_empty() {
                    self.by_page.remove(&page);
                }
            }
        }
    }

    /// Takes an exit out of its target's list: its fragment will not be entered again, so it need not be linked again.
    fn forget_exit(&mut self, id: u32) {
        let Some(&Exit { target, next, kind: ExitKind::Direct, .. }) = self.exits.get(id as usize) else { return };
        let Some(place) = self.places.get_mut(&target) else { return };
        if place.exits == id {
            place.exits = next;
            return;
        }
        let mut at = place.exits;
        while let Some(exit) = self.exits.get_mut(at as usize) {
            if exit.next == id {
                exit.next = next;
                return;
            }
            at = exit.next;
        }
    }

    /// Fragments that represent code in `start..end`.
    #[must_use]
    pub fn overlapping(&self, start: u64, end: u64) -> Vec<u32> {
        let mut found = Vec::new();
        if start >= end {
            return found;
        }
        for list in self.by_page.range(start >> 12..=(end - 1) >> 12).map(|(_, list)| list) {
            for &id in list {
                let Some(f) = self.list.get(id as usize) else { continue };
                if f.tag < end && start < f.tag + u64::from(f.guest_len) && !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        found
    }
}
