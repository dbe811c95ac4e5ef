//! `--explain`: why calls that could have been answered were passed on.

use crate::calls;
use crate::options;
use crate::report::{Bytes, say};
use crate::sys::Fd;
use core::sync::atomic::{AtomicU64, Ordering};

/// Why a descriptor got no lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "named as what is said")]
pub enum Reason {
    Threads,
    Option,
    Flags,
    WriteOnly,
    Early,
    Watch,
    Times,
    FileSystem,
    Timer,
    InUse,
    Empty,
    Memory,
    Many,
    Sparse,
    Rights,
    SharedPipe,
    NotEmpty,
    Shown,
    Long,
    LocalFileSystem,
    Mount,
    Links,
    LinkTimes,
    Kind,
    Other,
    Changes,
    Busy,
    Separate,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::Threads => {
                "the process has threads, and the kernel no membarrier(2), or the description other descriptors"
            }
            Self::InUse => "another thread was doing something by the descriptor",
            Self::Option => "an option passes read, write, pread64, pwrite64 or lseek on",
            Self::Flags => "the description has O_DIRECT, O_APPEND, O_SYNC or O_DSYNC",
            Self::WriteOnly => "the description cannot be read, so the file cannot be mapped for writing",
            Self::Early => "too few calls were made yet for what watching costs the end of a process (--emulate-after)",
            Self::Watch => {
                "the kernel does not let the file be watched (fs.inotify.max_user_instances, fs.aio-max-nr), or it changes all the time"
            }
            Self::Times => {
                "each read of it moves its access time: by the mount's options, or because it has just been changed"
            }
            Self::FileSystem => "the kernel does not tell of all changes of such a file system",
            Self::Timer => "no timer could be made for what is to be told of writes (RLIMIT_SIGPENDING)",
            Self::Empty => "the file is empty",
            Self::Memory => "it is larger than what --emulate-mem leaves, or RLIMIT_AS is set",
            Self::Many => "too many files are being written at a time",
            Self::SharedPipe => "another process has, or may have, an end of the pipe",
            Self::NotEmpty => "the pipe was not empty when it was looked at, or is larger than the default",
            Self::Rights => {
                "its times could not be moved, or its set-id bits or capabilities would have to be taken away by a write"
            }
            Self::Sparse => "it has holes",
            Self::Long => "the path is too long, or leads through too many directories",
            Self::LocalFileSystem => {
                "it leads through a file system that is not of this machine alone, or does not tell what is changed in it"
            }
            Self::Mount => "it leads out of a mount by `..`",
            Self::Links => {
                "it leads through a symbolic link in a directory where anybody may make some, or through too many"
            }
            Self::LinkTimes => "following a symbolic link moves its access time",
            Self::Kind => "what is found is neither a directory nor a regular file",
            Self::Other => "only what is absent, and rights to read and execute, are known without asking",
            Self::Changes => "something on its way was changed while it was looked at",
            Self::Busy => "something on the way of such names is changed too often",
            Self::Separate => {
                "credentials, current directory, root or mounts are not the same for all threads, or others' too"
            }
            Self::Shown => "its entry in /proc/self/fdinfo is open, which shows the offset",
        }
    }
}

/// The last thing that was said: it is said once.
static SAID: AtomicU64 = AtomicU64::new(0);

/// A descriptor got no lane.
pub fn refused(nr: u32, fd: i32, reason: Reason) {
    let this = (u64::from(fd.cast_unsigned()) << 16) | (u64::from(reason as u8) + 1);
    if !options::get().explain || SAID.swap(this, Ordering::Relaxed) == this {
        return;
    }
    let mut buf = [0u8; 256];
    let path = Fd(fd).target(&mut buf);
    let name = calls::name(u64::from(nr)).unwrap_or("");
    say(format_args!("{name} of descriptor {fd} ({}) is passed on: {}", Bytes(path), reason.text()));
}

/// A name got no fact.
pub fn refused_name(nr: u32, path: &[u8], hash: u64, reason: Reason) {
    let this = hash ^ (u64::from(reason as u8) + 1);
    if !options::get().explain || SAID.swap(this, Ordering::Relaxed) == this {
        return;
    }
    let name = calls::name(u64::from(nr)).unwrap_or("");
    say(format_args!("{name} of {} is passed on: {}", Bytes(path), reason.text()));
}
