//! Lines compared with those of strace 6.1.

use std::collections::BTreeMap;

use super::{GuestMemory, Line, format_call, format_result, format_resumed, format_unfinished};

/// Calls of one program: arguments, the memory that their lines need before and after, the result, and
/// the line that `strace -s 32` printed.
const GOLDEN: &str = include_str!("golden/strace.txt");

const SYS_READ: u64 = 0;
const SYS_EXECVE: u64 = 59;
const SYS_EXIT_GROUP: u64 = 231;

/// Memory of which only some bytes are there.
#[derive(Default)]
struct Memory {
    bytes: BTreeMap<u64, u8>,
}

impl Memory {
    fn put(&mut self, addr: u64, bytes: &[u8]) {
        self.bytes.extend((addr..).zip(bytes.iter().copied()));
    }
}

impl GuestMemory for Memory {
    fn read(&self, addr: u64, buf: &mut [u8]) -> usize {
        let known = (0..).map_while(|offset| self.bytes.get(&addr.checked_add(offset)?));
        buf.iter_mut().zip(known).map(|(target, byte)| *target = *byte).count()
    }
}

/// One recorded call.
#[derive(Default)]
struct Recorded {
    nr: u64,
    args: [u64; 6],
    before: Memory,
    after: Memory,
    result: i64,
    line: String,
}

impl Recorded {
    fn parse(text: &str) -> Recorded {
        let mut call = Recorded::default();
        for line in text.lines() {
            let (key, rest) = line.split_once(' ').unwrap();
            match key {
                "call" => {
                    let mut words = rest.split(' ');
                    call.nr = words.next().unwrap().parse().unwrap();
                    for (arg, word) in call.args.iter_mut().zip(words) {
                        *arg = hex(word);
                    }
                }
                "before" => put_recorded(&mut call.before, rest),
                "after" => put_recorded(&mut call.after, rest),
                "result" => call.result = rest.parse().unwrap(),
                "line" => call.line = rest.to_owned(),
                _ => panic!("unknown word {key}"),
            }
        }
        call
    }

    fn format(&self) -> String {
        let mut buf = [0; 4096];
        let mut line = Line::new(&mut buf);
        format_call(&mut line, &self.before, None, self.nr, &self.args);
        format_result(&mut line, &self.after, self.nr, &self.args, self.result);
        String::from_utf8(line.as_bytes().to_vec()).unwrap()
    }
}

fn hex(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}

/// `address bytes+zeros`
fn put_recorded(memory: &mut Memory, text: &str) {
    let (addr, content) = text.split_once(' ').unwrap();
    let (digits, zeros) = content.split_once('+').unwrap_or((content, "0"));
    let mut bytes: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    bytes.resize(bytes.len() + zeros.parse::<usize>().unwrap(), 0);
    memory.put(hex(addr), &bytes);
}

#[test]
fn lines_are_those_of_strace() {
    let calls: Vec<_> = GOLDEN.split("\n\n").map(Recorded::parse).collect();
    assert!(calls.len() > 250, "only {} recorded calls", calls.len());
    let wrong: Vec<_> = calls
        .iter()
        .map(|call| (call.format(), &call.line))
        .filter(|(line, golden)| line != *golden)
        .map(|(line, golden)| format!("strace {golden}\nours   {line}"))
        .collect();
    assert!(wrong.is_empty(), "{} lines differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_call_that_does_not_return_is_a_whole_line() {
    let mut buf = [0; 256];
    let mut line = Line::new(&mut buf);
    format_call(&mut line, &Memory::default(), Some(1234), SYS_EXIT_GROUP, &[0; 6]);
    assert_eq!(line.finish(), b"[pid  1234] exit_group(0)               = ?\n");
}

#[test]
fn an_interrupted_line_is_taken_up_again() {
    let mut buf = [0; 256];
    let mut memory = Memory::default();
    let args = [3, 0x1000, 10, 0, 0, 0];
    let mut line = Line::new(&mut buf);
    format_call(&mut line, &memory, Some(7), SYS_READ, &args);
    format_unfinished(&mut line);
    assert_eq!(line.finish(), b"[pid     7] read(3,  <unfinished ...>\n");

    memory.put(0x1000, b"hello");
    line.clear();
    format_resumed(&mut line, Some(7), SYS_READ);
    format_result(&mut line, &memory, SYS_READ, &args, 5);
    assert_eq!(line.finish(), b"[pid     7] <... read resumed>\"hello\", 10) = 5\n");
}

#[test]
fn a_number_without_a_row_has_six_plain_arguments() {
    let call = Recorded { nr: 0x1f4, args: [1, 2, 3, 4, 5, 6], result: -38, ..Recorded::default() };
    assert_eq!(call.format(), "syscall_0x1f4(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Function not implemented)");
}

#[test]
fn an_error_number_that_restarts_the_call_is_no_result() {
    let call = Recorded { nr: SYS_READ, args: [3, 0x1000, 10, 0, 0, 0], result: -512, ..Recorded::default() };
    assert_eq!(
        call.format(),
        "read(3, 0x1000, 10)                     = ? ERESTARTSYS (To be restarted if SA_RESTART is set)"
    );
}

#[test]
fn a_long_line_is_cut_and_keeps_its_result() {
    let mut memory = Memory::default();
    memory.put(0x1000, &[b'a'; 1000]);
    memory.put(0x1000 + 1000, b"\0");
    let args = [0x1000, 0, 0, 0, 0, 0];
    for capacity in 0..400 {
        let mut buf = vec![0; capacity];
        let mut line = Line::new(&mut buf);
        format_call(&mut line, &memory, None, SYS_EXECVE, &args);
        format_result(&mut line, &memory, SYS_EXECVE, &args, -2);
        let text = line.finish();
        assert!(text.len() <= capacity);
        assert!(capacity == 0 || text.ends_with(b"\n"));
        if capacity == 399 {
            assert!(text.ends_with(b"aaa...) = -1 ENOENT (No such file or directory)\n"));
        }
    }
}

#[test]
fn memory_that_cannot_be_read_is_an_address() {
    for row in crate::calls::all() {
        for result in [0, 1, 100, -14] {
            let call = Recorded { nr: row.number(), args: [0xdead_0000; 6], result, ..Recorded::default() };
            let line = call.format();
            assert!(line.starts_with(row.name()), "{line}");
        }
    }
}

#[test]
fn any_arguments_make_a_line() {
    // A small xorshift: the point is odd values, not their distribution.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut memory = Memory::default();
    let content: Vec<u8> = (0..2048).map(|_| next().to_le_bytes()[0]).collect();
    memory.put(0x1000, &content);
    for row in crate::calls::all() {
        for _ in 0..100 {
            let args = [(); 6].map(|()| match next() % 4 {
                0 => 0x1000 + next() % 2048,
                1 => next() % 64,
                2 => next(),
                _ => u64::MAX - next() % 16,
            });
            let mut buf = [0; 1024];
            let mut line = Line::new(&mut buf);
            let result = i64::from(next().to_le_bytes()[0]) - 64;
            format_call(&mut line, &memory, Some(1), row.number(), &args);
            format_result(&mut line, &memory, row.number(), &args, result);
            assert!(line.finish().is_ascii());
            crate::calls::outputs(row.number(), &args, &memory, &mut |addr, len_bytes| {
                assert!(addr.checked_add(len_bytes).is_some());
            });
        }
    }
}
