//! System V and POSIX inter-process communication.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Cases, Ret, Row, Set, rows};

rows! {
    __NR_shmget: Passthrough (Flags(Set::IpcKey), Size, FlagsMode(Set::IpcGet)) -> Int;
    __NR_shmat: Rewritten (Int, Ptr, Flags(Set::Shmat)) -> Hex;
    __NR_shmdt: Rewritten (Ptr) -> Int;
    __NR_shmctl: Passthrough (Int, Flags(Set::ShmCtl), Switch(Cases::Shmctl)) -> Int;
    __NR_semget: Passthrough (Flags(Set::IpcKey), Int, FlagsMode(Set::IpcGet)) -> Int;
    __NR_semop: Passthrough (Int, InArray(Sembuf, 2), Uint) -> Int;
    __NR_semtimedop: Passthrough (Int, InArray(Sembuf, 2), Uint, In(Timespec)) -> Int;
    __NR_semctl: Passthrough (Int, Int, Flags(Set::SemCtl), Switch(Cases::Semctl)) -> Int;
    __NR_msgget: Passthrough (Flags(Set::IpcKey), FlagsMode(Set::IpcGet)) -> Int;
    __NR_msgsnd: Passthrough (Int, Message(2), Size, Flags(Set::MsgRecv)) -> Int;
    __NR_msgrcv: Passthrough (Int, OutMessage(2), Size, Long, Flags(Set::MsgRecv)) -> Int;
    __NR_msgctl: Passthrough (Int, Flags(Set::MsgCtl), Switch(Cases::Msgctl)) -> Int;
    __NR_mq_open: Passthrough (Path, Flags(Set::Open), Switch(Cases::MqOpen)) -> Int;
    __NR_mq_unlink: Passthrough (Path) -> Int;
    __NR_mq_timedsend: Passthrough (Fd, Bytes(2), Size, Uint, In(Timespec)) -> Int;
    __NR_mq_timedreceive: Passthrough (Fd, OutBytes(2), Size, Out(U32), In(Timespec)) -> Int;
    __NR_mq_notify: Passthrough (Fd, In(Sigevent)) -> Int;
    __NR_mq_getsetattr: Passthrough (Fd, Ptr, Touched(64)) -> Int;
}
