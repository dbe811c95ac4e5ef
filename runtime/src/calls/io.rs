//! Reading, writing and waiting through file descriptors.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Cases, Ret, Row, Set, rows};

rows! {
    __NR_read: Passthrough Exact (Fd, OutBytes(2), Size) -> Int;
    __NR_write: Passthrough Exact (Fd, Bytes(2), Size) -> Int;
    __NR_pread64: Passthrough Exact (Fd, OutBytes(2), Size, Long) -> Int;
    __NR_pwrite64: Passthrough Exact (Fd, Bytes(2), Size, Long) -> Int;
    __NR_readv: Passthrough (Fd, OutIov(2), Size) -> Int;
    __NR_writev: Passthrough (Fd, Iov(2), Size) -> Int;
    __NR_preadv: Passthrough (Fd, OutIov(2), Size, Long) -> Int;
    __NR_pwritev: Passthrough (Fd, Iov(2), Size, Long) -> Int;
    __NR_preadv2: Passthrough (Fd, OutIov(2), Size, Long, Ignored, Flags(Set::Rwf)) -> Int;
    __NR_pwritev2: Passthrough (Fd, Iov(2), Size, Long, Ignored, Flags(Set::Rwf)) -> Int;
    __NR_lseek: Passthrough Exact (Fd, Long, Flags(Set::Whence)) -> Int;
    __NR_readahead: Passthrough (Fd, Long, Size) -> Int;
    __NR_fadvise64: Passthrough (Fd, Long, Size, Flags(Set::Fadvise)) -> Int;
    __NR_cachestat: Passthrough (Fd, Ptr, Touched(40), Hex) -> Int;
    __NR_sendfile: Passthrough (Fd, Fd, Change(I64), Size) -> Int;
    __NR_copy_file_range: Passthrough (Fd, Update(I64), Fd, Update(I64), Size, Hex) -> Int;
    __NR_splice: Passthrough (Fd, Update(I64), Fd, Update(I64), Size, Flags(Set::Splice)) -> Int;
    __NR_tee: Passthrough (Fd, Fd, Size, Flags(Set::Splice)) -> Int;
    __NR_vmsplice: Passthrough (Fd, EitherIov(2), Size, Flags(Set::Splice)) -> Int;

    __NR_close: Rewritten (Fd) -> Int;
    __NR_close_range: Rewritten (Uint, Uint, Flags(Set::CloseRange)) -> Int;
    __NR_dup: Rewritten (Fd) -> Int;
    __NR_dup2: Rewritten (Fd, Fd) -> Int;
    __NR_dup3: Rewritten (Fd, Fd, Flags(Set::DupFlags)) -> Int;
    __NR_pipe: Rewritten (Out(IntPair)) -> Int;
    __NR_pipe2: Rewritten (Out(IntPair), Flags(Set::PipeFlags)) -> Int;
    __NR_fcntl: Rewritten (Fd, Flags(Set::Fcntl), Switch(Cases::Fcntl)) -> Int;
    __NR_flock: Passthrough (Fd, Flags(Set::FlockOp)) -> Int;
    __NR_ioctl: Passthrough (Fd, Flags(Set::Ioctl), Switch(Cases::Ioctl)) -> Int;
    __NR_eventfd: Rewritten (Uint) -> Int;
    __NR_eventfd2: Rewritten (Uint, Flags(Set::Eventfd)) -> Int;

    __NR_poll: Passthrough (UpdateArray(Pollfd, 1), Uint, Int) -> Poll;
    __NR_ppoll: Rewritten (UpdateArray(Pollfd, 1), Uint, Update(Timespec), In(Sigset), Size) -> Poll;
    __NR_select: Passthrough (Int, FdSet(0), FdSet(0), FdSet(0), Update(Timeval)) -> Select(Timeval);
    __NR_pselect6: Rewritten (Int, FdSet(0), FdSet(0), FdSet(0), Update(Timespec), MaskAndSize) -> Select(Timespec);
    __NR_epoll_create: Passthrough (Int) -> Int;
    __NR_epoll_create1: Passthrough (Flags(Set::EpollCreate)) -> Int;
    __NR_epoll_ctl: Rewritten (Fd, Flags(Set::EpollCtl), Fd, Switch(Cases::EpollCtl)) -> Int;
    __NR_epoll_wait: Passthrough (Fd, OutArray(EpollEvent, 2), Int, Int) -> Int;
    __NR_epoll_pwait: Rewritten (Fd, OutArray(EpollEvent, 2), Int, Int, In(Sigset), Size) -> Int;
    __NR_epoll_pwait2: Rewritten (Fd, OutArray(EpollEvent, 2), Int, In(Timespec), In(Sigset), Size) -> Int;

    __NR_io_setup: Passthrough (Uint, Out(Address)) -> Int;
    __NR_io_destroy: Passthrough (Ptr) -> Int;
    __NR_io_submit: Passthrough {Descriptors} (Ptr, Long, Iocbs(1)) -> Int;
    __NR_io_cancel: Passthrough (Ptr, Ptr, Touched(32)) -> Int;
    __NR_io_getevents: Passthrough (Ptr, Long, Long, TouchedArray(32, 2), In(Timespec)) -> Int;
    __NR_io_pgetevents: Passthrough
        (Ptr, Long, Long, TouchedArray(32, 2), In(Timespec), MaskAndSize) -> Int;
    __NR_io_uring_setup: Rewritten {All} (Uint, Touched(120)) -> Int;
    __NR_io_uring_enter: Rewritten {All} (Fd, Uint, Uint, Hex, Ptr, Size) -> Int;
    __NR_io_uring_register: Passthrough (Fd, Uint, Switch(Cases::IoUringRegister)) -> Int;
}
