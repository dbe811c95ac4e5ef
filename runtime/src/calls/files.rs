//! Files and directories by name, their attributes, and mounts.

macro_rules! files_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_open: [asks(Filter::OpenFirstPath), opens] (Path, Flags(Set::Open), Switch(Cases::Open)) -> Int
                => paths::first_path;
            __NR_openat: [asks(Filter::OpenSecondPath), opens] (DirFd, Path, Flags(Set::Open), Switch(Cases::Openat)) -> Int
                => paths::second_path;
            __NR_openat2: [opens] (DirFd, Path, In(OpenHow), Size) -> Int => paths::second_path;
            __NR_creat: (Path, Mode) -> Int;
            __NR_name_to_handle_at: (DirFd, Path, FileHandle, Touched(8), Flags(Set::At)) -> Int;
            __NR_open_by_handle_at: (Fd, Ptr, Flags(Set::Open)) -> Int;

            __NR_stat: [asks(Filter::FirstPath)] {Times} (Path, Out(Stat)) -> Int => paths::first_path;
            __NR_fstat: [keeps_lane] {Times} (Fd, Out(Stat)) -> Int;
            __NR_lstat: {Times} (Path, Out(Stat)) -> Int;
            __NR_newfstatat: [asks(Filter::SecondPath)] {Times} (DirFd, Path, Out(Stat), Flags(Set::At)) -> Int
                => paths::second_path;
            __NR_statx: [asks(Filter::SecondPath)] {Times}
                (DirFd, Path, Flags(Set::StatxFlags), Flags(Set::StatxMask), Out(Statx)) -> Int => paths::second_path;
            __NR_statfs: (Path, Out(Statfs)) -> Int;
            __NR_fstatfs: (Fd, Out(Statfs)) -> Int;
            __NR_ustat: (Dev, Touched(32)) -> Int;
            __NR_access: [asks(Filter::FirstPath)] (Path, Flags(Set::Access)) -> Int => paths::first_path;
            __NR_faccessat: [asks(Filter::SecondPath)] (DirFd, Path, Flags(Set::Access)) -> Int => paths::second_path;
            __NR_faccessat2: [asks(Filter::SecondPath)] (DirFd, Path, Flags(Set::Access), Flags(Set::AccessAt)) -> Int
                => paths::second_path;
            __NR_file_getattr: {Times} (DirFd, Path, TouchedBy(3), Size, Flags(Set::At)) -> Int;
            __NR_file_setattr: (DirFd, Path, Ptr, Size, Flags(Set::At)) -> Int;

            __NR_readlink: [asks(Filter::FirstPath)] (Path, OutBytes(2), Size) -> Int => paths::readlink;
            __NR_readlinkat: [asks(Filter::SecondPath)] (DirFd, Path, OutBytes(3), Size) -> Int => paths::readlinkat;
            __NR_getcwd: (OutPath(1), Size) -> Int;
            __NR_chdir: (Path) -> Int;
            __NR_fchdir: (Fd) -> Int;
            __NR_chroot: {All} (Path) -> Int;
            __NR_getdents: (Fd, OutDirents(2), Size) -> Int => descriptors::getdents(18);
            __NR_getdents64: (Fd, OutDirents64(2), Size) -> Int => descriptors::getdents(19);

            __NR_rename: (Path, Path) -> Int;
            __NR_renameat: (DirFd, Path, DirFd, Path) -> Int;
            __NR_renameat2: (DirFd, Path, DirFd, Path, Flags(Set::Rename)) -> Int;
            __NR_mkdir: (Path, Mode) -> Int;
            __NR_mkdirat: (DirFd, Path, Mode) -> Int;
            __NR_rmdir: (Path) -> Int;
            __NR_mknod: (Path, FileMode, Switch(Cases::Mknod)) -> Int;
            __NR_mknodat: (DirFd, Path, FileMode, Switch(Cases::Mknodat)) -> Int;
            __NR_link: (Path, Path) -> Int;
            __NR_linkat: (DirFd, Path, DirFd, Path, Flags(Set::At)) -> Int;
            __NR_unlink: (Path) -> Int;
            __NR_unlinkat: (DirFd, Path, Flags(Set::Unlink)) -> Int;
            __NR_symlink: (Path, Path) -> Int;
            __NR_symlinkat: (Path, DirFd, Path) -> Int;
            __NR_truncate: (Path, Long) -> Int;
            __NR_ftruncate: (Fd, Long) -> Int;
            __NR_fallocate: (Fd, Flags(Set::Fallocate), Long, Long) -> Int;

            __NR_chmod: (Path, Mode) -> Int;
            __NR_fchmod: (Fd, Mode) -> Int;
            __NR_fchmodat: (DirFd, Path, Mode) -> Int;
            __NR_fchmodat2: (DirFd, Path, Mode, Flags(Set::At)) -> Int;
            __NR_chown: (Path, Int, Int) -> Int;
            __NR_fchown: (Fd, Int, Int) -> Int;
            __NR_lchown: (Path, Int, Int) -> Int;
            __NR_fchownat: (DirFd, Path, Int, Int, Flags(Set::At)) -> Int;
            __NR_umask: [blind] (Mode) -> Octal;
            __NR_utime: {Times} (Path, In(Utimbuf)) -> Int;
            __NR_utimes: {Times} (Path, In(TimevalPair)) -> Int;
            __NR_futimesat: {Times} (DirFd, Path, In(TimevalPair)) -> Int;
            __NR_utimensat: {Times} (DirFd, Path, In(FileTimes), Flags(Set::At)) -> Int;

            __NR_setxattr: (Path, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
            __NR_lsetxattr: (Path, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
            __NR_fsetxattr: (Fd, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
            __NR_setxattrat: (DirFd, Path, Flags(Set::At), Path, Ptr, Size) -> Int;
            __NR_getxattr: (Path, Path, OutBytes(3), Size) -> Int;
            __NR_lgetxattr: (Path, Path, OutBytes(3), Size) -> Int;
            __NR_fgetxattr: (Fd, Path, OutBytes(3), Size) -> Int;
            __NR_getxattrat: (DirFd, Path, Flags(Set::At), Path, XattrArgs, Size) -> Int;
            __NR_listxattr: (Path, OutBytes(2), Size) -> Int;
            __NR_llistxattr: (Path, OutBytes(2), Size) -> Int;
            __NR_flistxattr: (Fd, OutBytes(2), Size) -> Int;
            __NR_listxattrat: (DirFd, Path, Flags(Set::At), OutBytes(4), Size) -> Int;
            __NR_removexattr: (Path, Path) -> Int;
            __NR_lremovexattr: (Path, Path) -> Int;
            __NR_fremovexattr: (Fd, Path) -> Int;
            __NR_removexattrat: (DirFd, Path, Flags(Set::At), Path) -> Int;

            __NR_inotify_init: () -> Int;
            __NR_inotify_init1: (Flags(Set::InotifyInit)) -> Int;
            __NR_inotify_add_watch: (Fd, Path, Flags(Set::InotifyMask)) -> Int;
            __NR_inotify_rm_watch: (Fd, Int) -> Int;
            __NR_fanotify_init: (Flags(Set::FanotifyInit), Flags(Set::Open)) -> Int;
            __NR_fanotify_mark: (Fd, Flags(Set::FanotifyMark), Hex, DirFd, Path) -> Int;

            __NR_sync: () -> Int;
            __NR_syncfs: (Fd) -> Int;
            __NR_fsync: [keeps_lane] (Fd) -> Int;
            __NR_fdatasync: [keeps_lane] (Fd) -> Int;
            __NR_sync_file_range: (Fd, Long, Long, Flags(Set::SyncRange)) -> Int;

            __NR_mount: (Path, Path, Switch(Cases::Mount)) -> Int;
            __NR_umount2: (Path, Flags(Set::Umount)) -> Int;
            __NR_pivot_root: {All} (Path, Path) -> Int;
            __NR_open_tree: (DirFd, Path, Flags(Set::OpenTree)) -> Int;
            __NR_open_tree_attr: (DirFd, Path, Flags(Set::OpenTree), Ptr, Size) -> Int;
            __NR_move_mount: (DirFd, Path, DirFd, Path, Hex) -> Int;
            __NR_fsopen: (Path, Hex) -> Int;
            __NR_fsconfig: (Fd, Uint, Path, Ptr, Int) -> Int;
            __NR_fsmount: (Fd, Hex, Hex) -> Int;
            __NR_fspick: (DirFd, Path, Hex) -> Int;
            __NR_mount_setattr: (DirFd, Path, Flags(Set::At), Ptr, Size) -> Int;
            __NR_statmount: (Ptr, TouchedBy(2), Size, Hex) -> Int;
            __NR_listmount: (Ptr, TouchedArray(8, 2), Size, Hex) -> Int;
            __NR_sysfs: (Int, Switch(Cases::Sysfs)) -> Int;
            __NR_swapon: (Path, Hex) -> Int;
            __NR_swapoff: (Path) -> Int;
            __NR_acct: (Path) -> Int;
            __NR_quotactl: (Hex, Path, Switch(Cases::Quotactl)) -> Int;
            __NR_quotactl_fd: (Fd, Hex, Switch(Cases::QuotactlFd)) -> Int;
        ] $($rest)* }
    };
}
