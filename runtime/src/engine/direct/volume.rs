//! What tells the file system that a file is on from every other that has, had or will have its device number.
//!
//! Numbers of devices and inodes are given anew: after an unmount, when another disk is attached to a loop device, after a
//! boot. A disk has a sequence number that no other has (diskseq, Linux 5.15); a file system without a disk has mounts
//! with numbers that are not given again (STATX_MNT_ID_UNIQUE, Linux 6.8); both count from a boot on, which has an id.

use crate::mem::lock::Mutex;
use crate::report::Text;
use crate::sys::stat::device_numbers;
use crate::sys::{Fd, fs};
use core::ffi::CStr;
use core::fmt::Write as _;
use linux_raw_sys::general as k;

/// Identity of a file system.
pub type Volume = [u64; 3];

/// What was asked for once, for this image and the next ones of the family: the boot's id, device and sequence number of
/// a disk. Zeros are not known.
struct Known {
    boot: [u64; 2],
    disk: [u64; 2],
}

static KNOWN: Mutex<Known> = Mutex::new(Known { boot: [0; 2], disk: [0; 2] });

/// Words of what is known.
pub const VOLUME_WORDS: usize = 4;

/// What is known, for the next image.
pub fn known() -> [u64; VOLUME_WORDS] {
    let Known { boot: [first, second], disk: [device, number] } = *KNOWN.lock();
    [first, second, device, number]
}

/// Takes over what the image before has found out.
pub fn take(words: &[u64; VOLUME_WORDS]) {
    let [first, second, device, number] = *words;
    *KNOWN.lock() = Known { boot: [first, second], disk: [device, number] };
}

/// The identity of the file system that the open file is on, whose device number is `device`; `None` where that cannot
/// be told.
pub fn of(file: Fd, device: u64) -> Option<Volume> {
    let mut known = KNOWN.lock();
    if known.boot == [0; 2] {
        known.boot = boot_id()?;
    }
    let (major, minor) = device_numbers(device);
    let number = match known.disk {
        [disk, number] if disk == device && number != 0 => number,
        _ if major == 0 => file.mount_id()?,
        _ => {
            let number = sequence_number(major, minor)?;
            known.disk = [device, number];
            number
        }
    };
    let [first, second] = known.boot;
    Some([first, second, number])
}

/// A small file of the kernel's, as far as it fits.
fn read<const N: usize>(path: &CStr) -> Option<([u8; N], usize)> {
    let file = fs::open(path, k::O_RDONLY).ok()?;
    let mut bytes = [0u8; N];
    let got = file.read(&mut bytes);
    file.close();
    got.ok().map(|len| (bytes, len))
}

/// random(4), /proc/sys/kernel/random/boot_id: 32 hexadecimal digits between dashes.
fn boot_id() -> Option<[u64; 2]> {
    let (text, len) = read::<64>(c"/proc/sys/kernel/random/boot_id")?;
    let digits = text.get(..len)?.iter().filter_map(|&byte| char::from(byte).to_digit(16));
    let mut count = 0;
    let mut id = [0u64; 2];
    for digit in digits {
        let word = id.get_mut(count / 16)?;
        *word = *word << 4 | u64::from(digit);
        count += 1;
    }
    (count == 32).then_some(id)
}

/// Documentation/ABI/testing/sysfs-block, diskseq; a partition has its disk's.
fn sequence_number(major: u64, minor: u64) -> Option<u64> {
    ["diskseq", "../diskseq"].iter().find_map(|name| {
        let mut path = Text::default();
        let _ = write!(path, "/sys/dev/block/{major}:{minor}/{name}\0");
        let (text, len) = read::<24>(CStr::from_bytes_until_nul(path.as_bytes()).ok()?)?;
        let digits = text.get(..len)?.iter().take_while(|byte| byte.is_ascii_digit());
        let number = digits.fold(0u64, |n, digit| n.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
        (number != 0).then_some(number)
    })
}
