//! Where the flags' values are needed: where they are not, the code that the module adds may change them, which is
//! cheaper.
//!
//! An access to memory may fault, and the handler sees the flags of that moment. So each access needs them all, and the
//! mask on its address costs one instruction more than where they are dead; but a signal's frame is the guest's own.

use bt_shim::uapi::{Kind, MEMORY, Op, flags};
use bt_translator::decode::flags::ALL;

/// What one operation does to the flags, as far as the guest's instruction goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effect {
    /// Flags whose value it, or where else it may lead, needs.
    pub(crate) read: u8,
    /// Flags that it always sets.
    pub(crate) write: u8,
}

impl Effect {
    /// Needs all: control may go elsewhere.
    pub(crate) const LEAVES: Self = Self { read: ALL, write: 0 };
    /// Neither needs nor sets any.
    pub(crate) const NONE: Self = Self { read: 0, write: 0 };
}

/// Marks the operations before which no flag's value is needed. What follows the last one needs all.
pub(crate) fn mark(ops: &mut [Op], effects: &[Effect]) {
    let mut live = ALL;
    for (op, effect) in ops.iter_mut().zip(effects).rev() {
        live = live & !effect.write | effect.read;
        if may_fault(op) {
            live = ALL;
        }
        if live == 0 {
            op.flags |= flags::DEAD;
        }
    }
}

/// The operation accesses memory, divides, or is not every CPU's.
fn may_fault(op: &Op) -> bool {
    let divides = op.map == 0 && matches!(op.opcode, 0xf6 | 0xf7) && op.reg >= 6;
    let is_general = op.encoding == 0
        && match op.map {
            0 => true,
            1 => matches!(op.opcode, 0x40..=0x4f | 0x90..=0x9f | 0xa3..=0xaf | 0xb0..=0xc1 | 0xc8..=0xcf),
            _ => false,
        };
    match op.kind {
        Kind::Lea => false,
        Kind::Push | Kind::Pop | Kind::String => true,
        Kind::Insn if divides || !is_general => true,
        _ => op.rm == MEMORY,
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, mark};
    use bt_shim::uapi::{Kind, MEMORY, Op, flags};
    use bt_translator::decode::flags::{ALL, CF};

    #[test]
    fn flags_are_dead_before_what_sets_them_all() {
        let mut ops = [Op::new(Kind::Lea); 4];
        let sets_all = Effect { read: 0, write: ALL };
        let needs_carry = Effect { read: CF, write: 0 };
        mark(&mut ops, &[Effect::NONE, sets_all, needs_carry, sets_all]);
        let dead = ops.map(|op| op.flags & flags::DEAD != 0);
        assert_eq!(dead, [true, true, false, true]);
    }

    #[test]
    fn an_access_keeps_flags_for_the_handler_of_its_fault() {
        let load = Op { rm: MEMORY, ..Op::new(Kind::Insn) };
        let mut ops = [Op::new(Kind::Lea), load, Op::new(Kind::Lea)];
        mark(&mut ops, &[Effect::NONE, Effect::NONE, Effect { read: 0, write: ALL }]);
        assert_eq!(ops.map(|op| op.flags & flags::DEAD != 0), [false, false, true]);
    }

    #[test]
    fn what_may_lead_elsewhere_keeps_flags() {
        let mut ops = [Op::new(Kind::Lea); 2];
        mark(&mut ops, &[Effect::NONE, Effect::LEAVES]);
        assert!(ops.iter().all(|op| op.flags & flags::DEAD == 0));
    }
}
