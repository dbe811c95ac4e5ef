//! Reading, writing and waiting through file descriptors.

macro_rules! io_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_read: [exact, transfers, lane(Operation::Read), sampled, blind, int80(3)]
                (Fd, OutBytes(2), Size) -> Int;
            __NR_write: [exact, transfers, lane(Operation::Write), sampled, blind, int80(4), writes]
                (Fd, Bytes(2), Size) -> Int;
            __NR_pread64: [exact, transfers, lane(Operation::Pread), sampled, blind]
                (Fd, OutBytes(2), Size, Long) -> Int;
            __NR_pwrite64: [exact, transfers, lane(Operation::Pwrite), sampled, blind, writes]
                (Fd, Bytes(2), Size, Long) -> Int;
            __NR_readv: [transfers] (Fd, OutIov(2), Size) -> Int;
            __NR_writev: [transfers, writes] (Fd, Iov(2), Size) -> Int;
            __NR_preadv: [transfers] (Fd, OutIov(2), Size, Long) -> Int;
            __NR_pwritev: [transfers, writes] (Fd, Iov(2), Size, Long) -> Int;
            __NR_preadv2: [transfers] (Fd, OutIov(2), Size, Long, Ignored, Flags(Set::Rwf)) -> Int;
            __NR_pwritev2: [transfers, writes] (Fd, Iov(2), Size, Long, Ignored, Flags(Set::Rwf)) -> Int;
            __NR_lseek: [exact, transfers, lane(Operation::Lseek), blind, int80(19)]
                (Fd, Long, Flags(Set::Whence)) -> Int;
            __NR_readahead: (Fd, Long, Size) -> Int;
            __NR_fadvise64: [keeps_lane] (Fd, Long, Size, Flags(Set::Fadvise)) -> Int;
            __NR_cachestat: (Fd, Ptr, Touched(40), Hex) -> Int;
            __NR_sendfile: (Fd, Fd, Change(I64), Size) -> Int;
            __NR_copy_file_range: (Fd, Update(I64), Fd, Update(I64), Size, Hex) -> Int;
            __NR_splice: (Fd, Update(I64), Fd, Update(I64), Size, Flags(Set::Splice)) -> Int;
            __NR_tee: (Fd, Fd, Size, Flags(Set::Splice)) -> Int;
            __NR_vmsplice: (Fd, EitherIov(2), Size, Flags(Set::Splice)) -> Int;

            __NR_close: [asks(Filter::Close), keeps_lane, blind, int80(6)] (Fd) -> Int => descriptors::close;
            __NR_close_range: [keeps_lane] (Uint, Uint, Flags(Set::CloseRange)) -> Int => descriptors::close_range;
            __NR_dup: [keeps_lane, blind, int80(41)] (Fd) -> Int => descriptors::dup;
            __NR_dup2: [keeps_lane] (Fd, Fd) -> Int => descriptors::dup2;
            __NR_dup3: [keeps_lane] (Fd, Fd, Flags(Set::DupFlags)) -> Int => descriptors::dup2;
            __NR_pipe: (Out(IntPair)) -> Int => descriptors::pipe;
            __NR_pipe2: (Out(IntPair), Flags(Set::PipeFlags)) -> Int => descriptors::pipe;
            __NR_fcntl: [asks(Filter::Fcntl), keeps_lane] (Fd, Flags(Set::Fcntl), Switch(Cases::Fcntl)) -> Int
                => descriptors::fcntl;
            __NR_flock: [keeps_lane] (Fd, Flags(Set::FlockOp)) -> Int;
            __NR_ioctl: (Fd, Flags(Set::Ioctl), Switch(Cases::Ioctl)) -> Int;
            __NR_eventfd: (Uint) -> Int => descriptors::eventfd(None);
            __NR_eventfd2: (Uint, Flags(Set::Eventfd)) -> Int => descriptors::eventfd(Some(1));

            __NR_poll: (UpdateArray(Pollfd, 1), Uint, Int) -> Poll;
            __NR_ppoll: (UpdateArray(Pollfd, 1), Uint, Update(Timespec), In(Sigset), Size) -> Poll
                => signals::with_mask(3, 4);
            __NR_select: (Int, FdSet(0), FdSet(0), FdSet(0), Update(Timeval)) -> Select(Timeval);
            __NR_pselect6: (Int, FdSet(0), FdSet(0), FdSet(0), Update(Timespec), MaskAndSize) -> Select(Timespec)
                => signals::pselect6;
            __NR_epoll_create: (Int) -> Int;
            __NR_epoll_create1: (Flags(Set::EpollCreate)) -> Int;
            __NR_epoll_ctl: [keeps_lane] (Fd, Flags(Set::EpollCtl), Fd, Switch(Cases::EpollCtl)) -> Int
                => descriptors::epoll_ctl;
            __NR_epoll_wait: (Fd, OutArray(EpollEvent, 2), Int, Int) -> Int;
            __NR_epoll_pwait: (Fd, OutArray(EpollEvent, 2), Int, Int, In(Sigset), Size) -> Int
                => signals::with_mask(4, 5);
            __NR_epoll_pwait2: (Fd, OutArray(EpollEvent, 2), Int, In(Timespec), In(Sigset), Size) -> Int
                => signals::with_mask(4, 5);

            __NR_io_setup: (Uint, Out(Address)) -> Int;
            __NR_io_destroy: (Ptr) -> Int;
            __NR_io_submit: {Descriptors} (Ptr, Long, Iocbs(1)) -> Int;
            __NR_io_cancel: (Ptr, Ptr, Touched(32)) -> Int;
            __NR_io_getevents: (Ptr, Long, Long, TouchedArray(32, 2), In(Timespec)) -> Int;
            __NR_io_pgetevents: (Ptr, Long, Long, TouchedArray(32, 2), In(Timespec), MaskAndSize) -> Int;
            __NR_io_uring_setup: {All} (Uint, Touched(120)) -> Int => descriptors::io_uring;
            __NR_io_uring_enter: {All} (Fd, Uint, Uint, Hex, Ptr, Size) -> Int => descriptors::io_uring;
            __NR_io_uring_register: (Fd, Uint, Switch(Cases::IoUringRegister)) -> Int;
        ] $($rest)* }
    };
}
