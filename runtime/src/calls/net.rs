//! Sockets.

macro_rules! net_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_socket: (Flags(Set::Family), Flags(Set::SocketType), Protocol(0)) -> Int;
            __NR_socketpair: (Flags(Set::Family), Flags(Set::SocketType), Protocol(0), Out(IntPair)) -> Int;
            __NR_bind: (Fd, Sockaddr(2), Int) -> Int;
            __NR_connect: (Fd, Sockaddr(2), Int) -> Int;
            __NR_listen: (Fd, Int) -> Int;
            __NR_accept: (Fd, OutSockaddr(2), OutLength) -> Int;
            __NR_accept4: (Fd, OutSockaddr(2), OutLength, Flags(Set::Accept)) -> Int;
            __NR_getsockname: (Fd, OutSockaddr(2), OutLength) -> Int;
            __NR_getpeername: (Fd, OutSockaddr(2), OutLength) -> Int;
            __NR_shutdown: (Fd, Flags(Set::Shutdown)) -> Int;
            __NR_sendto: (Fd, Bytes(2), Size, Flags(Set::Msg), Sockaddr(5), Int) -> Int;
            __NR_recvfrom: (Fd, OutBytes(2), Size, Flags(Set::Msg), OutSockaddr(5), OutLength) -> Int;
            __NR_sendmsg: (Fd, Msg, Flags(Set::Msg)) -> Int => descriptors::send(None);
            __NR_recvmsg: (Fd, OutMsg, Flags(Set::Msg)) -> Int;
            __NR_sendmmsg: (Fd, Mmsg(2), Uint, Flags(Set::Msg)) -> Int => descriptors::send(Some(2));
            __NR_recvmmsg: (Fd, OutMmsg(2), Uint, Flags(Set::Msg), Update(Timespec)) -> Int;
            __NR_setsockopt: (Fd, Flags(Set::SockLevel), SockOption(1), OptionValue(4), Int) -> Int;
            __NR_getsockopt: (Fd, Flags(Set::SockLevel), SockOption(1), OutOptionValue(4), OutLength) -> Int;
        ] $($rest)* }
    };
}
