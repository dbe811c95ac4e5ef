//! Structures of a fixed size.

use super::printer::Printer;
use super::record::Record;
use super::text;
use crate::calls::{Set, Shape};

/// Seconds that utimensat(2) takes for "now" and for "leave it".
const UTIME_NOW: u64 = 0x3fff_ffff;
const UTIME_OMIT: u64 = 0x3fff_fffe;

impl Printer<'_, '_> {
    /// Appends the item at `addr`, or the address if there is nothing to be read.
    pub(super) fn item(&mut self, shape: Shape, addr: u64) {
        match self.record(addr, shape.size_bytes()) {
            Some(record) => self.fields(shape, &record),
            None => self.line.pointer(addr),
        }
    }

    /// Appends an array of items.
    pub(super) fn items(&mut self, shape: Shape, addr: u64, count: u64) {
        if addr == 0 {
            return self.line.pointer(addr);
        }
        if count > 0 && self.record(addr, shape.size_bytes()).is_none() {
            return self.line.pointer(addr);
        }
        self.text("[");
        for index in 0..count {
            self.separate(index == 0);
            if index == text::ITEMS_MAX {
                self.text("...");
                break;
            }
            let at = addr.wrapping_add(index * shape.size_bytes());
            match self.record(at, shape.size_bytes()) {
                Some(record) => self.element(shape, &record),
                None => {
                    self.line.pointer(at);
                    break;
                }
            }
        }
        self.text("]");
    }

    /// Appends an item of an array, where a bare number needs no brackets.
    fn element(&mut self, shape: Shape, record: &Record) {
        match shape {
            Shape::I32 => self.line.signed(i64::from(record.i32(0))),
            Shape::U32 => self.line.unsigned(u64::from(record.u32(0))),
            _ => self.fields(shape, record),
        }
    }

    /// Appends an item that has been read.
    fn fields(&mut self, shape: Shape, record: &Record) {
        match shape {
            Shape::I32 | Shape::SchedParam => self.bracketed(|printer| printer.line.signed(i64::from(record.i32(0)))),
            Shape::U32 => self.bracketed(|printer| printer.line.unsigned(u64::from(record.u32(0)))),
            Shape::I64 => self.bracketed(|printer| printer.line.signed(record.i64(0))),
            Shape::Time => self.bracketed(|printer| {
                printer.line.signed(record.i64(0));
                printer.date_comment(record.i64(0), 0, 0);
            }),
            Shape::U64 => self.bracketed(|printer| printer.line.unsigned(record.u64(0))),
            Shape::Address => self.bracketed(|printer| printer.line.hex(record.u64(0))),
            Shape::IntPair => self.bracketed(|printer| {
                printer.line.signed(i64::from(record.i32(0)));
                printer.signed_field(", ", i64::from(record.i32(4)));
            }),
            Shape::WaitStatus => self.bracketed(|printer| printer.wait_status(record.u32(0))),
            Shape::Timespec => self.seconds(record, 0, "tv_nsec"),
            Shape::Timeval => self.seconds(record, 0, "tv_usec"),
            Shape::FileTimes => self.bracketed(|printer| {
                printer.file_time(record, 0);
                printer.text(", ");
                printer.file_time(record, 16);
            }),
            Shape::TimevalPair => self.bracketed(|printer| {
                printer.seconds(record, 0, "tv_usec");
                printer.date_comment(record.i64(0), record.u64(8), 6);
                printer.text(", ");
                printer.seconds(record, 16, "tv_usec");
                printer.date_comment(record.i64(16), record.u64(24), 6);
            }),
            Shape::Timezone => {
                self.signed_field("{tz_minuteswest=", i64::from(record.i32(0)));
                self.signed_field(", tz_dsttime=", i64::from(record.i32(4)));
                self.text("}");
            }
            Shape::Itimerval => self.interval(record, "tv_usec"),
            Shape::Itimerspec => self.interval(record, "tv_nsec"),
            Shape::Stat => self.stat(record),
            Shape::Statfs => self.statfs(record),
            Shape::Statx => self.statx(record),
            Shape::Sigset => self.signal_set(record.u64(0)),
            Shape::Sigaction => self.signal_action(record),
            Shape::Siginfo => self.signal_info(record),
            Shape::Sigevent => self.signal_event(record),
            Shape::Flock => self.lock(record),
            Shape::Sysinfo => self.system_info(record),
            Shape::OpenHow => self.open_how(record),
            Shape::Termios => self.terminal(record),
            Shape::Comm => self.name(record, 0, 16),
            Shape::Utimbuf
            | Shape::Tms
            | Shape::Timex
            | Shape::Rusage
            | Shape::Rlimit
            | Shape::AltStack
            | Shape::Owner => self.process_fields(shape, record),
            _ => self.other_fields(shape, record),
        }
    }

    /// Appends times, limits and owners.
    fn process_fields(&mut self, shape: Shape, record: &Record) {
        match shape {
            Shape::Utimbuf => {
                self.signed_field("{actime=", record.i64(0));
                self.signed_field(", modtime=", record.i64(8));
                self.text("}");
            }
            Shape::Tms => {
                self.signed_field("{tms_utime=", record.i64(0));
                self.signed_field(", tms_stime=", record.i64(8));
                self.signed_field(", tms_cutime=", record.i64(16));
                self.signed_field(", tms_cstime=", record.i64(24));
                self.text("}");
            }
            Shape::Timex => {
                self.hex_field("{modes=", u64::from(record.u32(0)));
                self.signed_field(", offset=", record.i64(8));
                self.signed_field(", freq=", record.i64(16));
                self.text(", ...}");
            }
            Shape::Rusage => {
                self.text("{ru_utime=");
                self.seconds(record, 0, "tv_usec");
                self.text(", ru_stime=");
                self.seconds(record, 16, "tv_usec");
                self.text(", ...}");
            }
            Shape::Rlimit => {
                self.text("{rlim_cur=");
                self.limit(record.u64(0));
                self.text(", rlim_max=");
                self.limit(record.u64(8));
                self.text("}");
            }
            Shape::AltStack => {
                self.pointer_field("{ss_sp=", record.u64(0));
                self.alt_stack_flags(record.u32(8));
                self.unsigned_field(", ss_size=", record.u64(16));
                self.text("}");
            }
            Shape::Owner => {
                self.flags_field("{type=", Set::OwnerType, u64::from(record.u32(0)));
                self.signed_field(", pid=", i64::from(record.i32(4)));
                self.text("}");
            }
            _ => {}
        }
    }

    /// Appends what is left.
    fn other_fields(&mut self, shape: Shape, record: &Record) {
        match shape {
            Shape::Pollfd => {
                self.signed_field("{fd=", i64::from(record.i32(0)));
                self.flags_field(", events=", Set::Poll, u64::from(record.u16(4)));
                self.text("}");
            }
            Shape::EpollEvent => {
                self.flags_field("{events=", Set::Epoll, u64::from(record.u32(0)));
                self.unsigned_field(", data={u32=", u64::from(record.u32(4)));
                self.unsigned_field(", u64=", record.u64(4));
                self.text("}}");
            }
            Shape::Utsname => {
                self.text("{sysname=");
                self.name(record, 0, 65);
                self.text(", nodename=");
                self.name(record, 65, 65);
                self.text(", ...}");
            }
            Shape::CapHeader => {
                self.flags_field("{version=", Set::CapVersion, u64::from(record.u32(0)));
                self.signed_field(", pid=", i64::from(record.i32(4)));
                self.text("}");
            }
            Shape::CapData => {
                let word = |at: usize| u64::from(record.u32(at)) | u64::from(record.u32(at + 12)) << 32;
                self.capabilities("{effective=", word(0));
                self.capabilities(", permitted=", word(4));
                self.capabilities(", inheritable=", word(8));
                self.text("}");
            }
            Shape::Winsize => {
                self.unsigned_field("{ws_row=", u64::from(record.u16(0)));
                self.unsigned_field(", ws_col=", u64::from(record.u16(2)));
                self.unsigned_field(", ws_xpixel=", u64::from(record.u16(4)));
                self.unsigned_field(", ws_ypixel=", u64::from(record.u16(6)));
                self.text("}");
            }
            Shape::Sembuf => {
                self.unsigned_field("{sem_num=", u64::from(record.u16(0)));
                self.signed_field(", sem_op=", i64::from(record.i16(2)));
                self.flags_field(", sem_flg=", Set::SemFlags, u64::from(record.u16(4)));
                self.text("}");
            }
            _ => {}
        }
    }

    /// Appends a name and a set of capabilities.
    fn capabilities(&mut self, name: &str, set: u64) {
        self.text(name);
        let mut left = set;
        for number in (0..64).filter(|number| set >> number & 1 != 0) {
            if let Some(capability) = Self::choice_name(Set::Capability, number) {
                self.text(if left == set { "1<<" } else { "|1<<" });
                self.text(capability);
                left &= !(1 << number);
            }
        }
        if left != 0 || set == 0 {
            self.text(if left == set { "" } else { "|" });
            self.line.hex(left);
        }
    }

    /// Appends something in brackets.
    fn bracketed(&mut self, inside: impl FnOnce(&mut Self)) {
        self.text("[");
        inside(self);
        self.text("]");
    }

    /// Appends a string in a fixed array.
    fn name(&mut self, record: &Record, offset: usize, len: usize) {
        let bytes = record.bytes(offset, len);
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        text::quote(self.line, bytes.get(..end).unwrap_or_default());
    }

    /// Appends seconds and a fraction.
    fn seconds(&mut self, record: &Record, offset: usize, fraction: &str) {
        self.signed_field("{tv_sec=", record.i64(offset));
        self.text(", ");
        self.text(fraction);
        self.signed_field("=", record.i64(offset + 8));
        self.text("}");
    }

    /// Appends a timer's interval and value.
    fn interval(&mut self, record: &Record, fraction: &str) {
        self.text("{it_interval=");
        self.seconds(record, 0, fraction);
        self.text(", it_value=");
        self.seconds(record, 16, fraction);
        self.text("}");
    }

    /// Appends a time of utimensat(2).
    fn file_time(&mut self, record: &Record, offset: usize) {
        match record.u64(offset + 8) {
            UTIME_NOW => self.text("UTIME_NOW"),
            UTIME_OMIT => self.text("UTIME_OMIT"),
            fraction => {
                self.seconds(record, offset, "tv_nsec");
                self.date_comment(record.i64(offset), fraction, 9);
            }
        }
    }

    /// Appends a resource limit.
    fn limit(&mut self, limit: u64) {
        if limit == u64::MAX {
            self.text("RLIM64_INFINITY");
        } else if limit > 1024 && limit.is_multiple_of(1024) {
            self.line.unsigned(limit / 1024);
            self.text("*1024");
        } else {
            self.line.unsigned(limit);
        }
    }

    /// Appends a status of wait4(2).
    fn wait_status(&mut self, status: u32) {
        const CONTINUED: u32 = 0xffff;
        let signal = u64::from(status & 0x7f);
        let high = u64::from(status >> 8 & 0xff);
        if status == CONTINUED {
            self.text("{WIFCONTINUED(s)}");
        } else if signal == 0 {
            self.unsigned_field("{WIFEXITED(s) && WEXITSTATUS(s) == ", high);
            self.text("}");
        } else if signal == 0x7f {
            self.text("{WIFSTOPPED(s) && WSTOPSIG(s) == ");
            self.signal(high);
            self.text("}");
        } else {
            self.text("{WIFSIGNALED(s) && WTERMSIG(s) == ");
            self.signal(signal);
            self.text(if status & 0x80 != 0 { " && WCOREDUMP(s)}" } else { "}" });
        }
    }

    /// Appends `struct stat`.
    fn stat(&mut self, record: &Record) {
        let mode = u64::from(record.u32(24));
        self.text("{st_mode=");
        self.file_mode(mode);
        if matches!(mode & 0o170_000, 0o020_000 | 0o060_000) {
            self.text(", st_rdev=");
            self.device(record.u64(40));
        } else {
            self.signed_field(", st_size=", record.i64(48));
        }
        self.text(", ...}");
    }

    /// Appends `struct statx`.
    fn statx(&mut self, record: &Record) {
        self.flags_field("{stx_mask=", Set::StatxMask, u64::from(record.u32(0)));
        self.flags_field(", stx_attributes=", Set::StatxAttributes, record.u64(8));
        self.text(", stx_mode=");
        self.file_mode(u64::from(record.u16(28)));
        self.unsigned_field(", stx_size=", record.u64(40));
        self.text(", ...}");
    }

    /// Appends `struct statfs`.
    fn statfs(&mut self, record: &Record) {
        self.flags_field("{f_type=", Set::FsMagic, record.u64(0));
        for (name, offset) in [
            (", f_bsize=", 8),
            (", f_blocks=", 16),
            (", f_bfree=", 24),
            (", f_bavail=", 32),
            (", f_files=", 40),
            (", f_ffree=", 48),
        ] {
            self.unsigned_field(name, record.u64(offset));
        }
        self.hex_field(", f_fsid={val=[", u64::from(record.u32(56)));
        self.hex_field(", ", u64::from(record.u32(60)));
        self.unsigned_field("]}, f_namelen=", record.u64(64));
        self.unsigned_field(", f_frsize=", record.u64(72));
        self.flags_field(", f_flags=", Set::StatfsFlags, record.u64(80));
        self.text("}");
    }

    /// Appends `struct sysinfo`.
    fn system_info(&mut self, record: &Record) {
        self.signed_field("{uptime=", record.i64(0));
        self.unsigned_field(", loads=[", record.u64(8));
        self.unsigned_field(", ", record.u64(16));
        self.unsigned_field(", ", record.u64(24));
        for (name, offset) in [
            ("], totalram=", 32),
            (", freeram=", 40),
            (", sharedram=", 48),
            (", bufferram=", 56),
            (", totalswap=", 64),
            (", freeswap=", 72),
        ] {
            self.unsigned_field(name, record.u64(offset));
        }
        self.unsigned_field(", procs=", u64::from(record.u16(80)));
        self.unsigned_field(", totalhigh=", record.u64(88));
        self.unsigned_field(", freehigh=", record.u64(96));
        self.unsigned_field(", mem_unit=", u64::from(record.u32(104)));
        self.text("}");
    }

    /// Appends the flags of an alternate stack, of which none is plain zero.
    fn alt_stack_flags(&mut self, flags: u32) {
        self.flags_field(", ss_flags=", Set::AltStack, u64::from(flags));
    }

    /// Appends `struct flock`.
    fn lock(&mut self, record: &Record) {
        self.flags_field("{l_type=", Set::LockType, u64::from(record.u16(0)));
        self.flags_field(", l_whence=", Set::Whence, u64::from(record.u16(2)));
        self.signed_field(", l_start=", record.i64(8));
        self.signed_field(", l_len=", record.i64(16));
        if self.result.is_some() {
            self.signed_field(", l_pid=", i64::from(record.i32(24)));
        }
        self.text("}");
    }

    /// Appends `struct open_how`.
    fn open_how(&mut self, record: &Record) {
        self.flags_field("{flags=", Set::Open, record.u64(0));
        if record.u64(8) != 0 {
            self.text(", mode=");
            self.line.mode(record.u64(8));
        }
        self.flags_field(", resolve=", Set::Resolve, record.u64(16));
        self.text("}");
    }

    /// Appends the modes of `struct termios`.
    fn terminal(&mut self, record: &Record) {
        self.flags_field("{c_iflag=", Set::TermInput, u64::from(record.u32(0)));
        let output = record.u32(4);
        self.text(", c_oflag=");
        for (delay, mask) in
            [("NL", 0o400), ("CR", 0o3000), ("TAB", 0o14000), ("BS", 0o20000), ("VT", 0o40000), ("FF", 0o100_000_u32)]
        {
            self.unsigned_field(delay, u64::from((output & mask) >> mask.trailing_zeros()));
            self.text("|");
        }
        self.flags(Set::TermOutput, u64::from(output & 0o377));
        let control = record.u32(8);
        self.flags_field(", c_cflag=", Set::TermSpeed, u64::from(control & 0o10017));
        self.unsigned_field("|CS", 5 + u64::from(control >> 4 & 3));
        if control & !0o10077 != 0 {
            self.flags_field("|", Set::TermControl, u64::from(control & !0o10077));
        }
        self.flags_field(", c_lflag=", Set::TermLocal, u64::from(record.u32(12)));
        self.text(", ...}");
    }
}
