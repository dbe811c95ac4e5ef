//! Places in code that displacements lead to, before or after the place is known.
//!
//! A label gets its place once, by [`Code::bind`]. Displacements that come earlier wait in the label itself, so that no
//! memory is allocated. [`Code::is_sound`] is false as long as one waits, and for good when a displacement does not
//! reach its label, a label is bound twice, or more displacements wait than a label holds.

use super::Code;

/// Displacements that can wait for one label.
const MAX_WAITING: usize = 3;

/// A place in a [`Code`], known or still to come. It belongs to the one code that it is used with.
#[derive(Debug)]
pub(crate) struct Label {
    place: Option<u32>,
    /// The first `waiting_count` of these wait.
    waiting: [Displacement; MAX_WAITING],
    waiting_count: usize,
}

/// A field that holds a distance from its own end, where an instruction ends, to a label.
#[derive(Clone, Copy, Debug)]
struct Displacement {
    /// Offset in the code at which the field ends.
    end: u32,
    width: Width,
}

/// What a displacement reaches.
#[derive(Clone, Copy, Debug)]
enum Width {
    /// One byte: −128 to 127 bytes.
    Short,
    /// Four bytes: ±2 GiB.
    Near,
}

impl Label {
    /// A label without a place.
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self { place: None, waiting: [Displacement { end: 0, width: Width::Short }; MAX_WAITING], waiting_count: 0 }
    }
}

impl Code {
    /// Gives the label its place: the next byte. Displacements that wait for it are filled in.
    #[inline(always)]
    pub(crate) fn bind(&mut self, label: &mut Label) {
        self.is_faulty |= label.place.is_some();
        let place = self.offset();
        label.place = Some(place);
        for displacement in label.waiting.iter().take(label.waiting_count) {
            self.unresolved -= 1;
            self.resolve(*displacement, place);
        }
        label.waiting_count = 0;
    }

    /// The last byte is a displacement to the label.
    #[inline(always)]
    pub(super) fn refer_short(&mut self, label: &mut Label) {
        self.refer(label, Width::Short);
    }

    /// The last four bytes are a displacement to the label.
    #[inline(always)]
    pub(super) fn refer_near(&mut self, label: &mut Label) {
        self.refer(label, Width::Near);
    }

    #[inline(always)]
    fn refer(&mut self, label: &mut Label, width: Width) {
        let displacement = Displacement { end: self.offset(), width };
        if let Some(place) = label.place {
            self.resolve(displacement, place);
        } else if let Some(free) = label.waiting.get_mut(label.waiting_count) {
            *free = displacement;
            label.waiting_count += 1;
            self.unresolved += 1;
        } else {
            self.is_faulty = true;
        }
    }

    #[inline(always)]
    fn resolve(&mut self, Displacement { end, width }: Displacement, place: u32) {
        let distance = i64::from(place) - i64::from(end);
        match width {
            Width::Short => match i8::try_from(distance) {
                Ok(distance) => self.patch8(end - 1, distance),
                Err(_) => self.is_faulty = true,
            },
            Width::Near => match i32::try_from(distance) {
                Ok(distance) => self.patch32(end - 4, distance),
                Err(_) => self.is_faulty = true,
            },
        }
    }
}
