//! Names of the choices that one argument's value makes for those after it. [`cases`](super::cases) says what they lead
//! to.

/// Which argument decides, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cases {
    /// open(2)'s mode
    Open,
    /// openat(2)'s mode
    Openat,
    /// mq_open(2)'s mode and attributes
    MqOpen,
    /// mknod(2)'s device
    Mknod,
    /// mknodat(2)'s device
    Mknodat,
    /// mremap(2)'s new address
    Mremap,
    /// fcntl(2)
    Fcntl,
    /// ioctl(2)
    Ioctl,
    /// futex(2): everything, because which words the kernel writes depends on the operation
    Futex,
    /// epoll_ctl(2): a removal has no event
    EpollCtl,
    /// kcmp(2)
    Kcmp,
    /// membarrier(2): one command can be aimed at a processor
    Membarrier,
    /// personality(2): all ones asks
    Personality,
    /// mount(2): what neither makes nor changes a file system's instance has no type and no data
    Mount,
    /// arch_prctl(2)
    ArchPrctl,
    /// prctl(2)
    Prctl,
    /// seccomp(2)
    Seccomp,
    /// modify_ldt(2): 0 and 2 read
    ModifyLdt,
    /// ptrace(2): the request is argument 0, the address 2, the data 3
    Ptrace,
    /// io_uring_register(2): some operations write into their argument
    IoUringRegister,
    /// shmctl(2)
    Shmctl,
    /// semctl(2); GETALL writes as many 16-bit values as the set has, of which the call does not tell
    Semctl,
    /// msgctl(2)
    Msgctl,
    /// sysfs(2): 2 gives a file system's name
    Sysfs,
    /// syslog(2)
    Syslog,
    /// quotactl(2): the command is above the kind of quota
    Quotactl,
    /// quotactl_fd(2)
    QuotactlFd,
    /// keyctl(2): get and describe, Diffie-Hellman, public keys, capabilities write
    Keyctl,
}
