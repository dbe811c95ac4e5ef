//! The runtime's heap: size classes of powers of two over anonymous memory.
//!
//! Blocks are never given back to the kernel except the large ones: what the heap holds (fragment records, tables)
//! grows with the guest's code and is reused after a flush.

use super::lock::Mutex;
use crate::sys::mem;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
use linux_raw_sys::general as k;

const MIN_SHIFT: u32 = 4;
const CLASSES: usize = 11; // 16 B … 16 KiB
/// Bytes that small blocks are taken from at a time.
pub const CHUNK_BYTES: u64 = 256 * 1024;

struct Lists {
    free: [*mut u8; CLASSES],
    bump: *mut u8,
    bump_left: usize,
    /// Bytes taken from the kernel and not given back.
    held_bytes: u64,
}

// SAFETY: the pointers are owned by the lists and only used under the lock.
unsafe impl Send for Lists {}

/// The allocator behind `alloc` in the launcher.
pub struct Heap(Mutex<Lists>);

impl Heap {
    /// An empty heap: nothing is mapped before the first allocation.
    #[expect(clippy::new_without_default, reason = "const constructor of a static")]
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Lists { free: [ptr::null_mut(); CLASSES], bump: ptr::null_mut(), bump_left: 0, held_bytes: 0 }))
    }

    /// Gives the heap its first chunk, [`CHUNK_BYTES`] at `at`.
    ///
    /// # Safety
    /// Before the first allocation; the memory is the heap's from now on.
    pub unsafe fn begin(&self, at: u64) {
        let mut lists = self.0.lock();
        lists.held_bytes += CHUNK_BYTES;
        lists.bump = ptr::with_exposed_provenance_mut(usize::try_from(at).unwrap_or(0));
        lists.bump_left = usize::try_from(CHUNK_BYTES).unwrap_or(0);
    }

    /// Bytes of memory taken from the kernel.
    pub fn held_bytes(&self) -> u64 {
        self.0.lock().held_bytes
    }
}

/// The heap of the process. The launcher makes it the global allocator.
pub static HEAP: Heap = Heap::new();

/// Held while forking: the child finds the heap whole.
pub fn with_lock<R>(f: impl FnOnce() -> R) -> R {
    let _guard = HEAP.0.lock();
    f()
}

/// Class index of a layout, or `None` for what is mapped by itself.
fn class_of(layout: Layout) -> Option<usize> {
    let size = layout.size().max(layout.align()).max(1 << MIN_SHIFT).checked_next_power_of_two()?;
    let class = (size.trailing_zeros() - MIN_SHIFT) as usize;
    (class < CLASSES).then_some(class)
}

fn page_up(n: usize) -> u64 {
    (n as u64).next_multiple_of(4096)
}

// SAFETY: blocks of a class are disjoint, at least as large and as aligned as the layout (chunks are page-aligned
// and carved in powers of two from an address that is a multiple of the block).
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class_of(layout) else {
            let Ok(addr) = mem::mmap_own(page_up(layout.size()), k::PROT_READ | k::PROT_WRITE, 0) else {
                return ptr::null_mut();
            };
            self.0.lock().held_bytes += page_up(layout.size());
            return ptr::with_exposed_provenance_mut(usize::try_from(addr).unwrap_or(0));
        };
        let mut lists = self.0.lock();
        let lists = &mut *lists;
        let Some(head) = lists.free.get_mut(class) else { return ptr::null_mut() };
        if !head.is_null() {
            let block = *head;
            // SAFETY: a free block's first word is the next free block.
            *head = unsafe { block.cast::<*mut u8>().read() };
            return block;
        }
        let size = (1usize << MIN_SHIFT) << class;
        let pad = (lists.bump as usize).wrapping_neg() & (size - 1);
        if lists.bump_left < size + pad {
            let bytes = CHUNK_BYTES.max(size as u64);
            let Ok(addr) = mem::mmap_own(bytes, k::PROT_READ | k::PROT_WRITE, 0) else { return ptr::null_mut() };
            lists.held_bytes += bytes;
            lists.bump = ptr::with_exposed_provenance_mut(usize::try_from(addr).unwrap_or(0));
            lists.bump_left = usize::try_from(bytes).unwrap_or(0);
            // The kernel gives page alignment only.
            let pad = (lists.bump as usize).wrapping_neg() & (size - 1);
            if pad + size > lists.bump_left {
                return ptr::null_mut();
            }
        }
        let pad = (lists.bump as usize).wrapping_neg() & (size - 1);
        lists.bump_left -= pad + size;
        let block = lists.bump.wrapping_add(pad);
        lists.bump = block.wrapping_add(size);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(class) = class_of(layout) else {
            // SAFETY: mapped by `alloc` with this size.
            unsafe { mem::munmap_own(block as u64, page_up(layout.size())) };
            self.0.lock().held_bytes -= page_up(layout.size());
            return;
        };
        let mut lists = self.0.lock();
        if let Some(head) = lists.free.get_mut(class) {
            // SAFETY: the block is ours again and holds at least a pointer.
            unsafe { block.cast::<*mut u8>().write(*head) };
            *head = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller gives a valid size for this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (class_of(layout), class_of(new_layout)) {
            (Some(a), Some(b)) if a == b => block,
            (None, None) if page_up(layout.size()) == page_up(new_size) => block,
            // Not by mremap(2): sandboxes forbid that which let their programs map memory.
            _ => {
                // SAFETY: as GlobalAlloc's default.
                unsafe {
                    let new = self.alloc(new_layout);
                    if !new.is_null() {
                        ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
                        self.dealloc(block, layout);
                    }
                    new
                }
            }
        }
    }
}
