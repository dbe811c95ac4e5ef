//! The address space.

macro_rules! memory_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            __NR_mmap: [blind] (Ptr, Size, Flags(Set::Prot), Flags(Set::Map), Fd, Hex) -> Hex => memory::mmap;
            __NR_munmap: [blind] (Ptr, Size) -> Int => memory::munmap;
            __NR_mprotect: [blind] (Ptr, Size, Flags(Set::Prot)) -> Int => memory::mprotect;
            __NR_pkey_mprotect: (Ptr, Size, Flags(Set::Prot), Int) -> Int => memory::mprotect;
            __NR_mremap: [blind] (Ptr, Size, Size, Flags(Set::Mremap), Switch(Cases::Mremap)) -> Hex => memory::mremap;
            __NR_remap_file_pages: (Ptr, Size, Flags(Set::Prot), Size, Flags(Set::Map)) -> Int
                => memory::remap_file_pages;
            __NR_brk: [blind] (Ptr) -> Hex => memory::brk;
            __NR_map_shadow_stack: (Ptr, Size, Hex) -> Hex;
            __NR_mseal: (Ptr, Size, Hex) -> Int;
            __NR_madvise: [blind] (Ptr, Size, Flags(Set::Madvise)) -> Int => memory::madvise;
            __NR_process_madvise: (Fd, RemoteIov(2), Size, Flags(Set::Madvise), Hex) -> Int;
            __NR_process_mrelease: (Fd, Hex) -> Int;
            __NR_msync: (Ptr, Size, Flags(Set::Msync)) -> Int;
            __NR_mincore: (Ptr, Size, OutPages(1)) -> Int;
            __NR_mlock: (Ptr, Size) -> Int;
            __NR_mlock2: (Ptr, Size, Flags(Set::Mlock)) -> Int;
            __NR_munlock: (Ptr, Size) -> Int;
            __NR_mlockall: (Flags(Set::Mlockall)) -> Int;
            __NR_munlockall: () -> Int;
            __NR_pkey_alloc: (Hex, Flags(Set::Pkey)) -> Int;
            __NR_pkey_free: (Int) -> Int;
            __NR_memfd_create: (Path, Flags(Set::Memfd)) -> Int;
            __NR_memfd_secret: (Flags(Set::DupFlags)) -> Int;
            __NR_userfaultfd: (Flags(Set::Userfaultfd)) -> Int;

            __NR_mbind: (Ptr, Size, Flags(Set::Mempolicy), Ptr, Size, Flags(Set::MempolicyMove)) -> Int;
            __NR_set_mempolicy: (Flags(Set::Mempolicy), Ptr, Size) -> Int;
            __NR_get_mempolicy: (Out(I32), TouchedNodes(2), Size, Ptr, Flags(Set::MempolicyGet)) -> Int;
            __NR_set_mempolicy_home_node: (Ptr, Size, Size, Hex) -> Int;
            __NR_migrate_pages: (Int, Size, Ptr, Ptr) -> Int;
            __NR_move_pages: (Int, Size, Ptr, Ptr, TouchedArray(4, 1), Flags(Set::MempolicyMove)) -> Int;
            __NR_process_vm_readv: (Int, OutIov(2), Size, RemoteIov(4), Size, Size) -> Int;
            __NR_process_vm_writev: (Int, Iov(2), Size, RemoteOutIov(4), Size, Size) -> Int
                => memory::process_vm_writev;
        ] $($rest)* }
    };
}
