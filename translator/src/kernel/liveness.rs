//! Where the flags' values are needed: code that the module adds changes them for less where they are not.

use crate::decode::flags::ALL;
use bt_shim::uapi::{Op, flags};

/// What one operation does to the flags, as far as the guest's instruction goes.
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    /// Flags whose value it, or where else it may lead, needs.
    pub read: u8,
    /// Flags that it always sets.
    pub write: u8,
}

impl Effect {
    /// Needs all: control may go elsewhere.
    pub const LEAVES: Self = Self { read: ALL, write: 0 };
    /// Neither needs nor sets any.
    pub const NONE: Self = Self { read: 0, write: 0 };
}

/// Marks the operations before which no flag's value is needed. What follows the last one needs all.
///
/// An access may fault, and the handler sees the flags; so does whoever stops a thread. Where a value is not needed by the
/// program's own code it is not kept for them either: they see flags of another instruction.
pub fn mark(ops: &mut [Op], effects: &[Effect]) {
    let mut live = ALL;
    for (op, effect) in ops.iter_mut().zip(effects).rev() {
        live = live & !effect.write | effect.read;
        if live == 0 {
            op.flags |= flags::DEAD;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, mark};
    use crate::decode::flags::{ALL, CF};
    use bt_shim::uapi::{Kind, Op, flags};

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
    fn what_may_lead_elsewhere_keeps_flags() {
        let mut ops = [Op::new(Kind::Lea); 2];
        mark(&mut ops, &[Effect::NONE, Effect::LEAVES]);
        assert!(ops.iter().all(|op| op.flags & flags::DEAD == 0));
    }
}
