//! Why a start is cold: code of a file is searched, because no image of it is used.

use crate::options;
use crate::report::{Bytes, say};
use crate::sys::{Errno, Fd, fs};
use core::fmt::{self, Display};
use linux_raw_sys::general as k;

/// Why no image of a file is used, or kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cold {
    /// It is mapped with other access than for reading and executing.
    Access,
    /// It is no regular file, larger than what is copied, or mapped past its end.
    Shape,
    /// Nothing tells its file system from others that had or will have its number.
    Volume,
    /// There is no directory of the image cache, or it is not the user's alone.
    Directory,
    /// There was none yet.
    New,
    /// What was kept cannot be used: it is damaged, or others may change it.
    Unusable,
    /// There is no address space for it where jumps reach it.
    Place,
    /// Not every site could be patched.
    Incomplete,
    /// A seccomp filter of the program's own is in force.
    Filtered,
    /// The program has set a limit on the size of files.
    FileLimit,
    /// A change from now on need not show in the file's times.
    Unseen,
    /// The kernel refused to read or write.
    Refused(Errno),
}

impl Display for Cold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Access => "it is mapped writable",
            Self::Shape => "it is no regular file, or larger than what is copied",
            Self::Volume => "its file system has no number that is given once",
            Self::Directory => "there is no directory for images that is the user's alone",
            Self::New => "it was not seen before, or has been changed",
            Self::Unusable => "what was kept is damaged, or others may change it",
            Self::Place => "there is no room for it in the address space",
            Self::Incomplete => "not every call in it can be rewritten",
            Self::Filtered => "a seccomp filter is in force",
            Self::FileLimit => "the size of files is limited",
            Self::Unseen => "it has just been changed, or lies on a file system whose changes do not all show in times",
            Self::Refused(errno) => return write!(f, "the kernel refuses it (errno {})", errno.number()),
        })
    }
}

/// `--explain`: `bytes` of the file were searched because of `why`; `kept` says what became of the new image.
pub fn explain(file: Fd, bytes: u64, why: Cold, kept: Result<(), Cold>) {
    if !options::get().explain {
        return;
    }
    let mut buffer = [0u8; 256];
    let path = Bytes(fs::read_link_at(Fd::CWD, file.link().path(), &mut buffer).unwrap_or(b"a file"));
    match kept {
        Ok(()) => {
            say(format_args!("{path}: {bytes} bytes searched for calls, because {why}; an image of it is kept now"))
        }
        Err(reason) if reason == why => {
            say(format_args!("{path}: {bytes} bytes searched for calls, as at each start: {why}"))
        }
        Err(reason) => {
            say(format_args!("{path}: {bytes} bytes searched for calls, because {why}; no image is kept: {reason}"));
        }
    }
}

/// What keeps the image cache from working at all; for `bt-run doctor`.
///
/// # Errors
/// Says so.
pub fn probe() -> Result<(), Cold> {
    let directory = super::directory::open().ok_or(Cold::Directory)?;
    let file = fs::open_at(directory, c".", k::O_TMPFILE | k::O_RDWR, 0o600);
    directory.close();
    let file = file.map_err(Cold::Refused)?;
    let written = file.write_all_at(b"image", 0);
    file.close();
    written.map_err(Cold::Refused)
}
