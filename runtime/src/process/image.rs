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

/// The linker's hash of this program (ld(1), `--build-id`), as three words; zero without one.
#[must_use]
pub fn build_id() -> [u64; 3] {
    const PT_NOTE: u32 = 4;
    const NT_GNU_BUILD_ID: u32 = 3;
    let base = range().0;
    let word = |at: u64| crate::mem::guest::read::<u32>(at).unwrap_or(0);
    let long = |at: u64| crate::mem::guest::read::<u64>(at).unwrap_or(0);
    let headers = base + long(base + 32);
    for header in (0..16).map(|i| headers + i * 56) {
        if word(header) != PT_NOTE {
            continue;
        }
        let note = base + long(header + 16);
        // Name "GNU\0", then 20 bytes.
        if word(note + 8) == NT_GNU_BUILD_ID && word(note + 4) == 20 {
            return [long(note + 16), long(note + 24), u64::from(word(note + 32))];
        }
    }
    [0; 3]
}

/// `pc` is runtime code.
#[must_use]
pub fn contains(pc: u64) -> bool {
    let (start, end) = range();
    (start..end).contains(&pc)
}
