//! Every named instruction is what iced-x86 reads in its bytes, for registers whose encodings differ and for
//! displacements at their limits.

mod instructions;
mod labels;

use super::Code;
use crate::addr::CachePc;
use alloc::string::String;
use alloc::vec::Vec;
use iced_x86::{Decoder, DecoderOptions, Formatter as _, IntelFormatter};

/// Where emitted code runs.
const AT: u64 = 0x7f12_3456_7000;

/// Low and high; rsp and r12, which need a SIB byte as a base; rbp and r13, which need a displacement.
const REGISTERS: [u8; 10] = [0, 1, 4, 5, 7, 8, 11, 12, 13, 15];
const DISPLACEMENTS_8: [i8; 5] = [i8::MIN, -1, 0, 1, i8::MAX];
const DISPLACEMENTS_32: [i32; 7] = [i32::MIN, -129, -1, 0, 1, 128, i32::MAX];

/// The instructions in `code`, as text.
fn read(code: &Code) -> Vec<String> {
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_small_hex_numbers_in_decimal(false);
    options.set_branch_leading_zeros(false);
    let mut lines = Vec::new();
    let mut decoder = Decoder::with_ip(64, code.bytes(), code.address(0).0, DecoderOptions::NONE);
    while decoder.can_decode() {
        let insn = decoder.decode();
        assert!(!insn.is_invalid(), "{:x?}", code.bytes());
        let mut line = String::new();
        formatter.format(&insn, &mut line);
        lines.push(line);
    }
    lines
}

/// Code that runs at [`AT`].
fn emitted(emit: impl FnOnce(&mut Code)) -> Code {
    let mut code = Code::default();
    code.restart(CachePc(AT));
    emit(&mut code);
    code
}

/// `emit` appends exactly the instruction `expected`.
fn assert_is(expected: &str, emit: impl FnOnce(&mut Code)) {
    let code = emitted(emit);
    assert!(code.is_sound(), "{expected}");
    assert_eq!(read(&code), [expected], "{:x?}", code.bytes());
}
