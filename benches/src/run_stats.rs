//! The figures that `bt-run --stats=FILE` writes: JSON lines, the one with `"event":"end"` at
//! the end of a process image.

use serde::{Deserialize, Serialize};

/// Memory figures of one process image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheFigures {
    /// Guest code that was translated.
    pub guest_bytes: u64,
    /// Code cache that it fills.
    pub cache_bytes: u64,
    /// The runtime's own heap.
    pub heap_bytes: u64,
}

/// The figures of the image that translated the most; `None` if no line tells an end.
#[must_use]
pub fn largest_image(lines: &str) -> Option<CacheFigures> {
    #[derive(Deserialize)]
    struct Line {
        event: String,
        #[serde(flatten)]
        figures: Option<CacheFigures>,
    }
    lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Line>(line).ok())
        .filter(|line| line.event == "end")
        .filter_map(|line| line.figures)
        .max_by_key(|figures| figures.guest_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_image_is_taken() {
        let lines = r#"{"event":"start","pid":1,"engine":"translate","exe":"/bin/bash"}
{"event":"end","pid":1,"guest_bytes":100,"cache_bytes":300,"heap_bytes":7,"syscalls":{"read":{"count":4}}}
{"event":"end","pid":2,"guest_bytes":90,"cache_bytes":900,"heap_bytes":8}
not a line
"#;
        let expected = CacheFigures { guest_bytes: 100, cache_bytes: 300, heap_bytes: 7 };
        assert_eq!(largest_image(lines), Some(expected));
    }

    #[test]
    fn a_start_without_an_end_has_no_figures() {
        assert_eq!(largest_image("{\"event\":\"start\",\"pid\":1}\n"), None);
        assert_eq!(largest_image(""), None);
    }
}
