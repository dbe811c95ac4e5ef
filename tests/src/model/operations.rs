//! The operations, how often each comes, and what numbers it gets. `tests/model` carries them out.
//!
//! A number is made from random bits such that zero gives the simplest one: that is how sequences get simpler.

/// What an argument is.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// A slot that usually holds a file.
    File,
    /// A slot that usually holds the end of a pipe to read from.
    Input,
    /// A slot that usually holds the end of a pipe to write to.
    Output,
    /// A slot that usually holds an event counter.
    Counter,
    /// Any slot.
    Slot,
    /// What epoll watches here.
    Watched,
    /// A file by name.
    Path,
    /// Flags of open(2).
    OpenFlags,
    /// An offset or length around sectors, pages and the usual ends of files.
    Edge,
    /// The size of a new file.
    Size,
    /// The length of a read or write.
    Length,
    /// The same for a pipe.
    PipeLength,
    /// An absolute offset.
    Place,
    /// An offset for lseek(2).
    Move,
    /// An offset, or less than zero for none.
    MaybeEdge,
    /// A limit, or less than zero for none.
    Limit,
    /// What written bytes are made from.
    Seed,
    /// The quality of a buffer (`enum buffer_kind`).
    Quality,
    /// How many bytes of a bad buffer can be reached.
    Reachable,
    /// The length of one piece of a burst.
    Small,
    /// The pieces of a burst.
    Times,
    /// Access rights.
    Mode,
    /// A capacity for F_SETPIPE_SZ.
    Capacity,
    /// What is added to a counter.
    Count,
    /// Less than this.
    Below(u32),
    /// This.
    Is(i64),
}

/// Around sectors, pages and the usual ends of files.
const EDGES: &[i64] =
    &[0, 1, 2, 10, 511, 512, 513, 1000, 1001, 4095, 4096, 4097, 5000, 5001, 8191, 8192, 8193, 12288, 20000, 20001];
const SIZES: &[i64] = &[1000, 0, 1, 512, 4095, 4096, 4097, 5000, 8192, 20000];
/// Around what is written whole (PIPE_BUF), a page, and what a pipe holds.
const PIPE_LENGTHS: &[i64] = &[1, 4095, 4096, 4097, 8192, 61440, 61441, 65535, 65536, 65537, 70000];
/// Not O_DIRECT and O_TMPFILE, whose answers depend on the file system.
const OPEN_FLAGS: &[i32] = &[
    libc::O_WRONLY,
    libc::O_WRONLY | libc::O_CREAT,
    libc::O_RDWR | libc::O_APPEND,
    libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT,
    libc::O_RDWR | libc::O_TRUNC,
    libc::O_WRONLY | libc::O_TRUNC,
    libc::O_RDONLY | libc::O_NONBLOCK,
    libc::O_RDWR | libc::O_CREAT | libc::O_EXCL,
    libc::O_RDWR | libc::O_NONBLOCK,
    libc::O_WRONLY | libc::O_NONBLOCK,
];

/// Random bits that are taken a few at a time.
struct Bits(u32);

impl Bits {
    /// A number below `limit`.
    fn below(&mut self, limit: u32) -> u32 {
        let number = self.0 % limit;
        self.0 /= limit;
        number
    }

    /// Once in `out_of` times.
    fn rarely(&mut self, out_of: u32) -> bool {
        self.below(out_of) == out_of - 1
    }

    fn of<T: Copy + Default>(&mut self, values: &[T]) -> T {
        let index = self.below(u32::try_from(values.len()).unwrap_or(1));
        usize::try_from(index).ok().and_then(|index| values.get(index)).copied().unwrap_or_default()
    }

    /// The slot in which something usually is, or any.
    fn slot(&mut self, usual: u32) -> i64 {
        i64::from(if self.rarely(12) { self.below(8) } else { usual })
    }
}

impl Arg {
    /// The number that random bits give.
    pub fn value(self, bits: u32) -> i64 {
        let mut bits = Bits(bits);
        let bits = &mut bits;
        match self {
            Self::File => match bits.below(20) {
                19 => i64::from(bits.below(8)),
                0..=14 => i64::from(bits.below(2)),
                _ => i64::from(2 + bits.below(2)),
            },
            Self::Input => bits.slot(4),
            Self::Output => bits.slot(5),
            Self::Counter => bits.slot(6),
            Self::Slot => i64::from(bits.below(8)),
            Self::Watched => bits.of(&[4, 5, 6]),
            Self::Path => i64::from(if bits.rarely(4) { bits.below(4) } else { bits.below(2) }),
            Self::OpenFlags if bits.rarely(4) => i64::from(bits.of(OPEN_FLAGS)),
            // With O_NOATIME what has just been made may be kept at once: reads move no times.
            Self::OpenFlags => {
                let access = bits.of(&[libc::O_RDONLY, libc::O_RDWR, libc::O_RDWR | libc::O_CREAT]);
                i64::from(access | if bits.rarely(5) { 0 } else { libc::O_NOATIME })
            }
            Self::Edge => bits.of(EDGES),
            Self::Size => bits.of(SIZES),
            Self::Length if bits.rarely(40) => bits.of(&[-1, 0x7fff_ffff, 0x7fff_f000]),
            Self::Length if bits.rarely(3) => bits.of(EDGES),
            Self::Length => i64::from(bits.below(200)),
            Self::PipeLength if bits.rarely(3) => bits.of(PIPE_LENGTHS),
            Self::PipeLength => i64::from(1 + bits.below(300)),
            Self::Place if bits.rarely(30) => bits.of(&[-1, 1 << 40, i64::MAX]),
            Self::Place => bits.of(EDGES),
            Self::Move if bits.rarely(5) => -i64::from(bits.below(5000)),
            Self::Move => bits.of(EDGES),
            Self::MaybeEdge | Self::Limit if bits.rarely(2) => bits.of(EDGES),
            Self::MaybeEdge | Self::Limit => -1,
            Self::Seed => i64::from(bits.below(100)),
            Self::Quality => i64::from(if bits.rarely(14) { 1 + bits.below(5) } else { 0 }),
            Self::Reachable => bits.of(&[0, 1, 7, 8, 20, 511, 4096]),
            Self::Small if bits.rarely(6) => bits.of(&[0, 1, 100, 512]),
            Self::Small => i64::from(1 + bits.below(60)),
            Self::Times => i64::from(20 + bits.below(1200)),
            Self::Mode => bits.of(&[0o600, 0o644, 0o444, 0o000]),
            Self::Capacity => bits.of(&[4096, 0, 1, 8192, 65536, 100_000, 1 << 20]),
            Self::Count => bits.of(&[1, 0, 5, -1, -2, -3, i64::MAX]),
            Self::Below(limit) => i64::from(bits.below(limit)),
            Self::Is(value) => value,
        }
    }
}

use Arg::{
    Below, Capacity, Count, Counter, Edge, File, Input, Is, Length, Limit, MaybeEdge, Mode, Move, OpenFlags, Output,
    Path, PipeLength, Place, Quality, Reachable, Seed, Size, Slot, Small, Times, Watched,
};

/// One row: how often, the name, the arguments.
pub type Row = (u32, &'static str, &'static [Arg]);

/// All operations, simple ones first: a sequence gets simpler towards the beginning.
pub const ROWS: &[Row] = &[
    (4, "fstat", &[File]),
    (10, "read", &[File, Length, Quality, Reachable]),
    (8, "write", &[File, Length, Seed, Quality, Reachable]),
    (8, "pread", &[File, Length, Place, Quality, Reachable]),
    (8, "pwrite", &[File, Length, Place, Seed, Quality, Reachable]),
    (10, "seek", &[File, Move, Below(5)]),
    (6, "look", &[Path]),
    (8, "open", &[File, Path, OpenFlags]),
    (4, "close", &[File]),
    (3, "readv", &[File, Edge, Edge, Edge, Quality, Reachable]),
    (3, "writev", &[File, Edge, Edge, Edge, Quality, Reachable]),
    (3, "stat", &[Path]),
    (2, "openat", &[File, Path, OpenFlags]),
    (4, "ftruncate", &[File, Edge]),
    (4, "truncate", &[Path, Edge]),
    (3, "make", &[Path, Size, Seed]),
    (2, "unlink", &[Path]),
    (2, "rename", &[Path, Path]),
    (2, "link", &[Path, Path]),
    (2, "chmod", &[Path, Mode]),
    (3, "old", &[File]),
    (2, "copy", &[File, File, Length, MaybeEdge, MaybeEdge]),
    (2, "fallocate", &[File, Below(4), Edge, Size]),
    (2, "getfl", &[Slot]),
    (3, "setfl", &[File, Below(4)]),
    (1, "getfd", &[Slot]),
    (2, "setfd", &[Slot, Below(2)]),
    (4, "dup", &[File, File]),
    (3, "dup2", &[File, File]),
    (2, "dup3", &[Slot, Slot, Below(2)]),
    (2, "dupfd", &[File, Slot, Below(64), Below(2)]),
    (1, "closerange", &[Slot, Slot, Below(2)]),
    (2, "flock", &[File, Below(3)]),
    (3, "setlk", &[File, Below(3), Edge, Edge, Below(2)]),
    (3, "getlk", &[File, Below(2), Edge, Edge, Below(2)]),
    (2, "ofdlk", &[File, Below(3), Edge, Edge, Below(2)]),
    (2, "getlease", &[File]),
    (1, "procfd", &[File]),
    (3, "map", &[File, Below(4), Below(2), Below(2)]),
    (4, "load", &[Below(4), Edge, Below(300)]),
    (4, "store", &[Below(4), Edge, Below(300), Seed]),
    (1, "unmap", &[Below(4)]),
    (1, "fsize", &[Limit]),
    (2, "handler", &[Slot, Below(2), Below(200)]),
    (3, "pipe", &[Input, Output, Below(2)]),
    (8, "write", &[Output, PipeLength, Seed, Quality, Reachable]),
    (8, "read", &[Input, PipeLength, Quality, Reachable]),
    (2, "writev", &[Output, Edge, Edge, Edge, Quality, Reachable]),
    (2, "readv", &[Input, Edge, Edge, Edge, Quality, Reachable]),
    (1, "close", &[Input]),
    (1, "close", &[Output]),
    (1, "dup", &[Input, Slot]),
    (1, "dup", &[Output, Slot]),
    (2, "setpipe", &[Output, Capacity]),
    (1, "getpipe", &[Input]),
    (4, "fionread", &[Input]),
    (4, "poll", &[Slot]),
    (3, "select", &[Slot]),
    (1, "epnew", &[Is(7)]),
    (3, "epadd", &[Is(7), Watched, Below(3)]),
    (4, "epwait", &[Is(7)]),
    (1, "epdel", &[Is(7), Watched]),
    (2, "event", &[Counter, Count, Below(2)]),
    (4, "evwrite", &[Counter, Count]),
    (4, "evread", &[Counter]),
    (4, "roundtrip", &[Is(4), Is(5), Below(4096), Seed]),
    (2, "sendfile", &[File, Output, Length, MaybeEdge]),
    (2, "splice", &[File, Output, Length]),
    (2, "splice", &[Input, File, Length]),
    (1, "sigpipe", &[Below(2)]),
    (3, "send", &[File]),
    (1, "send", &[Slot]),
    (4, "recv", &[File]),
    (2, "forkread", &[File, Below(600)]),
    (2, "forkread", &[Input, Below(600)]),
    (1, "execread", &[Input, Below(600), Below(2)]),
    (1, "execread", &[File, Below(600), Below(2)]),
    // Bursts: a descriptor changes hands only after many small accesses.
    (12, "burst", &[Is(0), File, Is(0), Times, Small, Seed]),
    (10, "burst", &[Is(1), File, Is(0), Times, Small, Seed]),
    (6, "burst", &[Is(2), File, Is(0), Times, Small, Seed]),
    (8, "burst", &[Is(3), File, Is(0), Times, Small, Seed]),
    (4, "burst", &[Is(4), File, Is(0), Times, Small, Seed]),
    (9, "burst", &[Is(5), Input, Output, Times, Small, Seed]),
    (3, "burst", &[Is(6), Counter, Is(0), Times, Small, Seed]),
    (5, "burst", &[Is(7), File, Is(0), Times, Small, Seed]),
];

/// Operations that most sequences begin with: how many in 100 do, who, what.
pub const SETUP: &[(u32, &str, &str, &[Arg])] = &[
    (95, "A0", "make", &[Is(0), Size, Seed]),
    (95, "A0", "open", &[Is(0), Is(0), OpenFlags]),
    (50, "A0", "make", &[Is(1), Size, Seed]),
    (70, "A0", "open", &[Is(1), Path, OpenFlags]),
    (70, "A0", "pipe", &[Is(4), Is(5), Below(2)]),
    (40, "A0", "event", &[Is(6), Is(0), Below(2)]),
    (30, "A0", "epnew", &[Is(7)]),
    (20, "A0", "epadd", &[Is(7), Is(4), Below(2)]),
    (20, "A0", "epadd", &[Is(7), Is(5), Below(2)]),
    (40, "A0", "map", &[Is(0), Is(0), Below(2), Below(2)]),
    // Process B often has the same file open.
    (80, "B0", "open", &[Is(0), Path, OpenFlags]),
    (30, "B0", "pipe", &[Is(4), Is(5), Below(2)]),
];

#[cfg(test)]
mod tests {
    use super::{ROWS, SETUP};

    #[test]
    fn operations_have_at_most_six_arguments() {
        assert!(ROWS.iter().all(|(weight, _, args)| *weight > 0 && args.len() <= 6));
        assert!(SETUP.iter().all(|(percent, _, _, args)| *percent <= 100 && args.len() <= 6));
    }
}
