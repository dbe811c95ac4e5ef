//! Displacements to labels: both directions, both widths, and what is no code.

use super::{emitted, read};
use crate::emit::{Branch, Code, Label, gpr};

/// Appends `len` bytes of nothing.
fn fill(code: &mut Code, len: usize) {
    for _ in 0..len {
        code.int3();
    }
}

#[test]
fn a_label_is_reached_from_before_and_after() {
    let code = emitted(|code| {
        let (mut start, mut end) = (Label::new(), Label::new());
        code.bind(&mut start);
        code.jrcxz(&mut end);
        code.lea_rip(gpr::RAX, &mut end);
        code.lea_rip(gpr::RAX, &mut start);
        code.jmp_short(&mut start);
        code.bind(&mut end);
        code.jmp_short(&mut end);
    });
    assert!(code.is_sound());
    let expected = [
        "jrcxz 0x7f1234567012",
        "lea rax,[0x7f1234567012]",
        "lea rax,[0x7f1234567000]",
        "jmp short 0x7f1234567000",
        "jmp short 0x7f1234567012",
    ];
    assert_eq!(read(&code), expected);
}

#[test]
fn a_short_jump_reaches_127_bytes_forwards_and_128_backwards() {
    let forwards = |distance| {
        emitted(|code| {
            let mut label = Label::new();
            code.jrcxz(&mut label);
            fill(code, distance);
            code.bind(&mut label);
        })
    };
    assert!(forwards(127).is_sound());
    assert_eq!(forwards(127).bytes()[..2], [0xe3, 0x7f]);
    assert!(!forwards(128).is_sound());

    let backwards = |distance: usize| {
        emitted(|code| {
            let mut label = Label::new();
            code.bind(&mut label);
            fill(code, distance - 2);
            code.jmp_short(&mut label);
        })
    };
    assert!(backwards(128).is_sound());
    assert_eq!(backwards(128).bytes()[126..], [0xeb, 0x80]);
    assert!(!backwards(129).is_sound());
}

#[test]
fn a_near_displacement_reaches_further_than_a_short_one() {
    let code = emitted(|code| {
        let mut label = Label::new();
        code.lea_rip(gpr::R11, &mut label);
        fill(code, 1000);
        code.bind(&mut label);
    });
    assert!(code.is_sound());
    assert_eq!(read(&code)[0], "lea r11,[0x7f12345673ef]");
}

#[test]
fn code_is_not_sound_until_every_label_that_is_jumped_to_has_a_place() {
    let mut label = Label::new();
    let mut code = emitted(|code| code.jmp_short(&mut label));
    assert!(!code.is_sound());
    code.bind(&mut label);
    assert!(code.is_sound());
    // A label that nothing leads to needs none.
    let _unused = Label::new();
    assert!(code.is_sound());
}

#[test]
fn a_label_has_one_place_and_a_limited_number_of_displacements() {
    let twice = emitted(|code| {
        let mut label = Label::new();
        code.bind(&mut label);
        code.bind(&mut label);
    });
    assert!(!twice.is_sound());
    let jumps = |count| {
        emitted(|code| {
            let mut label = Label::new();
            for _ in 0..count {
                code.jmp_short(&mut label);
            }
            code.bind(&mut label);
        })
    };
    assert!(jumps(3).is_sound());
    assert!(!jumps(4).is_sound());
}

#[test]
fn code_that_is_begun_again_is_sound() {
    let mut code = emitted(|code| code.jmp_short(&mut Label::new()));
    assert!(!code.is_sound());
    code.restart(code.address(0));
    assert!(code.is_sound());
    assert!(code.bytes().is_empty());
}

#[test]
fn a_branch_reaches_two_gigabytes() {
    let end = super::AT + 5;
    for (target, is_reached) in
        [(end + 0x7fff_ffff, true), (end + 0x8000_0000, false), (end - 0x8000_0000, true), (end - 0x8000_0001, false)]
    {
        let mut reached = None;
        let code = emitted(|code| reached = code.branch(Branch::JMP, target));
        assert_eq!(reached.is_some(), is_reached, "{target:x}");
        let shown = if is_reached { target } else { end };
        assert_eq!(read(&code), [alloc::format!("jmp 0x{shown:x}")]);
    }
}
