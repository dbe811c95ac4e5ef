//! What is done with files.

macro_rules! files_sets {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            /// open(2)
            Open "O_???" [O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE] mask 3,
                [O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND, O_NONBLOCK, O_SYNC, O_DSYNC, FASYNC = 0o20000, O_DIRECT,
                 O_LARGEFILE, O_NOFOLLOW, O_NOATIME, O_CLOEXEC, O_PATH, O_TMPFILE, O_DIRECTORY];
            /// openat2(2)
            Resolve "RESOLVE_???" [] mask NONE,
                [RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT,
                 RESOLVE_CACHED];
            /// pipe2(2), dup3(2), inotify_init1(2), eventfd2(2) and the like
            PipeFlags "O_???" [] mask NONE, [O_NONBLOCK, O_DIRECT, O_CLOEXEC];
            /// dup3(2)
            DupFlags "O_???" [] mask NONE, [O_CLOEXEC];
            /// eventfd2(2)
            Eventfd "EFD_???" [] mask NONE, [EFD_SEMAPHORE, EFD_NONBLOCK, EFD_CLOEXEC];
            /// timerfd_create(2)
            TimerfdCreate "TFD_???" [] mask NONE, [TFD_CLOEXEC, TFD_NONBLOCK];
            /// timerfd_settime(2)
            TimerfdSet "TFD_???" [] mask NONE, [TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET];
            /// signalfd4(2)
            Signalfd "SFD_???" [] mask NONE, [SFD_CLOEXEC = O_CLOEXEC, SFD_NONBLOCK = O_NONBLOCK];
            /// inotify_init1(2)
            InotifyInit "IN_???" [] mask NONE, [IN_CLOEXEC, IN_NONBLOCK];
            /// inotify_add_watch(2)
            InotifyMask "IN_???" [] mask NONE,
                [IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE, IN_CLOSE_NOWRITE, IN_OPEN, IN_MOVED_FROM, IN_MOVED_TO,
                 IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT, IN_Q_OVERFLOW, IN_IGNORED, IN_ONLYDIR,
                 IN_DONT_FOLLOW, IN_EXCL_UNLINK, IN_MASK_CREATE, IN_MASK_ADD, IN_ISDIR, IN_ONESHOT];
            /// fanotify_init(2)
            FanotifyInit "FAN_???"
                [FAN_CLASS_NOTIF = 0, FAN_CLASS_CONTENT = 4, FAN_CLASS_PRE_CONTENT = 8] mask 0xc,
                [FAN_CLOEXEC = 1, FAN_NONBLOCK = 2, FAN_UNLIMITED_QUEUE = 0x10, FAN_UNLIMITED_MARKS = 0x20,
                 FAN_ENABLE_AUDIT = 0x40, FAN_REPORT_PIDFD = 0x80, FAN_REPORT_TID = 0x100, FAN_REPORT_FID = 0x200,
                 FAN_REPORT_DIR_FID = 0x400, FAN_REPORT_NAME = 0x800, FAN_REPORT_TARGET_FID = 0x1000];
            /// fanotify_mark(2)
            FanotifyMark "FAN_MARK_???" [] mask NONE,
                [FAN_MARK_ADD = 1, FAN_MARK_REMOVE = 2, FAN_MARK_DONT_FOLLOW = 4, FAN_MARK_ONLYDIR = 8,
                 FAN_MARK_MOUNT = 0x10, FAN_MARK_IGNORED_MASK = 0x20, FAN_MARK_IGNORED_SURV_MODIFY = 0x40,
                 FAN_MARK_FLUSH = 0x80, FAN_MARK_FILESYSTEM = 0x100, FAN_MARK_EVICTABLE = 0x200,
                 FAN_MARK_IGNORE = 0x400];
            /// access(2)
            Access "?_OK" [] mask NONE, [F_OK, R_OK, W_OK, X_OK];
            /// faccessat2(2)
            AccessAt "AT_???" [] mask NONE, [AT_SYMLINK_NOFOLLOW, AT_EACCESS, AT_EMPTY_PATH];
            /// fstatat(2), linkat(2), fchownat(2), utimensat(2), execveat(2)
            At "AT_???" [] mask NONE,
                [AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH, AT_RECURSIVE,
                 AT_EXECVE_CHECK];
            /// unlinkat(2)
            Unlink "AT_???" [] mask NONE, [AT_REMOVEDIR];
            /// statx(2), flags
            StatxFlags "AT_???"
                [AT_STATX_SYNC_AS_STAT, AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC] mask AT_STATX_SYNC_TYPE as u64,
                [AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH];
            /// statx(2), mask
            StatxMask "STATX_???" [] mask NONE,
                [STATX_ALL, STATX_BASIC_STATS, STATX_TYPE, STATX_MODE, STATX_NLINK, STATX_UID, STATX_GID, STATX_ATIME,
                 STATX_MTIME, STATX_CTIME, STATX_INO, STATX_SIZE, STATX_BLOCKS, STATX_BTIME, STATX_MNT_ID,
                 STATX_DIOALIGN, STATX_MNT_ID_UNIQUE, STATX_SUBVOL, STATX_WRITE_ATOMIC, STATX_DIO_READ_ALIGN];
            /// statx(2), stx_attributes
            StatxAttributes "STATX_ATTR_???" [] mask NONE,
                [STATX_ATTR_COMPRESSED, STATX_ATTR_IMMUTABLE, STATX_ATTR_APPEND, STATX_ATTR_NODUMP,
                 STATX_ATTR_ENCRYPTED,
                 STATX_ATTR_AUTOMOUNT, STATX_ATTR_MOUNT_ROOT, STATX_ATTR_VERITY, STATX_ATTR_DAX,
                 STATX_ATTR_WRITE_ATOMIC];
            /// st_mode's file type
            FileType "S_IF???" [S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFLNK, S_IFIFO, S_IFSOCK] mask ALL, [];
            /// lseek(2)
            Whence "SEEK_???" [SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE] mask ALL, [];
            /// flock(2)
            FlockOp "LOCK_???" [] mask NONE, [LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN, LOCK_MAND];
            /// renameat2(2)
            Rename "RENAME_???" [] mask NONE, [RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT];
            /// fallocate(2)
            Fallocate "FALLOC_FL_???" [] mask NONE,
                [FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_NO_HIDE_STALE, FALLOC_FL_COLLAPSE_RANGE,
                 FALLOC_FL_ZERO_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_WRITE_ZEROES];
            /// posix_fadvise(2)
            Fadvise "POSIX_FADV_???"
                [POSIX_FADV_NORMAL, POSIX_FADV_RANDOM, POSIX_FADV_SEQUENTIAL, POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,
                 POSIX_FADV_NOREUSE] mask ALL, [];
            /// sync_file_range(2)
            SyncRange "SYNC_FILE_RANGE_???" [] mask NONE,
                [SYNC_FILE_RANGE_WAIT_BEFORE, SYNC_FILE_RANGE_WRITE, SYNC_FILE_RANGE_WAIT_AFTER];
            /// setxattr(2)
            Xattr "XATTR_???" [] mask NONE, [XATTR_CREATE, XATTR_REPLACE];
            /// splice(2), tee(2), vmsplice(2)
            Splice "SPLICE_F_???" [] mask NONE, [SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT];
            /// preadv2(2)
            Rwf "RWF_???" [] mask NONE,
                [RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_APPEND, RWF_NOAPPEND = 0x20, RWF_ATOMIC = 0x40,
                 RWF_DONTCACHE = 0x80];
            /// close_range(2)
            CloseRange "CLOSE_RANGE_???" [] mask NONE, [CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4];
            /// fcntl(2), commands
            Fcntl "F_???"
                [F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_SETOWN, F_GETOWN, F_SETSIG,
                 F_GETSIG, F_SETOWN_EX, F_GETOWN_EX, F_GETOWNER_UIDS, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
                 F_SETLEASE,
                 F_GETLEASE, F_NOTIFY, F_DUPFD_QUERY, F_CREATED_QUERY, F_CANCELLK, F_DUPFD_CLOEXEC, F_SETPIPE_SZ,
                 F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS, F_GET_RW_HINT, F_SET_RW_HINT, F_GET_FILE_RW_HINT,
                 F_SET_FILE_RW_HINT] mask ALL, [];
            /// F_SETFD
            FdFlags "FD_???" [] mask NONE, [FD_CLOEXEC];
            /// F_SETLK, l_type; F_SETLEASE
            LockType "F_???" [F_RDLCK, F_WRLCK, F_UNLCK] mask ALL, [];
            /// F_SETOWN_EX
            OwnerType "F_OWNER_???" [F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP] mask ALL, [];
            /// F_ADD_SEALS
            Seals "F_SEAL_???" [] mask NONE,
                [F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_FUTURE_WRITE, F_SEAL_EXEC];
            /// ioctl(2), requests
            Ioctl "_IOC(???)"
                [TCGETS, TCSETS, TCSETSW, TCSETSF, TCGETS2, TCSETS2, TCSETSW2, TCSETSF2, TCSBRK, TCSBRKP, TCXONC,
                 TCFLSH,
                 TIOCEXCL, TIOCNXCL, TIOCSCTTY, TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TIOCSTI, TIOCGWINSZ, TIOCSWINSZ,
                 TIOCMGET,
                 TIOCMSET, FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIONCLEX, FIOQSIZE, TIOCNOTTY, TIOCSETD, TIOCGETD,
                 TIOCGSID, TIOCGPTN, TIOCSPTLCK, TIOCGPTPEER, TIOCPKT, TIOCVHANGUP, TIOCGEXCL, TIOCGPKT, TIOCGPTLCK,
                 TIOCGDEV, BLKROGET, BLKGETSIZE, BLKGETSIZE64, BLKSSZGET, BLKPBSZGET, BLKBSZGET, BLKDISCARD, SIOCATMARK,
                 SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK, SIOCGIFMETRIC,
                 SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFTXQLEN, SIOCETHTOOL = 0x8946,
                 FICLONE = 0x4004_9409, FICLONERANGE = 0x4020_940d, FIDEDUPERANGE = 0xc018_9436,
                 FS_IOC_FIEMAP = 0xc020_660b,
                 FS_IOC_GETFLAGS = 0x8008_6601, FS_IOC_SETFLAGS = 0x4008_6602, FIBMAP = 1, FIGETBSZ = 2,
                 PERF_EVENT_IOC_ENABLE = 0x2400, PERF_EVENT_IOC_DISABLE = 0x2401, PERF_EVENT_IOC_RESET = 0x2403,
                 UFFDIO_API = 0xc018_aa3f, UFFDIO_REGISTER = 0xc020_aa00, UFFDIO_COPY = 0xc028_aa03] mask ALL, [];
            /// poll(2)
            Poll "POLL???" [] mask NONE,
                [POLLIN, POLLPRI, POLLOUT, POLLRDNORM, POLLWRNORM, POLLRDBAND, POLLWRBAND, POLLERR, POLLHUP, POLLNVAL,
                 POLLMSG, POLLREMOVE, POLLRDHUP];
            /// epoll_create1(2)
            EpollCreate "EPOLL_???" [] mask NONE, [EPOLL_CLOEXEC];
            /// epoll_ctl(2), operation
            EpollCtl "EPOLL_CTL_???" [EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL] mask ALL, [];
            /// epoll_ctl(2), events
            Epoll "EPOLL???" [] mask NONE,
                [EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLRDNORM, EPOLLRDBAND, EPOLLWRNORM, EPOLLWRBAND, EPOLLMSG, EPOLLERR,
                 EPOLLHUP, EPOLLRDHUP, EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET];
            /// mount(2)
            Mount "MS_???" [] mask NONE,
                [MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_SYNCHRONOUS, MS_REMOUNT, MS_MANDLOCK, MS_DIRSYNC,
                 MS_NOSYMFOLLOW, MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_MOVE, MS_REC, MS_SILENT, MS_POSIXACL,
                 MS_UNBINDABLE,
                 MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_RELATIME, MS_I_VERSION, MS_STRICTATIME, MS_LAZYTIME];
            /// umount2(2)
            Umount "MNT_???" [] mask NONE, [MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW];
            /// statfs(2), f_flags
            StatfsFlags "ST_???" [] mask NONE,
                [ST_VALID = 0x20, ST_RDONLY = 1, ST_NOSUID = 2, ST_NODEV = 4, ST_NOEXEC = 8, ST_SYNCHRONOUS = 0x10,
                 ST_MANDLOCK = 0x40, ST_NOATIME = 0x400, ST_NODIRATIME = 0x800, ST_RELATIME = 0x1000,
                 ST_NOSYMFOLLOW = 0x2000];
            /// statfs(2), f_type
            FsMagic "???_MAGIC"
                [EXT2_SUPER_MAGIC = 0xef53, TMPFS_MAGIC = 0x0102_1994, PROC_SUPER_MAGIC = 0x9fa0,
                 SYSFS_MAGIC = 0x6265_6572,
                 OVERLAYFS_SUPER_MAGIC = 0x794c_7630, BTRFS_SUPER_MAGIC = 0x9123_683e, XFS_SUPER_MAGIC = 0x5846_5342,
                 DEVPTS_SUPER_MAGIC = 0x1cd1, NFS_SUPER_MAGIC = 0x6969, RAMFS_MAGIC = 0x8584_58f6,
                 PIPEFS_MAGIC = 0x5049_5045,
                 SOCKFS_MAGIC = 0x534f_434b, CGROUP2_SUPER_MAGIC = 0x6367_7270, CGROUP_SUPER_MAGIC = 0x0027_e0eb,
                 FUSE_SUPER_MAGIC = 0x6573_5546, HUGETLBFS_MAGIC = 0x9584_58f6, SQUASHFS_MAGIC = 0x7371_7368,
                 MSDOS_SUPER_MAGIC = 0x4d44, ISOFS_SUPER_MAGIC = 0x9660, SELINUX_MAGIC = 0xf97c_ff8c,
                 V9FS_MAGIC = 0x0102_1997, NSFS_MAGIC = 0x6e73_6673, ANON_INODE_FS_MAGIC = 0x0904_1934] mask ALL, [];

            /// termios, c_iflag
            TermInput "" [] mask NONE,
                [IGNBRK, BRKINT, IGNPAR, PARMRK, INPCK, ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY, IXOFF,
                 IMAXBEL, IUTF8];
            /// termios, c_oflag without delays
            TermOutput "" [] mask NONE, [OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, OFILL, OFDEL];
            /// termios, the speed in c_cflag
            TermSpeed "B???"
                [B0, B50, B75, B110, B134, B150, B200, B300, B600, B1200, B1800, B2400, B4800, B9600, B19200, B38400,
                 B57600,
                 B115200, B230400, B460800, B500000, B576000, B921600, B1000000, B1152000, B1500000, B2000000, B2500000,
                 B3000000, B3500000, B4000000] mask ALL, [];
            /// termios, flags in c_cflag
            TermControl "" [] mask NONE, [CSTOPB, CREAD, PARENB, PARODD, HUPCL, CLOCAL, CMSPAR, CRTSCTS];
            /// termios, c_lflag
            TermLocal "" [] mask NONE,
                [ISIG, ICANON, XCASE, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, IEXTEN, ECHOCTL, ECHOPRT, ECHOKE,
                 FLUSHO, PENDIN,
                 EXTPROC];
        ] $($rest)* }
    };
}
