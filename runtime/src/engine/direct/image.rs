//! What was scanned is remembered for each file, as a patched image whose pages are mapped clean and shared by all.
//!
//! An image file is a copy of the program or library with its sites patched, so that tools find symbols and build id in
//! it; after that lie the stubs as they stand in memory, records of what was overwritten, and a trailer. A file
//! without sites has a trailer only. Images are looked up by what identifies the file and this bt-run ([`Key`]).
//!
//! It must never be a way in: directory and image must belong to the effective user and nobody else may write or read
//! them, an image is no link. An image is complete before it gets its name, so nobody sees half of one, and it is never
//! changed afterwards. Whatever is not as it should be is removed, and the file scanned again.

use super::directory::{self, is_private, open_image};
use super::settled;
use super::site::{Patch, SOURCE_BYTES, Stub};
use super::volume::{self, Volume};
use crate::gate::low;
use crate::mem::guest;
use crate::options;
use crate::sys::plain::Plain;
use crate::sys::stat::Stat;
use crate::sys::{Errno, Fd, fs, mem, process};
use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;
use linux_raw_sys::general as k;

/// Files larger than this are not copied.
const MAX_FILE_BYTES: u64 = 256 << 20;
const MAGIC: u64 = u64::from_le_bytes(*b"bt-img 2");
const PAGE: u64 = 4096;

/// What makes two mappings the same: a file that was not changed, a part of it, and the program that made stubs for it.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    volume: Volume,
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds of the last modification and of the last change of the inode.
    times: [u64; 4],
    /// The part of the file.
    offset: u64,
    len: u64,
    /// Distance between pages of the file and of memory, for programs that cannot be moved; 0 for others.
    fixed_at: u64,
    build: [u64; 3],
    /// What else changes stubs: `--strict`, and where tables lie.
    variant: u64,
}
// SAFETY: integers without padding.
unsafe impl Plain for Key {}

impl Key {
    /// The key of `start..end`, which the file maps from `offset` on. `None` for what is not to be remembered.
    fn of(fd: Fd, offset: u64, start: u64, end: u64) -> Option<Self> {
        let stat = fd.stat().ok()?;
        // What is mapped past the file's end is not the file's.
        let inside = offset.checked_add(end - start).is_some_and(|to| to <= stat.size.next_multiple_of(PAGE));
        if stat.mode & k::S_IFMT != k::S_IFREG || stat.size > MAX_FILE_BYTES || !inside {
            return None;
        }
        let volume = volume::of(fd, stat.device)?;
        // Code in the low 2 GiB holds addresses as immediates.
        let fixed_at = if start < 1 << 31 { start } else { 0 };
        let Stat { device, inode, size, times, .. } = stat;
        // Stubs hold the address of the table of calls.
        let variant = u64::from(options::get().strict) | u64::from(low::ibtc()) << 1;
        Some(Self {
            volume,
            device,
            inode,
            size,
            times,
            offset,
            len: end - start,
            fixed_at,
            build: crate::process::image::build_id(),
            variant,
        })
    }

    /// When the file was changed last, in nanoseconds.
    fn changed_at(&self) -> u64 {
        let [_, _, seconds, nanoseconds] = self.times;
        seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
    }

    /// Name of the image: a hash, compared with the whole key when the image is opened.
    fn name(&self) -> [u8; 36] {
        let mut hashes = [0xcbf2_9ce4_8422_2325u64, 0x9e37_79b9_7f4a_7c15];
        for byte in bytes_of(self) {
            for (hash, factor) in hashes.iter_mut().zip([0x0000_0100_0000_01b3u64, 0xff51_afd7_ed55_8ccd]) {
                *hash = (*hash ^ u64::from(*byte)).wrapping_mul(factor);
                *hash ^= *hash >> 29;
            }
        }
        let mut name = *b"00000000000000000000000000000000.img";
        let digits = hashes.iter().flat_map(|h| (0..16).map(move |i| (h >> (60 - 4 * i) & 15) as u8));
        for (slot, digit) in name.iter_mut().zip(digits) {
            *slot = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        }
        name
    }
}

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
    /// 1: it cannot be patched with certainty and must not run in place.
    withheld: u64,
}
// SAFETY: integers without padding.
unsafe impl Plain for Trailer {}

/// A patch, in the file; addresses are relative to the code.
#[repr(C)]
#[derive(Clone, Copy)]
struct PatchRecord {
    at: u32,
    len: u32,
    original: [u8; SOURCE_BYTES],
    /// 1: the site traps. It has no stub here: one is made when it is come to.
    trap: u32,
}
// SAFETY: integers without padding.
unsafe impl Plain for PatchRecord {}

/// A stub, in the file: `at` is relative to the window.
#[repr(C)]
#[derive(Clone, Copy)]
struct StubRecord {
    at: u32,
    len: u32,
    tag: u32,
    source_len: u32,
    source: [u8; SOURCE_BYTES],
}
// SAFETY: integers without padding.
unsafe impl Plain for StubRecord {}

fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: plain values have no padding and no invalid bytes.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// A mapped image.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// The code.
    pub code: (u64, u64),
    /// The stubs.
    pub window: (u64, u64),
    /// The mapping that holds stubs and records.
    pub map: (u64, u64),
    /// The guest's mapping of the code is gone: only threads that are still in a stub need it.
    pub gone: bool,
    key: Key,
    patches: u64,
    stubs: u64,
}

impl Image {
    fn patch_record(&self, n: u64) -> Option<PatchRecord> {
        guest::read(self.window.1 + n * size_of::<PatchRecord>() as u64)
    }

    fn stub_record(&self, n: u64) -> Option<StubRecord> {
        let stubs_at = self.window.1 + self.patches * size_of::<PatchRecord>() as u64;
        guest::read(stubs_at + n * size_of::<StubRecord>() as u64)
    }

    /// Number of patches that begin at or before `pc`.
    fn patches_before(&self, pc: u64) -> u64 {
        partition(self.patches, |n| self.patch_record(n).is_some_and(|p| self.code.0 + u64::from(p.at) <= pc))
    }

    fn patch(&self, n: u64) -> Option<(u64, Patch)> {
        let record = self.patch_record(n)?;
        let at = self.code.0 + u64::from(record.at);
        Some((at, Patch { end: at + u64::from(record.len), original: record.original, trap: record.trap != 0 }))
    }

    /// The patch that covers `pc`.
    #[must_use]
    pub fn patch_at(&self, pc: u64) -> Option<(u64, Patch)> {
        if self.gone || !(self.code.0..self.code.1).contains(&pc) {
            return None;
        }
        self.patch(self.patches_before(pc).checked_sub(1)?).filter(|(_, patch)| pc < patch.end)
    }

    /// The patches that begin in `start..end`.
    pub fn patches_in(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, Patch)> + '_ {
        let concerned = !self.gone && start < self.code.1 && self.code.0 < end;
        let first = if concerned { self.patches_before(start.saturating_sub(1)) } else { self.patches };
        (first..self.patches).filter_map(|n| self.patch(n)).take_while(move |&(at, _)| at < end)
    }

    /// The stub that covers the cache address `at`.
    #[must_use]
    pub fn stub_at(&self, at: u64) -> Option<(u64, Stub)> {
        if !(self.window.0..self.window.1).contains(&at) {
            return None;
        }
        let start = |s: &StubRecord| self.window.0 + u64::from(s.at);
        let n = partition(self.stubs, |n| self.stub_record(n).is_some_and(|s| start(&s) <= at)).checked_sub(1)?;
        let record = self.stub_record(n)?;
        let tag = self.code.0 + u64::from(record.tag);
        let (len, until) = (u64::from(record.len), tag + u64::from(record.source_len));
        (at - start(&record) < len).then_some((start(&record), Stub { len, tag, until, source: record.source }))
    }
}

/// First number below `count` for which `before` does not hold.
fn partition(count: u64, before: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// What was found for a mapping.
pub enum Found {
    /// There is no image: scan.
    Nothing(Option<Key>),
    /// The file has no sites.
    Empty,
    /// The file must not run in place.
    Withheld,
    /// The image is mapped over the guest's code.
    Mapped(Image),
}

/// Looks for an image of what was mapped from `fd` at `start..end`, executable and read-only, and maps it. `mapped` are
/// the images mapped before.
pub fn find(fd: Fd, offset: u64, start: u64, end: u64, prot: u32, mapped: &mut [Image]) -> Found {
    let Some(key) = Key::of(fd, offset, start, end) else { return Found::Nothing(None) };
    let Some(directory) = directory::open() else { return Found::Nothing(None) };
    let found = match open_image(directory, &key.name()) {
        Err(Errno::ENOENT) => Found::Nothing(Some(key)),
        // A link, a file that its owner may not read, a socket (open(2)).
        Err(Errno::ELOOP | Errno::EACCES | Errno::ENXIO) => rejected(directory, key),
        // No descriptor, no memory …: nothing is wrong with the file.
        Err(_) => Found::Nothing(None),
        Ok(file) => {
            let found = match usable_trailer(file, &key) {
                Ok(Some(trailer)) => {
                    map_image(file, &trailer, (start, end), prot, mapped).unwrap_or(Found::Nothing(None))
                }
                Ok(None) => rejected(directory, key),
                Err(_) => Found::Nothing(None),
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
    Found::Nothing(Some(key))
}

/// The trailer of an image that is the user's alone and of this key.
fn usable_trailer(file: Fd, key: &Key) -> Result<Option<Trailer>, Errno> {
    if !is_private(file, k::S_IFREG) {
        return Ok(None);
    }
    Ok(read_trailer(file)?.filter(|trailer| trailer.key == *key))
}

/// Maps an image over the code at `start..end`; `None` if there is no place for it.
fn map_image(file: Fd, trailer: &Trailer, (start, end): (u64, u64), prot: u32, mapped: &mut [Image]) -> Option<Found> {
    if trailer.withheld != 0 {
        return Some(Found::Withheld);
    }
    if trailer.patches == 0 {
        return Some(Found::Empty);
    }
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
        return Some(Found::Empty);
    }
    Some(Found::Mapped(image))
}

/// Inode and part of the file that an image was made of, for a list.
#[must_use]
pub fn origin(directory: Fd, name: &[u8]) -> Vec<u8> {
    let mut text = crate::report::LongText::default();
    let Some(trailer) = name.try_into().ok().and_then(|name| {
        let file = open_image(directory, name).ok()?;
        let trailer = read_trailer(file);
        file.close();
        trailer.ok()?
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

/// What a file that is to be an image ends with; `None` if that is no trailer.
fn read_trailer(file: Fd) -> Result<Option<Trailer>, Errno> {
    let size = file.stat()?.size;
    let mut trailer = [0u8; size_of::<Trailer>()];
    let Some(at) = size.checked_sub(trailer.len() as u64) else { return Ok(None) };
    if file.read_at(&mut trailer, at)? != trailer.len() {
        return Ok(None);
    }
    Ok(guest::read(trailer.as_ptr() as u64).filter(|trailer: &Trailer| trailer.magic == MAGIC))
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
    /// It must not run in place: there is nothing else to remember.
    pub withheld: bool,
}

/// No limit is set on the size of files: to reach one raises SIGXFSZ, which would end the guest (setrlimit(2)).
fn may_write_files() -> bool {
    process::limits(k::RLIMIT_FSIZE).is_ok_and(|[soft, _]| soft == u64::MAX)
}

/// Writes the image of a file that has just been scanned. Failure is no error: it will be scanned again.
pub fn write(fd: Fd, key: &Key, content: &Content<'_>) {
    if !may_write_files() {
        return;
    }
    let Some(directory) = directory::open() else { return };
    // A file without a name: it vanishes with this process if the process does not come to its end.
    if let Ok(file) = fs::open_at(directory, c".", k::O_TMPFILE | k::O_RDWR, 0o600) {
        if fill(fd, file, key, content).is_ok() {
            // Of two processes that fill at once the first gives the name (linkat(2), EEXIST).
            let _ = fs::give_name(file, directory, &name_z(key));
        }
        file.close();
        super::housekeeping::limit(directory);
    }
    directory.close();
}

fn fill(from: Fd, file: Fd, key: &Key, content: &Content<'_>) -> Result<(), Errno> {
    if !settled::shows_changes(from, key.changed_at()) {
        return Err(Errno::EAGAIN);
    }
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
        let near = |address: u64, base: u64| u32::try_from(address - base).unwrap_or(0);
        for &(at, patch) in content.patches {
            let len = near(patch.end, at);
            let record =
                PatchRecord { at: near(at, content.code), len, original: patch.original, trap: u32::from(patch.trap) };
            records.extend_from_slice(bytes_of(&record));
        }
        for &(at, stub) in content.stubs {
            let record = StubRecord {
                at: near(at, content.window.0),
                len: u32::try_from(stub.len).unwrap_or(0),
                tag: near(stub.tag, content.code),
                source_len: near(stub.until, stub.tag),
                source: stub.source,
            };
            records.extend_from_slice(bytes_of(&record));
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
        withheld: u64::from(content.withheld),
    };
    file.write_all_at(bytes_of(&trailer), end)
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
