//! `bt-run`.
#![no_std]
#![no_main]
extern crate alloc;
use core::arch::naked_asm;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
/// Entry
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    naked_asm!("mov edi, 1", "call {}", "mov eax, 60", "xor edi, edi", "syscall", sym go)
}
extern "C" fn go(x: usize) {
    let mut v = alloc::vec::Vec::new();
    for i in 0..x {
        v.push(i);
    }
    core::hint::black_box(v);
}
struct A;
// SAFETY: test
unsafe impl core::alloc::GlobalAlloc for A {
    unsafe fn alloc(&self, _: core::alloc::Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}
#[global_allocator]
static G: A = A;
macro_rules! m { ($($n:ident),*) => { $(/// x
#[unsafe(no_mangle)] extern "C" fn $n() {} )* } }
m!(
    memcpy,
    memmove,
    memset,
    memcmp,
    bcmp,
    rust_eh_personality,
    _Unwind_Resume
);
