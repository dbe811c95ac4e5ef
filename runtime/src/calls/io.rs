//! Reading, writing and waiting through file descriptors.

macro_rules! io_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: read: At `exact` from /dev/null and /dev/zero, of which every 4096th call is made so that watchers see
            //:     it. At `coherent` from a promoted file, and from a pipe or an eventfd that this process made and shares
            //:     with nobody, while it has one thread. Pieces of more than 64 KiB (2 KiB of /dev/zero), and all else,
            //:     sockets and terminals among it, are passed on.
            //:     test: emulation/reads_end_at_the_end_of_the_file emulation/null_and_zero_devices_answer
            //:         emulation/other_processes_change_the_length emulation/other_processes_open_for_writing
            //:         emulation/stopped_readers_hold_nobody_up emulation/special_files_are_read_in_pieces
            __NR_read: [exact, transfers, lane(Operation::Read), sampled, blind, int80(3), sees_pending]
                (Fd, OutBytes(2), Size) -> Int;
            //: write: At `exact` to /dev/null and /dev/zero, of which every 4096th call is made. At `coherent` to
            //:     a promoted file, within its size, but for the first write of a burst: what would extend it is passed
            //:     on. Also to a pipe or an eventfd that this process made and shares with nobody, while it has one
            //:     thread. All else is passed on.
            //:     test: launcher/calls_are_answered_at_their_level emulation/null_and_zero_devices_answer
            //:         emulation/burst_writes_move_the_time emulation/killed_writers_leave_a_prefix
            //:         emulation/appends_go_to_the_end emulation/size_limit_stops_writes
            //:         emulation/other_processes_open_for_writing
            __NR_write: [exact, transfers, lane(Operation::Write), sampled, blind, int80(4), writes]
                (Fd, Bytes(2), Size) -> Int;
            //: pread64: At `coherent` from a promoted file. Passed on as read is; always for devices.
            //:     test: emulation/reads_end_at_the_end_of_the_file emulation/bad_buffers_give_partial_results
            //:         emulation/mappings_and_calls_agree emulation/full_and_failing_disks_give_their_errors
            __NR_pread64: [exact, transfers, lane(Operation::Pread), sampled, blind]
                (Fd, OutBytes(2), Size, Long) -> Int;
            //: pwrite64: At `coherent` to a promoted file, within its size. Passed on as write is; always for devices.
            //:     test: emulation/mappings_and_calls_agree emulation/sparse_files_keep_their_holes
            //:         emulation/size_limit_stops_writes
            __NR_pwrite64: [exact, transfers, lane(Operation::Pwrite), sampled, blind, writes]
                (Fd, Bytes(2), Size, Long) -> Int;
            //: readv writev preadv pwritev preadv2 pwritev2: Made by the kernel. Around the call on a promoted file the
            //:     offset goes to the kernel and comes back; a write that changed the size ends the promotion.
            //:     test: emulation/bad_buffers_give_partial_results
            __NR_readv: [transfers, sees_pending] (Fd, OutIov(2), Size) -> Int;
            __NR_writev: [transfers, writes] (Fd, Iov(2), Size) -> Int;
            __NR_preadv: [transfers] (Fd, OutIov(2), Size, Long) -> Int;
            __NR_pwritev: [transfers, writes] (Fd, Iov(2), Size, Long) -> Int;
            __NR_preadv2: [transfers] (Fd, OutIov(2), Size, Long, Ignored, Flags(Set::Rwf)) -> Int;
            __NR_pwritev2: [transfers, writes] (Fd, Iov(2), Size, Long, Ignored, Flags(Set::Rwf)) -> Int;
            //: lseek: At `exact` on /dev/null and /dev/zero; at `coherent` on a promoted file, whose offset the process
            //:     keeps. What the lane does not know goes to the kernel with the offset, and the offset comes back.
            //:     test: emulation/reads_end_at_the_end_of_the_file emulation/duplicates_close_in_any_order
            //:         emulation/offsets_are_shared_with_children
            __NR_lseek: [exact, transfers, lane(Operation::Lseek), blind, int80(19)]
                (Fd, Long, Flags(Set::Whence)) -> Int;
            //: readahead cachestat: About the kernel's page cache, which all processes share.
            __NR_readahead: (Fd, Long, Size) -> Int;
            //: fadvise64: Advice about the kernel's page cache. A promoted file stays promoted: its mapping is the page
            //:     cache itself.
            __NR_fadvise64: [keeps_lane] (Fd, Long, Size, Flags(Set::Fadvise)) -> Int;
            __NR_cachestat: (Fd, Ptr, Touched(40), Hex) -> Int;
            //: sendfile copy_file_range splice tee vmsplice: The kernel moves the data from one description to another;
            //:     both are the kernel's before.
            //:     test: emulation/mappings_and_calls_agree
            __NR_sendfile: (Fd, Fd, Change(I64), Size) -> Int;
            __NR_copy_file_range: (Fd, Update(I64), Fd, Update(I64), Size, Hex) -> Int;
            __NR_splice: (Fd, Update(I64), Fd, Update(I64), Size, Flags(Set::Splice)) -> Int;
            __NR_tee: (Fd, Fd, Size, Flags(Set::Splice)) -> Int;
            __NR_vmsplice: (Fd, EitherIov(2), Size, Flags(Set::Splice)) -> Int;

            //: close: bt-run's own descriptors are not open to the program: EBADF. With the last descriptor of a
            //:     promoted description its offset is handed back.
            //:     test: processes/descriptors_are_the_programs_own emulation/duplicates_close_in_any_order
            __NR_close: [asks(Filter::Close), keeps_lane, blind, int80(6)] (Fd) -> Int => descriptors::close;
            //: close_range: As close, and in pieces around bt-run's own descriptors.
            //:     test: processes/descriptors_are_the_programs_own emulation/duplicates_close_in_any_order
            __NR_close_range: [keeps_lane] (Uint, Uint, Flags(Set::CloseRange)) -> Int => descriptors::close_range;
            //: dup dup2 dup3: The duplicate of a promoted description shares its offset in the process, too. bt-run's
            //:     own descriptors cannot be duplicated, and move when their number is wanted.
            //:     test: emulation/duplicates_close_in_any_order processes/descriptors_are_the_programs_own
            __NR_dup: [keeps_lane, blind, int80(41)] (Fd) -> Int => descriptors::dup;
            __NR_dup2: [keeps_lane] (Fd, Fd) -> Int => descriptors::dup2;
            __NR_dup3: [keeps_lane] (Fd, Fd, Flags(Set::DupFlags)) -> Int => descriptors::dup2;
            //: pipe pipe2: Makes a pipe of the kernel's. While only this process has its ends, what is in it may be
            //:     kept in memory; every call that could see it, poll and fork among them, puts it back first, slot by
            //:     slot.
            //:     test: emulation/pipes_hold_their_capacity emulation/pipes_with_data_are_shared
            //:         emulation/readiness_follows_the_data
            __NR_pipe: (Out(IntPair)) -> Int => descriptors::pipe;
            __NR_pipe2: (Out(IntPair), Flags(Set::PipeFlags)) -> Int => descriptors::pipe;
            //: fcntl: F_DUPFD is followed as dup is. A promoted file stays promoted for flags of the descriptor, for
            //:     F_GETFL, for its owner and leases, and for record locks, which find the offset in the kernel; every
            //:     other command finds the descriptor the kernel's.
            //:     test: emulation/duplicates_close_in_any_order emulation/locks_and_leases_are_the_programs_own
            //:         emulation/appends_go_to_the_end syscalls/looks_at_arguments_change_nothing
            __NR_fcntl: [asks(Filter::Fcntl), keeps_lane] (Fd, Flags(Set::Fcntl), Switch(Cases::Fcntl)) -> Int
                => descriptors::fcntl;
            //: flock: The kernel keeps locks, for all processes. A promoted file stays promoted: a lock is no access.
            //:     test: emulation/locks_and_leases_are_the_programs_own
            __NR_flock: [keeps_lane] (Fd, Flags(Set::FlockOp)) -> Int;
            //: ioctl: Asks drivers and file systems. A device may be given descriptors to hold: after a request that is
            //:     not about terminals, sockets or files no pipe or eventfd of before is kept in memory any more. All
            //:     others are passed on by the gate.
            //:     test: emulation/descriptors_are_given_by_ioctl
            __NR_ioctl: [asks(Filter::Request)] (Fd, Flags(Set::Ioctl), Switch(Cases::Ioctl)) -> Int => descriptors::ioctl;
            //: eventfd eventfd2: Makes a counter of the kernel's. While only this process has it, it may be kept in
            //:     memory, as a pipe.
            //:     test: emulation/event_counters_count
            __NR_eventfd: (Uint) -> Int => descriptors::eventfd(None);
            __NR_eventfd2: (Uint, Flags(Set::Eventfd)) -> Int => descriptors::eventfd(Some(1));

            //: poll select epoll_wait: Waits for what other processes and devices do.
            __NR_poll: [sees_pending] (UpdateArray(Pollfd, 1), Uint, Int) -> Poll;
            //: ppoll epoll_pwait: Signals that the mask lets in are taken under it. The kernel waits.
            //:     test: signals/suspended_programs_wake_without_loss syscalls/interrupted_calls_restart_by_flag
            __NR_ppoll: [sees_pending] (UpdateArray(Pollfd, 1), Uint, Update(Timespec), In(Sigset), Size) -> Poll
                => signals::with_mask(3, 4);
            __NR_select: [sees_pending] (Int, FdSet(0), FdSet(0), FdSet(0), Update(Timeval)) -> Select(Timeval);
            //: pselect6: As ppoll; the mask lies behind a pointer of its own.
            //:     test: signals/suspended_programs_wake_without_loss
            __NR_pselect6: [sees_pending] (Int, FdSet(0), FdSet(0), FdSet(0), Update(Timespec), MaskAndSize) -> Select(Timespec)
                => signals::pselect6;
            //: epoll_create epoll_create1: Makes a list of the kernel's, which can be shared by descriptor.
            __NR_epoll_create: [makes] (Int) -> Int;
            __NR_epoll_create1: [makes] (Flags(Set::EpollCreate)) -> Int;
            //: epoll_ctl: Changes a list of the kernel's. A pipe or eventfd on it stays the kernel's. A promoted file
            //:     stays promoted: regular files cannot be waited for (EPERM).
            //:     test: emulation/readiness_follows_the_data
            __NR_epoll_ctl: [keeps_lane] (Fd, Flags(Set::EpollCtl), Fd, Switch(Cases::EpollCtl)) -> Int
                => descriptors::epoll_ctl;
            __NR_epoll_wait: [sees_pending] (Fd, OutArray(EpollEvent, 2), Int, Int) -> Int;
            __NR_epoll_pwait: [sees_pending] (Fd, OutArray(EpollEvent, 2), Int, Int, In(Sigset), Size) -> Int
                => signals::with_mask(4, 5);
            //: epoll_pwait2: As epoll_pwait.
            //:     test: none
            __NR_epoll_pwait2: [sees_pending] (Fd, OutArray(EpollEvent, 2), Int, In(Timespec), In(Sigset), Size) -> Int
                => signals::with_mask(4, 5);

            //: io_setup: Requests are kept and carried out by the kernel. Where the machine has as many as allowed the
            //:     runtime gives its own context back.
            //:     test: emulation/watch_limits_are_the_programs_own
            __NR_io_setup: (Uint, Out(Address)) -> Int => descriptors::instance;
            //: io_destroy io_cancel io_getevents io_pgetevents: Requests are kept and carried out by the kernel.
            __NR_io_destroy: (Ptr) -> Int;
            //: io_submit: The kernel carries requests out behind the process's back, so it has all descriptors before,
            //:     and keeps the pipes and eventfds of before for good.
            //:     test: emulation/descriptions_have_other_holders
            __NR_io_submit: {Descriptors} (Ptr, Long, Iocbs(1)) -> Int => descriptors::submit;
            __NR_io_cancel: (Ptr, Ptr, Touched(32)) -> Int;
            __NR_io_getevents: (Ptr, Long, Long, TouchedArray(32, 2), In(Timespec)) -> Int;
            __NR_io_pgetevents: [sees_pending] (Ptr, Long, Long, TouchedArray(32, 2), In(Timespec), MaskAndSize) -> Int;
            //: io_uring_setup: A ring can open and close descriptors without a call, so from here on nothing is known
            //:     of any.
            //:     test: sandbox/rings_work_or_are_refused
            __NR_io_uring_setup: {All} (Uint, Touched(120)) -> Int => descriptors::io_uring;
            //: io_uring_enter: A ring can close and install descriptors: from then on nothing is known of them.
            //:     test: sandbox/rings_work_or_are_refused
            __NR_io_uring_enter: [sees_pending] {All} (Fd, Uint, Uint, Hex, Ptr, Size) -> Int => descriptors::io_uring;
            //: io_uring_register: The kernel keeps what is registered.
            __NR_io_uring_register: (Fd, Uint, Switch(Cases::IoUringRegister)) -> Int;
        ] $($rest)* }
    };
}
