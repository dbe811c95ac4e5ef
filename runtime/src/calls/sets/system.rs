//! System V IPC, keys and the kernel itself.

macro_rules! system_sets {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            /// shmget(2), semget(2), msgget(2): flags beside the mode
            IpcGet "IPC_???" [] mask NONE, [IPC_CREAT = 0o1000, IPC_EXCL = 0o2000, IPC_NOWAIT = 0o4000];
            /// msgctl(2)
            MsgCtl "MSG_???" [IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, MSG_STAT = 11, MSG_INFO = 12,
                MSG_STAT_ANY = 13] mask 0xffff_feff, [];
            /// semctl(2)
            SemCtl "SEM_???" [IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, GETPID = 11, GETVAL = 12,
                 GETALL = 13,
                GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17, SEM_STAT = 18, SEM_INFO = 19, SEM_STAT_ANY = 20]
                mask 0xffff_feff, [];
            /// shmctl(2)
            ShmCtl "SHM_???" [IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2, IPC_INFO = 3, SHM_LOCK = 11, SHM_UNLOCK = 12,
                SHM_STAT = 13, SHM_INFO = 14, SHM_STAT_ANY = 15] mask 0xffff_feff, [];
            /// shmat(2)
            Shmat "SHM_???" [] mask NONE, [SHM_RDONLY = 0o10000, SHM_RND = 0o20000, SHM_REMAP = 0o40000,
                 SHM_EXEC = 0o100000];
            /// msgsnd(2), msgrcv(2)
            MsgRecv "MSG_???" [] mask NONE,
                [IPC_NOWAIT = 0o4000, MSG_NOERROR = 0o10000, MSG_EXCEPT = 0o20000, MSG_COPY = 0o40000];
            /// mq_open(2) keys and the like: IPC_PRIVATE
            IpcKey "" [IPC_PRIVATE = 0] mask ALL, [];

            /// getrandom(2)
            Getrandom "GRND_???" [] mask NONE, [GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE];
            /// keyctl(2)
            Keyctl "KEYCTL_???"
                [KEYCTL_GET_KEYRING_ID = 0, KEYCTL_JOIN_SESSION_KEYRING = 1, KEYCTL_UPDATE = 2, KEYCTL_REVOKE = 3,
                 KEYCTL_CHOWN = 4, KEYCTL_SETPERM = 5, KEYCTL_DESCRIBE = 6, KEYCTL_CLEAR = 7, KEYCTL_LINK = 8,
                 KEYCTL_UNLINK = 9, KEYCTL_SEARCH = 10, KEYCTL_READ = 11, KEYCTL_INSTANTIATE = 12, KEYCTL_NEGATE = 13,
                 KEYCTL_SET_REQKEY_KEYRING = 14, KEYCTL_SET_TIMEOUT = 15, KEYCTL_ASSUME_AUTHORITY = 16,
                 KEYCTL_GET_SECURITY = 17, KEYCTL_SESSION_TO_PARENT = 18, KEYCTL_REJECT = 19,
                 KEYCTL_INSTANTIATE_IOV = 20,
                 KEYCTL_INVALIDATE = 21, KEYCTL_GET_PERSISTENT = 22, KEYCTL_DH_COMPUTE = 23, KEYCTL_PKEY_QUERY = 24,
                 KEYCTL_PKEY_ENCRYPT = 25, KEYCTL_PKEY_DECRYPT = 26, KEYCTL_PKEY_SIGN = 27, KEYCTL_PKEY_VERIFY = 28,
                 KEYCTL_RESTRICT_KEYRING = 29, KEYCTL_MOVE = 30, KEYCTL_CAPABILITIES = 31,
                 KEYCTL_WATCH_KEY = 32] mask ALL, [];
            /// bpf(2)
            Bpf "BPF_???"
                [BPF_MAP_CREATE = 0, BPF_MAP_LOOKUP_ELEM = 1, BPF_MAP_UPDATE_ELEM = 2, BPF_MAP_DELETE_ELEM = 3,
                 BPF_MAP_GET_NEXT_KEY = 4, BPF_PROG_LOAD = 5, BPF_OBJ_PIN = 6, BPF_OBJ_GET = 7, BPF_PROG_ATTACH = 8,
                 BPF_PROG_DETACH = 9, BPF_PROG_TEST_RUN = 10, BPF_PROG_GET_NEXT_ID = 11, BPF_MAP_GET_NEXT_ID = 12,
                 BPF_PROG_GET_FD_BY_ID = 13, BPF_MAP_GET_FD_BY_ID = 14, BPF_OBJ_GET_INFO_BY_FD = 15,
                 BPF_PROG_QUERY = 16,
                 BPF_RAW_TRACEPOINT_OPEN = 17, BPF_BTF_LOAD = 18, BPF_BTF_GET_FD_BY_ID = 19, BPF_TASK_FD_QUERY = 20,
                 BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21, BPF_MAP_FREEZE = 22, BPF_BTF_GET_NEXT_ID = 23,
                 BPF_MAP_LOOKUP_BATCH = 24, BPF_MAP_LOOKUP_AND_DELETE_BATCH = 25, BPF_MAP_UPDATE_BATCH = 26,
                 BPF_MAP_DELETE_BATCH = 27, BPF_LINK_CREATE = 28, BPF_LINK_UPDATE = 29, BPF_LINK_GET_FD_BY_ID = 30,
                 BPF_LINK_GET_NEXT_ID = 31, BPF_ENABLE_STATS = 32, BPF_ITER_CREATE = 33, BPF_LINK_DETACH = 34,
                 BPF_PROG_BIND_MAP = 35, BPF_TOKEN_CREATE = 36] mask ALL, [];
            /// perf_event_open(2)
            PerfOpen "PERF_FLAG_???" [] mask NONE,
                [PERF_FLAG_FD_NO_GROUP = 1, PERF_FLAG_FD_OUTPUT = 2, PERF_FLAG_PID_CGROUP = 4,
                 PERF_FLAG_FD_CLOEXEC = 8];
            /// syslog(2)
            Syslog "SYSLOG_ACTION_???"
                [SYSLOG_ACTION_CLOSE = 0, SYSLOG_ACTION_OPEN = 1, SYSLOG_ACTION_READ = 2, SYSLOG_ACTION_READ_ALL = 3,
                 SYSLOG_ACTION_READ_CLEAR = 4, SYSLOG_ACTION_CLEAR = 5, SYSLOG_ACTION_CONSOLE_OFF = 6,
                 SYSLOG_ACTION_CONSOLE_ON = 7, SYSLOG_ACTION_CONSOLE_LEVEL = 8, SYSLOG_ACTION_SIZE_UNREAD = 9,
                 SYSLOG_ACTION_SIZE_BUFFER = 10] mask ALL, [];
            /// open_tree(2)
            OpenTree "OPEN_TREE_???" [] mask NONE,
                [OPEN_TREE_CLONE = 1, OPEN_TREE_CLOEXEC = O_CLOEXEC, AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT,
                 AT_EMPTY_PATH,
                 AT_RECURSIVE];
            /// semop(2)
            SemFlags "SEM_???" [] mask NONE, [SEM_UNDO = 0x1000, IPC_NOWAIT = 0o4000];
        ] $($rest)* }
    };
}
