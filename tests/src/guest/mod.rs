//! Guests: small programs in C, C++ and assembly that check themselves.
//!
//! Each file of `tests/guests/<topic>/` is one test or several. Lines at its head direct it:
//!
//! ```text
//! // build: -O1 -pthread          flags; `build[static]: …` adds a variant of that name
//! // run: one two                 arguments
//! // exit: 3   or   signal: 11    how it ends, 0 without
//! // env: NAME=value              added to the environment
//! // limit: 30                    seconds
//! // alone: why                   nothing runs beside it
//! // calls: equal                 system calls are compared; `calls: equal except futex (why)`
//! // native: /suffix why          this image may be executed natively
//! // needs: package               beyond gcc
//! // differs: regex => text       normalised before comparing
//! // stderr: any                  is not compared
//! // levels: off relaxed          levels of emulation besides the default one; those in `emulation` have all
//! // options: --no-follow          further options of the launcher
//! // links: name other.c flags    builds another file beside it, a shared library without flags
//! ```

mod build;
mod heads;

pub use build::Build;
pub use heads::collect;
