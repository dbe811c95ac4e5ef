//! What is emitted for each reason to rewrite, as text in `golden/`.
//!
//! `BLESS=1 cargo test -p bt-translator --test golden` writes the files anew; the difference is to be read before it is
//! committed.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::{Request, Translator};
use bt_translator::emit::Code;
use bt_translator::translation::{FAR_AWAY, Position, Translation};
use common::{HIGH, LAYOUT, LOW, translate};
use iced_x86::{Decoder, DecoderOptions, Formatter as _, IntelFormatter};

/// A cache from which everything near the code can be reached.
const NEAR: u64 = 80 << 20;
/// A cache out of reach of everything.
const FAR: u64 = 3 << 32;

struct Case {
    name: &'static str,
    at: GuestPc,
    distance: u64,
    request: Request,
    code: &'static [&'static str],
}

const PLAIN: Request =
    Request { indirect: false, end_after_store: false, max_insns: 0, single_entry: false, in_place_until: None };

const fn high(name: &'static str, code: &'static [&'static str]) -> Case {
    Case { name, at: HIGH, distance: NEAR, request: PLAIN, code }
}

const fn far(name: &'static str, code: &'static [&'static str]) -> Case {
    Case { distance: FAR, ..high(name, code) }
}

const fn low(name: &'static str, code: &'static [&'static str]) -> Case {
    Case { at: LOW, distance: 0u64.wrapping_sub(0x7ba0_0000), ..high(name, code) }
}

/// Each is one fragment; `ud2` ends those that would go on.
const CASES: &[Case] = &[
    high(
        "copy",
        &[
            "4801d8",
            "c5fc58c1",
            "62f17c48580b",
            "f3a4",
            "d9fe",
            "f0480fb10f",
            "648b042528000000",
            "cc",
            "0fa2",
            "0f31",
            "0f0b",
        ],
    ),
    high(
        "rip_relative_near",
        &[
            "488b0510000000",
            "488d0d10000000",
            "803d100000007f",
            "882510000000",
            "c5f8100510000000",
            "62f17c48100510000000",
            "0f0b",
        ],
    ),
    far(
        "rip_relative_far",
        &[
            "488b0510000000",
            "803d100000007f",
            "48c70510000000efbeadde",
            "4c893d10000000",
            "66440f6f0510000000",
            "f20f38f00510000000",
            "ff3510000000",
            "0f0b",
        ],
    ),
    far("rip_relative_far_high_byte", &["882510000000", "0a2d10000000", "0f0b"]),
    far("rip_relative_far_vex", &["c5f8100510000000", "c462f93f0510000000", "c4e379203d1000000001", "0f0b"]),
    far("rip_relative_far_evex", &["62f17c48100510000000", "62e1fd58581510000000", "0f0b"]),
    far("rip_relative_far_lea", &["488d0510000000", "4c8d0d10000000", "8d0510000000", "668d0510000000", "0f0b"]),
    high("rip_relative_32_bit_address", &["67488b0510000000", "67488d0510000000", "0f0b"]),
    high("branch_conditional", &["7405", "0f8500010000", "0f0b"]),
    high("branch_jump", &["eb10"]),
    high("branch_counted", &["e305", "67e305", "e2f0", "e1f0", "e0f0", "0f0b"]),
    high("branch_xbegin", &["c7f810000000", "0f0b"]),
    high("call_high", &["e810000000", "90", "0f0b"]),
    low("call_low", &["e810000000", "90", "0f0b"]),
    high("return", &["c3"]),
    high("return_immediate", &["c21000"]),
    high("jump_register", &["ffe0"]),
    high("jump_register_rcx", &["ffe1"]),
    high("jump_register_r11", &["3e41ffe3"]),
    high("jump_memory", &["ff6008"]),
    high("jump_memory_indexed", &["42ff24c5f0ffffff"]),
    high("jump_memory_rcx_r11", &["42ff6419f8"]),
    high("jump_memory_32_bit_address", &["67ff6008"]),
    high("jump_memory_fs", &["64ff242528000000"]),
    high("jump_memory_gs", &["65ff242528000000"]),
    high("jump_memory_gs_rcx", &["65ff6108"]),
    high("jump_memory_rip", &["ff2510000000"]),
    far("jump_memory_rip_far", &["ff2510000000"]),
    far("jump_memory_rip_fs_far", &["64ff2510000000"]),
    high("call_register", &["ffd0", "0f0b"]),
    high("call_register_rsp", &["ffd4", "0f0b"]),
    high("call_memory_rsp", &["ff542408", "0f0b"]),
    low("call_memory_rip_low", &["ff1510000000", "0f0b"]),
    high("call_memory_gs", &["65ff5308", "0f0b"]),
    high("syscall", &["b827000000", "0f05", "90", "0f0b"]),
    low("syscall_low", &["0f05", "0f0b"]),
    high("gs_load", &["65488b042530000000", "65488b4310", "0f0b"]),
    high("gs_store_and_modify", &["654889442408", "65f0480fb10b", "658363080a", "0f0b"]),
    high("gs_high_byte", &["658863 08", "0f0b"]),
    high("gs_scratch_registers_used", &["65 4e8b0c03", "65 4b0fb11cce", "0f0b"]),
    high("gs_32_bit_address", &["6567488b4310", "0f0b"]),
    high("gs_rip_relative", &["65488b0510000000", "0f0b"]),
    high("gs_vex", &["65c5fc5803", "65c4e2795803", "0f0b"]),
    high("gs_evex", &["6562f17c485803", "0f0b"]),
    high("gs_evex_compressed_displacement", &["6562f17c48584301", "0f0b"]),
    high("gs_moffs_load", &["65a18877665544332211", "6548a18877665544332211", "65a08877665544332211", "0f0b"]),
    high("gs_moffs_store", &["6566a38877665544332211", "65a28877665544332211", "0f0b"]),
    high("gs_moffs_32_bit_address", &["6567a188776655", "0f0b"]),
    high("gs_not_accessed", &["65488d4310", "0f0b"]),
    high("gs_string", &["65a4", "f36548a7", "65d7", "4e65a7", "0f0b"]),
    high("gs_string_32_bit_address", &["6567a4"]),
    high("gs_gather", &["65c4e26992048b"]),
    high("gs_base", &["f30faec8", "f3490faecb", "f30faed8", "f3490faedb", "0f0b"]),
    high("gs_selector", &["8ee8"]),
    high("int80", &["cd80"]),
    high("iret", &["48cf"]),
    high("far_transfer", &["ff28"]),
    high("undecodable", &["90", "06"]),
    high("undecodable_first", &["06"]),
    high("end_of_memory", &["90", "488b05"]),
    high("end_of_memory_first", &["488b05"]),
    Case { request: Request { indirect: true, ..PLAIN }, ..high("prologue_high", &["90", "0f0b"]) },
    Case { request: Request { indirect: true, ..PLAIN }, ..low("prologue_low", &["90", "0f0b"]) },
    Case { request: Request { max_insns: 2, ..PLAIN }, ..high("limit_of_instructions", &["90", "4801d8", "4801d8"]) },
    Case { request: Request { end_after_store: true, ..PLAIN }, ..high("end_after_store", &["8b03", "8903", "90"]) },
    // Stubs of engine `direct`: what overwritten code becomes, and the way back.
    stub("stub_syscall_and_comparison", 8, &["0f05", "483d00f0ffff", "7710"]),
    stub("stub_number_and_syscall", 7, &["b827000000", "0f05", "c3"]),
    stub("stub_branches", 9, &["0f05", "7405", "eb10", "e2f0", "90"]),
    stub("stub_return", 5, &["0f05", "c3", "9090"]),
    stub("stub_jump", 8, &["0f05", "ff2510000000", "90"]),
    stub("stub_cpuid", 6, &["b807000000", "0fa2", "90"]),
];

/// Code of which the first `len` bytes are overwritten.
const fn stub(name: &'static str, len: u64, code: &'static [&'static str]) -> Case {
    let in_place_until = Some(GuestPc(HIGH.0 + len));
    Case { request: Request { in_place_until, ..PLAIN }, ..high(name, code) }
}

fn bytes_of(code: &[&str]) -> Vec<u8> {
    let digits: String = code.concat().split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn disassembled(text: &mut String, at: u64, bytes: &[u8], mut note: impl FnMut(u64) -> String) {
    let mut formatter = IntelFormatter::new();
    for insn in Decoder::with_ip(64, bytes, at, DecoderOptions::NONE) {
        let from = usize::try_from(insn.ip() - at).unwrap();
        let hex: String = bytes[from..from + insn.len()].iter().map(|byte| format!("{byte:02x}")).collect();
        let mut line = String::new();
        formatter.format(&insn, &mut line);
        let notes = note(from as u64);
        let line = format!("  +{from:03x}  {hex:<22}  {line:<40} {notes}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn position_at(list: &[Position], offset: u64) -> String {
    list.iter().find(|position| u64::from(position.offset) == offset).map_or(String::new(), |position| {
        let pc = if position.pc == FAR_AWAY { "far away".to_owned() } else { format!("{:+#x}", position.pc) };
        format!("; pc {pc} {:?}", position.recover)
    })
}

/// The cold code: constants and stubs in the order of their offsets.
fn cold_text(text: &mut String, out: &Translation) {
    let cold: &Code = &out.cold;
    let is_constant = |at: usize| {
        let address = cold.address(u32::try_from(at).unwrap()).0;
        let hot = out.hot.bytes();
        Decoder::with_ip(64, hot, out.hot.address(0).0, DecoderOptions::NONE)
            .iter()
            .any(|insn| insn.is_ip_rel_memory_operand() && insn.ip_rel_memory_address() == address)
    };
    let mut at = 0;
    let bytes = cold.bytes();
    while at < bytes.len() {
        if is_constant(at) {
            let value: [u8; 8] = bytes[at..at + 8].try_into().unwrap();
            let _ = writeln!(text, "  +{at:03x}  dq {:#x}", u64::from_le_bytes(value));
            at += 8;
            continue;
        }
        let end = (at + 1..bytes.len()).find(|&end| is_constant(end)).unwrap_or(bytes.len());
        let address = cold.address(u32::try_from(at).unwrap()).0;
        let mut part = String::new();
        disassembled(&mut part, address, &bytes[at..end], |offset| {
            position_at(&out.cold_positions, offset + at as u64)
        });
        for line in part.lines() {
            let offset = usize::from_str_radix(&line[3..6], 16).unwrap();
            let _ = writeln!(text, "  +{:03x}{}", offset + at, &line[6..]);
        }
        at = end;
    }
}

fn described(at: GuestPc, guest: &[u8], out: &Translation) -> String {
    let mut text = format!("guest {:#x}, {} bytes translated\n", at.0, out.guest_len);
    disassembled(&mut text, at.0, guest, |_| String::new());
    let _ = writeln!(text, "hot {:#x}", out.hot.address(0).0);
    disassembled(&mut text, out.hot.address(0).0, out.hot.bytes(), |offset| position_at(&out.positions, offset));
    let _ = writeln!(text, "cold {:#x}", out.cold.address(0).0);
    cold_text(&mut text, out);
    for entry in &out.entries {
        let indirect = entry.indirect.map_or(String::new(), |at| format!(", prologue at +{at:03x}"));
        let _ = writeln!(text, "entry {:#x}: body at +{:03x}{indirect}", entry.pc.0, entry.body);
    }
    for exit in &out.exits {
        let _ = writeln!(
            text,
            "exit {:?} to {:#x}: site +{:03x}, stub +{:03x}, id at +{:03x}",
            exit.kind, exit.target.0, exit.site, exit.stub, exit.id_at
        );
    }
    let boundaries: Vec<String> = out.boundaries.iter().map(|[len, emitted]| format!("{len}/{emitted}")).collect();
    let _ = writeln!(text, "boundaries {}", boundaries.join(" "));
    text
}

/// Compares with the golden file, or writes it; returns what differs.
fn check(name: &str, text: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, text).unwrap();
        return None;
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    if golden == text {
        return None;
    }
    let line = golden.lines().zip(text.lines()).find(|(was, is)| was != is);
    let (was, is) = line.unwrap_or(("<another number of lines>", ""));
    Some(format!("{name}\n  golden: {was}\n  now:    {is}\n"))
}

#[test]
fn emitted_code_is_as_recorded() {
    let mut wrong: Vec<String> = CASES
        .iter()
        .filter_map(|case| {
            let guest = bytes_of(case.code);
            let out = translate(case.at, &guest, case.distance, case.request);
            check(case.name, &described(case.at, &guest, &out))
        })
        .collect();

    let nops = [0x90; 200];
    let out = translate(HIGH, &nops, NEAR, PLAIN);
    wrong.extend(check("limit_of_a_fragment", &described(HIGH, &[], &out)));

    let mut out = Translation { want_positions: true, ..Translation::default() };
    let hot_at = CachePc(HIGH.0 - NEAR);
    Translator::new(LAYOUT).translate_prologue(HIGH, hot_at, hot_at.plus(40 << 20), &mut out);
    wrong.extend(check("prologue_alone", &described(HIGH, &[], &out)));

    assert!(wrong.is_empty(), "emitted code changed; BLESS=1 records it anew\n{}", wrong.concat());
}

#[test]
fn every_golden_file_belongs_to_a_case() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_known = CASES.iter().any(|case| case.name == name)
            || ["limit_of_a_fragment", "prologue_alone"].contains(&name.as_str());
        assert!(is_known, "{name} is not tested any more");
    }
}
