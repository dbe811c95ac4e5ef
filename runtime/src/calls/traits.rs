//! What is asked of every call at once, in a few bytes for each: a start sets the routes of all calls, and the rows are
//! many pages.

use super::arg::{Arg, MAX_ARGS};
use super::route::Route;
use super::row::{Held, Mark, Row, Treatment};
use super::writes::may_write_row;
use crate::options::EmulateLevel;

/// The part of a row on which a call's route depends.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    flags: u8,
    /// A set of [`Mark`].
    marks: u16,
    /// The least level that answers the call plus one, 0 for none.
    level: u8,
    /// How the gate deals with it.
    pub route: Route,
}

impl Traits {
    const OWNED: u8 = 1;
    const SEES: u8 = 2;
    const WRITES: u8 = 4;
    const FOLLOWS: u8 = 8;
    const SEES_FIRST: u8 = 16;
    const SEES_MORE: u8 = 32;
    const ENDS_NAMES: u8 = 64;

    pub(super) const NONE: Self = Self { flags: 0, marks: 0, level: 0, route: Route::Plain };

    #[allow(
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where a wrong index is an error of the build"
    )]
    pub(super) const fn of(row: &Row) -> Self {
        let mut flags = 0;
        let level = match row.answered {
            None => 0,
            Some(level) => level as u8 + 1,
        };
        if matches!(row.treatment, Treatment::Rewritten) {
            flags |= Self::OWNED;
        }
        if row.hands_back != 0 {
            flags |= Self::SEES;
        }
        if row.hands_back & (Held::All as u8 | Held::Names as u8) != 0 {
            flags |= Self::ENDS_NAMES;
        }
        if may_write_row(row) {
            flags |= Self::WRITES;
        }
        if row.has_links() {
            flags |= Self::FOLLOWS;
        }
        let mut at = 0;
        let mut descriptors = 0;
        while at < MAX_ARGS {
            if matches!(row.args[at], Arg::Fd) {
                flags |= Self::SEES;
                descriptors += 1;
            }
            at += 1;
        }
        if descriptors == 1 && matches!(row.args[0], Arg::Fd) && row.hands_back == 0 {
            flags |= Self::SEES_FIRST;
        }
        if descriptors > 1 {
            flags |= Self::SEES_MORE;
        }
        Self { flags, marks: row.marks(), level, route: row.route }
    }

    /// The runtime carries it out itself, or looks at its arguments.
    #[must_use]
    pub fn is_owned(self) -> bool {
        self.flags & Self::OWNED != 0
    }

    /// It names a descriptor, or something is handed back before it: it may see what is held in the process.
    #[must_use]
    pub fn may_see(self) -> bool {
        self.flags & Self::SEES != 0
    }

    /// All that it may see of this is what its first argument, a descriptor, leads to.
    #[must_use]
    pub fn sees_first(self) -> bool {
        self.flags & Self::SEES_FIRST != 0
    }

    /// It names several descriptors.
    #[must_use]
    pub fn sees_more(self) -> bool {
        self.flags & Self::SEES_MORE != 0
    }

    /// What is known of names is not true after it.
    #[must_use]
    pub fn ends_names(self) -> bool {
        self.flags & Self::ENDS_NAMES != 0
    }

    /// The kernel may write guest memory for it.
    #[must_use]
    pub fn may_write(self) -> bool {
        self.flags & Self::WRITES != 0
    }

    /// A path among its arguments may end in a symbolic link that is followed.
    #[must_use]
    pub fn may_follow(self) -> bool {
        self.flags & Self::FOLLOWS != 0
    }

    /// The row states the property.
    #[must_use]
    pub fn is(self, mark: Mark) -> bool {
        self.marks & mark as u16 != 0
    }

    /// From which level on the process may answer it.
    #[must_use]
    pub fn answered_from(self, level: EmulateLevel) -> bool {
        self.level != 0 && self.level <= level as u8 + 1
    }
}
