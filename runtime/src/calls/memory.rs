//! The address space.

use super::arg::Arg::*;
use super::arg::Shape::*;
use super::{Cases, Ret, Row, Set, rows};

rows! {
    __NR_mmap: Rewritten (Ptr, Size, Flags(Set::Prot), Flags(Set::Map), Fd, Hex) -> Hex;
    __NR_munmap: Rewritten (Ptr, Size) -> Int;
    __NR_mprotect: Rewritten (Ptr, Size, Flags(Set::Prot)) -> Int;
    __NR_pkey_mprotect: Rewritten (Ptr, Size, Flags(Set::Prot), Int) -> Int;
    __NR_mremap: Rewritten (Ptr, Size, Size, Flags(Set::Mremap), Switch(Cases::Mremap)) -> Hex;
    __NR_remap_file_pages: Rewritten (Ptr, Size, Flags(Set::Prot), Size, Flags(Set::Map)) -> Int;
    __NR_brk: Rewritten (Ptr) -> Hex;
    __NR_map_shadow_stack: Passthrough (Ptr, Size, Hex) -> Hex;
    __NR_mseal: Passthrough (Ptr, Size, Hex) -> Int;
    __NR_madvise: Rewritten (Ptr, Size, Flags(Set::Madvise)) -> Int;
    __NR_process_madvise: Passthrough (Fd, RemoteIov(2), Size, Flags(Set::Madvise), Hex) -> Int;
    __NR_process_mrelease: Passthrough (Fd, Hex) -> Int;
    __NR_msync: Passthrough (Ptr, Size, Flags(Set::Msync)) -> Int;
    __NR_mincore: Passthrough (Ptr, Size, OutPages(1)) -> Int;
    __NR_mlock: Passthrough (Ptr, Size) -> Int;
    __NR_mlock2: Passthrough (Ptr, Size, Flags(Set::Mlock)) -> Int;
    __NR_munlock: Passthrough (Ptr, Size) -> Int;
    __NR_mlockall: Passthrough (Flags(Set::Mlockall)) -> Int;
    __NR_munlockall: Passthrough () -> Int;
    __NR_pkey_alloc: Passthrough (Hex, Flags(Set::Pkey)) -> Int;
    __NR_pkey_free: Passthrough (Int) -> Int;
    __NR_memfd_create: Passthrough (Path, Flags(Set::Memfd)) -> Int;
    __NR_memfd_secret: Passthrough (Flags(Set::DupFlags)) -> Int;
    __NR_userfaultfd: Passthrough (Flags(Set::Userfaultfd)) -> Int;

    __NR_mbind: Passthrough
        (Ptr, Size, Flags(Set::Mempolicy), Ptr, Size, Flags(Set::MempolicyMove)) -> Int;
    __NR_set_mempolicy: Passthrough (Flags(Set::Mempolicy), Ptr, Size) -> Int;
    __NR_get_mempolicy: Passthrough (Out(I32), TouchedNodes(2), Size, Ptr, Flags(Set::MempolicyGet)) -> Int;
    __NR_set_mempolicy_home_node: Passthrough (Ptr, Size, Size, Hex) -> Int;
    __NR_migrate_pages: Passthrough (Int, Size, Ptr, Ptr) -> Int;
    __NR_move_pages: Passthrough (Int, Size, Ptr, Ptr, TouchedArray(4, 1), Flags(Set::MempolicyMove)) -> Int;
    __NR_process_vm_readv: Passthrough (Int, OutIov(2), Size, RemoteIov(4), Size, Size) -> Int;
    __NR_process_vm_writev: Rewritten (Int, Iov(2), Size, RemoteOutIov(4), Size, Size) -> Int;
}
