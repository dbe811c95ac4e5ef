//! Calls answered by what their descriptor is, in assembly.
//!
//! An entry looks the descriptor up in [`LANES`]. Without a lane the call is passed on, with all registers and flags as they
//! were. With one it goes to the lane's code for the operation, which either answers or gives the call to Rust (`bt_slow`),
//! as if nothing had been done: a lane handles the ordinary case only.
//!
//! Contracts:
//!
//! | entry | on entry | leaves to |
//! |---|---|---|
//! | `bt_lane_OP` | as `bt_pass` | `bt_pass_lane`, or the lane's code |
//! | a lane's code | rcx = the lane; `next_pc` and `resume` set; rcx and r11 free, all else the guest's | `bt_lane_done` or `bt_lane_slow` |
//! | `bt_lane_done` | rax = result; the rest as `enter!` left it in the thread state | the cache pc |
//!
//! A descriptor gets a lane only while the process has one thread; afterwards only lanes of devices are left, which have no state. A signal that comes meanwhile is requeued and taken when the
//! lane leaves (`bt_lane_check`). A fault in a copy gives the call to Rust.

use super::lane::{self, Kind, LANES, Lane, REVOKED, ring};
use super::piece::Piece;
use super::region::Region;
use crate::calls::route::Operation;
use crate::thread::state::offset as o;
use core::arch::naked_asm;

macro_rules! labels {
    ($($variant:ident = $label:ident),* $(,)?) => {
        unsafe extern "C" {
            $(static $label: u8;)*
        }

        /// Code of a lane for one operation.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "named as the assembly labels")]
        pub enum Code {
            $($variant),*
        }

        impl Code {
            /// Its address.
            #[must_use]
            pub fn address(self) -> u64 {
                let at = match self {
                    $(Self::$variant => &raw const $label),*
                };
                at as u64
            }
        }
    };
}

labels! {
    EntryRead = bt_lane_read,
    EntryWrite = bt_lane_write,
    EntryPread = bt_lane_pread,
    EntryPwrite = bt_lane_pwrite,
    EntryLseek = bt_lane_lseek,
    Kinds = bt_lane_kinds,
    Rust = bt_lane_rust,
    NullRead = bt_null_read,
    NullWrite = bt_null_write,
    NullLseek = bt_null_lseek,
    ZeroRead = bt_zero_read,
    FileRead = bt_file_read,
    FilePread = bt_file_pread,
    FileWrite = bt_file_write,
    FilePwrite = bt_file_pwrite,
    FileLseek = bt_file_lseek,
    PipeRead = bt_pipe_read,
    PipeWrite = bt_pipe_write,
    Slow = bt_lane_slow,
    Vectors = bt_lane_vectors,
    VectorsEnd = bt_lane_vectors_end,
    VectorsLost = bt_lane_vectors_lost,
    Check = bt_lane_check,
    End = bt_lane_end,
    BlockEnd = bt_lane_block_end,
}

/// Where the gate enters for an operation.
#[must_use]
pub fn entry(operation: Operation) -> u64 {
    match operation {
        Operation::Read => Code::EntryRead,
        Operation::Write => Code::EntryWrite,
        Operation::Pread => Code::EntryPread,
        Operation::Pwrite => Code::EntryPwrite,
        Operation::Lseek => Code::EntryLseek,
    }
    .address()
}

/// The piece as a signal handler sees it.
pub(super) fn piece() -> Piece {
    let between = |from: Code, to: Code| (from.address(), to.address());
    let entries = [Code::EntryRead, Code::EntryWrite, Code::EntryPread, Code::EntryPwrite, Code::EntryLseek];
    Piece::new(between(Code::EntryRead, Code::BlockEnd))
        .entered_at(entries.map(Code::address))
        .with_ranges([
            (between(Code::EntryRead, Code::Kinds), Region::BeforeCall),
            (between(Code::Check, Code::End), Region::LaneCheck),
        ])
        .with_fixups([
            (between(Code::Vectors, Code::VectorsEnd), Code::VectorsLost.address()),
            (between(Code::Kinds, Code::Slow), Code::Slow.address()),
        ])
}

/// A lane with this code for read, write, pread64, pwrite64 and lseek.
#[must_use]
pub fn lane_with(kind: Kind, code: [Code; 5]) -> Lane {
    Lane::new(kind, code.map(Code::address))
}

/// AC, TF and DF (Intel SDM vol. 1, 3.4.3): lanes leave calls made with them to Rust.
pub(super) const RARE_FLAGS: u32 = 1 << 18 | 1 << 8 | 1 << 10;
/// Most bytes that one read(2) or write(2) transfers (MAX_RW_COUNT, include/linux/fs.h).
const MAX_RW: u32 = 0x7fff_f000;
/// Longest transfer that a lane answers: the kernel copies longer ones as fast.
const LONGEST: u32 = 64 * 1024;
/// Longest read of zeros that a lane answers.
const ZEROS: u32 = 2048;
/// From here on `rep movsb` is faster than a loop of 16-byte moves.
const REP_FROM: u32 = 2048;

/// `bt_lane_OP`: finds the lane without changing a flag. A descriptor of 16 bits at most has one.
macro_rules! find {
    ($operation:literal) => {
        concat!(
            ".p2align 5\n",
            "bt_lane_",
            $operation,
            ":\n",
            "mov gs:[{next_pc}], rcx\n",
            "mov gs:[{resume}], r11\n",
            "mov gs:[{scratch}], edi\n",
            "movzx ecx, word ptr gs:[{scratch} + 2]\n",
            "jrcxz 2f\n",
            "jmp bt_pass_lane\n",
            "2:\n",
            "mov ecx, edi\n",
            "lea r11, [rip + {lanes}]\n",
            "mov rcx, [r11 + rcx*8]\n",
            "jrcxz 3f\n",
            "jmp qword ptr [rcx + {",
            $operation,
            "}]\n",
            "3:\n",
            "jmp bt_pass_lane\n",
        )
    };
}

/// Begins a lane's code: keeps what it may change, and the flags; the stack is the runtime's.
macro_rules! enter {
    () => {
        concat!(
            "mov gs:[{rsp_}], rsp\n",
            "mov rsp, gs:[{runtime_sp}]\n",
            "pushfq\n",
            "pop r11\n",
            "mov gs:[{rflags}], r11\n",
            "mov gs:[{rax}], rax\n",
            "mov gs:[{rdi}], rdi\n",
            "mov gs:[{rsi}], rsi\n",
            "mov gs:[{rdx}], rdx\n",
            "test r11d, {rare_flags}\n",
            "jne bt_lane_slow\n",
        )
    };
}

pub(super) use enter;

/// The guest's buffer rsi, length rdx, lies in user space; r11 is lost. Nothing to transfer is the kernel's matter.
macro_rules! check_buffer {
    ($most:literal) => {
        concat!(
            "test rdx, rdx\n",
            "je bt_lane_slow\n",
            "cmp rdx, {",
            $most,
            "}\n",
            "ja bt_lane_slow\n",
            "lea r11, [rsi + rdx]\n",
            "or r11, rsi\n",
            "shr r11, 47\n",
            "jne bt_lane_slow\n",
        )
    };
}

/// Every so often a device's call is made: whoever watches the node sees it used.
macro_rules! count_down {
    () => {
        concat!("dec dword ptr [rcx + {budget}]\n", "jle bt_lane_slow\n")
    };
}

/// From rax = position: copies from the mapping to the guest, at most up to the end; rax = bytes.
macro_rules! copy_out {
    () => {
        concat!(
            "mov r11, [rcx + {size}]\n",
            "sub r11, rax\n",
            "jb bt_lane_slow\n", // behind the end: Rust knows what that means
            "cmp rdx, r11\n",
            "cmova rdx, r11\n",
            "test rdx, rdx\n",
            "je 30f\n",
            "mov rdi, rsi\n",
            "mov rsi, [rcx + {base}]\n",
            "add rsi, rax\n",
            "push rcx\n",
            "call 20f\n",
            "pop rcx\n",
            // Loads are in order: what was copied was read before this, so before whoever revokes lets go of the file.
            "test dword ptr [rcx + {state}], {revoked}\n",
            "jne bt_lane_slow\n",
            "inc qword ptr [rcx + {reads}]\n",
            "30:\n",
            "mov rax, rdx\n",
        )
    };
}

/// As `copy_out`, the other way: all bytes must lie within the file.
macro_rules! copy_in {
    () => {
        concat!(
            "lea r11, [rax + rdx]\n",
            "cmp r11, [rcx + {size}]\n",
            "ja bt_lane_slow\n",
            // All of it can be read: the file must not get a part.
            "movzx r11d, byte ptr [rsi + rdx - 1]\n",
            "mov r11, rdx\n",
            "31:\n",
            "sub r11, 4096\n",
            "jbe 32f\n",
            "test byte ptr [rsi + r11], 0\n",
            "jmp 31b\n",
            "32:\n",
            "mov rdi, [rcx + {base}]\n",
            "add rdi, rax\n",
            "push rcx\n",
            "call 20f\n",
            "pop rcx\n",
            // Whoever revokes makes every CPU drain its stores before it lets go of the file (membarrier(2)): either they are
            // visible by then, or this load sees the revocation and Rust writes once more.
            "test dword ptr [rcx + {state}], {revoked}\n",
            "jne bt_lane_slow\n",
            "inc qword ptr [rcx + {writes}]\n",
            "mov rax, rdx\n",
        )
    };
}

/// All of it, in one block. Never called.
///
/// # Safety
/// Not a function: its labels are jumped to, under the contracts above.
#[unsafe(naked)]
pub unsafe extern "C" fn block() {
    naked_asm!(
        ".globl bt_lane_read, bt_lane_write, bt_lane_pread, bt_lane_pwrite, bt_lane_lseek, bt_lane_kinds, bt_lane_rust",
        ".hidden bt_lane_read, bt_lane_write, bt_lane_pread, bt_lane_pwrite, bt_lane_lseek, bt_lane_kinds, bt_lane_rust",
        ".globl bt_null_read, bt_null_write, bt_null_lseek, bt_zero_read, bt_lane_slow, bt_lane_done, bt_lane_check, bt_lane_end",
        ".hidden bt_null_read, bt_null_write, bt_null_lseek, bt_zero_read, bt_lane_slow, bt_lane_done, bt_lane_check, bt_lane_end",
        ".globl bt_file_read, bt_file_pread, bt_file_write, bt_file_pwrite, bt_file_lseek, bt_lane_block_end",
        ".hidden bt_file_read, bt_file_pread, bt_file_write, bt_file_pwrite, bt_file_lseek, bt_lane_block_end",
        ".globl bt_pipe_read, bt_pipe_write",
        ".hidden bt_pipe_read, bt_pipe_write",
        ".globl bt_lane_vectors, bt_lane_vectors_end, bt_lane_vectors_lost, bt_lane_rep",
        ".hidden bt_lane_vectors, bt_lane_vectors_end, bt_lane_vectors_lost, bt_lane_rep",
        find!("read"),
        find!("write"),
        find!("pread"),
        find!("pwrite"),
        find!("lseek"),
        ".p2align 5",
        "bt_lane_kinds:",
        // ---- what Rust does
        "bt_lane_rust:",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp bt_slow",
        // ---- /dev/null, and what /dev/zero shares with it (drivers/char/mem.c)
        ".p2align 5",
        "bt_null_write:",
        enter!(),
        check_buffer!("max_rw"),
        count_down!(),
        "mov rax, rdx",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_null_read:",
        enter!(),
        check_buffer!("max_rw"),
        count_down!(),
        "xor eax, eax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_null_lseek:",
        enter!(),
        "xor eax, eax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_zero_read:",
        enter!(),
        check_buffer!("zeros"),
        count_down!(),
        "mov rax, rdx",
        "xor r11d, r11d",
        "sub rdx, 8",
        "jb 5f",
        "4:",
        "mov [rsi], r11",
        "add rsi, 8",
        "sub rdx, 8",
        "jae 4b",
        "5:",
        "add rdx, 8",
        "je bt_lane_done",
        "6:",
        "mov [rsi + rdx - 1], r11b",
        "dec rdx",
        "jne 6b",
        "jmp bt_lane_done",
        // ---- a file that is mapped
        ".p2align 5",
        "bt_file_read:",
        enter!(),
        check_buffer!("longest"),
        "cmp dword ptr [rcx + {state}], 0",
        "jne bt_lane_slow",
        "mov rax, [rcx + {offset}]",
        copy_out!(),
        "add [rcx + {offset}], rax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_pread:",
        enter!(),
        check_buffer!("longest"),
        "cmp dword ptr [rcx + {state}], 0",
        "jne bt_lane_slow",
        "mov rax, r10",
        copy_out!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_write:",
        enter!(),
        check_buffer!("longest"),
        "cmp dword ptr [rcx + {state}], 0",
        "jne bt_lane_slow",
        "mov rax, [rcx + {offset}]",
        copy_in!(),
        "add [rcx + {offset}], rax",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_pwrite:",
        enter!(),
        check_buffer!("longest"),
        "cmp dword ptr [rcx + {state}], 0",
        "jne bt_lane_slow",
        "mov rax, r10",
        "test rax, rax",
        "js bt_lane_slow",
        copy_in!(),
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_file_lseek:",
        enter!(),
        "cmp dword ptr [rcx + {state}], 0",
        "jne bt_lane_slow",
        "mov rax, rsi",
        "test edx, edx", // SEEK_SET
        "je 7f",
        "cmp edx, 2",
        "ja bt_lane_slow",
        "je 8f",
        "add rax, [rcx + {offset}]", // SEEK_CUR
        "jmp 7f",
        "8:",
        "add rax, [rcx + {size}]", // SEEK_END
        "7:",
        // Up to the end; Rust does the rest, negative results among it.
        "cmp rax, [rcx + {size}]",
        "ja bt_lane_slow",
        "mov [rcx + {offset}], rax",
        "jmp bt_lane_done",
        // ---- a pipe of ours: a write into nothing, and reads from what one write has left
        ".p2align 5",
        "bt_pipe_write:",
        enter!(),
        check_buffer!("page"),
        "mov rcx, [rcx + {base}]",
        "cmp qword ptr [rcx + {ring_used}], 0",
        "jne bt_lane_slow",
        "mov rdi, [rcx + {ring_base}]",
        "push rcx",
        "call 20f",
        "pop rcx",
        "mov qword ptr [rcx + {ring_start}], 0",
        "mov [rcx + {ring_len}], rdx",
        "mov qword ptr [rcx + {ring_used}], 1",
        "inc qword ptr [rcx + {ring_operations}]",
        "mov rax, rdx",
        "jmp bt_lane_done",
        ".p2align 5",
        "bt_pipe_read:",
        enter!(),
        check_buffer!("longest"),
        "mov rcx, [rcx + {base}]",
        "cmp qword ptr [rcx + {ring_used}], 1",
        "jne bt_lane_slow",
        "mov rax, [rcx + {ring_len}]",
        "cmp rdx, rax",
        "cmova rdx, rax",
        "mov rdi, rsi",
        "mov rsi, [rcx + {ring_base}]",
        "add rsi, [rcx + {ring_start}]",
        "push rcx",
        "call 20f",
        "pop rcx",
        "inc qword ptr [rcx + {ring_operations}]",
        "mov rax, rdx",
        "add [rcx + {ring_start}], rdx",
        "sub [rcx + {ring_len}], rdx",
        "jne bt_lane_done",
        "mov qword ptr [rcx + {ring_used}], 0",
        "jmp bt_lane_done",
        // ---- rdx bytes from rsi to rdi; rax, rcx, rsi, rdi, r11 are lost
        ".p2align 5",
        "20:",
        "cmp rdx, 16",
        "jb 4f",
        "cmp rdx, {rep_from}",
        "jae 3f",
        "movaps gs:[{xmm}], xmm0",
        "movaps gs:[{xmm} + 16], xmm1",
        "xor eax, eax",
        "bt_lane_vectors:",
        "movups xmm1, [rsi + rdx - 16]",
        "mov r11d, 32",
        "cmp r11, rdx",
        "ja 2f",
        "1:",
        "movups xmm0, [rsi + rax]",
        "movups [rdi + rax], xmm0",
        "movups xmm0, [rsi + rax + 16]",
        "movups [rdi + rax + 16], xmm0",
        "mov rax, r11",
        "add r11, 32",
        "cmp r11, rdx",
        "jbe 1b",
        "2:",
        "lea r11, [rax + 16]",
        "cmp r11, rdx",
        "ja 2f",
        "movups xmm0, [rsi + rax]",
        "movups [rdi + rax], xmm0",
        "2:",
        "movups [rdi + rdx - 16], xmm1",
        "bt_lane_vectors_end:",
        "movaps xmm0, gs:[{xmm}]",
        "movaps xmm1, gs:[{xmm} + 16]",
        "ret",
        "3:",
        "jmp bt_lane_rep",
        "4:",
        "cmp edx, 8",
        "jb 5f",
        "mov rax, [rsi]",
        "mov rcx, [rsi + rdx - 8]",
        "mov [rdi], rax",
        "mov [rdi + rdx - 8], rcx",
        "ret",
        "5:",
        "cmp edx, 4",
        "jb 6f",
        "mov eax, [rsi]",
        "mov ecx, [rsi + rdx - 4]",
        "mov [rdi], eax",
        "mov [rdi + rdx - 4], ecx",
        "ret",
        "6:",
        "test edx, edx",
        "je 7f",
        "movzx eax, byte ptr [rsi]",
        "mov [rdi], al",
        "cmp edx, 1",
        "je 7f",
        "movzx eax, word ptr [rsi + rdx - 2]",
        "mov [rdi + rdx - 2], ax",
        "7:",
        "ret",
        // DF is clear: `enter!` saw to it.
        "bt_lane_rep:",
        "mov rcx, rdx",
        "rep movsb",
        "ret",
        // ---- ways out
        "bt_lane_vectors_lost:",
        "movaps xmm0, gs:[{xmm}]",
        "movaps xmm1, gs:[{xmm} + 16]",
        "bt_lane_slow:",
        "mov rsp, gs:[{runtime_sp}]",
        "mov rax, gs:[{rax}]",
        "mov rdi, gs:[{rdi}]",
        "mov rsi, gs:[{rsi}]",
        "mov rdx, gs:[{rdx}]",
        "push qword ptr gs:[{rflags}]",
        "popfq",
        "mov rsp, gs:[{rsp_}]",
        "mov rcx, gs:[{next_pc}]",
        "mov r11, gs:[{resume}]",
        "jmp bt_slow",
        ".p2align 5",
        "bt_lane_done:",
        "mov gs:[{result}], rax",
        "mov rax, gs:[{rax}]",
        "inc qword ptr gs:[{answered} + rax*8]",
        "bt_lane_check:",
        "cmp qword ptr gs:[{requeued}], 0",
        "jne 9f",
        "mov r11, gs:[{rflags}]",
        "mov rdi, gs:[{rdi}]",
        "mov rsi, gs:[{rsi}]",
        "mov rdx, gs:[{rdx}]",
        "mov eax, r11d",
        "mov ecx, r11d",
        "shr ecx, 11",
        "and ecx, 1",
        "mov ah, al",
        "mov al, cl",
        "add al, 0x7f",
        "sahf",
        "mov rax, gs:[{result}]",
        "mov rcx, gs:[{next_pc}]",
        "mov rsp, gs:[{rsp_}]",
        "jmp qword ptr gs:[{resume}]",
        "bt_lane_end:",
        "9:",
        "mov rax, gs:[{result}]",
        "mov gs:[{rax}], rax",
        "mov rcx, gs:[{next_pc}]",
        "mov gs:[{rcx}], rcx",
        "mov gs:[{rip_}], rcx",
        "mov r11, gs:[{rflags}]",
        "mov gs:[{r11}], r11",
        "mov gs:[{rbx}], rbx",
        "mov gs:[{rbp}], rbp",
        "mov gs:[{r8}], r8",
        "mov gs:[{r9}], r9",
        "mov gs:[{r10}], r10",
        "mov gs:[{r12}], r12",
        "mov gs:[{r13}], r13",
        "mov gs:[{r14}], r14",
        "mov gs:[{r15}], r15",
        super::asm::save_xmm!(),
        "jmp bt_leave",
        "bt_lane_block_end:",
        rax = const o::gpr(0), rcx = const o::gpr(1), rdx = const o::gpr(2), rbx = const o::gpr(3), rsp_ = const o::gpr(4),
        rbp = const o::gpr(5), rsi = const o::gpr(6), rdi = const o::gpr(7), r8 = const o::gpr(8), r9 = const o::gpr(9),
        r10 = const o::gpr(10), r11 = const o::gpr(11), r12 = const o::gpr(12), r13 = const o::gpr(13),
        r14 = const o::gpr(14), r15 = const o::gpr(15), rip_ = const o::RIP, rflags = const o::RFLAGS,
        xmm = const o::XMM, runtime_sp = const o::RUNTIME_SP, resume = const o::RESUME, next_pc = const o::NEXT_PC,
        requeued = const o::REQUEUED, scratch = const o::SLOT_SCRATCH, result = const o::SLOT_RAX,
        answered = const o::ANSWERED, rare_flags = const RARE_FLAGS, max_rw = const MAX_RW, page = const 4096,
        ring_used = const ring::USED, ring_base = const ring::BASE, ring_start = const ring::START,
        ring_len = const ring::LEN, ring_operations = const ring::OPERATIONS, longest = const LONGEST, zeros = const ZEROS,
        rep_from = const REP_FROM, revoked = const REVOKED, lanes = sym LANES,
        read = const lane::offset::READ, write = const lane::offset::WRITE, pread = const lane::offset::PREAD,
        pwrite = const lane::offset::PWRITE, lseek = const lane::offset::LSEEK, state = const lane::offset::STATE,
        budget = const lane::offset::BUDGET, base = const lane::offset::BASE, size = const lane::offset::SIZE,
        offset = const lane::offset::OFFSET, reads = const lane::offset::READS, writes = const lane::offset::WRITES,
    )
}
