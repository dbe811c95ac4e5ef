//! Writes the archive that the kernel unpacks into its first file system.
//!
//! The format is `newc` of Documentation/driver-api/early-userspace/buffer-format.rst. Owner and times are 0, entries
//! are sorted: equal contents make equal archives, and device nodes need no root.

use std::collections::BTreeMap;
use std::fmt::Write as _;

// inode(7): types of files in st_mode.
const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

struct Entry {
    mode: u32,
    device: (u32, u32),
    content: Vec<u8>,
}

/// An archive in the making; paths have no leading `/`.
#[derive(Default)]
pub struct Archive {
    // Sorted: a directory comes before what is in it.
    entries: BTreeMap<String, Entry>,
}

impl Archive {
    /// Adds a directory, and those above it.
    pub fn directory(&mut self, path: &str) {
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent);
        }
        let directory = || Entry { mode: DIRECTORY | 0o755, device: (0, 0), content: Vec::new() };
        self.entries.entry(path.to_owned()).or_insert_with(directory);
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, permissions: u32, content: Vec<u8>) {
        self.add(path, Entry { mode: FILE | permissions, device: (0, 0), content });
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.add(path, Entry { mode: LINK | 0o777, device: (0, 0), content: target.as_bytes().to_vec() });
    }

    /// Adds a character device.
    pub fn character_device(&mut self, path: &str, permissions: u32, major: u32, minor: u32) {
        let entry = Entry { mode: CHARACTER_DEVICE | permissions, device: (major, minor), content: Vec::new() };
        self.add(path, entry);
    }

    /// Whether something has that path.
    pub fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    fn add(&mut self, path: &str, entry: Entry) {
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent);
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// The archive's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (inode, (path, entry)) in (1..).zip(&self.entries) {
            write_entry(&mut out, inode, path, entry);
        }
        write_entry(&mut out, 0, "TRAILER!!!", &Entry { mode: 0, device: (0, 0), content: Vec::new() });
        out
    }
}

fn write_entry(out: &mut Vec<u8>, inode: usize, path: &str, entry: &Entry) {
    let mut header = String::from("070701");
    let links = if entry.mode & DIRECTORY == DIRECTORY { 2 } else { 1 };
    let fields = [
        inode,
        entry.mode as usize,
        0, // user
        0, // group
        links,
        0, // time of change
        entry.content.len(),
        0, // device that holds the file
        0,
        entry.device.0 as usize,
        entry.device.1 as usize,
        path.len() + 1,
        0, // checksum, unused
    ];
    for field in fields {
        let _ = write!(header, "{field:08x}");
    }
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(path.as_bytes());
    out.push(0);
    pad(out);
    out.extend_from_slice(&entry.content);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn directories_come_first_and_parts_are_aligned() {
        let mut archive = Archive::default();
        archive.file("b/c/file", 0o644, b"hello".to_vec());
        archive.link("a", "b/c");
        let bytes = archive.bytes();
        let text = String::from_utf8_lossy(&bytes);
        let places: Vec<_> = ["a\0", "b\0", "b/c\0", "b/c/file\0", "TRAILER!!!"]
            .iter()
            .map(|name| text.match_indices("070701").position(|(at, _)| text[at + 110..].starts_with(name)))
            .collect();
        assert_eq!(places, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        assert!(text.match_indices("070701").all(|(at, _)| at % 4 == 0));
        assert_eq!(bytes.len() % 4, 0);
    }

    #[test]
    fn size_and_mode_are_in_the_header() {
        let mut archive = Archive::default();
        archive.file("f", 0o755, b"hello".to_vec());
        let bytes = archive.bytes();
        assert_eq!(&bytes[14..22], b"000081ed");
        assert_eq!(&bytes[54..62], b"00000005");
    }
}
