//! `kmod-shim/module/uapi/btshim.h` in Rust. A test compares the two.

/// Version that this crate speaks.
pub const VERSION: u32 = 1;

/// Path of the device.
pub const DEVICE: &core::ffi::CStr = c"/dev/btshim";

/// Numbers below this one name a call in bitmaps and counters.
pub const CALLS: usize = 512;

/// General registers, numbered as instructions encode them.
pub const REGS: usize = 16;

/// Operations in one unit at most.
pub const MAX_OPS: usize = 4096;

/// What an operation is; the header says what each needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
#[allow(missing_docs, reason = "described in the header")]
pub enum Kind {
    #[default]
    Block = 0,
    Insn = 1,
    Lea = 2,
    Push = 3,
    Pop = 4,
    Jump = 5,
    Jcc = 6,
    Call = 7,
    JumpTo = 8,
    CallTo = 9,
    Ret = 10,
    Syscall = 11,
    Leave = 12,
    String = 13,
    Check = 14,
}

/// `rm`: the memory operand.
pub const MEMORY: u8 = 0x40;
/// `base`: the block's pc.
pub const PC: u8 = 0x41;
/// No register.
pub const NONE: u8 = 0xff;
/// `encoding`: without VEX.
pub const LEGACY: u8 = 0;
/// `encoding`: VEX.
pub const VEX: u8 = 1;

/// `imm` of a [`Kind::Syscall`]: the number is in eax.
pub const ANY_CALL: u64 = u64::MAX;

/// `flags` of an operation.
pub mod flags {
    /// No flag's value is needed from here on.
    pub const DEAD: u8 = 0x01;
    /// The memory operand is relative to fs.
    pub const FS: u8 = 0x02;
    /// Its address has 32 bits.
    pub const ADDR32: u8 = 0x04;
    /// LOCK.
    pub const LOCK: u8 = 0x08;
    /// Byte registers 4 to 7 are ah, ch, dh, bh.
    pub const HIGH_BYTE: u8 = 0x10;
    /// All of these.
    pub const ALL: u8 = 0x1f;
}

/// One operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "described in the header")]
pub struct Op {
    pub kind: Kind,
    pub flags: u8,
    pub size: u8,
    pub encoding: u8,
    pub map: u8,
    pub opcode: u8,
    pub prefix: u8,
    pub wide: u8,
    pub reg: u8,
    pub rm: u8,
    pub vvvv: u8,
    pub base: u8,
    pub index: u8,
    pub scale: u8,
    pub len: u8,
    pub reserved: u8,
    pub disp: i32,
    pub at: u32,
    pub imm: u64,
}

impl Op {
    /// An operation without operands.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            flags: 0,
            size: 8,
            encoding: LEGACY,
            map: 0,
            opcode: 0,
            prefix: 0,
            wide: 0,
            reg: NONE,
            rm: NONE,
            vvvv: 0,
            base: NONE,
            index: NONE,
            scale: 1,
            len: 0,
            reserved: 0,
            disp: 0,
            at: 0,
            imm: 0,
        }
    }
}

/// Argument of [`LOAD`].
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[allow(missing_docs, reason = "described in the header")]
pub struct Load {
    pub ops: u64,
    pub count: u32,
    pub flags: u32,
    pub code_bytes: u32,
    pub refused: u32,
    pub reserved: [u64; 2],
}

/// `flags` of [`Load`]: no masks on addresses; for measurement only.
pub const LOAD_UNMASKED: u32 = 1;

/// Why ring 0 was left; see the header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
#[allow(missing_docs, reason = "described in the header")]
pub enum Reason {
    Missing = 1,
    Untranslated = 2,
    Native = 3,
    Watched = 4,
    InCall = 5,
    Work = 6,
    Fault = 7,
    Vector = 8,
    Checked = 9,
    State = 10,
}

/// Reasons, with the word for each.
pub const REASONS: [(Reason, &str); 10] = [
    (Reason::Missing, "missing"),
    (Reason::Untranslated, "untranslated"),
    (Reason::Native, "native"),
    (Reason::Watched, "watched"),
    (Reason::InCall, "in_call"),
    (Reason::Work, "work"),
    (Reason::Fault, "fault"),
    (Reason::Vector, "vector"),
    (Reason::Checked, "checked"),
    (Reason::State, "state"),
];

impl Reason {
    /// The reason with this number.
    #[must_use]
    pub fn of(number: u32) -> Option<Self> {
        REASONS.iter().map(|(reason, _)| *reason).find(|reason| *reason as u32 == number)
    }
}

/// What [`RUN`] is given the address of.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[allow(missing_docs, reason = "described in the header")]
pub struct Run {
    pub regs: [u64; REGS],
    pub pc: u64,
    pub flags: u64,
    pub reason: u32,
    pub call: u32,
    pub calls: u64,
    pub counts: u64,
    pub reserved: u64,
}

/// Argument of [`ALLOW`].
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Allow {
    /// A bit for each number.
    pub calls: [u64; CALLS / 64],
    /// Those of them that an [`ANY_CALL`] may make.
    pub any: [u64; CALLS / 64],
}

/// Argument of [`INFO`].
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[allow(missing_docs, reason = "described in the header")]
pub struct Info {
    pub version: u32,
    pub size_of_op: u32,
    pub size_of_load: u32,
    pub size_of_run: u32,
    pub size_of_allow: u32,
    pub flags: u32,
    pub code_bytes: u64,
    pub calls: [u64; CALLS / 64],
    pub reserved: [u64; 4],
}

/// `flags` of [`Info`]: operands relative to fs are possible.
pub const CAN_FS: u32 = 1;
/// `flags` of [`Info`]: [`LOAD_UNMASKED`] is.
pub const CAN_UNMASKED: u32 = 2;

/// A request number, as `_IOC` makes it (include/uapi/asm-generic/ioctl.h).
const fn request(direction: u32, number: u32, size: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "structures of a few hundred bytes")]
    let size = size as u32;
    direction << 30 | size << 16 | 0xbb << 8 | number
}

/// Fills in an [`Info`].
pub const INFO: u32 = request(2, 0, size_of::<Info>());
/// Adds code.
pub const LOAD: u32 = request(3, 1, size_of::<Load>());
/// Enters code: the whence of an lseek(2) whose offset is the address of a [`Run`].
pub const RUN: u32 = 0;
/// Says which calls ring 0 may make.
pub const ALLOW: u32 = request(3, 2, size_of::<Allow>());
/// Drops all code.
pub const CLEAR: u32 = request(0, 3, 0);
