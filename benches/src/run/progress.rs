//! What is being measured, and the time left.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar whose length is the time that all samples are expected to take; where there is no terminal, a line for each
/// benchmark.
pub(super) struct Progress {
    bar: ProgressBar,
    step_ms: std::cell::Cell<u64>,
    /// Where the bar stands when the benchmark that is measured is done.
    end_ms: std::cell::Cell<u64>,
    quiet: bool,
}

impl Progress {
    /// A bar of so many expected milliseconds.
    #[must_use]
    pub(super) fn of(total_ms: u64) -> Self {
        let bar = ProgressBar::new(total_ms);
        let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {elapsed} gone, {eta} left  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        Self { bar, step_ms: 0.into(), end_ms: 0.into(), quiet: false }
    }

    /// Nothing is shown.
    #[cfg(test)]
    #[must_use]
    pub(super) fn hidden() -> Self {
        let bar = ProgressBar::with_draw_target(Some(1), indicatif::ProgressDrawTarget::hidden());
        Self { bar, step_ms: 0.into(), end_ms: 0.into(), quiet: true }
    }

    /// From now on a step is so long, and there are at most so many of them.
    pub(super) fn plan(&self, step_ms: u64, steps: u64) {
        self.step_ms.set(step_ms);
        self.end_ms.set(self.bar.position() + step_ms * steps);
    }

    /// A benchmark begins.
    pub(super) fn begin(&self, title: &str) {
        self.bar.set_message(title.to_owned());
        if self.bar.is_hidden() && !self.quiet {
            eprintln!("{title}");
        }
    }

    /// A sample was taken.
    pub(super) fn step(&self) {
        self.bar.inc(self.step_ms.get());
    }

    /// The benchmark is over, also where some ways had no turn.
    pub(super) fn done(&self) {
        self.bar.set_position(self.end_ms.get());
    }

    /// Leaves the terminal as it was.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
