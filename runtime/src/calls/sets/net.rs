//! Sockets.

macro_rules! net_sets {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
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
                [IPPROTO_IP = 0, IPPROTO_ICMP = 1, IPPROTO_IGMP = 2, IPPROTO_IPIP = 4, IPPROTO_TCP = 6,
                 IPPROTO_UDP = 17,
                 IPPROTO_IPV6 = 41, IPPROTO_GRE = 47, IPPROTO_ESP = 50, IPPROTO_AH = 51, IPPROTO_ICMPV6 = 58,
                 IPPROTO_SCTP = 132, IPPROTO_UDPLITE = 136, IPPROTO_RAW = 255, IPPROTO_MPTCP = 262] mask ALL, [];
            /// socket(2), protocol of AF_NETLINK
            Netlink "NETLINK_???"
                [NETLINK_ROUTE = 0, NETLINK_USERSOCK = 2, NETLINK_FIREWALL = 3, NETLINK_SOCK_DIAG = 4,
                 NETLINK_NFLOG = 5,
                 NETLINK_XFRM = 6, NETLINK_SELINUX = 7, NETLINK_AUDIT = 9, NETLINK_CONNECTOR = 11,
                 NETLINK_NETFILTER = 12,
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
                [SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6,
                 SO_SNDBUF = 7,
                 SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_OOBINLINE = 10, SO_NO_CHECK = 11, SO_PRIORITY = 12, SO_LINGER = 13,
                 SO_BSDCOMPAT = 14, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18,
                 SO_SNDLOWAT = 19,
                 SO_RCVTIMEO_OLD = 20, SO_SNDTIMEO_OLD = 21, SO_BINDTODEVICE = 25, SO_ATTACH_FILTER = 26,
                 SO_DETACH_FILTER = 27, SO_PEERNAME = 28, SO_TIMESTAMP_OLD = 29, SO_ACCEPTCONN = 30, SO_PEERSEC = 31,
                 SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_PASSSEC = 34, SO_TIMESTAMPNS_OLD = 35, SO_MARK = 36,
                 SO_TIMESTAMPING_OLD = 37, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_RXQ_OVFL = 40, SO_PEEK_OFF = 42,
                 SO_LOCK_FILTER = 44, SO_BUSY_POLL = 46, SO_MAX_PACING_RATE = 47, SO_INCOMING_CPU = 49,
                 SO_ATTACH_BPF = 50,
                 SO_COOKIE = 57, SO_PEERGROUPS = 59, SO_ZEROCOPY = 60, SO_TXTIME = 61, SO_BINDTOIFINDEX = 62,
                 SO_PEERPIDFD = 77] mask ALL, [];
            /// getsockopt(2), option of SOL_IP
            IpOption "IP_???"
                [IP_TOS = 1, IP_TTL = 2, IP_HDRINCL = 3, IP_OPTIONS = 4, IP_RETOPTS = 7, IP_PKTINFO = 8,
                 IP_MTU_DISCOVER = 10,
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
                 TCP_QUICKACK = 12, TCP_CONGESTION = 13, TCP_MD5SIG = 14, TCP_THIN_LINEAR_TIMEOUTS = 16,
                 TCP_USER_TIMEOUT = 18,
                 TCP_REPAIR = 19, TCP_FASTOPEN = 23, TCP_TIMESTAMP = 24, TCP_NOTSENT_LOWAT = 25, TCP_SAVE_SYN = 27,
                 TCP_FASTOPEN_CONNECT = 30, TCP_ULP = 31, TCP_ZEROCOPY_RECEIVE = 35, TCP_INQ = 36] mask ALL, [];
            /// control message of SOL_SOCKET
            Scm "SCM_???" [SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, SCM_SECURITY = 3, SCM_PIDFD = 4] mask ALL, [];
        ] $($rest)* }
    };
}
