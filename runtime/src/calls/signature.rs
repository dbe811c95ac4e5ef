//! What a call's arguments and result are, given the values of the arguments.

use super::arg::{Arg, MAX_ARGS, Ret};
use super::cases::choose;
use super::row::Row;

/// A call's arguments after every [`Arg::Switch`] has been decided.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// What the arguments are, ended by [`Arg::End`].
    pub args: [Arg; MAX_ARGS],
    /// What the result is.
    pub ret: Ret,
}

impl Row {
    /// Decides what depends on the arguments' values.
    #[must_use]
    pub fn signature(&self, args: &[u64; MAX_ARGS]) -> Signature {
        let mut signature = Signature { args: self.args, ret: self.ret };
        let switch = self.args.iter().enumerate().find_map(|(at, arg)| match arg {
            Arg::Switch(cases) => Some((at, *cases)),
            _ => None,
        });
        if let Some((at, cases)) = switch {
            let case = choose(cases, args);
            for (slot, arg) in signature.args.iter_mut().skip(at).zip(case.args) {
                *slot = arg;
            }
            signature.ret = case.ret;
        }
        signature
    }
}
