//! Tests of bt-run as a user sees it.
