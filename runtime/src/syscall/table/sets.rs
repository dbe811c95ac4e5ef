//! Names of the constants that arguments are made of: flags, enumerations, and words that hold both.
//!
//! A set keeps its names in one string and its values in one array, so it needs no relocation when
//! the program starts.

use linux_raw_sys::{general::*, ioctl::*, prctl::*};

/// Constants of one kind, in the order in which they are tried.
#[derive(Clone, Copy)]
pub struct Names {
    /// The names, each followed by a space.
    pub text: &'static str,
    /// Their values, in the same order.
    pub values: &'static [u64],
}

impl Names {
    /// Every name with its value.
    pub fn iter(self) -> impl Iterator<Item = (&'static str, u64)> {
        self.text
            .split_ascii_whitespace()
            .zip(self.values.iter().copied())
    }
}

/// What the bits of one argument mean.
#[derive(Clone, Copy)]
pub struct Meaning {
    /// Printed beside a value that has no name.
    pub unknown: &'static str,
    /// The bits that hold one value out of `choices`; the others are flags of their own.
    pub choice_mask: u64,
    /// Names of whole values under `choice_mask`.
    pub choices: Names,
    /// Names of flags; one that contains others comes first.
    pub flags: Names,
}

macro_rules! value {
    ($name:ident) => {
        $name as u64
    };
    ($name:ident = $value:expr) => {
        $value as u64
    };
}

macro_rules! sets {
    ($($(#[$doc:meta])* $set:ident $unknown:literal
        [$($choice:ident $(= $choice_value:expr)?),* $(,)?] mask $mask:expr,
        [$($flag:ident $(= $flag_value:expr)?),* $(,)?];)*) => {
        /// The kinds of flags and enumerations that arguments are made of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Set { $($(#[$doc])* $set),* }

        impl Set {
            /// What the bits of this set mean.
            #[allow(clippy::cast_lossless, clippy::cast_sign_loss, clippy::unnecessary_cast,
                reason = "constants of several integer types, widened as the kernel reads them")]
            pub fn meaning(self) -> Meaning {
                match self {
                    $(Set::$set => Meaning {
                        unknown: $unknown,
                        choice_mask: $mask,
                        choices: Names {
                            text: concat!($(stringify!($choice), " "),*),
                            values: const { &[$(value!($choice $(= $choice_value)?)),*] },
                        },
                        flags: Names {
                            text: concat!($(stringify!($flag), " "),*),
                            values: const { &[$(value!($flag $(= $flag_value)?)),*] },
                        },
                    }),*
                }
            }
        }
    };
}

/// The mask of an argument that is one value as a whole.
const ALL: u64 = u64::MAX;
/// The mask of an argument that is flags only.
const NONE: u64 = 0;

sets! {
    /// open(2)
    Open "O_???" [O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE] mask 3,
        [O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND, O_NONBLOCK, O_SYNC, O_DSYNC, O_PATH, FASYNC = 0o20000,
         O_DIRECT, O_LARGEFILE, O_TMPFILE, O_DIRECTORY, O_NOFOLLOW, O_NOATIME, O_CLOEXEC];
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
         FAN_MARK_FLUSH = 0x80, FAN_MARK_FILESYSTEM = 0x100, FAN_MARK_EVICTABLE = 0x200, FAN_MARK_IGNORE = 0x400];
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
        [STATX_ATTR_COMPRESSED, STATX_ATTR_IMMUTABLE, STATX_ATTR_APPEND, STATX_ATTR_NODUMP, STATX_ATTR_ENCRYPTED,
         STATX_ATTR_AUTOMOUNT, STATX_ATTR_MOUNT_ROOT, STATX_ATTR_VERITY, STATX_ATTR_DAX, STATX_ATTR_WRITE_ATOMIC];
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
         F_GETSIG, F_SETOWN_EX, F_GETOWN_EX, F_GETOWNER_UIDS, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_SETLEASE,
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
        [TCGETS, TCSETS, TCSETSW, TCSETSF, TCGETS2, TCSETS2, TCSETSW2, TCSETSF2, TCSBRK, TCSBRKP, TCXONC, TCFLSH,
         TIOCEXCL, TIOCNXCL, TIOCSCTTY, TIOCGPGRP, TIOCSPGRP, TIOCOUTQ, TIOCSTI, TIOCGWINSZ, TIOCSWINSZ, TIOCMGET,
         TIOCMSET, FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIONCLEX, FIOQSIZE, TIOCNOTTY, TIOCSETD, TIOCGETD,
         TIOCGSID, TIOCGPTN, TIOCSPTLCK, TIOCGPTPEER, TIOCPKT, TIOCVHANGUP, TIOCGEXCL, TIOCGPKT, TIOCGPTLCK,
         TIOCGDEV, BLKROGET, BLKGETSIZE, BLKGETSIZE64, BLKSSZGET, BLKPBSZGET, BLKBSZGET, BLKDISCARD, SIOCATMARK,
         SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK, SIOCGIFMETRIC,
         SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFTXQLEN, SIOCETHTOOL = 0x8946,
         FICLONE = 0x4004_9409, FICLONERANGE = 0x4020_940d, FIDEDUPERANGE = 0xc018_9436, FS_IOC_FIEMAP = 0xc020_660b,
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
         MS_NOSYMFOLLOW, MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_MOVE, MS_REC, MS_SILENT, MS_POSIXACL, MS_UNBINDABLE,
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
        [EXT2_SUPER_MAGIC = 0xef53, TMPFS_MAGIC = 0x0102_1994, PROC_SUPER_MAGIC = 0x9fa0, SYSFS_MAGIC = 0x6265_6572,
         OVERLAYFS_SUPER_MAGIC = 0x794c_7630, BTRFS_SUPER_MAGIC = 0x9123_683e, XFS_SUPER_MAGIC = 0x5846_5342,
         DEVPTS_SUPER_MAGIC = 0x1cd1, NFS_SUPER_MAGIC = 0x6969, RAMFS_MAGIC = 0x8584_58f6, PIPEFS_MAGIC = 0x5049_5045,
         SOCKFS_MAGIC = 0x534f_434b, CGROUP2_SUPER_MAGIC = 0x6367_7270, CGROUP_SUPER_MAGIC = 0x0027_e0eb,
         FUSE_SUPER_MAGIC = 0x6573_5546, HUGETLBFS_MAGIC = 0x9584_58f6, SQUASHFS_MAGIC = 0x7371_7368,
         MSDOS_SUPER_MAGIC = 0x4d44, ISOFS_SUPER_MAGIC = 0x9660, SELINUX_MAGIC = 0xf97c_ff8c,
         V9FS_MAGIC = 0x0102_1997, NSFS_MAGIC = 0x6e73_6673, ANON_INODE_FS_MAGIC = 0x0904_1934] mask ALL, [];

    /// mmap(2), mprotect(2), protection
    Prot "PROT_???" [] mask NONE,
        [PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC, PROT_SEM, PROT_GROWSDOWN, PROT_GROWSUP];
    /// mmap(2), flags
    Map "MAP_???" [MAP_FILE, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_DROPPABLE] mask MAP_TYPE as u64,
        [MAP_FIXED, MAP_ANONYMOUS, MAP_32BIT, MAP_ABOVE4G, MAP_NORESERVE, MAP_POPULATE, MAP_NONBLOCK, MAP_GROWSDOWN,
         MAP_DENYWRITE, MAP_EXECUTABLE, MAP_LOCKED, MAP_STACK, MAP_HUGETLB, MAP_SYNC, MAP_FIXED_NOREPLACE];
    /// mremap(2)
    Mremap "MREMAP_???" [] mask NONE, [MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP];
    /// madvise(2)
    Madvise "MADV_???"
        [MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
         MADV_DONTFORK, MADV_DOFORK, MADV_HWPOISON, MADV_SOFT_OFFLINE, MADV_MERGEABLE, MADV_UNMERGEABLE,
         MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD,
         MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED, MADV_COLLAPSE,
         MADV_GUARD_INSTALL, MADV_GUARD_REMOVE] mask ALL, [];
    /// msync(2)
    Msync "MS_???" [] mask NONE, [MS_ASYNC, MS_INVALIDATE, MS_SYNC];
    /// mlock2(2)
    Mlock "MLOCK_???" [] mask NONE, [MLOCK_ONFAULT];
    /// mlockall(2)
    Mlockall "MCL_???" [] mask NONE, [MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT];
    /// pkey_alloc(2)
    Pkey "PKEY_???" [] mask NONE, [PKEY_DISABLE_ACCESS, PKEY_DISABLE_WRITE];
    /// memfd_create(2)
    Memfd "MFD_???" [] mask NONE, [MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB, MFD_NOEXEC_SEAL, MFD_EXEC];
    /// mbind(2), set_mempolicy(2)
    Mempolicy "MPOL_???"
        [MPOL_DEFAULT = 0, MPOL_PREFERRED = 1, MPOL_BIND = 2, MPOL_INTERLEAVE = 3, MPOL_LOCAL = 4,
         MPOL_PREFERRED_MANY = 5, MPOL_WEIGHTED_INTERLEAVE = 6] mask 0xfff,
        [MPOL_F_STATIC_NODES = 0x8000, MPOL_F_RELATIVE_NODES = 0x4000, MPOL_F_NUMA_BALANCING = 0x2000];
    /// mbind(2), move_pages(2)
    MempolicyMove "MPOL_MF_???" [] mask NONE,
        [MPOL_MF_STRICT = 1, MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4];
    /// get_mempolicy(2)
    MempolicyGet "MPOL_F_???" [] mask NONE, [MPOL_F_NODE = 1, MPOL_F_ADDR = 2, MPOL_F_MEMS_ALLOWED = 4];
    /// userfaultfd(2)
    Userfaultfd "UFFD_???" [] mask NONE, [O_CLOEXEC, O_NONBLOCK, UFFD_USER_MODE_ONLY];

    /// clone(2): flags beside the exit signal
    Clone "CLONE_???" [] mask NONE,
        [CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT,
         CLONE_THREAD, CLONE_NEWNS, CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID,
         CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
         CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_IO];
    /// clone3(2)
    Clone3 "CLONE_???" [] mask NONE,
        [CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT,
         CLONE_THREAD, CLONE_NEWNS, CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID,
         CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
         CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_IO, CLONE_NEWTIME, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP];
    /// unshare(2), setns(2)
    Unshare "CLONE_???" [] mask NONE,
        [CLONE_NEWTIME, CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD, CLONE_NEWNS, CLONE_SYSVSEM,
         CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET];
    /// wait4(2), waitid(2)
    Wait "W???" [] mask NONE,
        [WNOHANG, WSTOPPED, WEXITED, WCONTINUED, WNOWAIT, __WNOTHREAD, __WALL, __WCLONE];
    /// waitid(2), kind of id
    IdType "P_???" [P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3] mask ALL, [];
    /// getpriority(2)
    Priority "PRIO_???" [PRIO_PROCESS, PRIO_PGRP, PRIO_USER] mask ALL, [];
    /// ioprio_set(2)
    IoprioWho "IOPRIO_WHO_???" [IOPRIO_WHO_PROCESS = 1, IOPRIO_WHO_PGRP = 2, IOPRIO_WHO_USER = 3] mask ALL, [];
    /// getrlimit(2)
    Rlimit "RLIMIT_???"
        [RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE,
         RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO,
         RLIMIT_RTTIME] mask ALL, [];
    /// getrusage(2)
    RusageWho "RUSAGE_???" [RUSAGE_SELF, RUSAGE_CHILDREN = 0xffff_ffffu32, RUSAGE_THREAD] mask ALL, [];
    /// sched_setscheduler(2)
    Sched "SCHED_???"
        [SCHED_OTHER = 0, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE, SCHED_EXT]
        mask 0xbfff_ffff, [SCHED_RESET_ON_FORK];
    /// arch_prctl(2)
    ArchPrctl "ARCH_???"
        [ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS = 0x1003, ARCH_GET_GS = 0x1004, ARCH_GET_CPUID = 0x1011,
         ARCH_SET_CPUID = 0x1012, ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_GET_XCOMP_PERM = 0x1022,
         ARCH_REQ_XCOMP_PERM = 0x1023, ARCH_GET_XCOMP_GUEST_PERM = 0x1024, ARCH_REQ_XCOMP_GUEST_PERM = 0x1025,
         ARCH_MAP_VDSO_X32 = 0x2001, ARCH_MAP_VDSO_32 = 0x2002, ARCH_MAP_VDSO_64 = 0x2003,
         ARCH_GET_UNTAG_MASK = 0x4001, ARCH_ENABLE_TAGGED_ADDR = 0x4002, ARCH_GET_MAX_TAG_BITS = 0x4003,
         ARCH_FORCE_TAGGED_SVA = 0x4004, ARCH_SHSTK_ENABLE = 0x5001, ARCH_SHSTK_DISABLE = 0x5002,
         ARCH_SHSTK_LOCK = 0x5003, ARCH_SHSTK_UNLOCK = 0x5004, ARCH_SHSTK_STATUS = 0x5005] mask ALL, [];
    /// prctl(2)
    Prctl "PR_???"
        [PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_GET_UNALIGN, PR_SET_UNALIGN,
         PR_GET_KEEPCAPS, PR_SET_KEEPCAPS, PR_GET_FPEMU, PR_SET_FPEMU, PR_GET_FPEXC, PR_SET_FPEXC, PR_GET_TIMING,
         PR_SET_TIMING, PR_SET_NAME, PR_GET_NAME, PR_GET_ENDIAN, PR_SET_ENDIAN, PR_GET_SECCOMP, PR_SET_SECCOMP,
         PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_GET_TSC, PR_SET_TSC, PR_GET_SECUREBITS, PR_SET_SECUREBITS,
         PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_TASK_PERF_EVENTS_DISABLE, PR_TASK_PERF_EVENTS_ENABLE, PR_MCE_KILL,
         PR_MCE_KILL_GET, PR_SET_MM, PR_SET_PTRACER, PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER,
         PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE,
         PR_CAP_AMBIENT, PR_GET_SPECULATION_CTRL, PR_SET_SPECULATION_CTRL, PR_SET_IO_FLUSHER, PR_GET_IO_FLUSHER,
         PR_SET_SYSCALL_USER_DISPATCH, PR_SCHED_CORE, PR_SET_MDWE, PR_GET_MDWE, PR_SET_MEMORY_MERGE,
         PR_GET_MEMORY_MERGE, PR_GET_AUXV = 0x4155_5856, PR_SET_VMA] mask ALL, [];
    /// PR_SET_MM
    PrctlMm "PR_SET_MM_???"
        [PR_SET_MM_START_CODE, PR_SET_MM_END_CODE, PR_SET_MM_START_DATA, PR_SET_MM_END_DATA, PR_SET_MM_START_STACK,
         PR_SET_MM_START_BRK, PR_SET_MM_BRK, PR_SET_MM_ARG_START, PR_SET_MM_ARG_END, PR_SET_MM_ENV_START,
         PR_SET_MM_ENV_END, PR_SET_MM_AUXV, PR_SET_MM_EXE_FILE, PR_SET_MM_MAP, PR_SET_MM_MAP_SIZE] mask ALL, [];
    /// capget(2)
    CapVersion "_LINUX_CAPABILITY_VERSION_???"
        [_LINUX_CAPABILITY_VERSION_1, _LINUX_CAPABILITY_VERSION_2, _LINUX_CAPABILITY_VERSION_3] mask ALL, [];
    /// seccomp(2)
    Seccomp "SECCOMP_???"
        [SECCOMP_SET_MODE_STRICT = 0, SECCOMP_SET_MODE_FILTER = 1, SECCOMP_GET_ACTION_AVAIL = 2,
         SECCOMP_GET_NOTIF_SIZES = 3] mask ALL, [];
    /// seccomp(2), flags
    SeccompFlags "SECCOMP_FILTER_FLAG_???" [] mask NONE,
        [SECCOMP_FILTER_FLAG_TSYNC = 1, SECCOMP_FILTER_FLAG_LOG = 2, SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4,
         SECCOMP_FILTER_FLAG_NEW_LISTENER = 8, SECCOMP_FILTER_FLAG_TSYNC_ESRCH = 0x10,
         SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 0x20];
    /// ptrace(2)
    Ptrace "PTRACE_???"
        [PTRACE_TRACEME = 0, PTRACE_PEEKTEXT = 1, PTRACE_PEEKDATA = 2, PTRACE_PEEKUSER = 3, PTRACE_POKETEXT = 4,
         PTRACE_POKEDATA = 5, PTRACE_POKEUSER = 6, PTRACE_CONT = 7, PTRACE_KILL = 8, PTRACE_SINGLESTEP = 9,
         PTRACE_GETREGS = 12, PTRACE_SETREGS = 13, PTRACE_GETFPREGS = 14, PTRACE_SETFPREGS = 15, PTRACE_ATTACH = 16,
         PTRACE_DETACH = 17, PTRACE_SYSCALL = 24, PTRACE_ARCH_PRCTL = 30, PTRACE_SYSEMU = 31,
         PTRACE_SINGLEBLOCK = 33, PTRACE_SETOPTIONS = 0x4200, PTRACE_GETEVENTMSG = 0x4201, PTRACE_GETSIGINFO = 0x4202,
         PTRACE_SETSIGINFO = 0x4203, PTRACE_GETREGSET = 0x4204, PTRACE_SETREGSET = 0x4205, PTRACE_SEIZE = 0x4206,
         PTRACE_INTERRUPT = 0x4207, PTRACE_LISTEN = 0x4208, PTRACE_PEEKSIGINFO = 0x4209, PTRACE_GETSIGMASK = 0x420a,
         PTRACE_SETSIGMASK = 0x420b, PTRACE_SECCOMP_GET_FILTER = 0x420c, PTRACE_SECCOMP_GET_METADATA = 0x420d,
         PTRACE_GET_SYSCALL_INFO = 0x420e, PTRACE_GET_RSEQ_CONFIGURATION = 0x420f] mask ALL, [];
    /// kcmp(2)
    Kcmp "KCMP_???"
        [KCMP_FILE = 0, KCMP_VM = 1, KCMP_FILES = 2, KCMP_FS = 3, KCMP_SIGHAND = 4, KCMP_IO = 5, KCMP_SYSVSEM = 6,
         KCMP_EPOLL_TFD = 7] mask ALL, [];
    /// membarrier(2)
    Membarrier "MEMBARRIER_CMD_???"
        [MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
         MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
         MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 0x10, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 0x20,
         MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 0x40, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 0x80,
         MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 0x100, MEMBARRIER_CMD_GET_REGISTRATIONS = 0x200] mask ALL,
        [];
    /// futex(2); the private flag is part of each name
    Futex "FUTEX_???"
        [FUTEX_WAIT, FUTEX_WAKE, FUTEX_FD, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_LOCK_PI,
         FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_WAIT_REQUEUE_PI,
         FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE, FUTEX_REQUEUE_PRIVATE,
         FUTEX_CMP_REQUEUE_PRIVATE, FUTEX_WAKE_OP_PRIVATE, FUTEX_LOCK_PI_PRIVATE, FUTEX_UNLOCK_PI_PRIVATE,
         FUTEX_TRYLOCK_PI_PRIVATE, FUTEX_WAIT_BITSET_PRIVATE, FUTEX_WAKE_BITSET_PRIVATE,
         FUTEX_WAIT_REQUEUE_PI_PRIVATE, FUTEX_CMP_REQUEUE_PI_PRIVATE, FUTEX_LOCK_PI2_PRIVATE] mask 0xff,
        [FUTEX_CLOCK_REALTIME];
    /// futex(2), bit set
    FutexBits "" [FUTEX_BITSET_MATCH_ANY] mask ALL, [];
    /// futex_wait(2)
    Futex2 "FUTEX2_???" [FUTEX2_SIZE_U8 = 0, FUTEX2_SIZE_U16 = 1, FUTEX2_SIZE_U32 = 2, FUTEX2_SIZE_U64 = 3] mask 3,
        [FUTEX2_NUMA = 4, FUTEX2_MPOL = 8, FUTEX2_PRIVATE = 0x80];
    /// rseq(2)
    Rseq "RSEQ_FLAG_???" [] mask NONE, [RSEQ_FLAG_UNREGISTER = 1];
    /// pidfd_open(2)
    PidfdOpen "PIDFD_???" [] mask NONE, [PIDFD_NONBLOCK = O_NONBLOCK, PIDFD_THREAD = O_EXCL];

    /// rt_sigprocmask(2)
    SigHow "SIG_???" [SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK] mask ALL, [];
    /// rt_sigaction(2), sa_flags
    SigactionFlags "SA_???" [] mask NONE,
        [SA_RESTORER, SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_RESETHAND, SA_SIGINFO,
         SA_UNSUPPORTED, SA_EXPOSE_TAGBITS];
    /// sigaltstack(2)
    AltStack "SS_???" [SS_ONSTACK = 1, SS_DISABLE = 2] mask 0x7fff_ffff, [SS_AUTODISARM = 0x8000_0000u32];
    /// sigevent, sigev_notify
    Sigevent "SIGEV_???" [SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID] mask ALL, [];
    /// siginfo, si_code of any signal
    SiCode "SI_???"
        [SI_USER, SI_KERNEL, SI_QUEUE = 0xffff_ffffu32, SI_TIMER = 0xffff_fffeu32, SI_MESGQ = 0xffff_fffdu32,
         SI_ASYNCIO = 0xffff_fffcu32, SI_SIGIO = 0xffff_fffbu32, SI_TKILL = 0xffff_fffau32] mask ALL, [];
    /// siginfo, si_code of SIGCHLD
    CldCode "CLD_???" [CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED] mask ALL, [];
    /// siginfo, si_code of SIGSEGV
    SegvCode "SEGV_???" [SEGV_MAPERR = 1, SEGV_ACCERR = 2, SEGV_BNDERR = 3, SEGV_PKUERR = 4] mask ALL, [];

    /// clock_gettime(2)
    Clock "CLOCK_???"
        [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
         CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM,
         CLOCK_SGI_CYCLE, CLOCK_TAI] mask ALL, [];
    /// clock_nanosleep(2), timer_settime(2)
    TimerFlags "TIMER_???" [] mask NONE, [TIMER_ABSTIME];
    /// getitimer(2)
    Itimer "ITIMER_???" [ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF] mask ALL, [];

    /// socket(2), domain
    Family "AF_???"
        [AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_AX25 = 3, AF_IPX = 4, AF_APPLETALK = 5, AF_X25 = 9,
         AF_INET6 = 10, AF_KEY = 15, AF_NETLINK = 16, AF_PACKET = 17, AF_RDS = 21, AF_PPPOX = 24, AF_LLC = 26,
         AF_IB = 27, AF_MPLS = 28, AF_CAN = 29, AF_TIPC = 30, AF_BLUETOOTH = 31, AF_RXRPC = 33, AF_ALG = 38,
         AF_NFC = 39, AF_VSOCK = 40, AF_KCM = 41, AF_QIPCRTR = 42, AF_SMC = 43, AF_XDP = 44, AF_MCTP = 45]
        mask ALL, [];
    /// socket(2), type
    SocketType "SOCK_???"
        [SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_RDM = 4, SOCK_SEQPACKET = 5, SOCK_DCCP = 6,
         SOCK_PACKET = 10] mask 0xf, [SOCK_CLOEXEC = O_CLOEXEC, SOCK_NONBLOCK = O_NONBLOCK];
    /// accept4(2)
    Accept "SOCK_???" [] mask NONE, [SOCK_CLOEXEC = O_CLOEXEC, SOCK_NONBLOCK = O_NONBLOCK];
    /// socket(2), protocol of AF_INET and AF_INET6
    Protocol "IPPROTO_???"
        [IPPROTO_IP = 0, IPPROTO_ICMP = 1, IPPROTO_IGMP = 2, IPPROTO_IPIP = 4, IPPROTO_TCP = 6, IPPROTO_UDP = 17,
         IPPROTO_IPV6 = 41, IPPROTO_GRE = 47, IPPROTO_ESP = 50, IPPROTO_AH = 51, IPPROTO_ICMPV6 = 58,
         IPPROTO_SCTP = 132, IPPROTO_UDPLITE = 136, IPPROTO_RAW = 255, IPPROTO_MPTCP = 262] mask ALL, [];
    /// socket(2), protocol of AF_NETLINK
    Netlink "NETLINK_???"
        [NETLINK_ROUTE = 0, NETLINK_USERSOCK = 2, NETLINK_FIREWALL = 3, NETLINK_SOCK_DIAG = 4, NETLINK_NFLOG = 5,
         NETLINK_XFRM = 6, NETLINK_SELINUX = 7, NETLINK_AUDIT = 9, NETLINK_CONNECTOR = 11, NETLINK_NETFILTER = 12,
         NETLINK_KOBJECT_UEVENT = 15, NETLINK_GENERIC = 16] mask ALL, [];
    /// send(2), recv(2)
    Msg "MSG_???" [] mask NONE,
        [MSG_OOB = 1, MSG_PEEK = 2, MSG_DONTROUTE = 4, MSG_CTRUNC = 8, MSG_PROXY = 0x10, MSG_TRUNC = 0x20,
         MSG_DONTWAIT = 0x40, MSG_EOR = 0x80, MSG_WAITALL = 0x100, MSG_FIN = 0x200, MSG_SYN = 0x400,
         MSG_CONFIRM = 0x800, MSG_RST = 0x1000, MSG_ERRQUEUE = 0x2000, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000,
         MSG_WAITFORONE = 0x10000, MSG_BATCH = 0x40000, MSG_ZEROCOPY = 0x400_0000, MSG_FASTOPEN = 0x2000_0000,
         MSG_CMSG_CLOEXEC = 0x4000_0000];
    /// shutdown(2)
    Shutdown "SHUT_???" [SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2] mask ALL, [];
    /// getsockopt(2), level
    SockLevel "SOL_???"
        [SOL_SOCKET = 1, SOL_IP = 0, SOL_TCP = 6, SOL_UDP = 17, SOL_IPV6 = 41, SOL_ICMPV6 = 58, SOL_RAW = 255,
         SOL_PACKET = 263, SOL_NETLINK = 270, SOL_TLS = 282] mask ALL, [];
    /// getsockopt(2), option of SOL_SOCKET
    SockOption "SO_???"
        [SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6, SO_SNDBUF = 7,
         SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_OOBINLINE = 10, SO_NO_CHECK = 11, SO_PRIORITY = 12, SO_LINGER = 13,
         SO_BSDCOMPAT = 14, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_SNDLOWAT = 19,
         SO_RCVTIMEO_OLD = 20, SO_SNDTIMEO_OLD = 21, SO_BINDTODEVICE = 25, SO_ATTACH_FILTER = 26,
         SO_DETACH_FILTER = 27, SO_PEERNAME = 28, SO_TIMESTAMP_OLD = 29, SO_ACCEPTCONN = 30, SO_PEERSEC = 31,
         SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_PASSSEC = 34, SO_TIMESTAMPNS_OLD = 35, SO_MARK = 36,
         SO_TIMESTAMPING_OLD = 37, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_RXQ_OVFL = 40, SO_PEEK_OFF = 42,
         SO_LOCK_FILTER = 44, SO_BUSY_POLL = 46, SO_MAX_PACING_RATE = 47, SO_INCOMING_CPU = 49, SO_ATTACH_BPF = 50,
         SO_COOKIE = 57, SO_PEERGROUPS = 59, SO_ZEROCOPY = 60, SO_TXTIME = 61, SO_BINDTOIFINDEX = 62,
         SO_PEERPIDFD = 77] mask ALL, [];
    /// getsockopt(2), option of SOL_IP
    IpOption "IP_???"
        [IP_TOS = 1, IP_TTL = 2, IP_HDRINCL = 3, IP_OPTIONS = 4, IP_RETOPTS = 7, IP_PKTINFO = 8, IP_MTU_DISCOVER = 10,
         IP_RECVERR = 11, IP_RECVTTL = 12, IP_RECVTOS = 13, IP_MTU = 14, IP_FREEBIND = 15, IP_TRANSPARENT = 19,
         IP_BIND_ADDRESS_NO_PORT = 24, IP_MULTICAST_IF = 32, IP_MULTICAST_TTL = 33, IP_MULTICAST_LOOP = 34,
         IP_ADD_MEMBERSHIP = 35, IP_DROP_MEMBERSHIP = 36] mask ALL, [];
    /// getsockopt(2), option of SOL_IPV6
    Ipv6Option "IPV6_???"
        [IPV6_UNICAST_HOPS = 16, IPV6_MULTICAST_IF = 17, IPV6_MULTICAST_HOPS = 18, IPV6_MULTICAST_LOOP = 19,
         IPV6_ADD_MEMBERSHIP = 20, IPV6_DROP_MEMBERSHIP = 21, IPV6_MTU_DISCOVER = 23, IPV6_MTU = 24,
         IPV6_RECVERR = 25, IPV6_V6ONLY = 26, IPV6_RECVPKTINFO = 49, IPV6_PKTINFO = 50, IPV6_RECVHOPLIMIT = 51,
         IPV6_HOPLIMIT = 52, IPV6_RECVTCLASS = 66, IPV6_TCLASS = 67] mask ALL, [];
    /// getsockopt(2), option of SOL_TCP
    TcpOption "TCP_???"
        [TCP_NODELAY = 1, TCP_MAXSEG = 2, TCP_CORK = 3, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6,
         TCP_SYNCNT = 7, TCP_LINGER2 = 8, TCP_DEFER_ACCEPT = 9, TCP_WINDOW_CLAMP = 10, TCP_INFO = 11,
         TCP_QUICKACK = 12, TCP_CONGESTION = 13, TCP_MD5SIG = 14, TCP_THIN_LINEAR_TIMEOUTS = 16, TCP_USER_TIMEOUT = 18,
         TCP_REPAIR = 19, TCP_FASTOPEN = 23, TCP_TIMESTAMP = 24, TCP_NOTSENT_LOWAT = 25, TCP_SAVE_SYN = 27,
         TCP_FASTOPEN_CONNECT = 30, TCP_ULP = 31, TCP_ZEROCOPY_RECEIVE = 35, TCP_INQ = 36] mask ALL, [];
    /// control message of SOL_SOCKET
    Scm "SCM_???" [SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, SCM_SECURITY = 3, SCM_PIDFD = 4] mask ALL, [];

    /// shmget(2), semget(2), msgget(2): flags beside the mode
    IpcGet "IPC_???" [] mask NONE, [IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_NOWAIT = 0o4000];
    /// msgctl(2)
    MsgCtl "MSG_???" [IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, MSG_STAT = 11, MSG_INFO = 12,
        MSG_STAT_ANY = 13] mask 0xffff_feff, [];
    /// semctl(2)
    SemCtl "SEM_???" [IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, GETPID = 11, GETVAL = 12, GETALL = 13,
        GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17, SEM_STAT = 18, SEM_INFO = 19, SEM_STAT_ANY = 20]
        mask 0xffff_feff, [];
    /// shmctl(2)
    ShmCtl "SHM_???" [IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, SHM_LOCK = 11, SHM_UNLOCK = 12,
        SHM_STAT = 13, SHM_INFO = 14, SHM_STAT_ANY = 15] mask 0xffff_feff, [];
    /// shmat(2)
    Shmat "SHM_???" [] mask NONE, [SHM_RDONLY = 0o10000, SHM_RND = 0o20000, SHM_REMAP = 0o40000, SHM_EXEC = 0o100000];
    /// msgsnd(2), msgrcv(2)
    MsgRecv "MSG_???" [] mask NONE,
        [IPC_NOWAIT = 0o4000, MSG_NOERROR = 0o10000, MSG_EXCEPT = 0o20000, MSG_COPY = 0o40000];
    /// mq_open(2) keys and the like: IPC_PRIVATE
    IpcKey "" [IPC_PRIVATE = 0] mask ALL, [];

    /// getrandom(2)
    Getrandom "GRND_???" [] mask NONE, [GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE];
    /// keyctl(2)
    Keyctl "KEYCTL_???"
        [KEYCTL_GET_KEYRING_ID = 0, KEYCTL_JOIN_SESSION_KEYRING = 1, KEYCTL_UPDATE = 2, KEYCTL_REVOKE = 3,
         KEYCTL_CHOWN = 4, KEYCTL_SETPERM = 5, KEYCTL_DESCRIBE = 6, KEYCTL_CLEAR = 7, KEYCTL_LINK = 8,
         KEYCTL_UNLINK = 9, KEYCTL_SEARCH = 10, KEYCTL_READ = 11, KEYCTL_INSTANTIATE = 12, KEYCTL_NEGATE = 13,
         KEYCTL_SET_REQKEY_KEYRING = 14, KEYCTL_SET_TIMEOUT = 15, KEYCTL_ASSUME_AUTHORITY = 16,
         KEYCTL_GET_SECURITY = 17, KEYCTL_SESSION_TO_PARENT = 18, KEYCTL_REJECT = 19, KEYCTL_INSTANTIATE_IOV = 20,
         KEYCTL_INVALIDATE = 21, KEYCTL_GET_PERSISTENT = 22, KEYCTL_DH_COMPUTE = 23, KEYCTL_PKEY_QUERY = 24,
         KEYCTL_PKEY_ENCRYPT = 25, KEYCTL_PKEY_DECRYPT = 26, KEYCTL_PKEY_SIGN = 27, KEYCTL_PKEY_VERIFY = 28,
         KEYCTL_RESTRICT_KEYRING = 29, KEYCTL_MOVE = 30, KEYCTL_CAPABILITIES = 31,
         KEYCTL_WATCH_KEY = 32] mask ALL, [];
    /// bpf(2)
    Bpf "BPF_???"
        [BPF_MAP_CREATE = 0, BPF_MAP_LOOKUP_ELEM = 1, BPF_MAP_UPDATE_ELEM = 2, BPF_MAP_DELETE_ELEM = 3,
         BPF_MAP_GET_NEXT_KEY = 4, BPF_PROG_LOAD = 5, BPF_OBJ_PIN = 6, BPF_OBJ_GET = 7, BPF_PROG_ATTACH = 8,
         BPF_PROG_DETACH = 9, BPF_PROG_TEST_RUN = 10, BPF_PROG_GET_NEXT_ID = 11, BPF_MAP_GET_NEXT_ID = 12,
         BPF_PROG_GET_FD_BY_ID = 13, BPF_MAP_GET_FD_BY_ID = 14, BPF_OBJ_GET_INFO_BY_FD = 15, BPF_PROG_QUERY = 16,
         BPF_RAW_TRACEPOINT_OPEN = 17, BPF_BTF_LOAD = 18, BPF_BTF_GET_FD_BY_ID = 19, BPF_TASK_FD_QUERY = 20,
         BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21, BPF_MAP_FREEZE = 22, BPF_BTF_GET_NEXT_ID = 23,
         BPF_MAP_LOOKUP_BATCH = 24, BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25, BPF_MAP_UPDATE_BATCH = 26,
         BPF_MAP_DELETE_BATCH = 27, BPF_LINK_CREATE = 28, BPF_LINK_UPDATE = 29, BPF_LINK_GET_FD_BY_ID = 30,
         BPF_LINK_GET_NEXT_ID = 31, BPF_ENABLE_STATS = 32, BPF_ITER_CREATE = 33, BPF_LINK_DETACH = 34,
         BPF_PROG_BIND_MAP = 35, BPF_TOKEN_CREATE = 36] mask ALL, [];
    /// perf_event_open(2)
    PerfOpen "PERF_FLAG_???" [] mask NONE,
        [PERF_FLAG_FD_NO_GROUP = 1, PERF_FLAG_FD_OUTPUT = 2, PERF_FLAG_PID_CGROUP = 4, PERF_FLAG_FD_CLOEXEC = 8];
    /// syslog(2)
    Syslog "SYSLOG_ACTION_???"
        [SYSLOG_ACTION_CLOSE = 0, SYSLOG_ACTION_OPEN = 1, SYSLOG_ACTION_READ = 2, SYSLOG_ACTION_READ_ALL = 3,
         SYSLOG_ACTION_READ_CLEAR = 4, SYSLOG_ACTION_CLEAR = 5, SYSLOG_ACTION_CONSOLE_OFF = 6,
         SYSLOG_ACTION_CONSOLE_ON = 7, SYSLOG_ACTION_CONSOLE_LEVEL = 8, SYSLOG_ACTION_SIZE_UNREAD = 9,
         SYSLOG_ACTION_SIZE_BUFFER = 10] mask ALL, [];
    /// open_tree(2)
    OpenTree "OPEN_TREE_???" [] mask NONE,
        [OPEN_TREE_CLONE = 1, OPEN_TREE_CLOEXEC = O_CLOEXEC, AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH,
         AT_RECURSIVE];
    /// semop(2)
    SemFlags "SEM_???" [] mask NONE, [SEM_UNDO = 0x1000, IPC_NOWAIT = 0o4000];
    /// termios, c_iflag
    TermInput "" [] mask NONE,
        [IGNBRK, BRKINT, IGNPAR, PARMRK, INPCK, ISTRIP, INLCR, IGNCR, ICRNL, IUCLC, IXON, IXANY, IXOFF, IMAXBEL, IUTF8];
    /// termios, c_oflag without delays
    TermOutput "" [] mask NONE, [OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, OFILL, OFDEL];
    /// termios, the speed in c_cflag
    TermSpeed "B???"
        [B0, B50, B75, B110, B134, B150, B200, B300, B600, B1200, B1800, B2400, B4800, B9600, B19200, B38400, B57600,
         B115200, B230400, B460800, B500000, B576000, B921600, B1000000, B1152000, B1500000, B2000000, B2500000,
         B3000000, B3500000, B4000000] mask ALL, [];
    /// termios, flags in c_cflag
    TermControl "" [] mask NONE, [CSTOPB, CREAD, PARENB, PARODD, HUPCL, CLOCAL, CMSPAR, CRTSCTS];
    /// termios, c_lflag
    TermLocal "" [] mask NONE,
        [ISIG, ICANON, XCASE, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, IEXTEN, ECHOCTL, ECHOPRT, ECHOKE, FLUSHO, PENDIN,
         EXTPROC];
}
