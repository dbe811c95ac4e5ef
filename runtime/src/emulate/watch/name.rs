//! Names of directory entries, compared as far as facts need it.

/// The name of a directory entry: names that some directory may take for one another are equal here. A directory may fold
/// case (ext4, f2fs and tmpfs with the attribute +F): then letters of ASCII are equal in both cases, and characters beyond it
/// may be equal to any, because some fold to letters of ASCII and others to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name(u64);

impl Name {
    /// One with a character beyond ASCII, which [`may_be`](Self::may_be) any other.
    const ANY: Self = Self(0);

    /// The name in these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // FNV-1a. Two names with one value end each other's facts, which is always right.
        const BEGIN: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        if !bytes.is_ascii() {
            return Self::ANY;
        }
        let hash =
            bytes.iter().fold(BEGIN, |hash, byte| (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(PRIME));
        Self(hash.max(1))
    }

    /// Some directory may take them for one another.
    #[must_use]
    pub fn may_be(self, other: Self) -> bool {
        self == other || self == Self::ANY || other == Self::ANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_directory_takes_for_one_another_are_equal() {
        let is_like = |a: &str, b: &str| Name::of(a.as_bytes()).may_be(Name::of(b.as_bytes()));
        assert!(is_like("data", "data") && is_like("data", "DaTa"));
        assert!(!is_like("data", "date") && !is_like("data", "data.") && !is_like("", "a"));
        // KELVIN SIGN folds to k, ZERO WIDTH JOINER to nothing.
        assert!(is_like("k", "\u{212a}") && is_like("\u{200d}ab", "ab") && is_like("\u{e9}", "E\u{301}"));
    }
}
