//! Reading LaTeX as far as the checks need it: comments, commands with arguments, figures with units.

/// Units that make a figure a measured one. Written as in the source, after the space.
const UNITS: [&str; 18] = [
    "ns",
    "us",
    "µs",
    "\\textmu",
    "ms",
    "s",
    "seconds",
    "cycles",
    "\\%",
    "percent",
    "$\\times$",
    "\\times",
    "×",
    "times",
    "-fold",
    "requests",
    "MB/s",
    "MiB",
];

/// The source with comments replaced by nothing; lines stay lines.
pub fn without_comments(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    for line in source.lines() {
        let mut before = '\0';
        let end = line.char_indices().find(|(_, character)| {
            let comment = *character == '%' && before != '\\';
            before = *character;
            comment
        });
        text.push_str(&line[..end.map_or(line.len(), |(end, _)| end)]);
        text.push('\n');
    }
    text
}

/// The first arguments of all uses of a command.
pub fn arguments<'text>(text: &'text str, command: &str) -> Vec<&'text str> {
    let start = format!("\\{command}{{");
    let mut found = Vec::new();
    for (place, _) in text.match_indices(&start) {
        let rest = &text[place + start.len()..];
        found.extend(closing(rest).map(|end| &rest[..end]));
    }
    found
}

/// The text with the first arguments of these commands blanked out: what they hold is no prose.
pub fn without_arguments(text: &str, commands: &[&str]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for command in commands {
        let start = format!("\\{command}{{");
        for (place, _) in text.match_indices(&start) {
            let from = place + start.len();
            if let Some(end) = closing(&text[from..]) {
                bytes[from..from + end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the brace that is open at the text's beginning closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (place, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(place),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Every figure with a unit, with the number of its line: `(12, "3.4 ns")`.
pub fn figures_with_units(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut rest = line;
        while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
            let part_of_word = rest[..start].chars().next_back().is_some_and(char::is_alphanumeric);
            let number = number_at(&rest[start..]);
            let after = &rest[start + number..];
            let gap = after.len() - after.trim_start_matches([' ', '~', ',', '\\', '{', '}']).len();
            // A backslash belongs to what follows unless it makes a thin space.
            let gap = if after[..gap].ends_with('\\') { gap - 1 } else { gap };
            if let Some(unit) = unit_at(&after[gap..]).filter(|_| !part_of_word) {
                let text = format!("{}{}{unit}", &rest[start..start + number], if gap > 0 { " " } else { "" });
                found.push((index + 1, text));
            }
            rest = after;
        }
    }
    found
}

/// Digits, points, thin spaces and commas between digits.
fn number_at(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    loop {
        if digit(end) {
            end += 1;
        } else if matches!(bytes.get(end), Some(b'.' | b',')) && digit(end + 1) {
            end += 2;
        } else if text[end..].starts_with("\\,") && digit(end + 2) {
            end += 3;
        } else {
            return end;
        }
    }
}

fn unit_at(text: &str) -> Option<&'static str> {
    let mut units = UNITS;
    units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
    units.into_iter().find(|unit| {
        let wordy = unit.ends_with(|character: char| character.is_ascii_alphabetic());
        let ends = |rest: &str| !(wordy && rest.starts_with(|next: char| next.is_ascii_alphanumeric()));
        text.strip_prefix(unit).is_some_and(ends)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_percent_signs_stay() {
        assert_eq!(without_comments("a 5\\% b % 7 ns\n% all\nc\n"), "a 5\\% b \n\nc\n");
    }

    #[test]
    fn arguments_may_hold_braces() {
        assert_eq!(arguments("x \\cite{a} \\cite{b{c}d} \\citet{e}", "cite"), ["a", "b{c}d"]);
        let blanked = without_arguments("\\btnum{a/5 ns} 7", &["btnum"]);
        assert_eq!(blanked, format!("\\btnum{{{}}} 7", " ".repeat("a/5 ns".len())));
    }

    #[test]
    fn figures_are_found_however_their_space_is_written() {
        let text = "took 3.4 ns, 12~cycles and\n1\\,234\\,ms or 5\\% or 2$\\times$, 7\\,\\textmu s";
        let found = figures_with_units(text);
        let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 1, 2, 2, 2, 2], "{found:?}");
        assert_eq!(found[0].1, "3.4 ns");
    }

    #[test]
    fn other_numbers_are_let_through() {
        for text in [
            "in 2006, systems",
            "x86-64",
            "ring 3 runs",
            "section 4",
            "xmm0 saves",
            "\\btnum{} ns",
            "2 CPUs",
            "3 steps",
        ] {
            assert!(figures_with_units(text).is_empty(), "{text}: {:?}", figures_with_units(text));
        }
    }
}
