//! `#!` lines (fs/binfmt_script.c).

/// Bytes of a file that the kernel looks at (include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE).
pub const HEAD_BYTES: usize = 256;

/// Interpreter and argument, if there is one, of a script that begins with `head`; what the file does not fill is
/// zero. `None`: it is not a script that the kernel takes. An argument is empty where a NUL follows the space before it.
///
/// A line that does not end within the head is cut before its last byte, which the kernel makes a NUL. A name that may
/// be cut off is no name.
#[must_use]
pub fn parse(head: &[u8; HEAD_BYTES]) -> Option<(&[u8], Option<&[u8]>)> {
    let line = head.strip_prefix(b"#!")?;
    // strnchr: not past a NUL.
    let end = line.iter().position(|&byte| byte == b'\n' || byte == 0).filter(|&at| line.get(at) == Some(&b'\n'));
    let text = match end {
        Some(end) => line.get(..end)?,
        None => {
            let name = line.get(line.iter().position(|byte| !is_space(*byte))?..)?;
            name.iter().position(|byte| is_space(*byte) || *byte == 0)?;
            line.get(..line.len() - 1)?
        }
    };
    let text = text.get(..text.iter().rposition(|byte| !is_space(*byte))? + 1)?;
    let text = text.get(text.iter().position(|byte| !is_space(*byte))?..)?;
    let name_end = text.iter().position(|byte| is_space(*byte) || *byte == 0).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(name_end)?;
    // Nothing but spaces up to the end is no argument: there the line would have been cut.
    let from = rest.iter().position(|byte| !is_space(*byte)).filter(|&from| from > 0);
    let argument = from.and_then(|from| rest.get(from..)?.split(|&byte| byte == 0).next());
    Some((name, argument))
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &[u8]) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        let len = text.len().min(HEAD_BYTES);
        head[..len].copy_from_slice(&text[..len]);
        head
    }

    #[test]
    fn names_and_arguments_are_told_apart() {
        for (text, name, argument) in [
            (&b"#!/bin/sh\n"[..], &b"/bin/sh"[..], None),
            (b"#! \t/bin/sh  one two\tthree  \nmore", b"/bin/sh", Some(&b"one two\tthree"[..])),
            (b"#!/bin/sh", b"/bin/sh", None),
            // Spaces at the end go only where a newline ends the line.
            (b"#!/bin/sh -e  ", b"/bin/sh", Some(b"-e  ")),
            (b"#!/bin/sh\0 -e\n", b"/bin/sh", None),
            (b"#!/bin/sh -e\0 -x\n", b"/bin/sh", Some(b"-e")),
            (b"#!/bin/sh \0 -x\n", b"/bin/sh", Some(b"")),
            // The name is empty: the kernel does not find it.
            (b"#!", b"", None),
        ] {
            assert_eq!(parse(&head(text)), Some((name, argument)), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn lines_without_a_name_are_refused() {
        for text in [&b"#!\n"[..], b"#!  \t \n", b"# !/bin/sh\n", b""] {
            assert_eq!(parse(&head(text)), None, "{}", text.escape_ascii());
        }
        assert_eq!(parse(&[b' '; HEAD_BYTES]), None);
    }

    #[test]
    fn a_line_longer_than_the_head_loses_its_last_byte() {
        let long = |name: usize, space: usize| {
            let mut text = b"#!".to_vec();
            text.resize(2 + name, b'n');
            text.resize(2 + name + space, b' ');
            text.resize(600, b'a');
            parse(&head(&text)).map(|(name, argument)| (name.len(), argument.map_or(0, <[u8]>::len)))
        };
        assert_eq!(long(10, 1), Some((10, 255 - 13)));
        assert_eq!(long(252, 1), Some((252, 0)));
        // The space is the byte that is lost.
        assert_eq!(long(253, 1), Some((253, 0)));
        assert_eq!(long(254, 0), None);
        let mut exact = [b'n'; HEAD_BYTES];
        exact[..2].copy_from_slice(b"#!");
        exact[HEAD_BYTES - 1] = b'\n';
        assert_eq!(parse(&exact).map(|(name, _)| name.len()), Some(253));
    }
}
