//! Instructions that mean the same at another address.

use crate::rewrite::site::{Next, Site};
use crate::translation::Recover;

/// Copies the instruction.
pub(crate) fn emit(site: &mut Site<'_>) -> Next {
    site.mark(Recover::Copied);
    site.out.hot.copy(site.bytes);
    Next::Continue
}
