//! Files and directories by name, their attributes, and mounts.

macro_rules! files_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: open openat openat2: A path that leads to the process's own `exe` link in /proc is led to the program's
            //:     file, not to bt-run's; not for writing, which the kernel refuses of both. The new description is
            //:     noted as the process's own, without which a file is not promoted; descriptors of bt-run whose
            //:     numbers are near its own move up. At `coherent` open and openat of a name that was looked for often
            //:     and is known to be absent are answered, without O_CREAT and O_TMPFILE.
            //:     test: loader/own_exe_is_the_program_in_every_spelling loader/own_exe_is_the_program_for_every_call
            //:         emulation/descriptor_numbers_have_no_gaps emulation/duplicates_close_in_any_order
            __NR_open: [looks_up, opens, follows(Link::of(0).unless(1, OPEN_TO_WRITE))]
                (Path, Flags(Set::Open), Switch(Cases::Open)) -> Int => paths::open;
            __NR_openat: [looks_up, opens, follows(Link::of(1).unless(2, OPEN_TO_WRITE))]
                (DirFd, Path, Flags(Set::Open), Switch(Cases::Openat)) -> Int => paths::open;
            // What it does about links lies in memory: Rust looks there.
            __NR_openat2: [asks(Filter::OpenSecondPath), opens, follows(Link::of(1))]
                (DirFd, Path, In(OpenHow), Size) -> Int => paths::open;
            //: creat: Opens for writing only; what cannot be read cannot be mapped, so nothing need be noted of the
            //:     descriptor. A program that runs cannot be opened so, neither its own file nor bt-run's.
            __NR_creat: [makes] (Path, Mode) -> Int;
            //: name_to_handle_at open_by_handle_at: Handles are the kernel's. A description opened by one is not noted
            //:     as the process's own, and stays the kernel's. With AT_SYMLINK_FOLLOW the process's own `exe` link in
            //:     /proc is the program's file.
            //:     test: loader/own_exe_is_the_program_for_every_call
            __NR_name_to_handle_at: [follows(Link::of(1).only_with(4, k::AT_SYMLINK_FOLLOW))]
                (DirFd, Path, FileHandle, Touched(8), Flags(Set::At)) -> Int;
            __NR_open_by_handle_at: [makes] (Fd, Ptr, Flags(Set::Open)) -> Int;

            //: stat newfstatat statx: A path that leads to the process's own `exe` link in /proc is led to the
            //:     program's file. At `coherent` a name that was looked for often and is known to be absent is
            //:     answered. Otherwise passed on, with the times of promoted files that were written brought up to date
            //:     before: other processes change size, mode, times and links at any moment.
            //:     test: loader/own_exe_is_the_program_in_every_spelling emulation/other_processes_rename_and_unlink
            //:         syscalls/looks_at_arguments_change_nothing emulation/absent_names_appear
            //:         emulation/mounts_hide_names emulation/no_look_up_is_late
            __NR_stat: [looks_up, follows(Link::of(0))] (Path, Out(Stat)) -> Int;
            //: fstat: Other processes change mode, links and times at any moment. A promoted file stays promoted: its
            //:     size cannot have changed, and if it was written its time is brought up to date before.
            //:     test: emulation/burst_writes_move_the_time emulation/other_processes_change_the_length
            __NR_fstat: [keeps_lane] (Fd, Out(Stat)) -> Int;
            //: lstat: As stat at `coherent`; else other processes change a file's attributes at any moment. Of the `exe`
            //:     link in /proc it tells the link itself.
            //:     test: emulation/links_themselves_are_looked_up
            __NR_lstat: [looks_up] (Path, Out(Stat)) -> Int;
            __NR_newfstatat: [looks_up, follows(Link::of(1).unless(3, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Out(Stat), Flags(Set::At)) -> Int;
            __NR_statx: [looks_up, follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::StatxFlags), Flags(Set::StatxMask), Out(Statx)) -> Int;
            //: statfs: What a file system holds changes with every process that uses it. The process's own `exe` link
            //:     in /proc is the program's file.
            //:     test: loader/own_exe_is_the_program_for_every_call
            __NR_statfs: [follows(Link::of(0))] (Path, Out(Statfs)) -> Int;
            //: fstatfs ustat: What a file system holds changes with every process that uses it.
            __NR_fstatfs: (Fd, Out(Statfs)) -> Int;
            __NR_ustat: (Dev, Touched(32)) -> Int;
            //: access faccessat faccessat2: A path that leads to the process's own `exe` link in /proc is led to the
            //:     program's file. At `coherent` answered where it was asked often, and the name is known to be absent, or
            //:     the directory or regular file to allow it; not W_OK. Otherwise passed on: other processes change files
            //:     and their rights at any moment.
            //:     test: loader/own_exe_is_the_program_for_every_call syscalls/looks_at_arguments_change_nothing
            //:         emulation/absent_names_appear emulation/rights_are_asked_again emulation/threads_look_names_up
            //:         emulation/own_calls_change_look_ups
            __NR_access: [looks_up, follows(Link::of(0))] (Path, Flags(Set::Access)) -> Int;
            __NR_faccessat: [looks_up, follows(Link::of(1))] (DirFd, Path, Flags(Set::Access)) -> Int;
            __NR_faccessat2: [looks_up, follows(Link::of(1).unless(3, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::Access), Flags(Set::AccessAt)) -> Int;
            //: file_getattr file_setattr: Attributes of inodes, which other processes read and change as well. The
            //:     process's own `exe` link in /proc is the program's file.
            //:     test: none
            __NR_file_getattr: [follows(Link::of(1).unless(4, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, TouchedBy(3), Size, Flags(Set::At)) -> Int;
            __NR_file_setattr: [follows(Link::of(1).unless(4, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Ptr, Size, Flags(Set::At)) -> Int;

            //: readlink readlinkat: The process's own `exe` link in /proc tells the program's file, not bt-run's. At
            //:     `coherent` names that are known to be absent are answered. Other links are passed on.
            //:     test: loader/own_exe_is_the_program_in_every_spelling loader/process_names_are_the_programs_own
            //:         loader/programs_run_without_a_name.static
            __NR_readlink: [looks_up, follows(Link::of(0).itself())] (Path, OutBytes(2), Size) -> Int;
            __NR_readlinkat: [looks_up, follows(Link::of(1).itself())] (DirFd, Path, OutBytes(3), Size) -> Int;
            //: getcwd: The directory, or one above it, can be renamed or removed by other processes, so its path is not
            //:     kept.
            __NR_getcwd: (OutPath(1), Size) -> Int;
            //: chdir fchdir chroot: The kernel starts its own path walks there; with CLONE_FS other processes do, too.
            //:     What is known of names ends.
            //:     test: emulation/own_calls_change_look_ups emulation/threads_look_names_up
            __NR_chdir: {Names} (Path) -> Int;
            __NR_fchdir: {Names} (Fd) -> Int;
            __NR_chroot: {All} (Path) -> Int;
            //: getdents getdents64: Entries of bt-run's descriptors are taken out of the process's own /proc/PID/fd and
            //:     fdinfo. Otherwise passed on: other processes change directories.
            //:     test: processes/descriptors_are_the_programs_own
            __NR_getdents: (Fd, OutDirents(2), Size) -> Int => descriptors::getdents(18);
            __NR_getdents64: (Fd, OutDirents64(2), Size) -> Int => descriptors::getdents(19);

            //: rename renameat renameat2 mkdir mkdirat rmdir mknod mknodat link unlink unlinkat symlink symlinkat:
            //:     Changes names, which every process sees at once. A promoted file follows its description, not its
            //:     name.
            //:     test: emulation/other_processes_rename_and_unlink
            __NR_rename: (Path, Path) -> Int;
            __NR_renameat: (DirFd, Path, DirFd, Path) -> Int;
            __NR_renameat2: (DirFd, Path, DirFd, Path, Flags(Set::Rename)) -> Int;
            __NR_mkdir: (Path, Mode) -> Int;
            __NR_mkdirat: (DirFd, Path, Mode) -> Int;
            __NR_rmdir: (Path) -> Int;
            __NR_mknod: (Path, FileMode, Switch(Cases::Mknod)) -> Int;
            __NR_mknodat: (DirFd, Path, FileMode, Switch(Cases::Mknodat)) -> Int;
            __NR_link: (Path, Path) -> Int;
            __NR_unlink: (Path) -> Int;
            __NR_unlinkat: (DirFd, Path, Flags(Set::Unlink)) -> Int;
            __NR_symlink: (Path, Path) -> Int;
            __NR_symlinkat: (Path, DirFd, Path) -> Int;
            //: linkat: As link. With AT_SYMLINK_FOLLOW the process's own `exe` link in /proc is the program's file.
            //:     test: loader/own_exe_is_the_program_for_every_call
            __NR_linkat: [follows(Link::of(1).only_with(4, k::AT_SYMLINK_FOLLOW))]
                (DirFd, Path, DirFd, Path, Flags(Set::At)) -> Int;
            //: truncate: The kernel tells of it, as of a truncation by anybody else, before it returns. It refuses it of a
            //:     program that runs, the own file or bt-run's.
            //:     test: emulation/other_processes_change_the_length emulation/mappings_and_calls_agree
            //:         loader/own_exe_is_the_program_for_every_call
            __NR_truncate: (Path, Long) -> Int;
            //: ftruncate fallocate: Changes the size, which a mapping does not follow; hence the descriptor is the
            //:     kernel's before.
            //:     test: emulation/sparse_files_keep_their_holes emulation/size_limit_stops_writes
            __NR_ftruncate: (Fd, Long) -> Int;
            __NR_fallocate: (Fd, Flags(Set::Fallocate), Long, Long) -> Int;

            //: chmod fchmodat fchmodat2 chown fchownat: Changes rights, which the kernel checks for every process. The
            //:     process's own `exe` link in /proc is the program's file.
            //:     test: loader/own_exe_is_the_program_for_every_call
            __NR_chmod: [follows(Link::of(0))] (Path, Mode) -> Int;
            __NR_fchmodat: [follows(Link::of(1))] (DirFd, Path, Mode) -> Int;
            __NR_fchmodat2: [follows(Link::of(1).unless(3, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Mode, Flags(Set::At)) -> Int;
            __NR_chown: [follows(Link::of(0))] (Path, Int, Int) -> Int;
            __NR_fchownat: [follows(Link::of(1).unless(4, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Int, Int, Flags(Set::At)) -> Int;
            //: fchmod fchown lchown: Changes rights, which the kernel checks for every process.
            __NR_fchmod: (Fd, Mode) -> Int;
            __NR_fchown: (Fd, Int, Int) -> Int;
            __NR_lchown: (Path, Int, Int) -> Int;
            //: umask: Applied by the kernel to every file that is made, and shared with CLONE_FS processes, which can
            //:     change it at any moment.
            //:     test: processes/exec_keeps_what_it_must
            __NR_umask: [blind] (Mode) -> Octal;
            //: utime utimes futimesat utimensat: Changes times, which every process sees. Those of promoted files that
            //:     were written are brought up to date before, not after. The process's own `exe` link in /proc is the
            //:     program's file.
            //:     test: loader/own_exe_is_the_program_for_every_call
            __NR_utime: [follows(Link::of(0))] (Path, In(Utimbuf)) -> Int;
            __NR_utimes: [follows(Link::of(0))] (Path, In(TimevalPair)) -> Int;
            __NR_futimesat: [follows(Link::of(1))] (DirFd, Path, In(TimevalPair)) -> Int;
            __NR_utimensat: [follows(Link::of(1).unless(3, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, In(FileTimes), Flags(Set::At)) -> Int;

            //: setxattr getxattr listxattr setxattrat getxattrat listxattrat: Extended attributes, which other
            //:     processes read and change at any moment. The process's own `exe` link in /proc is the program's
            //:     file.
            //:     test: loader/own_exe_is_the_program_for_every_call
            __NR_setxattr: [follows(Link::of(0))] (Path, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
            __NR_getxattr: [follows(Link::of(0))] (Path, Path, OutBytes(3), Size) -> Int;
            __NR_listxattr: [follows(Link::of(0))] (Path, OutBytes(2), Size) -> Int;
            __NR_setxattrat: [follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::At), Path, Ptr, Size) -> Int;
            __NR_getxattrat: [follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::At), Path, XattrArgs, Size) -> Int;
            __NR_listxattrat: [follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::At), OutBytes(4), Size) -> Int;
            //: lsetxattr fsetxattr lgetxattr fgetxattr llistxattr flistxattr: Extended attributes, which other
            //:     processes read and change at any moment.
            __NR_lsetxattr: (Path, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
            __NR_fsetxattr: (Fd, Path, Bytes(3), Size, Flags(Set::Xattr)) -> Int;
            __NR_lgetxattr: (Path, Path, OutBytes(3), Size) -> Int;
            __NR_fgetxattr: (Fd, Path, OutBytes(3), Size) -> Int;
            __NR_llistxattr: (Path, OutBytes(2), Size) -> Int;
            __NR_flistxattr: (Fd, OutBytes(2), Size) -> Int;
            //: removexattr removexattrat: Removes extended attributes, which every process sees. The process's own
            //:     `exe` link in /proc is the program's file.
            //:     test: loader/own_exe_is_the_program_for_every_call
            __NR_removexattr: [follows(Link::of(0))] (Path, Path) -> Int;
            __NR_removexattrat: [follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::At), Path) -> Int;
            //: lremovexattr fremovexattr: Removes extended attributes, which every process sees.
            __NR_lremovexattr: (Path, Path) -> Int;
            __NR_fremovexattr: (Fd, Path) -> Int;

            //: inotify_init inotify_init1: Watches what all processes do; events come from the kernel. Where the user has
            //:     used up its instances the runtime gives its own back.
            //:     test: emulation/watchers_see_bursts emulation/watch_limits_are_the_programs_own
            __NR_inotify_init: () -> Int => descriptors::instance;
            __NR_inotify_init1: (Flags(Set::InotifyInit)) -> Int => descriptors::instance;
            //: inotify_rm_watch: Watches what all processes do; events come from the kernel.
            //:     test: emulation/watchers_see_bursts
            __NR_inotify_rm_watch: (Fd, Int) -> Int;
            //: inotify_add_watch: As inotify_init; where the user has used up its watches, too. The process's own `exe` link in /proc is the program's file.
            //:     test: emulation/watchers_see_bursts loader/own_exe_is_the_program_for_every_call
            //:         emulation/watches_are_the_programs_own
            __NR_inotify_add_watch: [follows(Link::of(1).unless(2, k::IN_DONT_FOLLOW)), unasked]
                (Fd, Path, Flags(Set::InotifyMask)) -> Int => paths::watch;
            //: fanotify_init: Watches, and may forbid, what all processes do; events come from the kernel.
            __NR_fanotify_init: [makes] (Flags(Set::FanotifyInit), Flags(Set::Open)) -> Int;
            //: fanotify_mark: As fanotify_init. The process's own `exe` link in /proc is the program's file.
            //:     test: none
            __NR_fanotify_mark: [follows(Link::of(4).unless(1, FAN_MARK_DONT_FOLLOW))]
                (Fd, Flags(Set::FanotifyMark), Hex, DirFd, Path) -> Int;

            //: sync syncfs: Writes out what the kernel holds. A promoted file's mapping is the page cache itself, so
            //:     nothing is missed.
            __NR_sync: () -> Int;
            __NR_syncfs: (Fd) -> Int;
            //: fsync fdatasync: Writes out what the kernel holds. A promoted file stays promoted: its mapping is the
            //:     page cache itself.
            __NR_fsync: [keeps_lane] (Fd) -> Int;
            __NR_fdatasync: [keeps_lane] (Fd) -> Int;
            //: sync_file_range: Writes out what the kernel holds of the file.
            __NR_sync_file_range: (Fd, Long, Long, Flags(Set::SyncRange)) -> Int;

            //: mount umount2 open_tree open_tree_attr move_mount fspick mount_setattr: Changes the tree of mounts,
            //:     which the processes of a namespace share. What is known of names ends, because the kernel tells
            //:     of it. The process's own `exe` link in /proc is the program's file.
            //:     test: sandbox/own_exe_is_mounted sandbox/namespaces_are_entered emulation/mounts_hide_names
            // Only these kinds of mounts have a path for a source.
            __NR_mount: [follows(Link::of(0).only_with(3, k::MS_BIND | k::MS_MOVE)), follows(Link::of(1))]
                (Path, Path, Switch(Cases::Mount)) -> Int;
            __NR_umount2: [follows(Link::of(0).unless(1, k::UMOUNT_NOFOLLOW))] (Path, Flags(Set::Umount)) -> Int;
            __NR_open_tree: [makes, follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::OpenTree)) -> Int;
            __NR_open_tree_attr: [makes, follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::OpenTree), Ptr, Size) -> Int;
            __NR_move_mount: [follows(Link::of(1).only_with(4, k::MOVE_MOUNT_F_SYMLINKS)),
                follows(Link::of(3).only_with(4, k::MOVE_MOUNT_T_SYMLINKS))] (DirFd, Path, DirFd, Path, Hex) -> Int;
            __NR_fspick: [follows(Link::of(1).unless(2, k::FSPICK_SYMLINK_NOFOLLOW))] (DirFd, Path, Hex) -> Int;
            __NR_mount_setattr: [follows(Link::of(1).unless(2, k::AT_SYMLINK_NOFOLLOW))]
                (DirFd, Path, Flags(Set::At), Ptr, Size) -> Int;
            //: pivot_root fsopen fsconfig fsmount: Changes the tree of mounts, which the processes of a namespace
            //:     share.
            //:     test: sandbox/namespaces_are_entered
            __NR_pivot_root: {All} (Path, Path) -> Int;
            __NR_fsopen: [makes] (Path, Hex) -> Int;
            __NR_fsconfig: (Fd, Uint, Path, Ptr, Int) -> Int;
            __NR_fsmount: (Fd, Hex, Hex) -> Int;
            //: statmount listmount: Asks for mounts, which other processes of the namespace change.
            __NR_statmount: (Ptr, TouchedBy(2), Size, Hex) -> Int;
            __NR_listmount: (Ptr, TouchedArray(8, 2), Size, Hex) -> Int;
            //: sysfs swapon swapoff acct quotactl quotactl_fd: Asks or changes what belongs to the whole system.
            __NR_sysfs: (Int, Switch(Cases::Sysfs)) -> Int;
            __NR_swapon: (Path, Hex) -> Int;
            __NR_swapoff: (Path) -> Int;
            __NR_acct: (Path) -> Int;
            __NR_quotactl: (Hex, Path, Switch(Cases::Quotactl)) -> Int;
            __NR_quotactl_fd: (Fd, Hex, Switch(Cases::QuotactlFd)) -> Int;
        ] $($rest)* }
    };
}
