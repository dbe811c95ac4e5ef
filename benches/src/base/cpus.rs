//! Which CPUs a process runs on.

use std::io;

use nix::sched::{self, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// This process, as the kernel's calls take it.
const SELF: Pid = Pid::from_raw(0);

/// A set of CPUs.
#[derive(Clone, Copy)]
pub(crate) struct CpuSet(sched::CpuSet);

impl CpuSet {
    /// The CPUs that this process may use.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn allowed() -> io::Result<Self> {
        Ok(Self(sched_getaffinity(SELF)?))
    }

    /// The set of one CPU.
    #[must_use]
    pub(crate) fn only(cpu: usize) -> Option<Self> {
        Self::of(&[cpu])
    }

    /// The set of some CPUs; `None` where one of them has too high a number.
    #[must_use]
    pub(crate) fn of(cpus: &[usize]) -> Option<Self> {
        let mut set = sched::CpuSet::new();
        cpus.iter().try_for_each(|&cpu| set.set(cpu)).ok()?;
        Some(Self(set))
    }

    /// The CPUs of the set, from the lowest on.
    #[must_use]
    pub(crate) fn cpus(&self) -> Vec<usize> {
        (0..sched::CpuSet::count()).filter(|&cpu| self.0.is_set(cpu).unwrap_or(false)).collect()
    }

    /// The highest CPU of the set: the first ones take most interrupts.
    #[must_use]
    pub(crate) fn last(&self) -> Option<usize> {
        self.cpus().pop()
    }

    /// Confines this process, and what it starts, to the set.
    ///
    /// # Errors
    /// The kernel's, for example that none of the CPUs is allowed.
    pub(crate) fn confine(&self) -> io::Result<()> {
        Ok(sched_setaffinity(SELF, &self.0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_cpu_of_a_single_set_is_that_cpu() {
        assert_eq!(CpuSet::only(5).and_then(|set| set.last()), Some(5));
        assert!(CpuSet::only(1 << 20).is_none());
        assert_eq!(CpuSet::of(&[3, 1]).map(|set| set.cpus()), Some(vec![1, 3]));
        assert!(CpuSet::of(&[1 << 20]).is_none());
        assert!(CpuSet::allowed().unwrap().last().is_some());
    }
}
