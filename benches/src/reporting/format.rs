//! Numbers and text as Markdown, CSV, LaTeX and HTML want them.

use crate::base::stats::Estimate;

/// Three significant digits; whole numbers from 1000 on, in groups of three.
#[must_use]
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if size >= 999.5 {
        return grouped(value);
    }
    let places = match size {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.099_95 => 3,
        _ => 4,
    };
    format!("{value:.places$}")
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// All digits of a published figure, whole ones in groups of three.
#[must_use]
pub(super) fn exact(value: f64) -> String {
    if value.fract() == 0.0 { grouped(value) } else { value.to_string() }
}

/// A median with its interval; the median alone where the interval is a point.
#[must_use]
pub(super) fn interval(estimate: &Estimate) -> String {
    let [median, low, high] = [estimate.median, estimate.low, estimate.high].map(number);
    if low == high { median } else { format!("{median} [{low}, {high}]") }
}

/// A change in percent with its sign.
#[must_use]
pub(super) fn percent(value: f64) -> String {
    format!("{value:+.1} %")
}

/// A whole number where the value is one: parameters read better without a point.
#[must_use]
pub(super) fn parameter(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value}") }
}

/// The key of a footnote: a, b, …, z, aa, ab, …
#[must_use]
pub(super) fn letter(index: usize) -> String {
    let mut rest = index;
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b"abcdefghijklmnopqrstuvwxyz"[rest % 26]));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    letters.iter().rev().collect()
}

/// A field of a CSV file, quoted where it must be (RFC 4180).
#[must_use]
pub(super) fn csv(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// Text in a cell of a Markdown table.
#[must_use]
pub(super) fn markdown(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// Text in an HTML element or attribute.
#[must_use]
pub(super) fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// Text in LaTeX: its special characters escaped, the signs that tables use as commands.
#[must_use]
pub(super) fn latex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '"' => escaped.push_str("\\textquotedbl{}"),
            '`' => escaped.push_str("\\textasciigrave{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '\'' => escaped.push_str("\\textquotesingle{}"),
            '×' => escaped.push_str("$\\times$"),
            '÷' => escaped.push_str("$\\div$"),
            '±' => escaped.push_str("$\\pm$"),
            '≤' => escaped.push_str("$\\le$"),
            '≥' => escaped.push_str("$\\ge$"),
            '→' => escaped.push_str("$\\rightarrow$"),
            'µ' | 'μ' => escaped.push_str("\\textmu{}"),
            '–' => escaped.push_str("--"),
            '—' => escaped.push_str("---"),
            '…' => escaped.push_str("\\dots{}"),
            '▲' => escaped.push_str("\\btbetter{}"),
            '▼' => escaped.push_str("\\btworse{}"),
            '≈' => escaped.push_str("\\btnoisy{}"),
            '◦' => escaped.push_str("\\btquick{}"),
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A key that may stand in `\csname`, in a file name and in a line of text: anything else becomes `-`.
#[must_use]
pub(super) fn slug(text: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._=+:,".contains(character);
    text.chars().map(|character| if allowed(character) { character } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_groups() {
        let values = [0.0, 0.012_34, 0.5, 1.0, 9.999, 42.0, 437.2, 999.9, 5_375_735.0, -1234.4, f64::NAN];
        let written = values.map(number);
        let expected = ["0", "0.0123", "0.500", "1.00", "10.0", "42.0", "437", "1,000", "5,375,735", "-1,234", "–"];
        assert_eq!(written, expected);
    }

    #[test]
    fn published_figures_keep_their_digits() {
        assert_eq!([80.0, 36.95, 5_375_735.0, -4.7].map(exact), ["80", "36.95", "5,375,735", "-4.7"]);
    }

    #[test]
    fn interval_that_is_a_point_is_left_out() {
        assert_eq!(interval(&Estimate { median: 2.0, low: 1.5, high: 2.5 }), "2.00 [1.50, 2.50]");
        assert_eq!(interval(&Estimate { median: 2.0, low: 2.0, high: 2.0 }), "2.00");
    }

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!([0, 1, 25, 26, 27, 52].map(letter), ["a", "b", "z", "aa", "ab", "ba"]);
    }

    #[test]
    fn fields_of_csv_are_quoted_where_they_must_be() {
        assert_eq!(csv("plain"), "plain");
        assert_eq!(csv("a,b \"c\""), "\"a,b \"\"c\"\"\"");
    }

    #[test]
    fn special_characters_of_latex_do_not_reach_it() {
        assert_eq!(
            latex("50% of a_b & $c {#1} \\x ~^"),
            "50\\% of a\\_b \\& \\$c \\{\\#1\\} \\textbackslash{}x \\textasciitilde{}\\textasciicircum{}"
        );
        assert_eq!(latex("1.5× ▼ ≤ 2 µs"), "1.5$\\times$ \\btworse{} $\\le$ 2 \\textmu{}s");
    }

    #[test]
    fn special_characters_of_html_do_not_reach_it() {
        assert_eq!(html("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }

    #[test]
    fn slugs_hold_nothing_that_tex_or_a_shell_would_read() {
        assert_eq!(slug("direct relaxed/x{1}%"), "direct-relaxed-x-1--");
        assert_eq!(slug("psr@cpus=1"), "psr-cpus=1");
    }

    #[test]
    fn parameters_are_whole_where_they_can_be() {
        assert_eq!([1.0, 0.5, 65536.0].map(parameter), ["1", "0.5", "65536"]);
    }
}
