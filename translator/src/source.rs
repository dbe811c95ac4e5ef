//! Where guest code comes from, and a piece of it that has been read.

use crate::addr::GuestPc;

/// The longest instruction (Intel SDM vol. 2, 2.3.11).
const MAX_INSN_LEN: usize = 15;
const WINDOW_BYTES: usize = 256;

/// Where guest code comes from.
pub trait CodeSource {
    /// Copies executable guest code at `pc` into `buf`; returns how many bytes could be had.
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize;
    /// Whether a fragment can already be entered at `pc`.
    fn is_known(&self, pc: GuestPc) -> bool;
}

/// A piece of guest code that has been read.
pub(crate) struct Window {
    at: GuestPc,
    len: usize,
    bytes: [u8; WINDOW_BYTES],
}

impl Window {
    pub(crate) const EMPTY: Self = Self { at: GuestPc(0), len: 0, bytes: [0; WINDOW_BYTES] };

    /// What was read may have changed.
    pub(crate) fn forget(&mut self) {
        self.len = 0;
    }

    /// The bytes from `pc` on: at least the longest instruction's length where the guest has that much.
    pub(crate) fn at(&mut self, pc: GuestPc, source: &mut dyn CodeSource) -> &[u8] {
        let skip = usize::try_from(pc.since(self.at)).unwrap_or(usize::MAX);
        if skip > self.len || self.len - skip < MAX_INSN_LEN {
            self.len = source.read(pc, &mut self.bytes).min(WINDOW_BYTES);
            self.at = pc;
            return self.bytes.get(..self.len).unwrap_or(&[]);
        }
        self.bytes.get(skip..self.len).unwrap_or(&[])
    }
}
