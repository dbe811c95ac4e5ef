//! How the gate deals with a call without entering Rust.

/// What the gate can do with a call by itself. What it does at a given moment depends on facts about the process
/// (`gate::routes`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// Nothing of its own: the call is passed on, or enters Rust if it has a handler.
    Plain,
    /// Answers it with a value of the thread's state.
    Value(Value),
    /// Has the vDSO answer it.
    Clock(Clock),
    /// Answers it by what its descriptor is.
    Lane(Operation),
    /// Enters Rust where the process may answer the call: its handler does.
    Handler,
    /// Finds out by a look at its arguments whether it concerns the runtime at all.
    Filter(Filter),
}

/// Who the calling thread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// getpid(2).
    Pid,
    /// gettid(2).
    Tid,
    /// getuid(2).
    Uid,
    /// geteuid(2).
    Euid,
    /// getgid(2).
    Gid,
    /// getegid(2).
    Egid,
}

impl Value {
    /// A user or group id, which another process can change by mapping it (user_namespaces(7)).
    #[must_use]
    pub const fn is_credential(self) -> bool {
        matches!(self, Self::Uid | Self::Euid | Self::Gid | Self::Egid)
    }
}

/// A function of the vDSO (vdso(7)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// clock_gettime(2).
    Gettime,
    /// clock_getres(2).
    Getres,
    /// gettimeofday(2).
    Gettimeofday,
    /// time(2).
    Time,
    /// getcpu(2).
    Getcpu,
}

impl Clock {
    /// All of them; the gate numbers them in this order.
    pub const ALL: [Self; 5] = [Self::Gettime, Self::Getres, Self::Gettimeofday, Self::Time, Self::Getcpu];
}

/// An operation that a descriptor's lane may answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// read(2).
    Read,
    /// write(2).
    Write,
    /// pread64(2).
    Pread,
    /// pwrite64(2).
    Pwrite,
    /// lseek(2).
    Lseek,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Pread, Self::Pwrite, Self::Lseek];
}

/// A question about the arguments of a call that seldom concerns the runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    /// Is `exe` the last step of the path in the first argument, as in one that names the program's own file
    /// (`syscall::own_exe`)?
    FirstPath,
    /// The same of the path in the second argument.
    SecondPath,
    /// As `FirstPath`, of a call that makes a descriptor, which is noted.
    OpenFirstPath,
    /// As `SecondPath`, likewise.
    OpenSecondPath,
    /// Has the descriptor a lane? What else is known of it is forgotten.
    Close,
    /// Has the descriptor a lane, or does the command of fcntl(2) change what is known of it? A duplicate is noted.
    Fcntl,
    /// Has the descriptor, of which a duplicate is made, a lane? The duplicate is noted.
    Duplicate,
    /// Is the request of ioctl(2) one that may give a descriptor to others?
    Request,
    /// None: it is the kernel's, unless the runtime keeps the program's break (brk(2)).
    Break,
    /// Does the signal mask hold signals whose bit the runtime keeps (`syscall::signals`)?
    Mask,
}
