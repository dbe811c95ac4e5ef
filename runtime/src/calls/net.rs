//! Sockets.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Ret, Row, Set, rows};

rows! {
    __NR_socket: Passthrough (Flags(Set::Family), Flags(Set::SocketType), Protocol(0)) -> Int;
    __NR_socketpair: Passthrough (Flags(Set::Family), Flags(Set::SocketType), Protocol(0), Out(IntPair)) -> Int;
    __NR_bind: Passthrough (Fd, Sockaddr(2), Int) -> Int;
    __NR_connect: Passthrough (Fd, Sockaddr(2), Int) -> Int;
    __NR_listen: Passthrough (Fd, Int) -> Int;
    __NR_accept: Passthrough (Fd, OutSockaddr(2), OutLength) -> Int;
    __NR_accept4: Passthrough (Fd, OutSockaddr(2), OutLength, Flags(Set::Accept)) -> Int;
    __NR_getsockname: Passthrough (Fd, OutSockaddr(2), OutLength) -> Int;
    __NR_getpeername: Passthrough (Fd, OutSockaddr(2), OutLength) -> Int;
    __NR_shutdown: Passthrough (Fd, Flags(Set::Shutdown)) -> Int;
    __NR_sendto: Passthrough (Fd, Bytes(2), Size, Flags(Set::Msg), Sockaddr(5), Int) -> Int;
    __NR_recvfrom: Passthrough (Fd, OutBytes(2), Size, Flags(Set::Msg), OutSockaddr(5), OutLength) -> Int;
    __NR_sendmsg: Rewritten (Fd, Msg, Flags(Set::Msg)) -> Int;
    __NR_recvmsg: Passthrough (Fd, OutMsg, Flags(Set::Msg)) -> Int;
    __NR_sendmmsg: Rewritten (Fd, Mmsg(2), Uint, Flags(Set::Msg)) -> Int;
    __NR_recvmmsg: Passthrough (Fd, OutMmsg(2), Uint, Flags(Set::Msg), Update(Timespec)) -> Int;
    __NR_setsockopt: Passthrough (Fd, Flags(Set::SockLevel), SockOption(1), OptionValue(4), Int) -> Int;
    __NR_getsockopt: Passthrough (Fd, Flags(Set::SockLevel), SockOption(1), OutOptionValue(4), OutLength) -> Int;
}
