//! A large C program for the compiler workload: the same text for the same size, in the manner of
//! an interpreter's source (structures, switches, loops over lists and strings, many calls), and
//! preprocessed already, since it includes nothing.

use std::fmt::Write as _;

use crate::base::stats::Random;

const LOCALS: usize = 6;

const HEAD: &str = "\
struct node { long a[8]; int kind; unsigned flags; double weight; struct node *next, *child; const char *text; long length; };
extern long emit(struct node *n, const char *text, long value);
extern void *allocate(unsigned long size);
extern int compare(const char *one, const char *other, unsigned long length);
static const char *const words[16] = { \"and\", \"break\", \"do\", \"else\", \"elseif\", \"end\", \"false\", \"for\", \"function\", \"if\", \"in\", \"local\", \"nil\", \"not\", \"or\", \"repeat\" };
";

/// A program of `functions` functions.
#[must_use]
pub(super) fn program(functions: usize) -> String {
    let mut writer = Writer { text: String::from(HEAD), random: Random::new(11), function: 0, loops: 0 };
    for function in 0..functions {
        writer.function = function;
        writer.write_function();
    }
    writer.text
}

struct Writer {
    text: String,
    random: Random,
    function: usize,
    loops: usize,
}

impl Writer {
    fn line(&mut self, depth: usize, line: &str) {
        self.text.extend(std::iter::repeat_n('\t', depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn write_function(&mut self) {
        // A third is reachable from inside only, as in real programs.
        let storage = if self.function.is_multiple_of(3) { "static " } else { "" };
        let number = self.function;
        self.loops = 0;
        let _ = writeln!(
            self.text,
            "{storage}long f{number}(struct node *n, long x, unsigned long y, const char *s)\n{{\n\
             \tlong v0 = x, v1 = n->length, v2 = n->kind, v3 = 0, v4 = 1, v5 = (long)y;\n\
             \tstruct node *p = n->child;\n\tdouble d = n->weight;"
        );
        for _ in 0..4 + self.random.below(5) {
            self.statement(1);
        }
        self.line(1, "n->weight = d;");
        self.line(1, "return v0 + v1 + v2 + v3 + v4 + v5 + (p == n);\n}");
    }

    fn block(&mut self, depth: usize) {
        for _ in 0..1 + self.random.below(2) {
            self.statement(depth);
        }
    }

    fn local(&mut self) -> String {
        format!("v{}", self.random.below(LOCALS))
    }

    fn statement(&mut self, depth: usize) {
        let kinds = if depth > 2 { 7 } else { 13 };
        let (target, value) = (self.local(), self.expression(2));
        match self.random.below(kinds) {
            0 | 1 => self.line(depth, &format!("{target} = {value};")),
            2 => self.line(depth, &format!("{target} += {value};")),
            3 => {
                let index = self.expression(1);
                self.line(depth, &format!("n->a[({index}) & 7] = {value};"));
            }
            4 => self.line(depth, &format!("d = d * 0.5 + (double)({value});")),
            5 => self.call(depth, &target, &value),
            6 => self.line(depth, &format!("if ({value} > {target}) return {target};")),
            7 | 8 => {
                let condition = self.condition();
                self.line(depth, &format!("if ({condition}) {{"));
                self.block(depth + 1);
                self.line(depth, "} else {");
                self.block(depth + 1);
                self.line(depth, "}");
            }
            9 => {
                let index = format!("i{}", self.loops);
                self.loops += 1;
                self.line(depth, &format!("for (long {index} = 0; {index} < n->length; {index}++) {{"));
                self.line(depth + 1, &format!("{target} += n->a[{index} & 7] ^ {index};"));
                self.block(depth + 1);
                self.line(depth, "}");
            }
            10 => {
                self.line(depth, "for (p = n->child; p; p = p->next) {");
                self.line(depth + 1, &format!("if (p->kind == ({value} & 63)) break;"));
                self.block(depth + 1);
                self.line(depth, "}");
                self.line(depth, "if (!p) p = n;");
            }
            11 => {
                let letter = char::from(b'a' + u8::try_from(self.random.below(26)).unwrap_or(0));
                self.line(depth, &format!("while (*s && *s != '{letter}') {target} = {target} * 31 + *s++;"));
            }
            _ => self.switch(depth, &value),
        }
    }

    fn call(&mut self, depth: usize, target: &str, value: &str) {
        if self.function > 0 && self.random.below(3) > 0 {
            let callee = self.random.below(self.function);
            let other = self.expression(1);
            self.line(depth, &format!("{target} = f{callee}(p ? p : n, {value}, (unsigned long)({other}), s);"));
        } else {
            let word = self.random.below(16);
            self.line(
                depth,
                &format!("if (!compare(s, words[{word}], 3)) {target} = emit(n, words[{word}], {value});"),
            );
        }
    }

    fn switch(&mut self, depth: usize, value: &str) {
        self.line(depth, &format!("switch (({value}) & 15) {{"));
        for case in 0..3 + self.random.below(6) {
            self.line(depth, &format!("case {case}:"));
            self.block(depth + 2);
            if self.random.below(5) > 0 {
                self.line(depth + 1, "break;");
            }
        }
        self.line(depth, "default:");
        self.block(depth + 2);
        self.line(depth, "}");
    }

    fn condition(&mut self) -> String {
        let (left, right) = (self.expression(1), self.expression(1));
        let comparison = ["<", "==", ">=", "!="][self.random.below(4)];
        let plain = format!("{left} {comparison} {right}");
        match self.random.below(3) {
            0 => format!("{plain} && (n->flags & {})", 1 << self.random.below(12)),
            1 => format!("{plain} || !p"),
            _ => plain,
        }
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.random.below(7) {
                0 | 1 => self.local(),
                2 => "x".to_owned(),
                3 => format!("n->a[{}]", self.random.below(8)),
                4 => "(long)n->flags".to_owned(),
                5 => "*s".to_owned(),
                _ => self.random.below(1000).to_string(),
            };
        }
        let (left, right) = (self.expression(depth - 1), self.expression(depth - 1));
        match self.random.below(9) {
            0 | 1 => format!("({left} + {right})"),
            2 => format!("({left} - {right})"),
            3 => format!("({left} * {right})"),
            4 => format!("({left} ^ {right})"),
            5 => format!("({left} & {right})"),
            6 => format!("({left} >> {})", self.random.below(31)),
            7 => format!("({left} / ({right} | 1))"),
            _ => format!("({left} < {right} ? {right} : {left})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_every_time_and_grows_with_the_size() {
        assert_eq!(program(5), program(5));
        assert!(program(10).starts_with(&program(5)));
        assert!(program(10).len() > program(5).len());
    }

    #[test]
    fn braces_are_balanced() {
        let text = program(50);
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
