//! The figures that `bt-run --stats=FILE` writes: JSON lines, the one with `"event":"end"` at
//! the end of a process image.

use serde::Deserialize;

use super::contest::Answer;

/// Memory figures of one process image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
struct CacheFigures {
    /// Guest code that was translated.
    pub guest_bytes: u64,
    /// Code cache that it fills.
    pub cache_bytes: u64,
    /// The runtime's own heap.
    pub heap_bytes: u64,
}

/// The figures of the image that translated the most; `None` if no line is about an end.
fn largest_image(lines: &str) -> Option<CacheFigures> {
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

/// What engine direct found in its image cache, of all images of a family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
struct ImageFigures {
    /// Files whose image was found, or that were known to need none.
    pub remembered: u64,
    /// Bytes of code that were searched, because there was no image.
    pub scanned_bytes: u64,
}

/// The sum over all lines that tell an end; `None` if none has these figures.
fn image_figures(lines: &str) -> Option<ImageFigures> {
    #[derive(Deserialize)]
    struct Line {
        sites: ImageFigures,
    }
    let add = |sum: ImageFigures, line: Line| ImageFigures {
        remembered: sum.remembered + line.sites.remembered,
        scanned_bytes: sum.scanned_bytes + line.sites.scanned_bytes,
    };
    let all = lines.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    all.fold(None, |sum, line| Some(add(sum.unwrap_or_default(), line)))
}

/// How warm the image cache is when the measurement begins: a file that gets no image is scanned each time.
#[must_use]
pub(super) fn images(lines: &str) -> Answer {
    let notes = image_figures(lines).map(|figures| {
        let scanned = mebibytes(figures.scanned_bytes);
        format!("{} × found in the image cache, {scanned:.2} MiB scanned", figures.remembered)
    });
    Answer { notes: notes.into_iter().collect(), translated_bytes: None }
}

/// How much guest code was translated, and what that takes; `None` if no line is about an end.
#[must_use]
pub(super) fn code(lines: &str) -> Option<Answer> {
    let figures = largest_image(lines)?;
    let [guest, cache, heap] = [figures.guest_bytes, figures.cache_bytes, figures.heap_bytes].map(mebibytes);
    let note = format!("translated {guest:.2} MiB, cache {cache:.2} MiB, heap {heap:.2} MiB");
    Some(Answer { notes: vec![note], translated_bytes: Some(figures.guest_bytes) })
}

#[allow(clippy::cast_precision_loss, reason = "code and memory sizes are far below 2^53")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
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
    fn image_figures_are_those_of_the_whole_family() {
        let lines = r#"{"event":"start","pid":1}
{"event":"end","pid":1,"sites":{"displaced":3,"remembered":2,"scanned_bytes":0}}
{"event":"end","pid":2,"sites":{"displaced":0,"remembered":1,"scanned_bytes":4096}}
"#;
        assert_eq!(image_figures(lines), Some(ImageFigures { remembered: 3, scanned_bytes: 4096 }));
        assert_eq!(image_figures("{\"event\":\"end\"}\n"), None);
    }

    #[test]
    fn a_start_without_an_end_has_no_figures() {
        assert_eq!(largest_image("{\"event\":\"start\",\"pid\":1}\n"), None);
        assert_eq!(largest_image(""), None);
    }
}
