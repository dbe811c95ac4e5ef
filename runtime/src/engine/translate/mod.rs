//! Engine `translate`: the guest runs from a code cache and the translator never emits a `syscall`.
//!
//! [`dispatch`] is the way in from the cache; it finds or makes a fragment, places it in a zone of the [`cache`], and
//! has the exits that lead to it linked ([`fragments`]). Indirect branches find fragments through [`ibl`].

pub mod cache;
pub mod dispatch;
pub mod fragments;
pub mod ibl;
pub mod invalidate;
pub mod leave;
pub mod perf_map;
pub mod source;
pub mod special;

use fragments::Fragments;

/// A flushed cache: its memory, and what is needed to leave it or to recover a guest's state in it.
pub struct Generation {
    /// Number of the flush that ended it.
    pub flush: u64,
    /// Its memory.
    pub cache: cache::Cache,
    /// Its fragments.
    pub fragments: Fragments,
}
