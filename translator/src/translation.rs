//! The result of translating one fragment.

use crate::addr::{CachePc, GuestPc};
use crate::emit::Code;
use alloc::vec::Vec;

/// How a branch leaves a fragment, or what the runtime must do for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExitKind {
    /// To a guest pc known at translation time: can be linked.
    Direct,
    /// The instruction at the target is to be executed in place with the trap flag set.
    Step,
    /// `int 0x80` at the target.
    Int80,
    /// `iret` at the target.
    Iret,
    /// A far jump, call or return at the target.
    Far,
    /// The instruction at the target loads the gs selector.
    GsSelector,
    /// The instruction at the target cannot be run: the runtime says so.
    Unsupported,
}

/// One exit of a fragment.
#[derive(Clone, Copy, Debug)]
pub struct ExitDesc {
    /// What it is.
    pub kind: ExitKind,
    /// Where the guest goes.
    pub target: GuestPc,
    /// Offset of the 32-bit displacement in the hot code that can be rewritten to link the exit.
    pub site: u32,
    /// Offset of the exit stub in the cold code.
    pub stub: u32,
    /// Offset in the cold code of the stub's exit id, filled in by the runtime.
    pub id_at: u32,
}

/// A place at which a fragment can be entered.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The guest pc.
    pub pc: GuestPc,
    /// Offset of the verifying prologue for indirect branches, if there is one.
    pub indirect: Option<u32>,
    /// Offset of the body.
    pub body: u32,
}

/// How to get the guest's state back at a cache pc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recover {
    /// Copied instructions: registers are the guest's, the guest pc advances with the cache pc.
    Copied,
    /// Registers are the guest's, the guest pc is fixed.
    At,
    /// As `At`; the next instruction makes or answers the guest's system call. After that the CPU reports no single
    /// step.
    AtCall,
    /// As `At`, on the way to the code for the guest pc: a single step there is no step of the guest's.
    OnTheWay,
    /// As `At`, but this register is in `slot_scratch`.
    Scratch(u8),
    /// As `At`, but this register is in `slot_scratch` and that one in `slot_r11`.
    TwoScratch(u8, u8),
    /// As `At`, but the guest's gs base has been added to this register, and r11 is in its slot.
    Shifted(u8),
    /// As `At`, but rsp is in its slot.
    Rsp,
    /// As `At`, but rcx is in its slot.
    Rcx,
    /// As `At`, but r11 is in its slot.
    R11,
    /// As `At`, but rcx and r11 are in their slots.
    RcxR11,
    /// An indirect branch has been taken: the guest pc is in rcx; rcx and r11 are in their slots.
    TargetInRcx,
    /// As `TargetInRcx`, but rcx holds the target minus the fixed guest pc.
    DifferenceInRcx,
}

/// The cache code from `offset` on, up to the next position, belongs to the guest instruction at `pc`.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Offset in the code.
    pub offset: u32,
    /// The guest pc, relative to the fragment's tag.
    pub pc: i32,
    /// How the registers are found.
    pub recover: Recover,
}

/// A translated fragment. Buffers are kept between translations.
#[derive(Debug, Default)]
pub struct Translation {
    /// Code in the order of execution.
    pub hot: Code,
    /// Stubs and constants.
    pub cold: Code,
    /// Exits in the order of their sites.
    pub exits: Vec<ExitDesc>,
    /// Entries; the first is the fragment's tag.
    pub entries: Vec<Entry>,
    /// Whether to make the position maps. Translating the same code again gives the same bytes, so a map is made when a
    /// signal asks for it and not kept.
    pub want_positions: bool,
    /// Position map of the hot code, ascending.
    pub positions: Vec<Position>,
    /// Position map of the cold code, ascending.
    pub cold_positions: Vec<Position>,
    /// For each instruction its length and the bytes from its body to the next one's body in the hot code: every
    /// instruction is a place to enter at, because registers are the guest's there. An instruction whose emitted length
    /// does not fit is followed by none that can be entered ([`NO_ENTRY`]).
    pub boundaries: Vec<[u8; 2]>,
    /// Length of the guest code that was translated, from the tag on, in bytes.
    pub guest_len: u32,
    /// Guest instructions translated.
    pub insns: u32,
    /// The rest of the guest's code runs in place: branches lead there.
    pub in_place: bool,
    /// The call number that the instruction before has loaded, where nothing can enter between the two.
    pub known_number: Option<u32>,
    /// The fragment must not be used: in-place code was asked for and holds an instruction that cannot be had that way,
    /// or the code is not [sound](Code::is_sound), which no guest code makes it.
    pub refused: bool,
}

impl Translation {
    /// Forgets the contents and begins at new addresses.
    pub(crate) fn restart(&mut self, hot_at: CachePc, cold_at: CachePc) {
        self.hot.restart(hot_at);
        self.cold.restart(cold_at);
        self.exits.clear();
        self.entries.clear();
        self.positions.clear();
        self.cold_positions.clear();
        self.boundaries.clear();
        self.guest_len = 0;
        self.insns = 0;
        self.in_place = false;
        self.known_number = None;
        self.refused = false;
    }

    pub(crate) fn mark(&mut self, tag: GuestPc, pc: GuestPc, recover: Recover) {
        if !self.want_positions {
            return;
        }
        push(&mut self.positions, self.hot.offset(), rel(tag, pc), recover);
    }

    pub(crate) fn mark_cold(&mut self, tag: GuestPc, pc: GuestPc, recover: Recover) {
        if !self.want_positions {
            return;
        }
        push(&mut self.cold_positions, self.cold.offset(), rel(tag, pc), recover);
    }
}

/// Distance of `pc` from the tag. Beyond ±2 GiB it is [`FAR_AWAY`]: only an exit leads so far, and its record has the
/// target.
fn rel(tag: GuestPc, pc: GuestPc) -> i32 {
    i32::try_from(pc.since(tag)).unwrap_or(FAR_AWAY)
}

/// In [`Translation::boundaries`]: the emitted length does not fit.
pub const NO_ENTRY: u8 = 0xff;

/// Offset in the hot code at which the instruction `distance` bytes after the tag can be entered, if one begins there.
/// `first_body` is the offset of the first entry's body.
#[must_use]
pub fn find_entry(boundaries: &[[u8; 2]], first_body: u32, distance: u64) -> Option<u32> {
    let (mut guest, mut hot) = (0u64, first_body);
    for &[len, emitted] in boundaries {
        if guest >= distance {
            break;
        }
        if emitted == NO_ENTRY {
            return None;
        }
        guest += u64::from(len);
        hot += u32::from(emitted);
    }
    (guest == distance).then_some(hot)
}

/// The value of [`Position::pc`] for a guest pc beyond ±2 GiB; the exit record has it.
pub const FAR_AWAY: i32 = i32::MIN;

fn push(list: &mut Vec<Position>, offset: u32, pc: i32, recover: Recover) {
    if let Some(last) = list.last_mut() {
        let run = i32::try_from(offset - last.offset).unwrap_or(i32::MAX);
        if recover == Recover::Copied && last.recover == Recover::Copied && last.pc.wrapping_add(run) == pc {
            return;
        }
        if last.offset == offset {
            *last = Position { offset, pc, recover };
            return;
        }
    }
    list.push(Position { offset, pc, recover });
}

/// The position that covers `offset`.
#[must_use]
pub fn find_position(list: &[Position], offset: u32) -> Option<&Position> {
    let n = list.partition_point(|p| p.offset <= offset);
    list.get(n.checked_sub(1)?)
}
