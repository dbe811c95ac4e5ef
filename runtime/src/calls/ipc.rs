//! System V and POSIX inter-process communication.

macro_rules! ipc_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: shmget shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl: System V objects are the
            //:     kernel's; every process with the key or number uses them.
            __NR_shmget: (Flags(Set::IpcKey), Size, FlagsMode(Set::IpcGet)) -> Int;
            //: shmat: The kernel attaches, the map of guest code follows. SHM_REMAP over memory that bt-run uses is
            //:     refused with EINVAL.
            //:     test: none
            __NR_shmat: (Int, Ptr, Flags(Set::Shmat)) -> Hex => memory::shmat;
            //: shmdt: The kernel detaches, the map of guest code follows.
            //:     test: none
            __NR_shmdt: (Ptr) -> Int => memory::shmdt;
            __NR_shmctl: (Int, Flags(Set::ShmCtl), Switch(Cases::Shmctl)) -> Int;
            __NR_semget: (Flags(Set::IpcKey), Int, FlagsMode(Set::IpcGet)) -> Int;
            __NR_semop: (Int, InArray(Sembuf, 2), Uint) -> Int;
            __NR_semtimedop: (Int, InArray(Sembuf, 2), Uint, In(Timespec)) -> Int;
            __NR_semctl: (Int, Int, Flags(Set::SemCtl), Switch(Cases::Semctl)) -> Int;
            __NR_msgget: (Flags(Set::IpcKey), FlagsMode(Set::IpcGet)) -> Int;
            __NR_msgsnd: (Int, Message(2), Size, Flags(Set::MsgRecv)) -> Int;
            __NR_msgrcv: (Int, OutMessage(2), Size, Long, Flags(Set::MsgRecv)) -> Int;
            __NR_msgctl: (Int, Flags(Set::MsgCtl), Switch(Cases::Msgctl)) -> Int;
            //: mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr: Message queues are the kernel's;
            //:     every process with the name uses them.
            __NR_mq_open: [makes] (Path, Flags(Set::Open), Switch(Cases::MqOpen)) -> Int;
            __NR_mq_unlink: (Path) -> Int;
            __NR_mq_timedsend: (Fd, Bytes(2), Size, Uint, In(Timespec)) -> Int;
            __NR_mq_timedreceive: (Fd, OutBytes(2), Size, Out(U32), In(Timespec)) -> Int;
            __NR_mq_notify: (Fd, In(Sigevent)) -> Int;
            __NR_mq_getsetattr: (Fd, Ptr, Touched(64)) -> Int;
        ] $($rest)* }
    };
}
