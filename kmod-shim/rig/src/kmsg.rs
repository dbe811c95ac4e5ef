//! The kernel's log: writes the protocol's lines into it, reads the kernel's own.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::protocol::Message;

const DEVICE: &str = "/dev/kmsg";

/// Facility `user`, severity `warning`: syslog(3). The console shows it under `loglevel=5`.
const PREFIX: &str = "<12>";

/// The kernel refuses a record of more than 1024 bytes, with its prefix (LOG_LINE_MAX).
const LINE_BYTES: usize = 900;

/// Prints `message`; an output line that is too long is printed in pieces.
pub fn say(message: &Message) -> io::Result<()> {
    let mut device = OpenOptions::new().write(true).open(DEVICE)?;
    for line in lines_of(message) {
        // One write is one record.
        device.write_all(format!("{PREFIX}{line}\n").as_bytes())?;
    }
    Ok(())
}

fn lines_of(message: &Message) -> Vec<String> {
    let printable = |text: &str| text.replace(|letter: char| letter.is_control() && letter != '\t', "?");
    let Message::Output { text } = message else {
        let mut line = printable(&message.to_string());
        line.truncate(boundary(&line, LINE_BYTES));
        return vec![line];
    };
    let mut rest = printable(text);
    let mut lines = Vec::new();
    loop {
        let tail = rest.split_off(boundary(&rest, LINE_BYTES));
        lines.push(Message::Output { text: rest }.to_string());
        if tail.is_empty() {
            return lines;
        }
        rest = tail;
    }
}

/// The last place in `text` up to `index` that is between letters.
fn boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// A place in the kernel's log.
#[derive(Debug)]
pub struct Mark {
    device: File,
}

impl Mark {
    /// The log's end as it is now.
    pub fn now() -> Result<Self> {
        let mut device =
            OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(DEVICE).context("kernel log")?;
        device.seek(SeekFrom::End(0)).context("kernel log")?;
        Ok(Self { device })
    }

    /// What the kernel itself has said since the mark; the next call goes on from there.
    pub fn lines(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        let mut record = vec![0; 8192];
        loop {
            match self.device.read(&mut record) {
                Ok(length) => lines.extend(kernel_text(&String::from_utf8_lossy(&record[..length]))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(lines),
                // The ring has overwritten what was to be read next: the read after this one finds the oldest.
                Err(error) if error.raw_os_error() == Some(Errno::EPIPE as i32) => {}
                Err(error) => return Err(error).context("kernel log"),
            }
        }
    }
}

/// What the kernel says once when the machine that emulates it was busy with something else for some milliseconds
/// (kernel/time/hrtimer.c, `hrtimer_interrupt`).
const OF_THE_HOST: &str = "hrtimer: interrupt took ";

/// Text of a record `PRIORITY,SEQUENCE,TIME,FLAGS;TEXT`; nothing when user space wrote it, or the host is the cause.
fn kernel_text(record: &str) -> Option<String> {
    let (head, text) = record.split_once(';')?;
    let priority: u32 = head.split(',').next()?.parse().ok()?;
    // The facility is in the bits from the third on: 0 is the kernel.
    let line = text.lines().next().unwrap_or_default();
    (priority >> 3 == 0 && !line.starts_with(OF_THE_HOST)).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES, kernel_text, lines_of};
    use crate::protocol::Message;

    #[test]
    fn records_of_user_space_and_of_a_busy_host_are_left_out() {
        assert_eq!(kernel_text("4,7,12345,-;hrtimer: interrupt took 4016970 ns\n"), None);
        assert_eq!(kernel_text("4,7,12345,-;btshim: loaded\n SUBSYSTEM=x\n").as_deref(), Some("btshim: loaded"));
        assert_eq!(kernel_text("12,8,12346,-;@bt begin x\n"), None);
        assert_eq!(kernel_text("nonsense"), None);
    }

    #[test]
    fn long_output_is_split_between_letters() {
        let text = "é".repeat(1000);
        let lines = lines_of(&Message::Output { text: text.clone() });
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES + 10));
        let read: String = lines
            .iter()
            .map(|line| match Message::parse(line) {
                Some(Message::Output { text }) => text,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(read, text);
    }

    #[test]
    fn control_letters_do_not_reach_the_console() {
        assert_eq!(lines_of(&Message::Output { text: "a\x1b[1mb".to_owned() }), ["@bt | a?[1mb"]);
    }
}
