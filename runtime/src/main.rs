//! `bt-run`: the launcher, a static executable without libc. Everything else is in the library.
#![no_std]
#![no_main]

use bt_runtime::mem::heap::HEAP;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::naked_asm;

struct Global;

/// The runtime cannot go on without memory of its own: what it was about to note would be missing.
fn must_be(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        bt_runtime::report::fatal("out of memory: raise the limits (ulimit -v, ulimit -l)");
    }
    block
}

// SAFETY: delegates to the runtime's heap.
unsafe impl GlobalAlloc for Global {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on.
        must_be(unsafe { HEAP.alloc(layout) })
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { HEAP.dealloc(block, layout) }
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: passed on.
        must_be(unsafe { HEAP.realloc(block, layout, new_size) })
    }
}

#[global_allocator]
static GLOBAL: Global = Global;

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    bt_runtime::report::say(format_args!("{info}"));
    bt_runtime::report::internal("panic")
}

/// The kernel starts here with the initial stack in rsp. Applies the relative relocations of a static PIE
/// (R_X86_64_RELATIVE = 8, by DT_RELA = 7 and DT_RELASZ = 8) before any Rust code can need one.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    naked_asm!(
        "mov rdi, rsp",
        "lea rbx, [rip + __ehdr_start]",
        "lea rsi, [rip + _DYNAMIC]",
        "xor r8d, r8d",
        "xor r9d, r9d",
        "2:",
        "mov rax, [rsi]",
        "mov rdx, [rsi + 8]",
        "add rsi, 16",
        "cmp rax, 7",
        "cmove r8, rdx",
        "cmp rax, 8",
        "cmove r9, rdx",
        "test rax, rax",
        "jne 2b",
        "add r8, rbx",
        "add r9, r8",
        "3:",
        "cmp r8, r9",
        "jae 4f",
        "mov rax, [r8]",
        "mov rdx, [r8 + 16]",
        "add rdx, rbx",
        "cmp dword ptr [r8 + 8], 8",
        "jne 5f",
        "mov [rbx + rax], rdx",
        "5:",
        "add r8, 24",
        "jmp 3b",
        "4:",
        "xor ebp, ebp",
        "and rsp, -16",
        "call {first}",
        "ud2",
        first = sym bt_runtime::start::first,
    )
}

/// The precompiled core library refers to these; panics abort, so nobody calls them.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
/// See [`rust_eh_personality`].
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() {}
