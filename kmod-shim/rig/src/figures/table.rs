//! The table of figures.

use super::{calls, operations, programs};
use crate::case::{Case, case};

/// Every figure, in the order in which they are measured.
pub const FIGURES: &[Case] = &[
    case("getppid", calls::getppid),
    case("empty_call", calls::empty_call),
    case("call", calls::call),
    case("call_with_vectors", calls::call_with_vectors),
    case("enter_and_leave", calls::enter_and_leave),
    case("operations", operations::operations),
    case("read_write_loop", programs::read_write_loop),
    case("getppid_loop", programs::getppid_loop),
    case("dd_bytes", programs::dd_bytes),
];
