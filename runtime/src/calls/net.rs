//! Sockets.

macro_rules! net_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: socket socketpair bind connect listen shutdown getsockname getpeername setsockopt getsockopt:
            //:     Connections are the kernel's, and a peer can end them at any moment.
            __NR_socket: [makes] (Flags(Set::Family), Flags(Set::SocketType), Protocol(0)) -> Int;
            __NR_socketpair: [makes] (Flags(Set::Family), Flags(Set::SocketType), Protocol(0), Out(IntPair)) -> Int;
            __NR_bind: (Fd, Sockaddr(2), Int) -> Int;
            __NR_connect: (Fd, Sockaddr(2), Int) -> Int;
            __NR_listen: (Fd, Int) -> Int;
            //: accept accept4 sendto recvfrom: Exchanges data or connections with a peer; the kernel holds both.
            __NR_accept: [makes] (Fd, OutSockaddr(2), OutLength) -> Int;
            __NR_accept4: [makes] (Fd, OutSockaddr(2), OutLength, Flags(Set::Accept)) -> Int;
            __NR_getsockname: (Fd, OutSockaddr(2), OutLength) -> Int;
            __NR_getpeername: (Fd, OutSockaddr(2), OutLength) -> Int;
            __NR_shutdown: (Fd, Flags(Set::Shutdown)) -> Int;
            __NR_sendto: (Fd, Bytes(2), Size, Flags(Set::Msg), Sockaddr(5), Int) -> Int;
            __NR_recvfrom: (Fd, OutBytes(2), Size, Flags(Set::Msg), OutSockaddr(5), OutLength) -> Int;
            //: sendmsg sendmmsg: Passed on. With control data, which may hold descriptors, every promotion ends before,
            //:     and nothing opened so far counts as the process's own: a receiver shares the offsets.
            //:     test: emulation/offsets_are_shared_with_children
            __NR_sendmsg: (Fd, Msg, Flags(Set::Msg)) -> Int => descriptors::send(None);
            //: recvmsg recvmmsg: Exchanges data with a peer. A descriptor that comes with it is others' as well, and
            //:     stays the kernel's.
            __NR_recvmsg: (Fd, OutMsg, Flags(Set::Msg)) -> Int;
            __NR_sendmmsg: (Fd, Mmsg(2), Uint, Flags(Set::Msg)) -> Int => descriptors::send(Some(2));
            __NR_recvmmsg: (Fd, OutMmsg(2), Uint, Flags(Set::Msg), Update(Timespec)) -> Int;
            __NR_setsockopt: (Fd, Flags(Set::SockLevel), SockOption(1), OptionValue(4), Int) -> Int;
            __NR_getsockopt: (Fd, Flags(Set::SockLevel), SockOption(1), OutOptionValue(4), OutLength) -> Int;
        ] $($rest)* }
    };
}
