//! The address space.

macro_rules! memory_rows {
    ($then:ident [$($before:tt)*] $next:ident $($rest:ident)*) => {
        $next! { $then [$($before)*
            //: mmap: The kernel maps; the runtime's map of guest code follows. Code that appears is patched (`direct`)
            //:     or may now be translated (`translate`). A fixed address that bt-run uses is refused with ENOMEM.
            //:     test: code/code_changes_through_the_kernel patching/generated_calls_are_rewritten
            //:         threads/memory_is_mapped_under_running_threads
            __NR_mmap: [blind] (Ptr, Size, Flags(Set::Prot), Flags(Set::Map), Fd, Hex) -> Hex => memory::mmap;
            //: munmap: The kernel unmaps, the map of guest code follows. Memory that bt-run uses is refused with
            //:     EINVAL.
            //:     test: code/libraries_come_and_go patching/libraries_with_calls_come_and_go
            //:         threads/memory_is_mapped_under_running_threads
            __NR_munmap: [blind] (Ptr, Size) -> Int => memory::munmap;
            //: mprotect: The kernel protects, the map of guest code follows: code that becomes executable is patched or
            //:     may be translated, what stood there is dropped. Memory that bt-run uses is refused with ENOMEM.
            //:     test: patching/code_arrives_page_by_page patching/generated_calls_are_rewritten
            //:         code/code_changes_through_the_kernel
            __NR_mprotect: [blind] (Ptr, Size, Flags(Set::Prot)) -> Int => memory::mprotect;
            //: pkey_mprotect: As mprotect.
            //:     test: none
            __NR_pkey_mprotect: (Ptr, Size, Flags(Set::Prot), Int) -> Int => memory::mprotect;
            //: mremap: The kernel moves the memory, and patched code moves with it. Memory that bt-run uses is refused
            //:     as what is not mapped, with EFAULT, and as a new place with ENOMEM.
            //:     test: patching/generated_calls_are_rewritten code/code_changes_through_the_kernel
            //:         syscalls/moved_ranges_end_with_their_mapping
            __NR_mremap: [blind] (Ptr, Size, Size, Flags(Set::Mremap), Switch(Cases::Mremap)) -> Hex => memory::mremap;
            //: remap_file_pages: What was translated from these addresses is dropped, because other contents are
            //:     there.
            //:     test: none
            __NR_remap_file_pages: (Ptr, Size, Flags(Set::Prot), Size, Flags(Set::Map)) -> Int
                => memory::remap_file_pages;
            //: brk: Passed on: at the start the kernel was told where the program's break is. A kernel without
            //:     CONFIG_CHECKPOINT_RESTORE cannot be told; then the runtime keeps the break.
            //:     test: loader/brk_grows_and_shrinks.static
            __NR_brk: [asks(Filter::Break), blind] (Ptr) -> Hex => memory::brk;
            //: map_shadow_stack: Memory that the kernel marks.
            __NR_map_shadow_stack: (Ptr, Size, Hex) -> Hex;
            //: mseal: Pages that are write-protected because code was made from them get their access back first; what
            //:     is made from them later is compared at each entry. Memory that bt-run uses is refused with ENOMEM.
            //:     test: code/sealed_code_changes
            __NR_mseal: (Ptr, Size, Hex) -> Int => memory::mseal;
            //: madvise: Advice that throws contents away, in the process or in its children, drops the code that was
            //:     made from them there, and is refused with EINVAL for memory that bt-run uses. Other advice is passed on.
            //:     test: patching/generated_calls_are_rewritten code/code_changes_through_the_kernel
            //:         code/children_inherit_code_as_advised
            __NR_madvise: [blind] (Ptr, Size, Flags(Set::Madvise)) -> Int => memory::madvise;
            //: process_madvise: About the memory of a process, named by descriptor. As madvise, for it may be the
            //:     process itself.
            //:     test: code/children_inherit_code_as_advised
            __NR_process_madvise: (Fd, RemoteIov(2), Size, Flags(Set::Madvise), Hex) -> Int
                => memory::process_madvise;
            //: process_mrelease: About the memory of another process, named by descriptor.
            __NR_process_mrelease: (Fd, Hex) -> Int;
            //: msync mincore mlock mlock2 munlock: The kernel keeps pages; a promoted file's mapping is the page cache
            //:     itself.
            __NR_msync: (Ptr, Size, Flags(Set::Msync)) -> Int;
            __NR_mincore: (Ptr, Size, OutPages(1)) -> Int;
            __NR_mlock: (Ptr, Size) -> Int;
            __NR_mlock2: (Ptr, Size, Flags(Set::Mlock)) -> Int;
            __NR_munlock: (Ptr, Size) -> Int;
            //: mlockall munlockall: What is mapped is locked mapping by mapping, without bt-run's memory, and measured by
            //:     the limit without it (RLIMIT_MEMLOCK). What is mapped later is the kernel's to lock; bt-run unlocks
            //:     its own.
            //:     test: syscalls/locked_memory_is_the_programs_own
            __NR_mlockall: (Flags(Set::Mlockall)) -> Int => locking::mlockall;
            __NR_munlockall: () -> Int => locking::munlockall;
            //: pkey_alloc pkey_free: Keys are the kernel's to give; the right that belongs to one is a register of the
            //:     thread.
            __NR_pkey_alloc: (Hex, Flags(Set::Pkey)) -> Int;
            __NR_pkey_free: (Int) -> Int;
            //: memfd_create memfd_secret: Makes a file of the kernel's. It is not noted as the process's own, and stays
            //:     the kernel's.
            //:     test: emulation/sealed_memory_files_refuse_writes
            __NR_memfd_create: [makes] (Path, Flags(Set::Memfd)) -> Int;
            __NR_memfd_secret: (Flags(Set::DupFlags)) -> Int;
            //: userfaultfd: Makes a descriptor by which another thread or process handles page faults. From then on
            //:     code is not read while other threads wait, but from pages that are there.
            //:     test: code/code_comes_by_userfault
            __NR_userfaultfd: (Flags(Set::Userfaultfd)) -> Int => memory::userfaultfd;

            //: mbind set_mempolicy get_mempolicy set_mempolicy_home_node migrate_pages move_pages: Where pages lie is
            //:     the kernel's to decide.
            __NR_mbind: (Ptr, Size, Flags(Set::Mempolicy), Ptr, Size, Flags(Set::MempolicyMove)) -> Int;
            __NR_set_mempolicy: (Flags(Set::Mempolicy), Ptr, Size) -> Int;
            __NR_get_mempolicy: (Out(I32), TouchedNodes(2), Size, Ptr, Flags(Set::MempolicyGet)) -> Int;
            __NR_set_mempolicy_home_node: (Ptr, Size, Size, Hex) -> Int;
            __NR_migrate_pages: (Int, Size, Ptr, Ptr) -> Int;
            __NR_move_pages: (Int, Size, Ptr, Ptr, TouchedArray(4, 1), Flags(Set::MempolicyMove)) -> Int;
            //: process_vm_readv: Reads the memory of a process, named by number.
            __NR_process_vm_readv: (Int, OutIov(2), Size, RemoteIov(4), Size, Size) -> Int;
            //: process_vm_writev: It may be aimed at the process itself, at a page that is write-protected because code
            //:     was made from it: that page gets its access back first. Then the kernel writes.
            //:     test: code/code_changes_through_the_kernel
            __NR_process_vm_writev: (Int, Iov(2), Size, RemoteOutIov(4), Size, Size) -> Int
                => memory::process_vm_writev;
        ] $($rest)* }
    };
}
