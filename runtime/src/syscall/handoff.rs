//! From one image of the family to the next, over execve(2).
//!
//! The next bt-run is started from a descriptor of the runtime's own program, so the kernel tells it AT_EXECFN =
//! "/dev/fd/N". What it must know besides the guest's arguments travels as the first string of the environment, which
//! is taken out when the initial stack is written for the guest. (An inherited descriptor was tried: it cannot be had
//! when the guest has lowered RLIMIT_NOFILE or used it up, or under a seccomp filter without memfd_create.)
//!
//! Anybody can write that string, who starts bt-run so. It gains nothing: bt-run has the rights of the process that
//! starts it, the descriptors it names are that process's own, and what it is told to do with them the process could
//! have done. But it must not go wrong: bytes that are no value are refused here, a number that is no descriptor is
//! none, and a file that is no program ends the start with a line (`start`).

use crate::engine::cpuid::{ANSWERS, Answer};
use crate::engine::direct::volume::VOLUME_WORDS;
use crate::options::Options;
use alloc::vec::Vec;
use core::mem::size_of;
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// Longest AT_EXECFN, with its NUL.
pub const EXECFN_BYTES: usize = 4096;

/// What is handed over besides AT_EXECFN. It has no padding, and only bytes that are a value of each field become one.
#[repr(C)]
#[derive(Clone, Copy, IntoBytes, TryFromBytes, Immutable, KnownLayout)]
pub struct Handoff {
    /// The program's descriptor.
    pub exe_fd: i32,
    /// That of the interpreter which the program names, -1 without one.
    pub interp_fd: i32,
    /// Where trace lines go, -1 for nowhere.
    pub trace_fd: i32,
    /// 1 if the process has restricted itself to a Landlock domain.
    pub restricted: u32,
    /// Name for /proc/self/comm, NUL-terminated.
    pub comm: [u8; 16],
    /// What `cpuid` answered so far.
    pub cpuid: [Answer; ANSWERS],
    /// What is known of file systems.
    pub volumes: [u64; VOLUME_WORDS],
    /// The options.
    pub options: Options,
}

/// Bytes of the longest string, with its NUL.
pub const STRING_BYTES: usize = Handoff::PREFIX.len() + 2 * size_of::<Handoff>() + EXECFN_BYTES + 1;

impl Handoff {
    /// Begins the string; the number is the structure's version.
    pub const PREFIX: &[u8] = b"\x01bt-run handoff 5 ";

    /// Writes the string, NUL-terminated, with AT_EXECFN at its end. `None` if it does not fit.
    pub fn write(&self, execfn: &[u8], to: &mut [u8; STRING_BYTES]) -> Option<()> {
        let digit = |n: u8| if n < 10 { b'0' + n } else { b'a' + n - 10 };
        let hex = self.as_bytes().iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]);
        let mut slots = to.iter_mut();
        for b in Self::PREFIX.iter().copied().chain(hex).chain(execfn.iter().copied()).chain([0]) {
            *slots.next()? = b;
        }
        Some(())
    }

    /// Takes over what the last image left, if AT_EXECFN and the first environment string say that there was one.
    /// Returns it with the number N and the guest's AT_EXECFN.
    #[must_use]
    pub fn take(execfn: &[u8], first_env: &[u8]) -> Option<(Self, i32, Vec<u8>)> {
        let digits = core::str::from_utf8(execfn.strip_prefix(b"/dev/fd/")?).ok()?;
        let n = digits.parse().ok()?;
        let rest = first_env.strip_prefix(Self::PREFIX)?;
        let (hex, guest_execfn) = rest.split_at_checked(2 * size_of::<Self>())?;
        let value = |d: u8| (d as char).to_digit(16).and_then(|v| u8::try_from(v).ok());
        let mut bytes = [0u8; size_of::<Self>()];
        for (to, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            *to = value(high)? << 4 | value(low)?;
        }
        let this = Self::try_read_from_bytes(&bytes).ok()?;
        Some((this, n, guest_execfn.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_taken() {
        let mut options = Options::DEFAULT;
        options.trace = true;
        options.cache_mib = 7;
        let handoff = Handoff {
            exe_fd: 42,
            interp_fd: -1,
            trace_fd: -1,
            restricted: 0,
            comm: *b"name\0\0\0\0\0\0\0\0\0\0\0\0",
            cpuid: [crate::engine::cpuid::NO_ANSWER; ANSWERS],
            volumes: [0; VOLUME_WORDS],
            options,
        };
        let mut buf = [0; STRING_BYTES];
        handoff.write(b"/a path", &mut buf).unwrap();
        let string = &buf[..buf.iter().position(|&b| b == 0).unwrap()];
        let (got, n, execfn) = Handoff::take(b"/dev/fd/1000", string).unwrap();
        assert_eq!((got.exe_fd, n), (42, 1000));
        assert!(got.options.trace && got.options.cache_mib == 7);
        assert_eq!(execfn, b"/a path");
    }

    /// The program's environment is the user's to write: a byte that is no boolean or no engine must not become one.
    #[test]
    fn bytes_that_are_no_value_are_refused() {
        let mut options = Options::DEFAULT;
        options.strict = true;
        let handoff = Handoff {
            exe_fd: 3,
            interp_fd: -1,
            trace_fd: -1,
            restricted: 0,
            comm: [0; 16],
            cpuid: [crate::engine::cpuid::NO_ANSWER; ANSWERS],
            volumes: [0; VOLUME_WORDS],
            options,
        };
        let mut buf = [0; STRING_BYTES];
        handoff.write(b"/a", &mut buf).unwrap();
        let len = buf.iter().position(|&b| b == 0).unwrap();
        let options_at = core::mem::offset_of!(Handoff, options);
        let places = [core::mem::offset_of!(Options, engine), core::mem::offset_of!(Options, strict)];
        for place in places.map(|place| Handoff::PREFIX.len() + 2 * (options_at + place)) {
            let mut forged = buf[..len].to_vec();
            forged[place] = b'f';
            assert!(Handoff::take(b"/dev/fd/9", &forged).is_none());
        }
        assert!(Handoff::take(b"/dev/fd/9", &buf[..len]).is_some());
    }

    #[test]
    fn a_program_started_by_fexecve_is_not_mistaken_for_one() {
        assert!(Handoff::take(b"/dev/fd/3", b"PATH=/bin").is_none());
        assert!(Handoff::take(b"/usr/bin/bt-run", b"\x01bt-run handoff 5 00").is_none());
    }
}
