//! Targets `headers` and `handoff`: any bytes can be the file of a program, or the first string of the environment.

use bt_runtime::elf::headers::{FileBytes, Headers};
use bt_runtime::sys::Errno;
use bt_runtime::syscall::handoff::{Handoff, STRING_BYTES};

/// A file in memory.
struct File<'a>(&'a [u8]);

impl FileBytes for File<'_> {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

/// The input is a program's file.
pub fn headers(data: &[u8]) {
    let Ok(headers) = Headers::parse(&File(data)) else { return };
    let (start, end) = headers.span();
    assert!(start <= end && headers.align().is_power_of_two());
    assert!(headers.loads().all(|segment| segment.prot() <= 7));
    assert!(headers.interp().is_none_or(|path| path.to_bytes().len() < data.len()));
    for (_, address, len) in headers.code() {
        assert!(address.is_multiple_of(4096) && len.is_multiple_of(4096));
    }
}

/// The input is what a program put into the environment; what is taken from it is written as it was.
pub fn handoff(data: &[u8]) {
    let mut string = Handoff::PREFIX.to_vec();
    string.extend_from_slice(data);
    for first in [data, &string] {
        let Some((taken, number, execfn)) = Handoff::take(b"/dev/fd/7", first) else { continue };
        assert_eq!(number, 7);
        let mut written = vec![0; STRING_BYTES];
        let Ok(room) = (&mut written[..]).try_into() else { continue };
        if taken.write(&execfn, room).is_some() {
            assert!(written.starts_with(&first.to_ascii_lowercase()[..Handoff::PREFIX.len()]));
        }
    }
}
