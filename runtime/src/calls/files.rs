//! Files and directories by name, their attributes, and mounts.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Cases, Ret, Row, Set, rows};

rows! {
    __NR_open: Rewritten (Path, Flags(Set::Open), Switch(Cases::Open)) -> Int;
    __NR_openat: Rewritten (DirFd, Path, Flags(Set::Open), Switch(Cases::Openat)) -> Int;
    __NR_openat2: Rewritten (DirFd, Path, In(OpenHow), Size) -> Int;
    __NR_creat: Passthrough (Path, Mode) -> Int;
    __NR_name_to_handle_at: Passthrough (DirFd, Path, FileHandle, Touched(8), Flags(Set::At)) -> Int;
    __NR_open_by_handle_at: Passthrough (Fd, Ptr, Flags(Set::Open)) -> Int;

    __NR_stat: Rewritten {Times} (Path, Out(Stat)) -> Int;
    __NR_fstat: Passthrough {Times} (Fd, Out(Stat)) -> Int;
    __NR_lstat: Passthrough {Times} (Path, Out(Stat)) -> Int;
    __NR_newfstatat: Rewritten {Times} (DirFd, Path, Out(Stat), Flags(Set::At)) -> Int;
    __NR_statx: Rewritten {Times} (DirFd, Path, Flags(Set::StatxFlags), Flags(Set::StatxMask), Out(Statx)) -> Int;
    __NR_statfs: Passthrough (Path, Out(Statfs)) -> Int;
    __NR_fstatfs: Passthrough (Fd, Out(Statfs)) -> Int;
    __NR_ustat: Passthrough (Dev, Touched(32)) -> Int;
    __NR_access: Rewritten (Path, Flags(Set::Access)) -> Int;
    __NR_faccessat: Rewritten (DirFd, Path, Flags(Set::Access)) -> Int;
    __NR_faccessat2: Rewritten (DirFd, Path, Flags(Set::Access), Flags(Set::AccessAt)) -> Int;
    __NR_file_getattr: Passthrough {Times} (DirFd, Path, TouchedBy(3), Size, Flags(Set::At)) -> Int;
    __NR_file_setattr: Passthrough (DirFd, Path, Ptr, Size, Flags(Set::At)) -> Int;

    __NR_readlink: Rewritten (Path, OutBytes(2), Size) -> Int;
    __NR_readlinkat: Rewritten (DirFd, Path, OutBytes(3), Size) -> Int;
    __NR_getcwd: Passthrough (OutPath(1), Size) -> Int;
    __NR_chdir: Passthrough (Path) -> Int;
    __NR_fchdir: Passthrough (Fd) -> Int;
    __NR_chroot: Passthrough {All} (Path) -> Int;
    __NR_getdents: Rewritten (Fd, OutDirents(2), Size) -> Int;
    __NR_getdents64: Rewritten (Fd, OutDirents64(2), Size) -> Int;

    __NR_rename: Passthrough (Path, Path) -> Int;
    __NR_renameat: Passthrough (DirFd, Path, DirFd, Path) -> Int;
    __NR_renameat2: Passthrough (DirFd, Path, DirFd, Path, Flags(Set::Rename)) -> Int;
    __NR_mkdir: Passthrough (Path, Mode) -> Int;
    __NR_mkdirat: Passthrough (DirFd, Path, Mode) -> Int;
    __NR_rmdir: Passthrough (Path) -> Int;
    __NR_mknod: Passthrough (Path, FileMode, Switch(Cases::Mknod)) -> Int;
    __NR_mknodat: Passthrough (DirFd, Path, FileMode, Switch(Cases::Mknodat)) -> Int;
    __NR_link: Passthrough (Path, Path) -> Int;
    __NR_linkat: Passthrough (DirFd, Path, DirFd, Path, Flags(Set::At)) -> Int;
    __NR_unlink: Passthrough (Path) -> Int;
    __NR_unlinkat: Passthrough (DirFd, Path, Flags(Set::Unlink)) -> Int;
    __NR_symlink: Passthrough (Path, Path) -> Int;
    __NR_symlinkat: Passthrough (Path, DirFd, Path) -> Int;
    __NR_truncate: Passthrough (Path, Long) -> Int;
    __NR_ftruncate: Passthrough (Fd, Long) -> Int;
    __NR_fallocate: Passthrough (Fd, Flags(Set::Fallocate), Long, Long) -> Int;

    __NR_chmod: Passthrough (Path, Mode) -> Int;
    __NR_fchmod: Passthrough (Fd, Mode) -> Int;
    __NR_fchmodat: Passthrough (DirFd, Path, Mode) -> Int;
    __NR_fchmodat2: Passthrough (DirFd, Path, Mode, Flags(Set::At)) -> Int;
    __NR_chown: Passthrough (Path, Int, Int) -> Int;
    __NR_fchown: Passthrough (Fd, Int, Int) -> Int;
    __NR_lchown: Passthrough (Path, Int, Int) -> Int;
    __NR_fchownat: Passthrough (DirFd, Path, Int, Int, Flags(Set::At)) -> Int;
    __NR_umask: Passthrough (Mode) -> Octal;
    __NR_utime: Passthrough {Times} (Path, In(Utimbuf)) -> Int;
    __NR_utimes: Passthrough {Times} (Path, In(TimevalPair)) -> Int;
    __NR_futimesat: Passthrough {Times} (DirFd, Path, In(TimevalPair)) -> Int;
    __NR_utimensat: Passthrough {Times} (DirFd, Path, In(FileTimes), Flags(Set::At)) -> Int;

    __NR_setxattr: Passthrough (Path, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
    __NR_lsetxattr: Passthrough (Path, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
    __NR_fsetxattr: Passthrough (Fd, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
    __NR_setxattrat: Passthrough (DirFd, Path, Flags(Set::At), Path, Ptr, Size) -> Int;
    __NR_getxattr: Passthrough (Path, Path, OutBytes(3), Size) -> Int;
    __NR_lgetxattr: Passthrough (Path, Path, OutBytes(3), Size) -> Int;
    __NR_fgetxattr: Passthrough (Fd, Path, OutBytes(3), Size) -> Int;
    __NR_getxattrat: Passthrough (DirFd, Path, Flags(Set::At), Path, XattrArgs, Size) -> Int;
    __NR_listxattr: Passthrough (Path, OutBytes(2), Size) -> Int;
    __NR_llistxattr: Passthrough (Path, OutBytes(2), Size) -> Int;
    __NR_flistxattr: Passthrough (Fd, OutBytes(2), Size) -> Int;
    __NR_listxattrat: Passthrough (DirFd, Path, Flags(Set::At), OutBytes(4), Size) -> Int;
    __NR_removexattr: Passthrough (Path, Path) -> Int;
    __NR_lremovexattr: Passthrough (Path, Path) -> Int;
    __NR_fremovexattr: Passthrough (Fd, Path) -> Int;
    __NR_removexattrat: Passthrough (DirFd, Path, Flags(Set::At), Path) -> Int;

    __NR_inotify_init: Passthrough () -> Int;
    __NR_inotify_init1: Passthrough (Flags(Set::InotifyInit)) -> Int;
    __NR_inotify_add_watch: Passthrough (Fd, Path, Flags(Set::InotifyMask)) -> Int;
    __NR_inotify_rm_watch: Passthrough (Fd, Int) -> Int;
    __NR_fanotify_init: Passthrough (Flags(Set::FanotifyInit), Flags(Set::Open)) -> Int;
    __NR_fanotify_mark: Passthrough (Fd, Flags(Set::FanotifyMark), Hex, DirFd, Path) -> Int;

    __NR_sync: Passthrough () -> Int;
    __NR_syncfs: Passthrough (Fd) -> Int;
    __NR_fsync: Passthrough (Fd) -> Int;
    __NR_fdatasync: Passthrough (Fd) -> Int;
    __NR_sync_file_range: Passthrough (Fd, Long, Long, Flags(Set::SyncRange)) -> Int;

    __NR_mount: Passthrough (Path, Path, Switch(Cases::Mount)) -> Int;
    __NR_umount2: Passthrough (Path, Flags(Set::Umount)) -> Int;
    __NR_pivot_root: Passthrough {All} (Path, Path) -> Int;
    __NR_open_tree: Passthrough (DirFd, Path, Flags(Set::OpenTree)) -> Int;
    __NR_open_tree_attr: Passthrough (DirFd, Path, Flags(Set::OpenTree), Ptr, Size) -> Int;
    __NR_move_mount: Passthrough (DirFd, Path, DirFd, Path, Hex) -> Int;
    __NR_fsopen: Passthrough (Path, Hex) -> Int;
    __NR_fsconfig: Passthrough (Fd, Uint, Path, Ptr, Int) -> Int;
    __NR_fsmount: Passthrough (Fd, Hex, Hex) -> Int;
    __NR_fspick: Passthrough (DirFd, Path, Hex) -> Int;
    __NR_mount_setattr: Passthrough (DirFd, Path, Flags(Set::At), Ptr, Size) -> Int;
    __NR_statmount: Passthrough (Ptr, TouchedBy(2), Size, Hex) -> Int;
    __NR_listmount: Passthrough (Ptr, TouchedArray(8, 2), Size, Hex) -> Int;
    __NR_sysfs: Passthrough (Int, Switch(Cases::Sysfs)) -> Int;
    __NR_swapon: Passthrough (Path, Hex) -> Int;
    __NR_swapoff: Passthrough (Path) -> Int;
    __NR_acct: Passthrough (Path) -> Int;
    __NR_quotactl: Passthrough (Hex, Path, Switch(Cases::Quotactl)) -> Int;
    __NR_quotactl_fd: Passthrough (Fd, Hex, Switch(Cases::QuotactlFd)) -> Int;
}
