//! ELF images (elf(5)): headers of files, and the vDSO in memory. Reading only; `start::map` maps them.

pub mod headers;
pub mod vdso;

/// Why a program cannot be run: a line for the user, and the exit status a shell would give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// No such program: 127.
    NotFound,
    /// A system call failed, with its errno: 126.
    Failed(&'static str, u16),
    /// The file is not something x86-64 Linux runs: 126.
    Invalid(&'static str),
    /// The kernel runs it, bt-run does not: 126.
    Unusual(&'static str),
}

impl LoadError {
    /// Exit status, as sh(1) has it.
    #[must_use]
    pub fn status(self) -> i32 {
        match self {
            LoadError::NotFound => 127,
            _ => 126,
        }
    }
}
