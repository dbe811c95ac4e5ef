//! Mnemonic, operands and displacement of each instruction.

use super::{AT, DISPLACEMENTS_8, DISPLACEMENTS_32, REGISTERS, assert_is, emitted, read};
use crate::decode::decode;
use crate::emit::{Branch, Code, JMP_NEAR_BYTES, Label, encode_jmp_near, gpr, traps};
use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

const R64: [&str; 16] =
    ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
const R32: [&str; 16] = [
    "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d",
    "r15d",
];
const R16: [&str; 16] =
    ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"];

fn r64(reg: u8) -> &'static str {
    R64[usize::from(reg)]
}

fn r32(reg: u8) -> &'static str {
    R32[usize::from(reg)]
}

fn r16(reg: u8) -> &'static str {
    R16[usize::from(reg)]
}

/// A number as the formatter has it.
fn number(value: u64) -> String {
    format!("0x{value:x}")
}

/// A displacement beside registers.
fn signed(disp: i32) -> String {
    match disp {
        0 => String::new(),
        1.. => format!("+{}", number(u64::from(disp.unsigned_abs()))),
        _ => format!("-{}", number(u64::from(disp.unsigned_abs()))),
    }
}

/// A displacement alone: an absolute address, sign-extended.
fn absolute(disp: i32) -> String {
    number(i64::from(disp).cast_unsigned())
}

#[test]
fn moves_between_registers_and_gs() {
    for reg in REGISTERS {
        for disp in DISPLACEMENTS_32 {
            let at = absolute(disp);
            assert_is(&format!("mov {},gs:[{at}]", r64(reg)), |c| c.mov_load_gs(reg, disp));
            assert_is(&format!("mov gs:[{at}],{}", r64(reg)), |c| c.mov_store_gs(disp, reg));
            assert_is(&format!("mov {},gs:[{at}]", r32(reg)), |c| c.mov32_load_gs(reg, disp));
            assert_is(&format!("mov gs:[{at}],{}", r32(reg)), |c| c.mov32_store_gs(disp, reg));
            assert_is(&format!("mov gs:[{at}],{}", r32(reg)), |c| c.mov32_store_gs_long(disp, reg));
            assert_is(&format!("movzx {},word ptr gs:[{at}]", r32(reg)), |c| c.movzx_word_gs(reg, disp));
            for index in REGISTERS.into_iter().filter(|&index| index != gpr::RSP) {
                let at = format!("gs:[{}*8{}]", r64(index), signed(disp));
                assert_is(&format!("mov {},{at}", r64(reg)), |c| c.mov_load_gs_index8(reg, index, disp));
                assert_is(&format!("mov {at},{}", r64(reg)), |c| c.mov_store_gs_index8(index, disp, reg));
            }
        }
        let long = emitted(|c| c.mov32_store_gs_long(0, reg));
        assert_eq!(long.offset(), 9);
    }
    for value in DISPLACEMENTS_32 {
        let shown = number(u64::from(value.cast_unsigned()));
        assert_is(&format!("mov dword ptr gs:[0x28],{shown}"), |c| c.mov32_store_gs_imm(0x28, value));
    }
}

#[test]
fn moves_between_registers_and_memory() {
    for reg in REGISTERS {
        for base in REGISTERS {
            let at = format!("[{}]", r64(base));
            assert_is(&format!("mov {},{at}", r64(reg)), |c| c.mov_load_base(reg, base));
            assert_is(&format!("mov {},fs:{at}", r64(reg)), |c| c.mov_load_fs_base(reg, base));
            assert_is(&format!("mov {},{}", r32(reg), r32(base)), |c| c.mov32_long(reg, base));
            assert_is(&format!("movzx {},{}", r32(reg), r16(base)), |c| c.movzx_word(reg, base));
            for index in REGISTERS.into_iter().filter(|&index| index != gpr::RSP) {
                let at = format!("[{}+{}]", r64(base), r64(index));
                assert_is(&format!("mov {},{at}", r64(reg)), |c| c.mov_load_base_index(reg, base, index));
            }
            for address in DISPLACEMENTS_32 {
                let at = format!("byte ptr [{}{}]", r64(base), signed(address));
                let address = address.cast_unsigned();
                assert_is(&format!("movzx {},{at}", r32(reg)), |c| c.movzx_byte_base(reg, base, address));
            }
        }
        for address in DISPLACEMENTS_32 {
            let at = absolute(address);
            let address = address.cast_unsigned();
            assert_is(&format!("movzx {},byte ptr [{at}]", r32(reg)), |c| c.movzx_byte_abs(reg, address));
        }
        assert_eq!(emitted(|c| c.mov32_long(reg, 0)).offset(), 3);
    }
}

#[test]
fn immediates_have_the_shortest_form() {
    for reg in REGISTERS {
        let high = u32::from(reg >= gpr::R8);
        for (value, len) in [
            (0, 5 + high),
            (0x7fff_ffff, 5 + high),
            (0xffff_ffff, 5 + high),
            (u64::MAX, 7),
            (0xffff_ffff_8000_0000, 7),
            (0xffff_ffff_7fff_ffff, 10),
            (1 << 32, 10),
        ] {
            let shown = number(value);
            let name = if len < 7 { r32(reg) } else { r64(reg) };
            assert_is(&format!("mov {name},{shown}"), |c| c.mov_imm(reg, value));
            assert_eq!(emitted(|c| c.mov_imm(reg, value)).offset(), len, "{value:x}");
        }
        for value in [0, 0x1234_5678, u32::MAX] {
            assert_is(&format!("mov {},{}", r32(reg), number(u64::from(value))), |c| c.mov32_imm(reg, value));
            let code = emitted(|c| c.mov32_imm(reg, value));
            assert_eq!(code.bytes().last_chunk(), Some(&value.to_le_bytes()));
        }
        for value in [0, 0x1234, u16::MAX] {
            assert_is(&format!("mov {},{}", r16(reg), number(u64::from(value))), |c| c.mov16_imm(reg, value));
        }
    }
}

#[test]
fn addresses() {
    for reg in REGISTERS {
        for base in REGISTERS {
            for disp in DISPLACEMENTS_8 {
                let shown = signed(i32::from(disp));
                let at = format!("[{}{shown}]", r64(base));
                assert_is(&format!("lea {},{at}", r64(reg)), |c| c.lea_base_disp8(reg, base, disp));
                for index in REGISTERS.into_iter().filter(|&index| index != gpr::RSP) {
                    let at = format!("[{}+{}{shown}]", r64(base), r64(index));
                    let emit = |c: &mut Code| c.lea_base_index_disp8(reg, base, index, disp);
                    assert_is(&format!("lea {},{at}", r64(reg)), emit);
                }
            }
            for disp in DISPLACEMENTS_32 {
                let at = format!("[{}{}]", r64(base), signed(disp));
                assert_is(&format!("lea {},{at}", r64(reg)), |c| c.lea_base_disp32(reg, base, disp));
            }
            for index in REGISTERS.into_iter().filter(|&index| index != gpr::RSP) {
                let at = format!("[{}+{}]", r64(base), r64(index));
                assert_is(&format!("lea {},{at}", r64(reg)), |c| c.lea_base_index(reg, base, index));
            }
        }
        let here = |c: &mut Code| {
            let mut label = Label::new();
            c.lea_rip(reg, &mut label);
            c.bind(&mut label);
        };
        assert_is(&format!("lea {},[0x7f1234567007]", r64(reg)), here);
        // Relative where that reaches and is shorter.
        for (value, text) in [
            (AT + 7, "lea REG,[0x7f1234567007]"),
            (AT + 7 + 0x7fff_ffff, "lea REG,[0x7f12b4567006]"),
            (AT + 7 - 0x8000_0000, "lea REG,[0x7f11b4567007]"),
            (AT + 7 + 0x8000_0000, "mov REG,0x7f12b4567007"),
            (u64::MAX, "mov REG,0xffffffffffffffff"),
        ] {
            assert_is(&text.replace("REG", r64(reg)), |c| c.load_address(reg, value));
        }
        assert_is(&format!("mov {},0x401000", r32(reg)), |c| c.load_address(reg, 0x40_1000));
    }
}

#[test]
fn rsp_is_no_index() {
    let (reg, rsp) = (gpr::RAX, gpr::RSP);
    assert!(!emitted(|c| c.lea_base_index(reg, reg, rsp)).is_sound());
    assert!(!emitted(|c| c.lea_base_index_disp8(reg, reg, rsp, 0)).is_sound());
    assert!(!emitted(|c| c.mov_load_base_index(reg, reg, rsp)).is_sound());
    assert!(!emitted(|c| c.mov_load_gs_index8(reg, rsp, 0)).is_sound());
    assert!(!emitted(|c| c.mov_store_gs_index8(rsp, 0, reg)).is_sound());
    assert!(!emitted(|c| c.jmp_index8(rsp, 0)).is_sound());
}

#[test]
fn stack_and_flags() {
    for reg in REGISTERS {
        assert_is(&format!("pop {}", r64(reg)), |c| c.pop(reg));
        assert_is(&format!("not {}", r64(reg)), |c| c.not(reg));
    }
    for value in DISPLACEMENTS_32 {
        assert_is(&format!("push {}", absolute(value)), |c| c.push_imm(value));
    }
    assert_is("pushfq", Code::pushfq);
    let end = AT + 6;
    for (address, text) in [
        (end, Some("push qword ptr [0x7f1234567006]")),
        (end + 0x7fff_ffff, Some("push qword ptr [0x7f12b4567005]")),
        (end - 0x8000_0000, Some("push qword ptr [0x7f11b4567006]")),
        (end + 0x8000_0000, None),
    ] {
        let mut reached = None;
        let code = emitted(|c| reached = c.push_rip(address));
        assert_eq!(reached.map(|()| read(&code)), text.map(|text| [text.to_owned()].into()));
    }
}

#[test]
fn jumps_and_calls() {
    const CONDITIONS: [&str; 16] =
        ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
    let to = AT + 0x100;
    let branch = |branch: Branch, text: &str| {
        assert_is(&format!("{text} 0x7f1234567100"), |c| assert!(c.branch(branch, to).is_some()));
        assert_eq!(u64::from(emitted(|c| assert!(c.branch(branch, to).is_some())).offset()), branch.opcode_len() + 4);
    };
    branch(Branch::JMP, "jmp");
    branch(Branch::XBEGIN, "xbegin");
    for (condition, name) in (0..).zip(CONDITIONS) {
        branch(Branch::jcc(condition), &format!("j{name}"));
    }
    for disp in DISPLACEMENTS_32 {
        assert_is(&format!("jmp qword ptr gs:[{}]", absolute(disp)), |c| c.jmp_gs(disp));
        for index in REGISTERS.into_iter().filter(|&index| index != gpr::RSP) {
            let text = format!("jmp qword ptr [{}*8{}]", r64(index), signed(disp));
            assert_is(&text, |c| c.jmp_index8(index, disp.cast_unsigned()));
        }
    }
    assert_is("jmp qword ptr [0x7f1234567006]", Code::jmp_through_next);
    assert_is("syscall", Code::syscall);
}

#[test]
fn padding_keeps_a_field_within_32_bytes() {
    assert_is("int3", Code::int3);
    for (ahead, text) in [(28, None), (29, Some("nop [rax]")), (30, Some("xchg ax,ax")), (31, Some("nop"))] {
        let code = emitted(|c| c.align_patch(ahead));
        assert_eq!(read(&code), text.map_or_else(Default::default, |text| alloc::vec![text.to_owned()]));
        let field = code.here().0 + ahead;
        assert_eq!(field / 32, (field + 3) / 32);
    }
}

#[test]
fn operands_of_the_guests_instructions() {
    let guest = |bytes: &[u8], emit: &dyn Fn(&mut Code, &crate::decode::Insn, &[u8])| {
        let insn = decode(bytes).unwrap();
        let code = emitted(|c| emit(c, &insn, bytes));
        assert!(code.is_sound());
        read(&code)
    };
    // mov rax, gs:[r12 + r9*4 - 0x80]; mov ax, gs:[ebp + 0x12345678]; mov eax, gs:[0x30]
    for (bytes, operand) in [
        (&[0x65, 0x4b, 0x8b, 0x44, 0x8c, 0x80][..], "[r12+r9*4-0x80]"),
        (&[0x65, 0x67, 0x66, 0x8b, 0x85, 0x78, 0x56, 0x34, 0x12], "[ebp+0x12345678]"),
        (&[0x65, 0x8b, 0x04, 0x25, 0x30, 0, 0, 0], "[0x30]"),
    ] {
        for reg in REGISTERS {
            let read = guest(bytes, &|c, insn, bytes| c.lea_operand(reg, insn, bytes));
            assert_eq!(read, [format!("lea {},{operand}", r64(reg))]);
        }
    }
    // jmp [r13]; jmp fs:[0x28]; jmp r12; jmp [ecx]; jmp [rip + 0x10]; jmp fs:[rip + 0x10]
    for (bytes, operand) in [
        (&[0x41, 0xff, 0x65, 0x00][..], "[r13]"),
        (&[0x64, 0xff, 0x24, 0x25, 0x28, 0, 0, 0], "fs:[0x28]"),
        (&[0x41, 0xff, 0xe4], "r12"),
        (&[0x67, 0xff, 0x21], "[ecx]"),
        (&[0xff, 0x25, 0x10, 0, 0, 0], "[0x7f1234567016]"),
        (&[0x64, 0xff, 0x25, 0x10, 0, 0, 0], "fs:[0x7f1234567017]"),
    ] {
        for reg in REGISTERS {
            let load = |c: &mut Code, insn: &_, bytes: &[u8]| {
                assert!(c.mov_load_operand(reg, insn, bytes, AT).is_some());
            };
            assert_eq!(guest(bytes, &load), [format!("mov {},{operand}", r64(reg))]);
        }
    }
    // Out of reach, and an address of 32 bits: nothing is emitted.
    for (bytes, pc) in
        [(&[0xff, 0x25, 0x10, 0, 0, 0][..], AT + (4 << 30)), (&[0x67, 0xff, 0x25, 0x10, 0, 0, 0], 0x40_1000)]
    {
        let load =
            |c: &mut Code, insn: &_, bytes: &[u8]| assert_eq!(c.mov_load_operand(gpr::RCX, insn, bytes, pc), None);
        assert!(guest(bytes, &load).is_empty());
    }
}

#[test]
fn guest_instructions_in_another_form() {
    let moffs = |prefixes: &[u8], opcode: u8, base: u8| {
        let bytes = [prefixes, &[opcode, 1, 2, 3, 4, 5, 6, 7, 8]].concat();
        let insn = decode(&bytes).unwrap();
        let code = emitted(|c| c.mov_accumulator_base(&insn, base));
        code.is_sound().then(|| read(&code).concat())
    };
    for base in REGISTERS.into_iter().filter(|&base| !matches!(base & 7, 4 | 5)) {
        let at = format!("[{}]", r64(base));
        assert_eq!(moffs(&[], 0xa0, base), Some(format!("mov al,{at}")));
        assert_eq!(moffs(&[0x66], 0xa1, base), Some(format!("mov ax,{at}")));
        assert_eq!(moffs(&[], 0xa1, base), Some(format!("mov eax,{at}")));
        assert_eq!(moffs(&[0x48], 0xa1, base), Some(format!("mov rax,{at}")));
        assert_eq!(moffs(&[], 0xa2, base), Some(format!("mov {at},al")));
        assert_eq!(moffs(&[0x48], 0xa3, base), Some(format!("mov {at},rax")));
    }
    for base in [gpr::RSP, gpr::R12, gpr::R13] {
        assert_eq!(moffs(&[], 0xa1, base), None);
    }
    for (bytes, text) in [
        (&[0xe3, 0x70][..], "jrcxz 0x7f1234567002"),
        (&[0x67, 0xe3, 0x70], "jecxz 0x7f1234567003"),
        (&[0xe2, 0x80], "loop 0x7f1234567002"),
        (&[0x67, 0xe0, 0x80], "addr32 loopne 0x7f1234567003"),
    ] {
        let to_the_next = |c: &mut Code| {
            let mut label = Label::new();
            c.counted_branch(bytes, &mut label);
            c.bind(&mut label);
        };
        let code = emitted(to_the_next);
        assert!(code.is_sound());
        assert_eq!(read(&code), [text]);
    }
}

#[test]
fn what_is_written_over_guest_code() {
    for (target, displacement) in [
        (AT + 5, Some(0)),
        (AT + 5 + 0x7fff_ffff, Some(i32::MAX)),
        (AT + 5 - 0x8000_0000, Some(i32::MIN)),
        (AT + 5 + 0x8000_0000, None),
    ] {
        let jump = encode_jmp_near(AT, target);
        assert_eq!(jump.is_some(), displacement.is_some());
        let Some(jump) = jump else { continue };
        assert_eq!(jump.len() as u64, JMP_NEAR_BYTES);
        assert_is(&format!("jmp 0x{target:x}"), |c| c.copy(&jump));
    }
    for (byte, text) in [
        (traps::HLT, "hlt"),
        (traps::CLI, "cli"),
        (traps::IN_AL_DX, "in al,dx"),
        (traps::IN_EAX_DX, "in eax,dx"),
        (traps::OUT_DX_AL, "out dx,al"),
        (traps::OUT_DX_EAX, "out dx,eax"),
        (traps::INSB, "insb [rdi],dx"),
        (traps::INSD, "insd [rdi],dx"),
        (traps::OUTSB, "outsb dx,[rsi]"),
        (traps::OUTSD, "outsd dx,[rsi]"),
    ] {
        assert_is(text, |c| c.copy(&[byte]));
    }
}
