//! What each instruction becomes.

use super::unit_of;
use alloc::format;

#[test]
fn memory_operands() {
    let code = [
        0x90, // nop
        0x48, 0x8b, 0x05, 0x10, 0, 0, 0, // mov rax, [rip + 0x10]
        0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0, // mov rax, fs:[0x28]
        0x67, 0x8b, 0x03, // mov eax, [ebx]
        0x64, 0x8d, 0x44, 0x8b, 0xf8, // lea eax, fs:[rbx + 4*rcx - 8]
        0xc5, 0xf5, 0xef, 0x44, 0x98, 4, // vpxor ymm0, ymm1, [rax + 4*rbx + 4]
        0x65, 0x8b, 0x03, // mov eax, gs:[rbx]
    ];
    assert_eq!(
        unit_of(&code),
        [
            "Block imm=1000",
            // Relative to the block's pc, not the instruction's.
            "Insn 7@1 op=8b wide=1 reg=0 rm=40 pc disp=0x18",
            "Insn 9@8 op=8b wide=1 reg=0 rm=40 disp=0x28 fs",
            "Insn 3@17 op=8b size=4 reg=0 rm=40 base=3 addr32 high",
            "Lea 5@20 size=4 reg=0 rm=40 index=1 scale=4 base=3 disp=0xfffffff8",
            "Insn 6@25 map=1 op=ef vex=1 prefix=1 wide=2 size=4 reg=0 rm=40 vvvv=1 index=3 scale=4 base=0 disp=0x4",
            "Leave 3@31",
        ]
    );
}

/// Registers 4 to 7 of byte instructions are ah to bh unless there is a REX prefix.
#[test]
fn high_bytes() {
    let code = [
        0x88, 0xdc, // mov ah, bl
        0x40, 0x88, 0xdc, // mov spl, bl
        0xb4, 1, // mov ah, 1
        0x40, 0xb4, 1, // mov spl, 1
        0x0f, 0x0b, // ud2
    ];
    assert_eq!(
        unit_of(&code),
        [
            "Block imm=1000",
            "Insn 2@0 op=88 size=4 reg=3 rm=4 high",
            "Insn 3@2 op=88 size=4 reg=3 rm=4",
            "Insn 2@5 op=b0 reg=4 imm=1 high",
            "Insn 3@7 op=b0 reg=4 imm=1",
            "Leave 2@10",
        ]
    );
}

#[test]
fn instructions_of_their_own_kind() {
    let code = [
        0xf0, 0x48, 0x0f, 0xb1, 0x0f, // lock cmpxchg [rdi], rcx
        0x93, // xchg ebx, eax
        0x49, 0x0f, 0xc8, // bswap r8
        0x6a, 0xff, // push -1
        0xff, 0x30, // push [rax]
        0x41, 0x5f, // pop r15
        0xc9, // leave
        0x0f, 0x1f, 0x00, // nop [rax]
        0x5c, // pop rsp
    ];
    assert_eq!(
        unit_of(&code),
        [
            "Block imm=1000",
            "Insn 5@0 map=1 op=b1 wide=1 reg=1 rm=40 base=7 lock",
            "Insn 1@5 op=87 reg=0 rm=3",
            "Insn 3@6 map=1 op=c8 wide=1 reg=8",
            "Push 2@9 imm=ffffffffffffffff",
            "Push 2@11 rm=40 base=0",
            "Pop 2@13 reg=f",
            // Of LEAVE the first half may be done again: rbp is still the same.
            "Insn 1@15 op=89 wide=1 reg=5 rm=4",
            "Pop 1@15 reg=5",
            "Leave 1@19",
        ]
    );
}

#[test]
fn string_instructions() {
    let code = [0xf3, 0xa4, 0x48, 0xab, 0x66, 0xf3, 0xa5, 0x67, 0xa4]; // rep movsb; stosq; rep movsw; movsb [edi], [esi]
    assert_eq!(
        unit_of(&code),
        [
            "Block imm=1000",
            "String 2@0 op=a4 prefix=2 size=1",
            "String 2@2 op=ab",
            "String 3@4 op=a5 prefix=2 size=2",
            "Leave 2@7",
        ]
    );
    for ring3s in [&[0xf2, 0xa4][..], &[0x64, 0xa4], &[0xf3, 0x67, 0xaa], &[0xf3, 0xa6], &[0xf3, 0xac]] {
        assert_eq!(unit_of(ring3s)[1], format!("Leave {}@0", ring3s.len()), "{ring3s:x?}");
    }
}
