//! Instructions that are no branches, with the moves that they need.

use iced_x86::FlowControl;

use super::generator::{Generator, Limits};

impl Generator<'_> {
    /// Appends any instruction that is not a branch and leaves the stack alone.
    pub(super) fn emit_filler(&mut self, limits: Limits) -> Option<()> {
        for _ in 0..400 {
            let n = self.random.below(self.specs.running.len() as u64);
            let number = self.specs.running[usize::try_from(n).unwrap_or(0)];
            let code = self.specs.list[number].code;
            if code.flow_control() == FlowControl::Next
                && !code.op_code().is_stack_instruction()
                && self.emit_plain(number, limits, false).is_some()
            {
                return Some(());
            }
        }
        None
    }

    /// Appends an instruction of this kind.
    pub(super) fn emit_plain(&mut self, number: usize, limits: Limits, counted: bool) -> Option<()> {
        let spec = self.specs.list[number];
        let encoded = self.sample(spec)?;
        let steered = self.steer(encoded, limits)?;
        self.push(steered, number, counted);
        Some(())
    }
}
