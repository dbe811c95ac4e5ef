//! What was scanned is remembered for each file, as a patched image whose pages are mapped clean and shared by all.
//!
//! An image file is a copy of the program or library with its sites patched, so that tools find symbols and build id in
//! it; after that lie the stubs as they stand in memory, records of what was overwritten, and a trailer. A file
//! without sites has a trailer only. Images are looked up by what identifies the file and this bt-run ([`Key`]).
//!
//! It must never be a way in: directory and image must belong to the effective user and nobody else may write or read
//! them, an image is no link. An image is complete before it gets its name, so nobody sees half of one, and it is never
//! changed afterwards. Whatever is not as it should be is removed, and the file scanned again.

use super::cold::Cold;
use super::directory::{self, is_private, open_image};
use super::key::Key;
use super::records::{Image, PatchRecord, StubRecord, near};
use super::settled;
use super::site::{Patch, Stub};
use crate::mem::guest;
use crate::sys::plain::{Plain, bytes_of};
use crate::sys::{Errno, Fd, fs, mem, process};
use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;
use linux_raw_sys::general as k;

const MAGIC: u64 = u64::from_le_bytes(*b"bt-img 3");
const PAGE: u64 = 4096;
/// Bytes of the record of a place that is doubted.
const DOUBT_BYTES: u64 = 4;

/// The image's name for the kernel.
fn name_z(key: &Key) -> CString {
    CString::new(key.name()).unwrap_or_default()
}

/// The last bytes of an image file.
#[repr(C)]
#[derive(Clone, Copy)]
struct Trailer {
    magic: u64,
    key: Key,
    /// Displacement of the window from the code's first page, in bytes; 0 without sites.
    window: i64,
    /// Bytes of the window, which lies in the file at `window_at`, and of the records after it.
    window_len: u64,
    window_at: u64,
    patches: u64,
    stubs: u64,
    /// Number of places that are doubted; their distances from the code's beginning lie before the trailer.
    doubts: u64,
}
// SAFETY: integers without padding.
unsafe impl Plain for Trailer {}

/// What was found for a mapping.
pub enum Found {
    /// There is no image that can be used, and why; if it can be made its key.
    Nothing(Cold, Option<Key>),
    /// There is: what is mapped over the guest's code, if it has sites and is not known from an earlier mapping; and
    /// what is doubted of it.
    Known(Option<Image>, Vec<u64>),
}

/// Looks for an image of what was mapped from `fd` at `start..end`, executable and read-only, and maps it. `mapped` are
/// the images mapped before.
pub fn find(fd: Fd, offset: u64, start: u64, end: u64, prot: u32, mapped: &mut [Image]) -> Found {
    let key = match Key::of(fd, offset, start, end) {
        Ok(key) => key,
        Err(why) => return Found::Nothing(why, None),
    };
    let Some(directory) = directory::open() else { return Found::Nothing(Cold::Directory, None) };
    let found = match open_image(directory, &key.name()) {
        Err(Errno::ENOENT) => Found::Nothing(Cold::New, Some(key)),
        Err(_) => rejected(directory, key),
        Ok(file) => {
            let found = match usable_trailer(file, &key) {
                Some(trailer) => {
                    let found = known(file, &trailer, (start, end), prot, mapped);
                    found.unwrap_or(Found::Nothing(Cold::Place, None))
                }
                None => rejected(directory, key),
            };
            file.close();
            found
        }
    };
    directory.close();
    found
}

/// What has the image's name is none: it makes room for one.
fn rejected(directory: Fd, key: Key) -> Found {
    let _ = fs::remove_at(directory, &name_z(&key));
    Found::Nothing(Cold::Unusable, Some(key))
}

/// The trailer of an image that is the user's alone and of this key.
fn usable_trailer(file: Fd, key: &Key) -> Option<Trailer> {
    let trailer = if is_private(file, k::S_IFREG) { read_trailer(file) } else { None };
    trailer.filter(|trailer| trailer.key == *key)
}

/// What the image in `file` says of the code at `start..end`, over which it is mapped; `None` if it cannot be.
fn known(file: Fd, trailer: &Trailer, code: (u64, u64), prot: u32, mapped: &mut [Image]) -> Option<Found> {
    let doubts = read_doubts(file, trailer, code.0)?;
    let image = if trailer.patches == 0 { None } else { map_image(file, trailer, code, prot, mapped)? };
    Some(Found::Known(image, doubts))
}

/// The places that are doubted in the code that begins at `start`.
fn read_doubts(file: Fd, trailer: &Trailer, start: u64) -> Option<Vec<u64>> {
    if trailer.doubts == 0 {
        return Some(Vec::new());
    }
    let len = trailer.doubts.checked_mul(DOUBT_BYTES).filter(|&len| len <= trailer.key.len)?;
    let mut records = vec![0u8; usize::try_from(len).ok()?];
    let at = file.stat().ok()?.size.checked_sub(size_of::<Trailer>() as u64 + len)?;
    if file.read_at(&mut records, at) != Ok(records.len()) {
        return None;
    }
    Some(records.as_chunks().0.iter().map(|&at| start + u64::from(u32::from_le_bytes(at))).collect())
}

/// Maps an image over the code at `start..end`: `None` in it if its records are mapped already. `None` if there is no
/// place for it.
fn map_image(
    file: Fd,
    trailer: &Trailer,
    (start, end): (u64, u64),
    prot: u32,
    mapped: &mut [Image],
) -> Option<Option<Image>> {
    let Trailer { window, window_len, window_at, patches, stubs, key, .. } = *trailer;
    let records = patches * size_of::<PatchRecord>() as u64 + stubs * size_of::<StubRecord>() as u64;
    let len = (window_len + records).next_multiple_of(PAGE);
    // Stubs lie where jumps reach them; records alone lie anywhere.
    let is_anywhere = window_len == 0;
    let mut base = if is_anywhere { 0 } else { start.checked_add_signed(window)? };
    let is_again = |image: &&mut Image| image.gone && image.map == (base, base + len) && image.key == key;
    let again = mapped.iter_mut().find(is_again);
    if again.is_none() {
        let flags = k::MAP_PRIVATE | if is_anywhere { 0 } else { k::MAP_FIXED_NOREPLACE };
        let got = mem::mmap_own_file(base, len, k::PROT_READ | k::PROT_EXEC, flags, file, window_at).ok()?;
        if got != base && !is_anywhere {
            // SAFETY: just mapped, elsewhere than asked (old kernels).
            unsafe { mem::munmap(got, len) };
            return None;
        }
        base = got;
    }
    let map = (base, base + len);
    let flags = k::MAP_PRIVATE | k::MAP_FIXED;
    // SAFETY: replaces the guest's mapping, which nobody uses yet, by its patched copy.
    unsafe { mem::mmap_file(start, end - start, prot, flags, file, key.offset) }.ok()?;
    let image = Image { code: (start, end), window: (base, base + window_len), map, gone: false, key, patches, stubs };
    if let Some(old) = again {
        // Its records are mapped already.
        *old = image;
        return Some(None);
    }
    Some(Some(image))
}

/// Inode and part of the file that an image was made of, for a list.
#[must_use]
pub fn origin(directory: Fd, name: &[u8]) -> Vec<u8> {
    let mut text = crate::report::LongText::default();
    let Some(trailer) = name.try_into().ok().and_then(|name| {
        let file = open_image(directory, name).ok()?;
        let trailer = read_trailer(file);
        file.close();
        trailer
    }) else {
        return b"(not an image of this version)".to_vec();
    };
    let Trailer { key, patches, .. } = trailer;
    let stale = if key.build == crate::process::image::build_id() { "" } else { ", of another bt-run" };
    let _ = write!(
        text,
        "inode {}:{}, {} bytes from {:#x}: {patches} sites{stale}",
        key.device, key.inode, key.len, key.offset
    );
    text.bytes
}

fn read_trailer(file: Fd) -> Option<Trailer> {
    let size = file.stat().ok()?.size;
    let mut trailer = [0u8; size_of::<Trailer>()];
    let at = size.checked_sub(trailer.len() as u64)?;
    if file.read_at(&mut trailer, at) != Ok(trailer.len()) {
        return None;
    }
    guest::read(trailer.as_ptr() as u64).filter(|trailer: &Trailer| trailer.magic == MAGIC)
}

/// What is to be written into an image.
pub struct Content<'a> {
    /// First address of the code in memory.
    pub code: u64,
    /// The window.
    pub window: (u64, u64),
    /// Patches by address.
    pub patches: &'a [(u64, Patch)],
    /// What they were overwritten with, in the same order.
    pub written: &'a [super::site::Overwrite],
    /// Stubs by address.
    pub stubs: &'a [(u64, Stub)],
    /// What is doubted, by address.
    pub doubts: &'a [u64],
}

/// No limit is set on the size of files: to reach one raises SIGXFSZ, which would end the guest (setrlimit(2)).
fn may_write_files() -> bool {
    process::limits(k::RLIMIT_FSIZE).is_ok_and(|[soft, _]| soft == u64::MAX)
}

/// Writes the image of a file that has just been scanned.
///
/// # Errors
/// Why there is none: the file will be scanned again.
pub fn write(fd: Fd, key: &Key, content: &Content<'_>) -> Result<(), Cold> {
    if !may_write_files() {
        return Err(Cold::FileLimit);
    }
    if !settled::shows_changes(fd, key.changed_at()) {
        return Err(Cold::Unseen);
    }
    let directory = directory::open().ok_or(Cold::Directory)?;
    // A file without a name: it vanishes with this process if the process does not come to its end.
    let written = fs::open_at(directory, c".", k::O_TMPFILE | k::O_RDWR, 0o600).and_then(|file| {
        let filled = fill(fd, file, key, content).and_then(|()| match fs::give_name(file, directory, &name_z(key)) {
            // Of two processes that fill at once the first gives the name (linkat(2)).
            Err(Errno::EEXIST) => Ok(()),
            named => named,
        });
        file.close();
        super::housekeeping::limit(directory);
        filled
    });
    directory.close();
    written.map_err(|errno| if errno == Errno::EAGAIN { Cold::Unseen } else { Cold::Refused(errno) })
}

/// Fills `file`; EAGAIN if `from` is not what the key names any more.
fn fill(from: Fd, file: Fd, key: &Key, content: &Content<'_>) -> Result<(), Errno> {
    let mut end = 0;
    let (mut window_at, mut window_len) = (0, 0);
    if !content.patches.is_empty() {
        copy_file(from, file, key.size)?;
        for patch in content.written {
            let at = key.offset + (patch.at - content.code);
            file.write_all_at(patch.bytes.get(..patch.len).unwrap_or(&[]), at)?;
        }
        window_at = key.size.next_multiple_of(PAGE);
        window_len = content.window.1 - content.window.0;
        for &(at, stub) in content.stubs {
            let mut code = vec![0u8; usize::try_from(stub.len).unwrap_or(0)];
            guest::read_bytes(at, &mut code);
            file.write_all_at(&code, window_at + (at - content.window.0))?;
        }
        let mut records: Vec<u8> = Vec::new();
        for &(at, patch) in content.patches {
            records.extend_from_slice(bytes_of(&PatchRecord::of(at, &patch, content.code)));
        }
        for &(at, stub) in content.stubs {
            records.extend_from_slice(bytes_of(&StubRecord::of(at, &stub, content.window.0, content.code)));
        }
        file.write_all_at(&records, window_at + window_len)?;
        end = (window_at + window_len + records.len() as u64).next_multiple_of(PAGE);
    }
    // What was read must be what the key names: the file may have been replaced in place meanwhile.
    let now = from.stat()?;
    if now.times != key.times || now.size != key.size {
        return Err(Errno::EAGAIN);
    }
    let trailer = Trailer {
        magic: MAGIC,
        key: *key,
        window: content.window.0.wrapping_sub(content.code).cast_signed(),
        window_len,
        window_at,
        patches: content.patches.len() as u64,
        stubs: content.stubs.len() as u64,
        doubts: content.doubts.len() as u64,
    };
    let mut last: Vec<u8> = Vec::new();
    for &at in content.doubts {
        last.extend_from_slice(&near(at, content.code).to_le_bytes());
    }
    last.extend_from_slice(bytes_of(&trailer));
    file.write_all_at(&last, end)
}

/// Copies a file's contents.
fn copy_file(from: Fd, to: Fd, len: u64) -> Result<(), Errno> {
    const CHUNK: usize = 64 << 10;
    let mut buffer = vec![0u8; CHUNK];
    let mut at = 0;
    while at < len {
        let n = from.read_at(&mut buffer, at)?;
        if n == 0 {
            return Err(Errno::EIO);
        }
        to.write_all_at(buffer.get(..n).unwrap_or(&[]), at)?;
        at += n as u64;
    }
    Ok(())
}
