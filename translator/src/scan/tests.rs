//! Sites in code that was assembled by hand.

use super::meeting::{Meeting, meeting};
use super::{CHUNK_BYTES, Extent, Functions, NoFunctions, Verdict, branch_targets, scan};
use crate::addr::GuestPc;
use crate::decode::Class;
use crate::source::{CodeSource, Window};
use alloc::vec::Vec;

struct One(u64, u64);
impl Functions for One {
    fn holding(&mut self, pc: u64) -> Option<Extent> {
        (self.0..self.1).contains(&pc).then_some((self.0, self.1))
    }
    fn hole(&mut self, pc: u64) -> Option<Extent> {
        Some(if pc < self.0 { (0, self.0) } else { (self.1, u64::MAX) })
    }
}

struct Bytes<'a>(&'a [u8]);
impl CodeSource for Bytes<'_> {
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
        let Some(from) = usize::try_from(pc.0).ok().and_then(|pc| pc.checked_sub(0x1000)) else { return 0 };
        let rest = self.0.get(from..).unwrap_or(&[]);
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        n
    }
    fn is_known(&self, _pc: GuestPc) -> bool {
        false
    }
}

fn verdicts(code: &[u8], functions: &mut dyn Functions) -> Vec<(u64, Verdict)> {
    let end = GuestPc(0x1000 + code.len() as u64);
    scan(GuestPc(0x1000), end, &mut Bytes(code), functions).iter().map(|c| (c.pc.0 - 0x1000, c.verdict)).collect()
}

const SYSCALL: Class = Class::Syscall;

#[test]
fn a_site_in_a_function_is_found_with_the_instruction_before_it() {
    // mov eax, 39; syscall; ret
    let code = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
    let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1000)) };
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x1008)), [(5, site)]);
    assert_eq!(verdicts(&code, &mut NoFunctions), [(5, site)]);
    let code = [0x90, 0x90, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
    let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1002)) };
    assert_eq!(verdicts(&code, &mut NoFunctions), [(7, site)]);
}

#[test]
fn a_number_in_another_register_is_none() {
    // mov r8d, 39; syscall
    let code = [0x90, 0x41, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
    assert_eq!(verdicts(&code, &mut NoFunctions), [(7, Verdict::Doubtful)]);
    let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1001)) };
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x100a)), [(7, site)]);
}

#[test]
fn a_function_whose_start_is_wrong_gives_no_previous_instruction() {
    // The zero belongs to padding; mov rax, 15; syscall
    let code = [0x00, 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05];
    let site = Verdict::Site { class: SYSCALL, previous: None };
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x100a)), [(8, site)]);
}

#[test]
fn a_call_with_a_prefix_is_left_to_who_executes_it() {
    // mov eax, 39; rex.W syscall; ret
    let code = [0xb8, 39, 0, 0, 0, 0x48, 0x0f, 0x05, 0xc3];
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x1009)), [(6, Verdict::Doubtful)]);
    assert_eq!(verdicts(&code, &mut Around(0x1000, 0x1009)), [(6, Verdict::Doubtful)]);
}

#[test]
fn bytes_inside_an_instruction_are_no_site() {
    // mov eax, 0x050f0f05; ret
    let code = [0xb8, 0x05, 0x0f, 0x05, 0x0f, 0xc3];
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x1006)), [(2, Verdict::NotCode)]);
    assert_eq!(verdicts(&code, &mut NoFunctions), [(2, Verdict::Doubtful)]);
}

#[test]
fn a_cpuid_that_may_be_data_stays() {
    assert_eq!(verdicts(&[0x90, 0x0f, 0xa2, 0xc3], &mut NoFunctions), [(1, Verdict::NotCode)]);
    let site = Verdict::Site { class: Class::Cpuid, previous: Some(GuestPc(0x1000)) };
    assert_eq!(verdicts(&[0x90, 0x0f, 0xa2, 0xc3], &mut One(0x1000, 0x1004)), [(1, site)]);
}

#[test]
fn a_function_that_does_not_decode_proves_nothing() {
    let code = [0x06, 0x0f, 0x05];
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x1003)), [(1, Verdict::Doubtful)]);
}

#[test]
fn branches_inside_a_function_are_known() {
    // 1: jne 2f; jmp 1b; 2: loop 1b; call 2b; call far away; ret
    let code = [0x75, 2, 0xeb, 0xfc, 0xe2, 0xfa, 0xe8, 0xf9, 0xff, 0xff, 0xff, 0xe8, 0, 1, 0, 0, 0xc3];
    let extent = (0x1000, 0x1000 + code.len() as u64);
    assert_eq!(branch_targets(extent, &mut Bytes(&code)), [0x1000, 0x1000, 0x1004, 0x1004]);
}

#[test]
fn gs_base_accesses_are_found_at_their_prefix() {
    // lfence; wrgsbase rax; rdfsbase rax; rdgsbase eax
    let code = [0x0f, 0xae, 0xe8, 0xf3, 0x48, 0x0f, 0xae, 0xd8, 0xf3, 0x48, 0x0f, 0xae, 0xc0, 0xf3, 0x0f, 0xae, 0xc8];
    for functions in [&mut One(0x1000, 0x1011) as &mut dyn Functions, &mut NoFunctions] {
        let found = verdicts(&code, functions);
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [3, 13]);
        assert!(found.iter().all(|f| matches!(f.1, Verdict::Site { class: Class::GsBase, .. })));
    }
}

#[test]
fn a_hole_holds_code_or_data() {
    // A function, then 70 times nop, syscall, 40 times nop: code without unwind tables.
    let mut code = std::vec![0xc3u8];
    code.extend([0x90; 70]);
    code.extend([0x0f, 0x05]);
    code.extend([0x90; 40]);
    let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1046)) };
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x1001)), [(71, site)]);
    // What follows is no code: neither was it.
    code.truncate(73);
    code.extend([0x06, 0x06]);
    assert_eq!(verdicts(&code, &mut One(0x1000, 0x1001)), [(71, Verdict::NotCode)]);
    // What precedes is no code.
    assert_eq!(verdicts(&[0xc3, 0xfa, 0x0f, 0x05], &mut One(0x1000, 0x1001)), [(2, Verdict::NotCode)]);
    // Too little to know.
    assert_eq!(verdicts(&[0xc3, 0x90, 0x0f, 0x05], &mut One(0x1000, 0x1001)), [(2, Verdict::Doubtful)]);
}

#[test]
fn a_gs_base_access_far_after_what_is_no_code_has_no_instruction_before_it() {
    // Nothing that decodes, then wrgsbase.
    let mut code = std::vec![0x06; 40];
    code.extend([0xf3, 0x48, 0x0f, 0xae, 0xd8, 0xc3]);
    let found = verdicts(&code, &mut One(0xff0, 0xff1));
    assert_eq!(found, [(40, Verdict::Site { class: Class::GsBase, previous: None })]);
}

/// A known function, then a hole, then another known function.
struct Around(u64, u64);
impl Functions for Around {
    fn holding(&mut self, pc: u64) -> Option<Extent> {
        if pc < self.0 { Some((0x1000, self.0)) } else { (pc >= self.1).then_some((self.1, u64::MAX)) }
    }
    fn hole(&mut self, _pc: u64) -> Option<Extent> {
        Some((self.0, self.1))
    }
}

#[test]
fn a_short_hole_that_is_code_from_end_to_end_holds_sites() {
    // ret; then nopw; mov rax, rdi; syscall; `last`; then ret.
    let verdict = |last: &[u8]| {
        let mut code = std::vec![0xc3u8];
        code.extend([0x66, 0x0f, 0x1f, 0x44, 0, 0, 0x48, 0x89, 0xf8, 0x0f, 0x05]);
        code.extend(last);
        let hole = Around(0x1001, 0x1000 + code.len() as u64);
        code.push(0xc3);
        let mut hole = hole;
        verdicts(&code, &mut hole)
    };
    let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1007)) };
    assert_eq!(verdict(&[0xc3]), [(10, site)]);
    // Padding of all kinds may follow, and what never goes on may be last.
    assert_eq!(verdict(&[0xc3, 0x66, 0x90, 0xcc, 0x0f, 0x1f, 0]), [(10, site)]);
    assert_eq!(verdict(&[0x0f, 0x0b]), [(10, site)]);
    assert_eq!(verdict(&[0xeb, 0xf2]), [(10, site)]);
    // It would run into the next function, which unwind tables say begins anew.
    assert_eq!(verdict(&[0x90]), [(10, Verdict::Doubtful)]);
    assert_eq!(verdict(&[0x85, 0xc0]), [(10, Verdict::Doubtful)]);
    // Not code to its end, or with an instruction that reaches behind it.
    assert_eq!(verdict(&[0xc3, 0x06, 0xc3]), [(10, Verdict::Doubtful)]);
    assert_eq!(verdict(&[0xc3, 0xb8, 1]), [(10, Verdict::Doubtful)]);
    // Zeros, as data has.
    assert_eq!(verdict(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc3]), [(10, Verdict::Doubtful)]);
}

/// A function, something, then code: `mov rax, [rsp + 8]; add rax, 1; cmp eax, 0x050f; jne`, over and over, and `tail`.
fn long_hole(something: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut code = std::vec![0xc3u8];
    code.extend(something);
    for _ in 0..8000 {
        code.extend([0x48, 0x8b, 0x44, 0x24, 8, 0x48, 0x83, 0xc0, 1, 0x3d, 0x0f, 5, 0, 0, 0x75, 0x10]);
    }
    code.extend(tail);
    code.extend([0x90; 40]);
    code
}

#[test]
fn code_far_in_a_long_hole_is_found_after_what_is_none() {
    // mov rdi, rbx; syscall
    let code = long_hole(&[0x06; 100], &[0x48, 0x89, 0xdf, 0x0f, 0x05]);
    let found = verdicts(&code, &mut One(0x1000, 0x1001));
    let (last, before) = found.split_last().unwrap();
    let at = (code.len() - 42) as u64;
    let site = Verdict::Site { class: SYSCALL, previous: Some(GuestPc(0x1000 + at - 3)) };
    assert_eq!(*last, (at, site));
    // The constants are none.
    assert_eq!(before.len(), 8000);
    assert!(before.iter().all(|f| f.1 == Verdict::NotCode));
}

#[test]
fn tables_far_in_a_long_hole_are_no_code() {
    // Entries of eight bytes, as a symbol table has.
    let mut table = std::vec![];
    for _ in 0..300 {
        table.extend([0x0f, 5, 0, 0, 0x12, 0, 0, 0]);
    }
    let found = verdicts(&long_hole(&[], &table), &mut One(0x1000, 0x1001));
    let sites: Vec<_> = found.iter().filter(|f| matches!(f.1, Verdict::Site { .. })).collect();
    assert!(sites.is_empty(), "{sites:x?}");
}

#[test]
fn a_call_after_data_in_a_long_hole_is_doubtful() {
    // What precedes does not decode; mov eax, 39; syscall; ret
    let code = long_hole(&[], &[0x06, 0x06, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3]);
    let found = verdicts(&code, &mut One(0x1000, 0x1001));
    assert_eq!(*found.last().unwrap(), ((code.len() - 43) as u64, Verdict::Doubtful));
    // Nothing says that it is a call.
    let code = long_hole(&[], &[0x06, 0x06, 0x89, 0xc8, 0x0f, 0x05, 0xc3]);
    let found = verdicts(&code, &mut One(0x1000, 0x1001));
    assert_eq!(*found.last().unwrap(), ((code.len() - 43) as u64, Verdict::NotCode));
}

#[test]
fn ways_to_read_code_meet() {
    let code = long_hole(&[], &[]);
    let mut window = Window::EMPTY;
    let mut meets = |at: u64| meeting(GuestPc(0x1000 + at), &mut window, &mut Bytes(&code));
    // At an instruction, and within one.
    assert!(
        matches!(meets(1601), Meeting::At(at) if (at.0 - 0x1001) % 16 == 0 || (at.0 - 0x1001) % 16 == 5 || (at.0 - 0x1001) % 16 >= 9)
    );
    assert_eq!(meets(1602), Meeting::None);
}

#[test]
fn every_offset_of_a_long_text_is_searched() {
    const LEN: usize = CHUNK_BYTES + 202;
    for at in (0..200usize).chain(CHUNK_BYTES - 100..CHUNK_BYTES + 100) {
        let mut code = std::vec![0x90u8; LEN];
        code[at] = 0x0f;
        code[at + 1] = 0x05;
        let found = verdicts(&code, &mut One(0x1000, 0x1000 + LEN as u64));
        assert_eq!(found.len(), 1, "{at}");
        assert_eq!(found[0].0, at as u64);
        assert!(matches!(found[0].1, Verdict::Site { class: SYSCALL, .. }), "{at}");
    }
}

#[test]
fn the_last_byte_alone_is_no_candidate() {
    assert!(verdicts(&[0x90, 0x0f], &mut NoFunctions).is_empty());
    assert!(verdicts(&[], &mut NoFunctions).is_empty());
}
