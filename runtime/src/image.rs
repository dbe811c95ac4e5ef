//! Where the runtime itself lies.

unsafe extern "C" {
    static __ehdr_start: u8;
    static __executable_start: u8;
    static _end: u8;
}

/// First and last-plus-one address of the runtime's image.
#[must_use]
pub fn range() -> (u64, u64) {
    let (start, end) = (&raw const __ehdr_start, &raw const _end);
    (start as u64, (end as u64).next_multiple_of(4096))
}

/// `pc` is runtime code.
#[must_use]
pub fn contains(pc: u64) -> bool {
    let (start, end) = range();
    (start..end).contains(&pc)
}
