//! The folder of the image cache, and who may use what is in it.
//!
//! It must never be a way in: folder and images belong to the effective user, nobody else may write or read them, and an image has
//! one name and is no link.

use crate::options::{self, PATH_BYTES};
use crate::sys::Errno;
use crate::sys::raw;
use linux_raw_sys::general as k;

/// `struct stat` as far as it is looked at.
pub struct Stat {
    /// As in stat(2).
    pub device: u64,
    /// As in stat(2).
    pub inode: u64,
    /// As in stat(2).
    pub links: u64,
    /// As in stat(2).
    pub mode: u32,
    /// As in stat(2).
    pub uid: u32,
    /// As in stat(2).
    pub size: u64,
    /// As in stat(2).
    pub times: [u64; 4],
}

/// fstat(2).
pub fn stat(fd: i32) -> Result<Stat, Errno> {
    let mut words = [0u64; 18];
    // SAFETY: the buffer has the structure's 144 bytes.
    unsafe { raw::syscall(k::__NR_fstat, [u64::from(fd.cast_unsigned()), words.as_mut_ptr() as u64]) }?;
    let [device, inode, links, mode_uid, _, _, size, _, _, _, _, mtime, mtime_ns, ctime, ctime_ns, ..] = words;
    #[expect(clippy::cast_possible_truncation, reason = "two words in one")]
    let (mode, uid) = (mode_uid as u32, (mode_uid >> 32) as u32);
    Ok(Stat { device, inode, links, mode, uid, size, times: [mtime, mtime_ns, ctime, ctime_ns] })
}

/// The folder of the image cache by the XDG Base Directory Specification, made if it is missing; `None` if there is no place
/// for one, or it is not the effective user's alone.
pub fn find<'a>(environment: impl Iterator<Item = &'a [u8]> + Clone) -> Option<[u8; PATH_BYTES]> {
    let variable = |name: &[u8]| environment.clone().find_map(|e| e.strip_prefix(name)).filter(|v| v.starts_with(b"/"));
    let parent = match variable(b"XDG_CACHE_HOME=") {
        Some(path) => path.to_vec(),
        None => {
            let mut path = variable(b"HOME=")?.to_vec();
            path.extend_from_slice(b"/.cache");
            path
        }
    };
    let mut path = [0u8; PATH_BYTES];
    let bytes = parent.iter().chain(b"/bt-run");
    if parent.len() + 8 > PATH_BYTES {
        return None;
    }
    for (to, from) in path.iter_mut().zip(bytes) {
        *to = *from;
    }
    let fd = open_path(&path).or_else(|| {
        // Only a default place is made with what it lies in.
        if let Some(home) = parent.strip_suffix(b"/.cache").filter(|_| variable(b"XDG_CACHE_HOME=").is_none()) {
            make(home, b"/.cache");
        }
        make(&parent, b"/bt-run");
        open_path(&path)
    })?;
    raw::close(fd);
    Some(path)
}

/// Makes the folder `parent` + `name`, whose parent the effective user owns, if it is not there.
pub fn make(parent: &[u8], name: &[u8]) {
    let mut path = parent.to_vec();
    path.extend_from_slice(name);
    let Some(slash) = path.iter().rposition(|&b| b == b'/') else { return };
    let mut above = path.get(..slash.max(1)).unwrap_or(b"/").to_vec();
    above.push(0);
    path.push(0);
    let Ok(above) = core::ffi::CStr::from_bytes_with_nul(&above) else { return };
    let Ok(fd) = raw::open(above, k::O_RDONLY | k::O_DIRECTORY | k::O_CLOEXEC) else { return };
    let owned = stat(fd).is_ok_and(|stat| user() == Some(stat.uid));
    raw::close(fd);
    if owned {
        // SAFETY: the kernel reads the path.
        let _ = unsafe { raw::syscall(k::__NR_mkdir, [path.as_ptr() as u64, 0o700]) };
    }
}

fn user() -> Option<u32> {
    // SAFETY: no arguments.
    unsafe { raw::syscall(k::__NR_geteuid, []) }.ok().and_then(|user| u32::try_from(user).ok())
}

/// The folder of the image cache, open; `None` if there is none or others may use it.
pub fn open() -> Option<i32> {
    open_path(&options::get().cache_path)
}

fn open_path(path: &[u8; PATH_BYTES]) -> Option<i32> {
    if path[0] == 0 {
        return None;
    }
    let path = core::ffi::CStr::from_bytes_until_nul(path).ok()?;
    let fd = raw::open(path, k::O_RDONLY | k::O_DIRECTORY | k::O_NOFOLLOW | k::O_CLOEXEC).ok()?;
    if is_private(fd, k::S_IFDIR) {
        Some(fd)
    } else {
        raw::close(fd);
        None
    }
}

/// The effective user owns it and nobody else may use it.
pub fn is_private(fd: i32, kind: u32) -> bool {
    let user = user();
    stat(fd).is_ok_and(|stat| {
        stat.mode & k::S_IFMT == kind
            && stat.mode & 0o077 == 0
            && user == Some(stat.uid)
            && (kind != k::S_IFREG || stat.links == 1)
    })
}

/// Opens an image.
pub fn open_at(directory: i32, name: &[u8; 36], flags: u32) -> Result<i32, Errno> {
    let mut name_z = [0u8; 37];
    for (to, from) in name_z.iter_mut().zip(name) {
        *to = *from;
    }
    let directory = u64::from(directory.cast_unsigned());
    // SAFETY: the kernel reads the NUL-terminated name.
    unsafe { raw::syscall(k::__NR_openat, [directory, name_z.as_ptr() as u64, u64::from(flags), 0]) }
        .map(|fd| i32::try_from(fd).unwrap_or(-1))
}
