//! One system call's record.

use super::arg::{Arg, MAX_ARGS, Ret, pad_args};
use super::links::Link;
use super::route::{Clock, Filter, Operation, Route, Value};
use crate::options::EmulateLevel;

/// What becomes of a call that is not answered in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The kernel answers it.
    Passthrough,
    /// The runtime carries it out, or changes its arguments or its result: its row names a handler that does not only
    /// answer.
    Rewritten,
}

/// State held in the process that a call, or what it lets others see, could miss: given back to the kernel first. (What
/// pipes and eventfds hold goes back before every call but those marked blind.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Held {
    /// Everything, and no other process of ours may share this memory any more.
    All = 1,
    /// Offsets and mappings of files, contents of pipes: every descriptor is the kernel's again.
    Descriptors = 2,
    /// The timer by which writes are reported (`emulate::files::burst`): its number is no timer of the program's.
    Timer = 4,
    /// What is known of names: the call changes what look-ups begin at, or may find.
    Names = 8,
}

impl Held {
    /// Every kind.
    pub const KINDS: [(Self, &'static str); 4] =
        [(Self::All, "all"), (Self::Descriptors, "descriptors"), (Self::Timer, "timer"), (Self::Names, "names")];
}

/// A property of a call that a row states by one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Mark {
    /// Of every so many of these calls the runtime looks at one, to find descriptors that are worth a lane.
    Sampled = 1,
    /// The call can neither see nor change what pipes and eventfds hold in the process, nor wait for it.
    Blind = 2,
    /// The call names a descriptor, but neither sees nor changes what its lane holds, or its handler follows what it
    /// does.
    KeepsLane = 4,
    /// The call reads, writes or seeks by a descriptor: Rust asks what that is before it passes the call on.
    Transfers = 8,
    /// The call may move bytes into the file that its descriptor leads to.
    Writes = 16,
    /// The call makes a descriptor by a path: what it leads to is noted.
    Opens = 32,
    /// The call returns in the child as well.
    Forks = 64,
    /// The call does not come back to where it was made.
    Leaves = 128,
    /// The call can see which blocked signals are pending, or take one: the kernel is told what the runtime holds.
    SeesPending = 256,
    /// The call makes a descriptor, and no handler looks at it.
    Makes = 512,
    /// The call looks a name up and changes nothing: what it says of some may be known.
    LooksUp = 1024,
}

/// One system call.
///
/// Rows hold no pointer, so the table needs no relocation and stays a clean page of the file.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    number: u16,
    /// Number of the same call in the 32-bit table plus one, 0 without one.
    int80: u16,
    name_len: u8,
    name: [u8; Row::NAME_LEN_MAX],
    /// Who answers it if the process does not.
    pub treatment: Treatment,
    /// From which level on the process may answer it.
    pub answered: Option<EmulateLevel>,
    /// How the gate deals with it.
    pub route: Route,
    marks: u16,
    /// What is handed back before it is passed on, a set of [`Held`].
    pub hands_back: u8,
    links: [Option<Link>; Link::MAX],
    /// What the result is.
    pub ret: Ret,
    /// What the arguments are, ended by [`Arg::End`].
    pub args: [Arg; MAX_ARGS],
}

impl Row {
    const NAME_LEN_MAX: usize = 24;

    /// The call's number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number as u64
    }

    /// Which arguments are descriptors.
    pub fn descriptor_args(&self) -> impl Iterator<Item = usize> + '_ {
        self.args.iter().enumerate().filter(|(_, arg)| matches!(arg, Arg::Fd)).map(|(at, _)| at)
    }

    /// The paths among its arguments at whose end a symbolic link may be followed.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        self.links.into_iter().flatten()
    }

    /// Which argument is the directory that the path in argument `path_arg` is relative to; the current one without.
    #[must_use]
    pub fn directory_arg(&self, path_arg: usize) -> Option<usize> {
        let before = path_arg.checked_sub(1)?;
        matches!(self.args.get(before), Some(Arg::DirFd)).then_some(before)
    }

    /// The row names paths at whose end a link may be followed.
    pub(super) const fn has_links(&self) -> bool {
        self.links[0].is_some()
    }

    /// The call's name, without a prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
            .get(..usize::from(self.name_len))
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// The row states the property.
    #[must_use]
    pub(super) const fn is(&self, mark: Mark) -> bool {
        self.marks & mark as u16 != 0
    }

    /// All properties that the row states, a set of [`Mark`].
    pub(super) const fn marks(&self) -> u16 {
        self.marks
    }

    /// The call's number for `int 0x80`, if its arguments mean the same there (arch/x86/entry/syscalls/syscall_32.tbl).
    #[must_use]
    pub fn number_of_int80(&self) -> Option<u32> {
        u32::from(self.int80).checked_sub(1)
    }

    /// A row represents a number of the table.
    pub(super) const fn is_missing(&self) -> bool {
        self.name_len == 0
    }

    /// Makes a row; `constant` is the name of the number's constant, `__NR_` and the call's name.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where a wrong index is an error of the build"
    )]
    pub(super) const fn new(number: u32, constant: &str, args: &[Arg], ret: Ret) -> Row {
        let constant = constant.as_bytes();
        let prefix_len = "__NR_".len();
        let name_len = constant.len() - prefix_len;
        assert!(number <= u16::MAX as u32 && name_len <= Row::NAME_LEN_MAX && args.len() <= MAX_ARGS);
        let mut name = [0; Row::NAME_LEN_MAX];
        let mut at = 0;
        while at < name_len {
            name[at] = constant[prefix_len + at];
            at += 1;
        }
        Row {
            number: number as u16,
            int80: 0,
            name_len: name_len as u8,
            name,
            treatment: Treatment::Passthrough,
            answered: None,
            route: Route::Plain,
            marks: 0,
            hands_back: 0,
            links: [None; Link::MAX],
            ret,
            args: pad_args(args),
        }
    }

    pub(super) const fn missing() -> Row {
        Row::new(0, "__NR_", &[], Ret::Int)
    }
}

/// What a row says in brackets, one method for each word.
impl Row {
    /// The process may answer it from level `exact` on.
    pub(super) const fn exact(mut self) -> Self {
        self.answered = Some(EmulateLevel::Exact);
        self
    }

    /// The process may answer it from level `coherent` on.
    pub(super) const fn coherent(mut self) -> Self {
        self.answered = Some(EmulateLevel::Coherent);
        self
    }

    /// It is answered with this value of the thread's state.
    pub(super) const fn value(mut self, value: Value) -> Self {
        self.route = Route::Value(value);
        self
    }

    /// It is answered by this function of the vDSO.
    pub(super) const fn clock(mut self, clock: Clock) -> Self {
        self.route = Route::Clock(clock);
        self
    }

    /// It is answered by its descriptor's lane.
    pub(super) const fn lane(mut self, operation: Operation) -> Self {
        self.route = Route::Lane(operation);
        self
    }

    /// Its handler answers it where the process may.
    pub(super) const fn answers(mut self) -> Self {
        self.route = Route::Handler;
        self
    }

    /// The gate asks this before it enters Rust.
    pub(super) const fn asks(mut self, filter: Filter) -> Self {
        self.route = Route::Filter(filter);
        self
    }

    /// At the end of this path a symbolic link is followed: where that is the process's own `exe` link in /proc the
    /// path is led to the program's file. The gate asks for paths in the first two arguments, if no other question is
    /// asked; `opens` comes before.
    pub(super) const fn follows(mut self, link: Link) -> Self {
        self.treatment = Treatment::Rewritten;
        if self.has_links() {
            assert!(self.links[1].is_none(), "a third path");
            self.links[1] = Some(link);
            self.route = Route::Plain;
            return self;
        }
        self.links[0] = Some(link);
        if matches!(self.route, Route::Plain) {
            self.route = match (link.arg(), self.is(Mark::Opens)) {
                (0, false) => Route::Filter(Filter::FirstPath),
                (1, false) => Route::Filter(Filter::SecondPath),
                (0, true) => Route::Filter(Filter::OpenFirstPath),
                (1, true) => Route::Filter(Filter::OpenSecondPath),
                _ => Route::Plain,
            };
        }
        self
    }

    /// It always comes to its handler, whatever its path is; after `follows`.
    pub(super) const fn unasked(mut self) -> Self {
        self.route = Route::Plain;
        self
    }

    /// See [`Mark::Sampled`].
    pub(super) const fn sampled(self) -> Self {
        self.marked(Mark::Sampled)
    }

    /// See [`Mark::Blind`].
    pub(super) const fn blind(self) -> Self {
        self.marked(Mark::Blind)
    }

    /// See [`Mark::KeepsLane`].
    pub(super) const fn keeps_lane(self) -> Self {
        self.marked(Mark::KeepsLane)
    }

    /// See [`Mark::Transfers`].
    pub(super) const fn transfers(self) -> Self {
        self.marked(Mark::Transfers)
    }

    /// See [`Mark::Writes`].
    pub(super) const fn writes(self) -> Self {
        self.marked(Mark::Writes)
    }

    /// See [`Mark::Opens`].
    pub(super) const fn opens(self) -> Self {
        self.marked(Mark::Opens)
    }

    /// See [`Mark::Forks`].
    pub(super) const fn forks(self) -> Self {
        self.marked(Mark::Forks)
    }

    /// See [`Mark::Leaves`].
    pub(super) const fn leaves(self) -> Self {
        self.marked(Mark::Leaves)
    }

    /// See [`Mark::SeesPending`].
    pub(super) const fn sees_pending(self) -> Self {
        self.marked(Mark::SeesPending)
    }

    /// See [`Mark::Makes`].
    pub(super) const fn makes(self) -> Self {
        self.marked(Mark::Makes)
    }

    /// See [`Mark::LooksUp`]. It is sampled, and answered from level `coherent` on.
    pub(super) const fn looks_up(self) -> Self {
        self.coherent().sampled().marked(Mark::LooksUp)
    }

    const fn marked(mut self, mark: Mark) -> Self {
        self.marks |= mark as u16;
        self
    }

    /// Number of the same call in the 32-bit table.
    pub(super) const fn int80(mut self, number: u16) -> Self {
        self.int80 = number + 1;
        self
    }

    /// This is handed back before it is passed on.
    pub(super) const fn gives_back(mut self, held: Held) -> Self {
        self.hands_back |= held as u8;
        self
    }

    /// The row names a handler: unless that only answers, the runtime carries the call out.
    pub(super) const fn handled(mut self) -> Self {
        if !matches!(self.route, Route::Handler) {
            self.treatment = Treatment::Rewritten;
        }
        self
    }
}
