//! What a call asks about a name, as far as its answer depends on it.

use crate::mem::guest;
use linux_raw_sys::general as k;

/// Words of a path that is followed; longer ones are passed on.
pub(super) const PATH_WORDS: usize = 27;

/// A call that looks a name up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Request {
    /// Its number.
    pub nr: u32,
    /// Which argument is the path.
    pub path_arg: usize,
    /// Which argument is the directory that it is relative to, if not the current one.
    directory_arg: Option<usize>,
    /// Arguments on which it depends what the call does: flags, mode, mask or length of a buffer.
    pub options: [u32; 2],
}

#[expect(clippy::cast_possible_truncation, reason = "the kernel reads an int")]
fn int(args: &[u64; 6], at: usize) -> u32 {
    args.get(at).copied().unwrap_or(0) as u32
}

/// What kind of question it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// May it be accessed so (access(2))?
    Access,
    /// It makes a descriptor.
    Open,
    /// It writes what it finds into a buffer, which is this argument.
    Tell(usize),
}

impl Request {
    /// The request of a call; `None` if it is none that can be answered.
    #[inline]
    pub(super) fn of(nr: u32, args: &[u64; 6]) -> Option<Self> {
        let (path_arg, directory_arg, options) = match nr {
            k::__NR_access => (0, None, [int(args, 1), 0]),
            k::__NR_stat | k::__NR_lstat => (0, None, [0, 0]),
            k::__NR_readlink => (0, None, [int(args, 2), 0]),
            k::__NR_open => (0, None, [int(args, 1), 0]),
            k::__NR_faccessat => (1, Some(0), [int(args, 2), 0]),
            k::__NR_faccessat2 => (1, Some(0), [int(args, 2), int(args, 3)]),
            k::__NR_newfstatat => (1, Some(0), [int(args, 3), 0]),
            k::__NR_statx => (1, Some(0), [int(args, 2), int(args, 3)]),
            k::__NR_readlinkat => (1, Some(0), [int(args, 3), 0]),
            k::__NR_openat => (1, Some(0), [int(args, 2), 0]),
            _ => return None,
        };
        let request = Self { nr, path_arg, directory_arg, options };
        // What may make a file is not known by its absence.
        const MAKES: u32 = k::O_CREAT | k::O_TMPFILE & !k::O_DIRECTORY;
        (request.kind() != Kind::Open || options[0] & MAKES == 0).then_some(request)
    }

    pub(super) fn kind(self) -> Kind {
        match self.nr {
            k::__NR_access | k::__NR_faccessat | k::__NR_faccessat2 => Kind::Access,
            k::__NR_open | k::__NR_openat => Kind::Open,
            k::__NR_statx => Kind::Tell(4),
            _ => Kind::Tell(self.path_arg + 1),
        }
    }

    /// It asks for rights whose changes are told: a file system that becomes read-only is not always.
    pub(super) fn is_lasting_access(self) -> bool {
        const W_OK: u32 = 2;
        let [mode, _] = self.options;
        self.kind() == Kind::Access && mode & W_OK == 0
    }

    /// A symbolic link at the path's end is followed.
    pub(super) fn follows(self) -> bool {
        let [first, second] = self.options;
        match self.nr {
            k::__NR_lstat | k::__NR_readlink | k::__NR_readlinkat => false,
            k::__NR_newfstatat | k::__NR_statx => first & k::AT_SYMLINK_NOFOLLOW == 0,
            k::__NR_faccessat2 => second & k::AT_SYMLINK_NOFOLLOW == 0,
            k::__NR_open | k::__NR_openat => first & k::O_NOFOLLOW == 0,
            _ => true,
        }
    }

    /// The path is one that begins at the root or the current directory.
    #[inline]
    pub(super) fn is_from_here(self, args: &[u64; 6], path: &Path) -> bool {
        path.is_absolute() || self.directory_arg.is_none_or(|at| int(args, at) == k::AT_FDCWD.cast_unsigned())
    }
}

/// A path, read from the guest's memory once.
pub(super) struct Path {
    /// Filled up with zeros, at least one.
    pub words: [u64; PATH_WORDS],
    /// Words that hold the path.
    pub used: usize,
}

impl Path {
    /// Reads it. `None`: it cannot be read, is empty, or too long.
    #[inline]
    pub(super) fn read(at: u64) -> Option<Self> {
        /// Bytes that are read at a time.
        const PIECE: usize = 32;
        const PIECE_WORDS: usize = PIECE / 8;
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = 0x8080_8080_8080_8080;
        let mut path = Self { words: [0; PATH_WORDS], used: 0 };
        let mut from = at;
        for start in (0..PATH_WORDS).step_by(PIECE_WORDS) {
            let words = path.words.get_mut(start..(start + PIECE_WORDS).min(PATH_WORDS))?;
            let bytes = words.as_flattened_bytes();
            // Never past the page that holds the NUL: the next one may be anything.
            let in_page = 4096 - usize::try_from(from & 4095).unwrap_or(0);
            if in_page >= bytes.len() {
                if guest::read_bytes(from, bytes) != bytes.len() {
                    return None;
                }
            } else {
                read_over_page(from, in_page, bytes)?;
            }
            for (n, word) in words.iter_mut().enumerate() {
                let zeros = word.wrapping_sub(ONES) & !*word & HIGHS;
                if zeros != 0 {
                    // The lowest bit is that of the first byte which is zero.
                    *word &= (1 << (zeros.trailing_zeros() & !7)) - 1;
                    path.used = start + n + 1;
                    break;
                }
            }
            if path.used != 0 {
                if let Some(rest) = path.words.get_mut(path.used..) {
                    rest.fill(0);
                }
                return (path.words[0] != 0).then_some(path);
            }
            from = from.wrapping_add(PIECE as u64);
        }
        None
    }

    #[inline]
    pub(super) fn is_absolute(&self) -> bool {
        let [first, ..] = self.words;
        first & 0xff == u64::from(b'/')
    }

    /// The bytes, without the NUL.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.words.iter().flat_map(|word| word.to_le_bytes()).take_while(|&byte| byte != 0)
    }

    /// Its hash together with what else the answer depends on.
    #[inline]
    pub(super) fn hash(&self, request: Request) -> u64 {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let [first, second] = request.options;
        let begin = u64::from(request.nr) << 32 ^ u64::from(first) ^ u64::from(second) << 40;
        let words = self.words.get(..self.used).unwrap_or(&[]);
        let hash = words.iter().fold(begin, |hash, word| {
            let mixed = (hash ^ word).wrapping_mul(FACTOR);
            mixed ^ mixed >> 32
        });
        hash.max(1)
    }
}

/// Reads a piece that reaches into the next page; what is not needed of that need not be readable.
#[cold]
fn read_over_page(from: u64, in_page: usize, bytes: &mut [u8]) -> Option<()> {
    let (first, second) = bytes.split_at_mut_checked(in_page)?;
    if guest::read_bytes(from, first) != first.len() {
        return None;
    }
    if first.contains(&0) {
        return Some(());
    }
    (guest::read_bytes(from.wrapping_add(in_page as u64), second) == second.len()).then_some(())
}

/// The bytes of words.
trait AsBytes {
    fn as_flattened_bytes(&mut self) -> &mut [u8];
}

impl AsBytes for [u64] {
    fn as_flattened_bytes(&mut self) -> &mut [u8] {
        zerocopy::IntoBytes::as_mut_bytes(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Path> {
        let text = std::format!("{text}\0{}", "x".repeat(64));
        Path::read(text.as_ptr() as u64)
    }

    #[test]
    fn paths_are_read_to_their_end() {
        for len in 1..PATH_WORDS * 8 {
            let text = "p".repeat(len);
            let path = read(&text).unwrap();
            assert_eq!(path.bytes().collect::<std::vec::Vec<u8>>(), text.as_bytes());
            assert_eq!(path.used, len / 8 + 1);
        }
        assert!(read("").is_none() && read(&"p".repeat(PATH_WORDS * 8)).is_none());
    }

    #[test]
    fn what_makes_a_file_is_no_request() {
        let open = |flags: u32| Request::of(k::__NR_open, &[0, u64::from(flags), 0, 0, 0, 0]);
        assert!(open(k::O_RDONLY | k::O_DIRECTORY).is_some());
        assert!(open(k::O_WRONLY | k::O_CREAT).is_none() && open(k::O_RDWR | k::O_TMPFILE).is_none());
    }
}
