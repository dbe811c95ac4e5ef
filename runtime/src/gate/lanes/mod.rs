//! Calls answered by what their descriptor is, in assembly.
//!
//! An entry looks the descriptor up in `LANES`. Without a lane the call is passed on, with all registers and flags as
//! they were. With one it goes to the lane's code for the operation, which either answers or gives the call to Rust
//! (`bt_slow`), as if nothing had been done: a lane handles the ordinary case only.
//!
//! Contracts:
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_lane_OP` | as `bt_pass` | `bt_pass_lane`, or the lane's code |
//! | `bt_report_OP` | as `bt_pass` | `bt_slow`, or the lane's code |
//! | a lane's code | rcx = the lane; `next_pc` and `resume` set; rcx and r11 free, all else the guest's | `bt_lane_done` or `bt_lane_slow` |
//! | `bt_lane_done` | rax = result; the rest as `enter!` left it in the thread state | the cache pc |
//!
//! A descriptor gets a lane only while the process has one thread; afterwards only lanes of devices are left, which
//! have no state. A signal that comes meanwhile is requeued and taken when the lane leaves (`bt_lane_check`). A fault
//! in a copy gives the call to Rust.
//!
//! The entries are in `find`, the code by kind of lane in `devices`, `file` and `pipe`, what they share in `copy` and
//! `leave`.

pub mod copy;
pub mod devices;
pub mod file;
pub mod find;
pub mod leave;
pub mod pipe;

use super::lane::{Kind, Lane};
use super::piece::{Piece, Span};
use super::region::Region;
use crate::calls::route::Operation;

labels! {
    /// Code of a lane for one operation, and other places in the lanes' assembly.
    pub enum Code {
        find_labels: [
            EntryRead = bt_lane_read,
            EntryWrite = bt_lane_write,
            EntryPread = bt_lane_pread,
            EntryPwrite = bt_lane_pwrite,
            EntryLseek = bt_lane_lseek,
            ReportRead = bt_report_read,
            ReportWrite = bt_report_write,
            ReportPread = bt_report_pread,
            ReportPwrite = bt_report_pwrite,
            ReportLseek = bt_report_lseek,
            EntriesEnd = bt_lane_entries_end,
        ],
        device_labels: [
            NullWrite = bt_null_write,
            NullRead = bt_null_read,
            NullLseek = bt_null_lseek,
            ZeroRead = bt_zero_read,
            DevicesEnd = bt_devices_end,
        ],
        file_labels: [
            FileRead = bt_file_read,
            FilePread = bt_file_pread,
            FileWrite = bt_file_write,
            FilePwrite = bt_file_pwrite,
            FileLseek = bt_file_lseek,
            FilesEnd = bt_files_end,
        ],
        pipe_labels: [PipeWrite = bt_pipe_write, PipeRead = bt_pipe_read, PipesEnd = bt_pipes_end],
        copy_labels: [
            Copy = bt_lane_copy,
            Vectors = bt_lane_vectors,
            VectorsEnd = bt_lane_vectors_end,
            Rep = bt_lane_rep,
            VectorsLost = bt_lane_vectors_lost,
            CopyEnd = bt_lane_copy_end,
        ],
        leave_labels: [
            Rust = bt_lane_rust,
            Slow = bt_lane_slow,
            Done = bt_lane_done,
            Check = bt_lane_check,
            End = bt_lane_end,
            LeaveEnd = bt_lane_leave_end,
        ],
    }
}

/// Where the gate enters for an operation.
#[must_use]
pub fn entry(operation: Operation) -> u64 {
    match operation {
        Operation::Read => Code::EntryRead,
        Operation::Write => Code::EntryWrite,
        Operation::Pread => Code::EntryPread,
        Operation::Pwrite => Code::EntryPwrite,
        Operation::Lseek => Code::EntryLseek,
    }
    .address()
}

/// The same while something is to be reported before a call is passed on: without a lane the call is Rust's.
#[must_use]
pub fn reporting_entry(operation: Operation) -> u64 {
    match operation {
        Operation::Read => Code::ReportRead,
        Operation::Write => Code::ReportWrite,
        Operation::Pread => Code::ReportPread,
        Operation::Pwrite => Code::ReportPwrite,
        Operation::Lseek => Code::ReportLseek,
    }
    .address()
}

/// A lane with this code for read, write, pread64, pwrite64 and lseek.
#[must_use]
pub fn lane_with(kind: Kind, code: [Code; 5]) -> Lane {
    Lane::new(kind, code.map(Code::address))
}

/// Has a lane use other code from now on, in the order of [`lane_with`].
pub fn set_code(lane: &Lane, code: [Code; 5]) {
    lane.set_code(code.map(Code::address));
}

fn between(from: Code, to: Code) -> Span {
    (from.address(), to.address())
}

/// The entries.
pub(super) fn find_piece() -> Piece {
    let span = between(Code::EntryRead, Code::EntriesEnd);
    let entries = Operation::ALL.map(entry).into_iter().chain(Operation::ALL.map(reporting_entry));
    Piece::new(span).entered_at(entries).with_ranges([(span, Region::BeforeCall)])
}

/// Code that may fault where it looks at the guest's memory: then the call is Rust's.
fn looking_piece(span: Span) -> Piece {
    Piece::new(span).with_fixups([(span, Code::Slow.address())])
}

/// Lanes of devices.
pub(super) fn device_piece() -> Piece {
    looking_piece(between(Code::NullWrite, Code::DevicesEnd))
}

/// Lanes of files.
pub(super) fn file_piece() -> Piece {
    looking_piece(between(Code::FileRead, Code::FilesEnd))
}

/// Lanes of pipes.
pub(super) fn pipe_piece() -> Piece {
    looking_piece(between(Code::PipeWrite, Code::PipesEnd))
}

/// The copy that lanes share: while it uses vector registers these are put back first.
pub(super) fn copy_piece() -> Piece {
    let span = between(Code::Copy, Code::CopyEnd);
    Piece::new(span).with_fixups([
        (between(Code::Vectors, Code::VectorsEnd), Code::VectorsLost.address()),
        (span, Code::Slow.address()),
    ])
}

/// The ways out.
pub(super) fn leave_piece() -> Piece {
    Piece::new(between(Code::Rust, Code::LeaveEnd)).with_ranges([(between(Code::Check, Code::End), Region::LaneCheck)])
}
