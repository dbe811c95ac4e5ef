//! What is at one place, as far as the bytes around it tell.

use crate::addr::GuestPc;
use crate::decode::{Class, Insn, decode_into};
use crate::source::{CodeSource, Window};

/// What is at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The instruction begins there.
    Site {
        /// What it is: `Syscall`, `Cpuid`, `Int(0x80)`, `Sysenter`, or `GsBase` and `GsSelector` if it uses the gs
        /// segment's base itself.
        class: Class,
        /// Start of the instruction before it, if the decoder came that way.
        previous: Option<GuestPc>,
    },
    /// The bytes belong to another instruction.
    NotCode,
    /// Nobody knows.
    Doubtful,
}

/// The start and end of the function that holds an address.
pub type Extent = (u64, u64);

/// Start of a `mov eax, imm32` or `mov rax, imm32` that ends at `pc` and loads a number of the system call table:
/// nobody writes that but before a system call.
pub(super) fn number_before(source: &mut dyn CodeSource, pc: GuestPc) -> Option<GuestPc> {
    let mut before = |len: u64| {
        let from = GuestPc(pc.0.checked_sub(len)?);
        let mut bytes = [0u8; 8];
        let wanted = bytes.get_mut(..usize::try_from(len).ok()?)?;
        (source.read(from, wanted) == wanted.len()).then_some((from, bytes))
    };
    // The long one first: its immediate is not the short one's.
    if let Some((from, [0x48, 0xc7, 0xc0, _, 0..=3, 0, 0, _])) = before(7) {
        return Some(from);
    }
    let Some((from, [0xb8, _, 0..=3, 0, 0, ..])) = before(5) else { return None };
    // A prefix before it would make it another instruction.
    match before(6) {
        Some((_, [0x40..=0x4f | 0x66, ..])) => None,
        _ => Some(from),
    }
}

/// What is at `pc`, of which nothing is known but the bytes around it.
pub(super) fn alone(pc: GuestPc, window: &mut Window, source: &mut dyn CodeSource) -> Verdict {
    let number = number_before(source, pc);
    match site(pc, number, window, source) {
        verdict @ Verdict::Site { class: Class::Syscall, .. } if number.is_some() => verdict,
        // Five bytes that mean nothing else.
        verdict @ (Verdict::NotCode | Verdict::Site { class: Class::GsBase, .. }) => verdict,
        Verdict::Site { .. } | Verdict::Doubtful => Verdict::Doubtful,
    }
}

/// What is at `pc`, where an instruction begins.
pub(super) fn site(
    pc: GuestPc,
    previous: Option<GuestPc>,
    window: &mut Window,
    source: &mut dyn CodeSource,
) -> Verdict {
    let mut insn = Insn::default();
    match decode_into(window.at(pc, source), &mut insn).map(|_| insn.class) {
        Ok(class @ (Class::Syscall | Class::Cpuid | Class::Int(0x80) | Class::Sysenter | Class::GsBase)) => {
            Verdict::Site { class, previous }
        }
        _ => Verdict::NotCode,
    }
}
