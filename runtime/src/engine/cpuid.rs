//! Answers of `cpuid`, kept for the family.
//!
//! A virtual machine traps the instruction; the start of a program with glibc executes it some forty times. What a leaf
//! says does not change while a system runs, but for leaves that name the CPU they are executed on, which are kept for
//! each CPU. `cpuid` also serialises (Intel SDM vol. 3, "Serializing Instructions"): so does [`bt_on_cpuid`].

use crate::thread::registers::Gpr;
use crate::thread::state::ThreadState;
use core::arch::x86_64::__cpuid_count;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use zerocopy::{Immutable, IntoBytes, KnownLayout, TryFromBytes};

/// Answers that are kept; glibc asks for some twenty-five.
pub const ANSWERS: usize = 48;
/// [`Answer::cpu`] of an answer that holds on every CPU.
const ANY_CPU: u32 = u32::MAX;
/// Bit of CPUID.7.0:EDX: CPUs of different kinds in one system (Intel SDM vol. 2, CPUID).
const HYBRID: u32 = 1 << 15;

/// What the CPU said.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoBytes, TryFromBytes, Immutable, KnownLayout)]
pub struct Answer {
    leaf: u32,
    subleaf: u32,
    cpu: u32,
    /// eax, ebx, ecx, edx.
    values: [u32; 4],
}

/// No answer.
pub const NO_ANSWER: Answer = Answer { leaf: 0, subleaf: 0, cpu: 0, values: [0; 4] };

struct Slot {
    ready: AtomicBool,
    words: [AtomicU32; 7],
}

/// Slots are claimed in order and filled once; nobody waits for anybody.
static SLOTS: [Slot; ANSWERS] =
    [const { Slot { ready: AtomicBool::new(false), words: [const { AtomicU32::new(0) }; 7] } }; ANSWERS];
static CLAIMED: AtomicU32 = AtomicU32::new(0);

/// Leaves whose answer does not depend on ecx (Intel SDM vol. 2 and AMD APM vol. 3, CPUID). What is not known may
/// depend on it.
fn ignores_subleaf(leaf: u32) -> bool {
    matches!(leaf, 0..=3 | 5 | 6 | 9 | 10 | 0x15 | 0x16 | 0x8000_0000..=0x8000_001c | 0x8000_001e | 0x8000_001f)
}

/// Leaves that hold the number of the CPU they are executed on.
fn names_the_cpu(leaf: u32) -> bool {
    matches!(leaf, 1 | 0xb | 0x1f | 0x8000_001e | 0x8000_0026)
}

/// The CPU this is executed on: the kernel keeps its number in the limit of a segment (arch/x86/include/asm/segment.h,
/// `vdso_read_cpunode`).
fn current_cpu() -> u32 {
    const CPU_SELECTOR: u32 = 0x7b;
    let mut cpu: u32;
    // SAFETY: reads a segment limit.
    unsafe { core::arch::asm!("lsl {0:e}, {0:e}", inout(reg) CPU_SELECTOR => cpu, options(nostack, nomem)) };
    cpu & 0xfff
}

fn load(slot: &Slot) -> Option<Answer> {
    if !slot.ready.load(Ordering::Acquire) {
        return None;
    }
    let [leaf, subleaf, cpu, a, b, c, d] =
        core::array::from_fn(|i| slot.words.get(i).map_or(0, |word| word.load(Ordering::Relaxed)));
    Some(Answer { leaf, subleaf, cpu, values: [a, b, c, d] })
}

fn store(answer: Answer) {
    let n = CLAIMED.fetch_add(1, Ordering::Relaxed);
    let Some(slot) = SLOTS.get(n as usize) else {
        CLAIMED.store(u32::try_from(ANSWERS).unwrap_or(0), Ordering::Relaxed);
        return;
    };
    let [a, b, c, d] = answer.values;
    for (word, value) in slot.words.iter().zip([answer.leaf, answer.subleaf, answer.cpu, a, b, c, d]) {
        word.store(value, Ordering::Relaxed);
    }
    slot.ready.store(true, Ordering::Release);
}

fn find(leaf: u32, subleaf: u32, cpu: u32) -> Option<Answer> {
    SLOTS.iter().filter_map(load).find(|a| a.leaf == leaf && a.subleaf == subleaf && (a.cpu == ANY_CPU || a.cpu == cpu))
}

/// CPUs of one kind only: known once leaf 7 has been answered.
fn is_hybrid() -> bool {
    find(7, 0, ANY_CPU).is_none_or(|a| a.values[3] & HYBRID != 0)
}

/// What `cpuid` answers on the CPU this is executed on.
fn answer(leaf: u32, ecx: u32) -> [u32; 4] {
    let subleaf = if ignores_subleaf(leaf) { 0 } else { ecx };
    let cpu = current_cpu();
    if let Some(answer) = find(leaf, subleaf, cpu) {
        return answer.values;
    }
    let result = __cpuid_count(leaf, ecx);
    let values = [result.eax, result.ebx, result.ecx, result.edx];
    if leaf == 7 && subleaf == 0 && values[3] & HYBRID == 0 {
        store(Answer { leaf, subleaf, cpu: ANY_CPU, values });
    } else if names_the_cpu(leaf) || is_hybrid() {
        // Kept only if the thread was on one CPU all the time.
        if current_cpu() == cpu {
            store(Answer { leaf, subleaf, cpu, values });
        }
    } else {
        store(Answer { leaf, subleaf, cpu: ANY_CPU, values });
    }
    values
}

/// The emulator QEMU, whose `iretq` before version 9.1 reads a user program's stack with the kernel's rights: with SMAP
/// the kernel dies of it. There `cpuid` does not trap. (Leaf 0x40000000: target/i386/cpu.c of QEMU.)
fn is_emulated() -> bool {
    const HYPERVISOR: u32 = 0x4000_0000;
    let [_, name @ ..] = answer(HYPERVISOR, 0);
    // "TCGTCGTCGTCG"
    name == [0x5447_4354, 0x4354_4743, 0x4743_5447]
}

/// The CPU is one of Intel's, whose instructions differ from others' in some corners.
#[must_use]
pub fn is_intel() -> bool {
    // "GenuineIntel", in ebx, edx, ecx
    answer(0, 0) == [answer(0, 0)[0], 0x756e_6547, 0x6c65_746e, 0x4965_6e69]
}

/// The CPU has the instruction SERIALIZE (SDM vol. 2, CPUID.(7,0):EDX.14). Programs' start-up code asks for the same
/// leaves.
fn has_serialize() -> bool {
    const SERIALIZE: u32 = 1 << 14;
    // Beyond the last leaf the answer is another leaf's.
    answer(7, 0)[3] & SERIALIZE != 0 && answer(0, 0)[0] >= 7
}

/// Waits until everything before is done, and fetches anew what follows (SDM vol. 3, 9.3).
fn serialise() {
    if has_serialize() {
        // SAFETY: SERIALIZE changes no register, no flag and no memory.
        unsafe { core::arch::asm!(".byte 0x0f, 0x01, 0xe8", options(nostack, preserves_flags)) };
    } else if is_emulated() {
        let _ = __cpuid_count(0, 0);
    } else {
        serialise_by_return();
    }
}

fn serialise_by_return() {
    // SAFETY: returns to the next instruction with the same stack and flags; iret serialises.
    unsafe {
        core::arch::asm!(
            "mov {tmp}, rsp",
            "mov {seg:e}, ss",
            "push {seg}",
            "push {tmp}",
            "pushfq",
            "mov {seg:e}, cs",
            "push {seg}",
            "lea {tmp}, [rip + 2f]",
            "push {tmp}",
            // With NT, which a program may set, it would fault; the flags it restores are those from before.
            "pushfq",
            "and dword ptr [rsp], {but_nested_task}",
            "popfq",
            "iretq",
            "2:",
            tmp = out(reg) _,
            seg = out(reg) _,
            but_nested_task = const !(1i32 << 14),
        );
    }
}

/// The guest's `cpuid`, from the gate: the registers are in the thread state.
///
/// # Safety
/// Only the gate calls it, with the calling thread's own state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bt_on_cpuid(ts: *mut ThreadState) {
    // SAFETY: the gate passes the calling thread's own state.
    let ts = unsafe { &mut *ts };
    let [rax, rcx, ..] = ts.regs.gpr;
    #[expect(clippy::cast_possible_truncation, reason = "cpuid reads eax and ecx")]
    let (leaf, subleaf) = (rax as u32, rcx as u32);
    let [a, b, c, d] = answer(leaf, subleaf);
    for (register, value) in [(Gpr::Rax, a), (Gpr::Rbx, b), (Gpr::Rcx, c), (Gpr::Rdx, d)] {
        ts.regs[register] = u64::from(value);
    }
    serialise();
}

/// The answers so far, for the next image of the family.
#[must_use]
pub fn answers() -> [Answer; ANSWERS] {
    core::array::from_fn(|i| SLOTS.get(i).and_then(load).unwrap_or(NO_ANSWER))
}

/// Takes over the answers of the image before.
pub fn take(answers: &[Answer; ANSWERS]) {
    for &answer in answers.iter().filter(|a| **a != NO_ANSWER) {
        store(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_the_cpu() {
        for round in 0..2 {
            for (leaf, subleaf) in [(7, 0), (7, 1), (2, 0), (2, 99), (4, 0), (4, 1), (0x8000_0002, 5), (0x8000_0008, 0)]
            {
                let real = __cpuid_count(leaf, subleaf);
                let expected = [real.eax, real.ebx, real.ecx, real.edx];
                assert_eq!(answer(leaf, subleaf), expected, "leaf {leaf:#x}.{subleaf} in round {round}");
            }
        }
        // Leaf 2 is kept once, whatever ecx was and wherever the thread was: leaf 7 had said that all CPUs are alike.
        if !is_hybrid() {
            assert_eq!(answers().iter().filter(|a| **a != NO_ANSWER && a.leaf == 2).count(), 1);
        }
        assert!(answers().iter().any(|a| a.leaf == 4 && a.subleaf == 1));
    }

    #[test]
    fn serialising_returns() {
        serialise();
    }
}
