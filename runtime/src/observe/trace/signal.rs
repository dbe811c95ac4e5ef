//! Signals: names, sets, actions, and what is known about one that arrived.

use super::printer::Printer;
use super::record::Record;
use crate::calls::Set;

/// Names without their prefix, by number from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];
/// The first real-time signal.
const RTMIN: u64 = 32;
/// The greatest signal number.
const SIGNAL_MAX: u64 = 64;
/// From how many signals on a set is shown as what it lacks.
const MOST: u32 = 42;

const SIGBUS: u32 = 7;
const SIGCHLD: u32 = 17;

impl Printer<'_, '_> {
    /// Appends a signal's name without `SIG`; false if the number has none.
    fn short_signal(&mut self, number: u64) -> bool {
        let name = usize::try_from(number).ok().and_then(|number| NAMES.get(number.checked_sub(1)?));
        match name {
            Some(name) => self.text(name),
            None if number == RTMIN => self.text("RTMIN"),
            None if (RTMIN..=SIGNAL_MAX).contains(&number) => self.unsigned_field("RT_", number - RTMIN),
            None => return false,
        }
        true
    }

    /// Appends a signal number.
    pub(super) fn signal(&mut self, number: u64) {
        let number = number & 0xffff_ffff;
        if number == 0 || number > SIGNAL_MAX {
            return self.line.signed(i64::from(super::printer::as_i32(number)));
        }
        self.text("SIG");
        self.short_signal(number);
    }

    /// Appends a set of signals.
    pub(super) fn signal_set(&mut self, set: u64) {
        let shown = if set.count_ones() >= MOST {
            self.text("~[");
            !set
        } else {
            self.text("[");
            set
        };
        let mut is_first = true;
        for number in (1..=SIGNAL_MAX).filter(|number| shown >> (number - 1) & 1 != 0) {
            if !is_first {
                self.text(" ");
            }
            self.short_signal(number);
            is_first = false;
        }
        self.text("]");
    }

    /// Appends the kernel's `struct sigaction`.
    pub(super) fn signal_action(&mut self, record: &Record) {
        const SA_RESTORER: u64 = linux_raw_sys::general::SA_RESTORER as u64;
        let flags = record.u64(8);
        self.text("{sa_handler=");
        match record.u64(0) {
            0 => self.text("SIG_DFL"),
            1 => self.text("SIG_IGN"),
            handler => self.line.pointer(handler),
        }
        self.text(", sa_mask=");
        self.signal_set(record.u64(24));
        self.flags_field(", sa_flags=", Set::SigactionFlags, flags);
        if flags & SA_RESTORER != 0 {
            self.pointer_field(", sa_restorer=", record.u64(16));
        }
        self.text("}");
    }

    /// Appends `siginfo_t`.
    pub(super) fn signal_info(&mut self, record: &Record) {
        let (signal, code) = (record.u32(0), record.u32(8));
        if signal == 0 {
            return self.text("{}");
        }
        self.text("{si_signo=");
        self.signal(u64::from(signal));
        let code_set = match signal {
            SIGCHLD if code != 0 => Set::CldCode,
            11 if code != 0 => Set::SegvCode,
            _ => Set::SiCode,
        };
        let is_named = Self::choice_name(code_set, u64::from(code)).is_some();
        self.flags_field(", si_code=", if is_named { code_set } else { Set::SiCode }, u64::from(code));
        if record.i32(4) != 0 {
            self.signed_field(", si_errno=", i64::from(record.i32(4)));
        }
        // si_code above 0 and below SI_KERNEL: the kernel's own, for a reason that depends on the signal.
        let is_fault = matches!(signal, 4 | 5 | SIGBUS | 8 | 11);
        if record.i32(8) > 0 && is_fault {
            self.pointer_field(", si_addr=", record.u64(16));
        } else if record.i32(8) > 0 && signal == SIGCHLD {
            self.sender(record);
            self.text(", si_status=");
            // CLD_EXITED is 1; the others tell a signal.
            if code == 1 {
                self.line.signed(i64::from(record.i32(24)));
            } else {
                self.signal(u64::from(record.u32(24)));
            }
            self.signed_field(", si_utime=", record.i64(32));
            self.signed_field(", si_stime=", record.i64(40));
        } else if code != 0x80 {
            self.sender(record);
            if record.i32(8) == -1 {
                self.signed_field(", si_value={sival_int=", i64::from(record.i32(24)));
                self.pointer_field(", sival_ptr=", record.u64(24));
                self.text("}");
            }
        }
        self.text("}");
    }

    /// Appends who sent a signal.
    fn sender(&mut self, record: &Record) {
        self.signed_field(", si_pid=", i64::from(record.i32(16)));
        self.unsigned_field(", si_uid=", u64::from(record.u32(20)));
    }

    /// Appends `struct sigevent`.
    pub(super) fn signal_event(&mut self, record: &Record) {
        const SIGEV_THREAD_ID: u32 = linux_raw_sys::general::SIGEV_THREAD_ID;
        self.text("{");
        if record.u64(0) != 0 {
            self.signed_field("sigev_value={sival_int=", i64::from(record.i32(0)));
            self.pointer_field(", sival_ptr=", record.u64(0));
            self.text("}, ");
        }
        self.text("sigev_signo=");
        self.signal(u64::from(record.u32(8)));
        self.flags_field(", sigev_notify=", Set::Sigevent, u64::from(record.u32(12)));
        if record.u32(12) == SIGEV_THREAD_ID {
            self.signed_field(", sigev_notify_thread_id=", i64::from(record.i32(16)));
        }
        self.text("}");
    }
}
