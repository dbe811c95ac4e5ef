//! The system as a whole: names, modules, keys, tracing.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Cases, Ret, Row, Set, rows};

rows! {
    __NR_uname: Passthrough (Out(Utsname)) -> Int;
    __NR_sysinfo: Passthrough (Out(Sysinfo)) -> Int;
    __NR_sethostname: Passthrough (Bytes(1), Int) -> Int;
    __NR_setdomainname: Passthrough (Bytes(1), Int) -> Int;
    __NR_syslog: Passthrough (Flags(Set::Syslog), Switch(Cases::Syslog)) -> Int;
    __NR_getrandom: Passthrough (OutHexBytes(1), Size, Flags(Set::Getrandom)) -> Int;
    __NR_vhangup: Passthrough () -> Int;
    __NR_reboot: Passthrough (Hex, Int, Hex, Ptr) -> Int;
    __NR_kexec_load: Passthrough (Ptr, Size, Ptr, Hex) -> Int;
    __NR_kexec_file_load: Passthrough (Fd, Fd, Size, Path, Hex) -> Int;
    __NR_init_module: Passthrough (Ptr, Size, Path) -> Int;
    __NR_finit_module: Passthrough (Fd, Path, Hex) -> Int;
    __NR_delete_module: Passthrough (Path, Flags(Set::Open)) -> Int;
    __NR_add_key: Passthrough (Path, Path, Bytes(3), Size, Int) -> Int;
    __NR_request_key: Passthrough (Path, Path, Path, Int) -> Int;
    __NR_keyctl: Passthrough (Flags(Set::Keyctl), Switch(Cases::Keyctl)) -> Int;
    __NR_bpf: Passthrough (Flags(Set::Bpf), BpfAttr(2), Uint) -> Int;
    __NR_perf_event_open: Passthrough (Touched(8), Int, Int, Fd, Flags(Set::PerfOpen)) -> Int;
}
