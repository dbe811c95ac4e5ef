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

/// The input is what a program put into the environment: as it is, after the prefix, and as the structure that the
/// digits spell, filled up with zeros. What is taken is written as it was.
pub fn handoff(data: &[u8]) {
    let with_prefix = [Handoff::PREFIX, data].concat();
    let mut structure = data.to_vec();
    structure.resize(size_of::<Handoff>(), 0);
    let digits: String = structure.iter().map(|byte| format!("{byte:02x}")).collect();
    let spelled = [Handoff::PREFIX, digits.as_bytes(), b"/a path"].concat();
    for first in [data, &with_prefix, &spelled] {
        let Some((taken, number, execfn)) = Handoff::take(b"/dev/fd/7", first) else { continue };
        assert_eq!(number, 7);
        let mut written = [0; STRING_BYTES];
        if taken.write(&execfn, &mut written).is_some() {
            let (head, path) = first.split_at(first.len() - execfn.len());
            assert_eq!(written[..head.len()], *head.to_ascii_lowercase());
            assert_eq!(written[head.len()..first.len()], *path);
        }
    }
}
