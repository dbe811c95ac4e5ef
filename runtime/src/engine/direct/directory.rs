//! The directory of the image cache, and who may use what is in it.
//!
//! It must never be a way in: directory and images belong to the effective user, nobody else may write or read them,
//! and an image is no link. It may have further names, which lead to the same bytes (profilers keep copies in this way).

use crate::options::{self, PATH_BYTES};
use crate::sys::{Errno, Fd, fs, process};
use linux_raw_sys::general as k;

/// The directory of the image cache by the XDG Base Directory Specification, made if it is missing; `None` if there is
/// no place for one, or it is not the effective user's alone.
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
    fd.close();
    Some(path)
}

/// Makes the directory `parent` + `name`, whose parent the effective user owns, if it is not there.
pub fn make(parent: &[u8], name: &[u8]) {
    let mut path = parent.to_vec();
    path.extend_from_slice(name);
    let Some(slash) = path.iter().rposition(|&b| b == b'/') else { return };
    let mut above = path.get(..slash.max(1)).unwrap_or(b"/").to_vec();
    above.push(0);
    path.push(0);
    let Ok(above) = core::ffi::CStr::from_bytes_with_nul(&above) else { return };
    let Ok(path) = core::ffi::CStr::from_bytes_with_nul(&path) else { return };
    let Ok(fd) = fs::open(above, k::O_RDONLY | k::O_DIRECTORY) else { return };
    let owned = fd.stat().is_ok_and(|stat| process::effective_user() == stat.uid);
    fd.close();
    if owned {
        let _ = fs::make_directory(path, 0o700);
    }
}

/// The directory of the image cache, open; `None` if there is none or others may use it.
pub fn open() -> Option<Fd> {
    open_path(&options::get().cache_path)
}

fn open_path(path: &[u8; PATH_BYTES]) -> Option<Fd> {
    if path[0] == 0 {
        return None;
    }
    let path = core::ffi::CStr::from_bytes_until_nul(path).ok()?;
    let fd = fs::open(path, k::O_RDONLY | k::O_DIRECTORY | k::O_NOFOLLOW).ok()?;
    if is_private(fd, k::S_IFDIR) {
        Some(fd)
    } else {
        fd.close();
        None
    }
}

/// The effective user owns it and nobody else may use it.
pub fn is_private(fd: Fd, kind: u32) -> bool {
    let user = process::effective_user();
    fd.stat().is_ok_and(|stat| stat.mode & k::S_IFMT == kind && stat.mode & 0o077 == 0 && user == stat.uid)
}

/// Opens an image for reading, without a wait where a FIFO has its name.
///
/// # Errors
/// The kernel's.
pub fn open_image(directory: Fd, name: &[u8; 36]) -> Result<Fd, Errno> {
    let mut name_z = [0u8; 37];
    for (to, from) in name_z.iter_mut().zip(name) {
        *to = *from;
    }
    let name = core::ffi::CStr::from_bytes_until_nul(&name_z).unwrap_or(c"");
    fs::open_at(directory, name, k::O_RDONLY | k::O_NOFOLLOW | k::O_NONBLOCK, 0)
}
