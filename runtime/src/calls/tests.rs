//! Numbers, names and output ranges.

use std::collections::BTreeMap;

use linux_raw_sys::general;

use super::{Arg, GuestMemory, Treatment, all, may_write, name, outputs, row};

/// Memory made of a few pieces.
#[derive(Default)]
struct Memory {
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl Memory {
    fn with(mut self, addr: u64, words: &[u64]) -> Memory {
        self.pieces.insert(addr, words.iter().flat_map(|word| word.to_le_bytes()).collect());
        self
    }
}

impl GuestMemory for Memory {
    fn read(&self, addr: u64, buf: &mut [u8]) -> usize {
        let Some((base, piece)) = self.pieces.range(..=addr).next_back() else {
            return 0;
        };
        let offset = usize::try_from(addr - base).unwrap();
        let rest = piece.get(offset..).unwrap_or_default();
        buf.iter_mut().zip(rest).map(|(target, byte)| *target = *byte).count()
    }
}

fn ranges(nr: u32, args: [u64; 6], mem: &Memory) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    outputs(u64::from(nr), &args, mem, &mut |addr, len_bytes| found.push((addr, len_bytes)));
    found
}

#[test]
fn every_number_finds_its_own_row() {
    for row in all() {
        assert_eq!(super::row(row.number()).unwrap().name(), row.name());
    }
    assert_eq!(name(0), Some("read"));
    assert_eq!(name(335), Some("uretprobe"));
    assert_eq!(name(469), Some("file_setattr"));
    for unknown in [336, 423, 470, 512, u64::MAX] {
        assert!(row(unknown).is_none());
    }
}

#[test]
fn the_calls_that_change_the_runtimes_state_are_its_own() {
    for nr in [general::__NR_mmap, general::__NR_rt_sigreturn, general::__NR_clone3, general::__NR_openat2] {
        assert_eq!(row(u64::from(nr)).unwrap().treatment, Treatment::Rewritten);
    }
    assert_eq!(row(u64::from(general::__NR_set_robust_list)).unwrap().treatment, Treatment::Passthrough);
}

#[test]
fn an_index_in_a_description_is_that_of_an_argument() {
    for row in all() {
        let count = row.args.iter().take_while(|arg| **arg != Arg::End).count();
        for arg in row.args {
            let index = match arg {
                Arg::InArray(_, index) | Arg::OutArray(_, index) | Arg::UpdateArray(_, index) => index,
                Arg::Bytes(index) | Arg::OutBytes(index) | Arg::TouchedBy(index) | Arg::OutIov(index) => index,
                Arg::Iov(index) | Arg::Sockaddr(index) | Arg::OutSockaddr(index) => index,
                _ => continue,
            };
            assert!(usize::from(index) < count, "{}", row.name());
            let length = row.args[usize::from(index)];
            let is_number = matches!(length, Arg::Size | Arg::Int | Arg::Uint | Arg::Long | Arg::Hex);
            assert!(is_number || length == Arg::OutLength, "{}: {length:?}", row.name());
        }
    }
}

#[test]
fn a_call_without_outputs_is_known_as_such() {
    for (nr, expected) in [
        (general::__NR_write, false),
        (general::__NR_getpid, false),
        (general::__NR_read, true),
        (general::__NR_ioctl, true),
        (general::__NR_sendmmsg, true),
    ] {
        assert_eq!(may_write(u64::from(nr)), expected);
    }
}

#[test]
fn buffers_and_structures_are_outputs() {
    let mem = Memory::default();
    assert_eq!(ranges(general::__NR_read, [3, 0x1000, 100, 0, 0, 0], &mem), [(0x1000, 100)]);
    assert_eq!(ranges(general::__NR_read, [3, 0x1000, u64::MAX, 0, 0, 0], &mem), [(0x1000, 0x7fff_f000)]);
    assert_eq!(ranges(general::__NR_read, [3, 0, 100, 0, 0, 0], &mem), []);
    assert_eq!(ranges(general::__NR_fstat, [3, 0x1000, 0, 0, 0, 0], &mem), [(0x1000, 144)]);
    assert_eq!(ranges(general::__NR_wait4, [1, 0x1000, 0, 0x2000, 0, 0], &mem), [(0x1000, 4), (0x2000, 144)]);
    assert_eq!(
        ranges(general::__NR_select, [65, 0x1000, 0, 0x2000, 0x3000, 0], &mem),
        [(0x1000, 16), (0x2000, 16), (0x3000, 16)]
    );
    assert_eq!(ranges(general::__NR_epoll_wait, [3, 0x1000, 10, 0, 0, 0], &mem), [(0x1000, 120)]);
    assert_eq!(ranges(general::__NR_mincore, [0x5000, 4097, 0x1000, 0, 0, 0], &mem), [(0x1000, 2)]);
}

#[test]
fn what_a_call_writes_depends_on_its_command() {
    let mem = Memory::default();
    let fcntl = |command: u32| ranges(general::__NR_fcntl, [3, u64::from(command), 0x1000, 0, 0, 0], &mem);
    assert_eq!(fcntl(general::F_GETLK), [(0x1000, 32)]);
    assert_eq!(fcntl(general::F_SETLK), []);
    let futex = |op: u64| ranges(general::__NR_futex, [0x1000, op, 1, 1, 0x2000, 0], &mem);
    assert_eq!(futex(0), []);
    assert_eq!(futex(5 | 128), [(0x2000, 4)]);
    assert_eq!(futex(6), [(0x1000, 4)]);
    let ioctl = |request: u64| ranges(general::__NR_ioctl, [3, request, 0x1000, 0, 0, 0], &mem);
    assert_eq!(ioctl(0x5401), [(0x1000, 36)]);
    assert_eq!(ioctl(0x8010_4142), [(0x1000, 4096)]);
    assert_eq!(ioctl(0xa000_4142), [(0x1000, 0x2000)]);
    assert_eq!(ioctl(0x5421), []);
    assert_eq!(ioctl(0x4b33), [(0x1000, 4096)]);
}

#[test]
fn outputs_are_found_behind_pointers() {
    let iov = Memory::default().with(0x1000, &[0x5000, 10, 0x6000, 20]);
    assert_eq!(ranges(general::__NR_readv, [3, 0x1000, 2, 0, 0, 0], &iov), [(0x5000, 10), (0x6000, 20)]);
    assert_eq!(ranges(general::__NR_writev, [3, 0x1000, 2, 0, 0, 0], &iov), []);

    let long: Vec<u64> = (1..=40).flat_map(|index| [index * 0x1000, index]).collect();
    let many = ranges(general::__NR_preadv, [3, 0x10_0000, 40, 0, 0, 0], &Memory::default().with(0x10_0000, &long));
    assert_eq!(many.len(), 40);
    assert_eq!(many.last(), Some(&(40 * 0x1000, 40)));

    let message = Memory::default().with(0x1000, &[0x2000, 28, 0x3000, 1, 0x4000, 64, 0]).with(0x3000, &[0x5000, 10]);
    assert_eq!(
        ranges(general::__NR_recvmsg, [3, 0x1000, 0, 0, 0, 0], &message),
        [(0x1000, 56), (0x2000, 28), (0x5000, 10), (0x4000, 64)]
    );

    let length = Memory::default().with(0x2000, &[16]);
    assert_eq!(ranges(general::__NR_accept, [3, 0x1000, 0x2000, 0, 0, 0], &length), [(0x1000, 16), (0x2000, 4)]);

    let parent_settid = u64::from(general::CLONE_PARENT_SETTID);
    let clone_args = Memory::default().with(0x1000, &[parent_settid, 0x2000, 0x3000, 0x4000]);
    assert_eq!(ranges(general::__NR_clone3, [0x1000, 88, 0, 0, 0, 0], &clone_args), [(0x4000, 4)]);
}

#[test]
fn every_set_has_a_value_for_each_name() {
    use super::Set;
    for set in [Set::Open, Set::Map, Set::Clone, Set::Futex, Set::SockOption, Set::Capability, Set::TermSpeed] {
        let meaning = set.meaning();
        for names in [meaning.choices, meaning.flags] {
            assert_eq!(names.text.split_ascii_whitespace().count(), names.values.len());
        }
    }
}
