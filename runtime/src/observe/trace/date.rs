//! Calendar dates beside times that are counted from the epoch.

use super::printer::Printer;

/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH_DAYS: u64 = 719_468;
/// Days in 400 years.
const ERA_DAYS: u64 = 146_097;
const DAY_SECONDS: u64 = 86_400;

impl Printer<'_, '_> {
    /// Appends a time in UTC; `fraction` has so many digits and is left out if it is zero.
    pub(super) fn date(&mut self, seconds: i64, fraction: u64, fraction_digits: usize) {
        let Ok(seconds) = u64::try_from(seconds) else {
            return;
        };
        let (year, month, day) = civil_date(seconds / DAY_SECONDS);
        let of_day = seconds % DAY_SECONDS;
        self.line.unsigned_padded(year, 4);
        for (separator, value) in
            [("-", month), ("-", day), ("T", of_day / 3600), (":", of_day / 60 % 60), (":", of_day % 60)]
        {
            self.text(separator);
            self.line.unsigned_padded(value, 2);
        }
        if fraction != 0 {
            self.text(".");
            self.line.unsigned_padded(fraction, fraction_digits);
        }
        self.text("+0000");
    }

    /// Appends a time as a comment, unless it is the epoch or before it.
    pub(super) fn date_comment(&mut self, seconds: i64, fraction: u64, fraction_digits: usize) {
        if seconds > 0 {
            self.text(" /* ");
            self.date(seconds, fraction, fraction_digits);
            self.text(" */");
        }
    }
}

/// Year, month and day of a day since the epoch.
///
/// Years begin in March here, so that a leap day is the last of its year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_DAYS;
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}
