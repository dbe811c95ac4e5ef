//! Units from code that was assembled by hand.

mod instructions;
mod random;

use super::{Builder, Entry, Outside, Unit};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bt_shim::uapi::{ANY_CALL, Kind, NONE, Op, PC, flags};

/// Where code begins unless it says otherwise.
const BASE: u64 = 0x1000;

/// All code, and what else a builder is told.
#[derive(Default)]
struct Memory {
    code: Vec<(u64, Vec<u8>)>,
    pointers: Vec<(u64, u64)>,
    has_code: Vec<u64>,
    checks: Vec<Op>,
}

impl Memory {
    fn of(code: &[(u64, &[u8])]) -> Self {
        Self { code: code.iter().map(|(at, bytes)| (*at, bytes.to_vec())).collect(), ..Self::default() }
    }
}

impl Outside for Memory {
    fn read_code(&mut self, pc: u64, buf: &mut [u8]) -> usize {
        let found = self.code.iter().find_map(|(at, bytes)| bytes.get(usize::try_from(pc.wrapping_sub(*at)).ok()?..));
        let bytes = found.unwrap_or_default();
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        count
    }

    fn read_pointer(&mut self, address: u64) -> Option<u64> {
        self.pointers.iter().find(|(at, _)| *at == address).map(|(_, pointer)| *pointer)
    }

    fn has_code(&mut self, pc: u64) -> bool {
        self.has_code.contains(&pc)
    }

    fn check_call(&mut self, _number: u32, checks: &mut Vec<Op>) -> bool {
        checks.extend(&self.checks);
        true
    }
}

/// The operations of the unit at [`BASE`], a line each: kind, length and place, what is not as [`Op::new`] has it.
fn unit_of(code: &[u8]) -> Vec<String> {
    unit_in(&mut Memory::of(&[(BASE, code)]), BASE, None)
}

fn unit_in(memory: &mut Memory, pc: u64, entry: Option<Entry>) -> Vec<String> {
    show(Builder::new().build(pc, entry, memory))
}

fn show(unit: &Unit) -> Vec<String> {
    unit.ops.iter().map(line).collect()
}

fn line(op: &Op) -> String {
    let plain = Op::new(op.kind);
    let mut line = format!("{:?}", op.kind);
    if op.kind != Kind::Block {
        line += &format!(" {}@{}", op.len, op.at);
    }
    for (name, value, usual) in [
        ("map", op.map, plain.map),
        ("op", op.opcode, plain.opcode),
        ("vex", op.encoding, plain.encoding),
        ("prefix", op.prefix, plain.prefix),
        ("wide", op.wide, plain.wide),
        ("size", op.size, plain.size),
        ("reg", op.reg, plain.reg),
        ("rm", op.rm, plain.rm),
        ("vvvv", op.vvvv, plain.vvvv),
        ("index", op.index, plain.index),
        ("scale", op.scale, plain.scale),
    ] {
        if value != usual {
            line += &format!(" {name}={value:x}");
        }
    }
    match op.base {
        NONE => {}
        PC => line += " pc",
        base => line += &format!(" base={base:x}"),
    }
    if op.disp != 0 {
        line += &format!(" disp={:#x}", op.disp);
    }
    match op.imm {
        0 => {}
        ANY_CALL if op.kind == Kind::Syscall => line += " any",
        imm => line += &format!(" imm={imm:x}"),
    }
    for (flag, word) in [
        (flags::FS, "fs"),
        (flags::ADDR32, "addr32"),
        (flags::LOCK, "lock"),
        (flags::HIGH_BYTE, "high"),
        (flags::DEAD, "dead"),
    ] {
        if op.flags & flag != 0 {
            line += &format!(" {word}");
        }
    }
    line
}

#[test]
fn a_loop_with_a_call_through_a_plt_is_one_unit() {
    let mut memory = Memory::of(&[
        (
            0x1000,
            &[
                0xe8, 0x1b, 0, 0, 0, // call 0x1020
                0x83, 0xeb, 1, // sub ebx, 1
                0x75, 0xf6, // jne 0x1000
                0x0f, 0x0b, // ud2
            ],
        ),
        (0x1020, &[0xff, 0x25, 0xda, 0x1f, 0, 0]), // jmp [0x3000]
        (
            0x1040,
            &[
                0xb8, 110, 0, 0, 0, // mov eax, 110
                0x0f, 0x05, // syscall
                0xc3, // ret
            ],
        ),
    ]);
    memory.pointers.push((0x3000, 0x1040));
    let mut builder = Builder::new();
    let unit = builder.build(BASE, None, &mut memory);
    assert_eq!(unit.entries, [0x1000, 0x1020, 0x1040, 0x1005]);
    assert_eq!(unit.calls, 1);
    assert_eq!(
        show(unit),
        [
            "Block imm=1000",
            "Push 5@0 imm=1005",
            "Block imm=1020",
            "JumpTo 6@0 rm=40 pc disp=0x1fe0 imm=1040",
            "Block imm=1040",
            "Insn 5@0 op=b8 reg=0 imm=6e high",
            "Syscall 2@5 imm=6e",
            "Ret 1@7 imm=1005",
            // SUB sets all flags.
            "Block imm=1005 dead",
            "Insn 3@0 op=83 size=4 reg=5 rm=3 imm=1 high dead",
            "Jcc 2@3 op=5 imm=1000",
            "Leave 2@5",
        ]
    );
}

#[test]
fn a_call_whose_target_is_not_known_ends_the_unit() {
    let code = [0xff, 0xd0]; // call rax
    assert_eq!(unit_of(&code), ["Block imm=1000", "CallTo 2@0 reg=0"]);
    let code = [0xff, 0x60, 0x08]; // jmp [rax + 8]
    assert_eq!(unit_of(&code), ["Block imm=1000", "JumpTo 3@0 rm=40 base=0 disp=0x8"]);
    let code = [0xc2, 8, 0]; // ret 8
    assert_eq!(unit_of(&code), ["Block imm=1000", "Ret 3@0 disp=0x8"]);
}

/// A branch into the unit finds a block there.
#[test]
fn targets_of_branches_begin_blocks() {
    let code = [
        0x85, 0xc0, // test eax, eax
        0x75, 3, // jne 0x1007
        0x83, 0xc3, 1, // add ebx, 1
        0x83, 0xc1, 1, // add ecx, 1
        0x0f, 0x0b, // ud2
    ];
    assert_eq!(
        unit_of(&code),
        [
            "Block imm=1000 dead",
            "Insn 2@0 op=85 size=4 reg=0 rm=0 high dead",
            "Jcc 2@2 op=5 imm=1007",
            "Insn 3@4 op=83 size=4 reg=0 rm=3 imm=1 high dead",
            "Block imm=1007 dead",
            "Insn 3@0 op=83 size=4 reg=0 rm=1 imm=1 high dead",
            "Leave 2@3",
        ]
    );
    let code = [0xeb, 0xfe]; // jmp 0x1000
    assert_eq!(unit_of(&code), ["Block imm=1000", "Jump 0@0 imm=1000"]);
}

#[test]
fn a_unit_ends_where_code_is_already() {
    let code = [0x50, 0x51, 0x52]; // push rax; push rcx; push rdx
    let mut memory = Memory::of(&[(BASE, &code)]);
    // Its own first pc is asked for because there is none, or no longer.
    memory.has_code = [BASE, BASE + 2].into();
    assert_eq!(
        unit_in(&mut memory, BASE, None),
        ["Block imm=1000", "Push 1@0 reg=0", "Push 1@1 reg=1", "Jump 0@0 imm=1002"]
    );
}

/// As a call of a weak symbol that nobody defines is linked.
#[test]
fn address_0_is_gone_to_and_not_translated() {
    let mut memory = Memory::of(&[(BASE, &[0xe8, 0xfb, 0xef, 0xff, 0xff]), (0, &[0xc3])]); // call 0; at 0: ret
    assert_eq!(unit_in(&mut memory, BASE, None), ["Block imm=1000", "Push 5@0 imm=1005", "Jump 0@0"]);
}

#[test]
fn no_code_makes_no_unit() {
    assert!(unit_of(&[]).is_empty());
    assert!(unit_of(&[0x48]).is_empty()); // a prefix
}

/// A number is known if nothing that may write rax comes after what loads it.
#[test]
fn numbers_of_calls() {
    let call = |code: &[u8]| {
        let ops = unit_of(&[code, &[0x0f, 0x05, 0x0f, 0x0b]].concat());
        ops[ops.len() - 2]
            .split_once('@')
            .map_or("", |(_, rest)| rest)
            .split_once(' ')
            .map_or("", |(_, rest)| rest)
            .into()
    };
    let number: &dyn Fn(&[u8]) -> String = &call;
    assert_eq!(number(&[0xb8, 1, 0, 0, 0]), "imm=1"); // mov eax, 1
    assert_eq!(number(&[0x48, 0xc7, 0xc0, 2, 0, 0, 0]), "imm=2"); // mov rax, 2
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x89, 0xcf]), "imm=1"); // and mov edi, ecx
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x57, 0x5e]), "imm=1"); // and push rdi; pop rsi
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x39, 0xc1]), "imm=1"); // and cmp ecx, eax
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x85, 0xc0]), "imm=1"); // and test eax, eax
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x66, 0x0f, 0xef, 0xc0]), "imm=1"); // and pxor xmm0, xmm0
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x66, 0x0f, 0x7e, 0xc0]), "any"); // and movd eax, xmm0
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x66, 0x0f, 0xd7, 0xc0]), "any"); // and pmovmskb eax, xmm0
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0xf2, 0x0f, 0x2d, 0xc0]), "any"); // and cvtsd2si eax, xmm0
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x89, 0xc8]), "any"); // and mov eax, ecx
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x58]), "any"); // and pop rax
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0xb0, 2]), "any"); // and mov al, 2
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x66, 0xb8, 2, 0]), "any"); // and mov ax, 2
    assert_eq!(number(&[0x0f, 0xb6, 0xc0]), "any"); // movzx eax, al
    assert_eq!(number(&[0xb8, 1, 0, 0, 0, 0x0f, 0x05]), "any"); // and a call before it, whose result is in rax
    assert_eq!(number(&[]), "any");
    // xor eax, eax
    assert_eq!(unit_of(&[0x31, 0xc0, 0x0f, 0x05, 0x0f, 0x0b])[2], "Syscall 2@2");
}

#[test]
fn a_call_with_a_number_that_no_call_has_is_ring_3s() {
    let code = [0xb8, 0, 2, 0, 0, 0x0f, 0x05, 0x0f, 0x0b]; // mov eax, 512; syscall; ud2
    assert_eq!(unit_of(&code)[2], "Leave 2@5");
}

#[test]
fn what_a_call_needs_is_checked_before_it() {
    let mut memory = Memory::of(&[(BASE, &[0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b])]); // mov eax, 1; syscall; ud2
    memory.checks.push(Op { reg: 7, opcode: 4, size: 4, imm: 3, ..Op::new(Kind::Check) });
    assert_eq!(
        unit_in(&mut memory, BASE, None)[2..],
        ["Check 2@5 op=4 size=4 reg=7 imm=3", "Syscall 2@5 imm=1", "Leave 2@7"]
    );
}

/// Of a unit that is entered at a call; the second time round the number's load belongs to it.
#[test]
fn an_entry_at_a_call_checks_its_number_once() {
    // 0x1000: mov eax, 1; 0x1005: syscall; 0x1007: jmp 0x1000
    let mut memory = Memory::of(&[(BASE, &[0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7])]);
    let rest = [
        "Block imm=1007",
        "Block imm=1000",
        "Insn 5@0 op=b8 reg=0 imm=1 high",
        "Syscall 2@5 imm=1",
        "Jump 0@0 imm=1007",
    ];
    let number = unit_in(&mut memory, 0x1005, Some(Entry::Number(1)));
    assert_eq!(number[..3], ["Block imm=1005", "Check 2@0 op=5 size=4 reg=0 imm=1", "Syscall 2@0 imm=1"]);
    assert_eq!(number[3..], rest);
    let any = unit_in(&mut memory, 0x1005, Some(Entry::Any));
    assert_eq!(any[..2], ["Block imm=1005", "Syscall 2@0 any"]);
    assert_eq!(any[2..], rest);
    // The code has changed: there is no call.
    assert_eq!(unit_in(&mut memory, BASE, Some(Entry::Any))[..2], ["Block imm=1000", "Leave 5@0"]);
}

#[test]
fn a_unit_is_ended_before_an_operation() {
    let code = [0x50, 0xeb, 0, 0x51, 0x52, 0xeb, 0, 0x53]; // push rax; jmp; push rcx; push rdx; jmp; push rbx
    let mut builder = Builder::new();
    builder.build(BASE, None, &mut Memory::of(&[(BASE, &code)]));
    let unit = builder.unit_mut();
    assert_eq!(unit.entries, [0x1000, 0x1003, 0x1007]);
    unit.end_before(100);
    assert_eq!(unit.ops.len(), 8);
    unit.end_before(4);
    assert_eq!(show(unit), ["Block imm=1000", "Push 1@0 reg=0", "Block imm=1003", "Push 1@0 reg=1", "Leave 1@1"]);
    assert_eq!(unit.entries, [0x1000, 0x1003]);
}
