//! What the gate's assembly shares: its one list of operands, its labels, and pieces of code that several blocks have.

/// As `naked_asm!`, with operands from one list: `gate_asm!([rax resume …] {own = const 1, …}; "line", …)`. The names
/// are those of the thread state's fields, of a lane's and of a ring's; registers mean their slots in the thread state.
macro_rules! gate_asm {
    ([$($name:ident)*] {}; $($line:expr),* $(,)?) => {
        gate_asm!(@ [$($name)*] [] $($line),*)
    };
    ([$($name:ident)*] {$($own:tt)+}; $($line:expr),* $(,)?) => {
        gate_asm!(@ [$($name)*] [$($own)+,] $($line),*)
    };
    (@ [] [$($operand:tt)*] $($line:expr),*) => {
        core::arch::naked_asm!($($line,)* $($operand)*)
    };
    (@ [rax $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rax = const $crate::thread::state::offset::gpr(0),] $($line),*)
    };
    (@ [rcx $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rcx = const $crate::thread::state::offset::gpr(1),] $($line),*)
    };
    (@ [rdx $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rdx = const $crate::thread::state::offset::gpr(2),] $($line),*)
    };
    (@ [rbx $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rbx = const $crate::thread::state::offset::gpr(3),] $($line),*)
    };
    (@ [rsp_ $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rsp_ = const $crate::thread::state::offset::gpr(4),] $($line),*)
    };
    (@ [rbp $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rbp = const $crate::thread::state::offset::gpr(5),] $($line),*)
    };
    (@ [rsi $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rsi = const $crate::thread::state::offset::gpr(6),] $($line),*)
    };
    (@ [rdi $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rdi = const $crate::thread::state::offset::gpr(7),] $($line),*)
    };
    (@ [r8 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r8 = const $crate::thread::state::offset::gpr(8),] $($line),*)
    };
    (@ [r9 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r9 = const $crate::thread::state::offset::gpr(9),] $($line),*)
    };
    (@ [r10 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r10 = const $crate::thread::state::offset::gpr(10),] $($line),*)
    };
    (@ [r11 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r11 = const $crate::thread::state::offset::gpr(11),] $($line),*)
    };
    (@ [r12 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r12 = const $crate::thread::state::offset::gpr(12),] $($line),*)
    };
    (@ [r13 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r13 = const $crate::thread::state::offset::gpr(13),] $($line),*)
    };
    (@ [r14 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r14 = const $crate::thread::state::offset::gpr(14),] $($line),*)
    };
    (@ [r15 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* r15 = const $crate::thread::state::offset::gpr(15),] $($line),*)
    };
    (@ [rip_ $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rip_ = const $crate::thread::state::offset::RIP,] $($line),*)
    };
    (@ [rflags $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rflags = const $crate::thread::state::offset::RFLAGS,] $($line),*)
    };
    (@ [xmm $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* xmm = const $crate::thread::state::offset::XMM,] $($line),*)
    };
    (@ [runtime_sp $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* runtime_sp = const $crate::thread::state::offset::RUNTIME_SP,] $($line),*)
    };
    (@ [resume $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* resume = const $crate::thread::state::offset::RESUME,] $($line),*)
    };
    (@ [next_pc $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* next_pc = const $crate::thread::state::offset::NEXT_PC,] $($line),*)
    };
    (@ [requeued $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* requeued = const $crate::thread::state::offset::REQUEUED,] $($line),*)
    };
    (@ [slot_rcx $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* slot_rcx = const $crate::thread::state::offset::SLOT_RCX,] $($line),*)
    };
    (@ [slot_r11 $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* slot_r11 = const $crate::thread::state::offset::SLOT_R11,] $($line),*)
    };
    (@ [slot_rax $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* slot_rax = const $crate::thread::state::offset::SLOT_RAX,] $($line),*)
    };
    (@ [slot_flags $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* slot_flags = const $crate::thread::state::offset::SLOT_FLAGS,] $($line),*)
    };
    (@ [slot_scratch $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* slot_scratch = const $crate::thread::state::offset::SLOT_SCRATCH,] $($line),*)
    };
    (@ [slot_changes $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* slot_changes = const $crate::thread::state::offset::SLOT_CHANGES,] $($line),*)
    };
    (@ [lookup_hits $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* lookup_hits = const $crate::thread::state::offset::LOOKUP_HITS,] $($line),*)
    };
    (@ [counts $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* counts = const $crate::thread::state::offset::COUNTS,] $($line),*)
    };
    (@ [call_entries $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* call_entries = const $crate::thread::state::offset::CALL_ENTRIES,] $($line),*)
    };
    (@ [plain_entries $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* plain_entries = const $crate::thread::state::offset::PLAIN_ENTRIES,] $($line),*)
    };
    (@ [tail_resume $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* tail_resume = const $crate::thread::state::offset::TAIL_RESUME,] $($line),*)
    };
    (@ [answered $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* answered = const $crate::thread::state::offset::ANSWERED,] $($line),*)
    };
    (@ [answers $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* answers = const $crate::thread::state::offset::ANSWERS,] $($line),*)
    };
    (@ [call_sp $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* call_sp = const $crate::thread::state::offset::CALL_SP,] $($line),*)
    };
    (@ [in_vdso $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* in_vdso = const $crate::thread::state::offset::IN_VDSO,] $($line),*)
    };
    (@ [kept_mask $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* kept_mask = const $crate::thread::state::offset::KEPT_MASK,] $($line),*)
    };
    (@ [lane_use $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* lane_use = const $crate::thread::state::offset::LANE_USE,] $($line),*)
    };
    (@ [lane_locked $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* lane_locked = const $crate::thread::state::offset::LANE_LOCKED,] $($line),*)
    };
    (@ [lane_budget $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* lane_budget = const $crate::thread::state::offset::LANE_BUDGET,] $($line),*)
    };
    (@ [foreign $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* foreign = const $crate::thread::state::offset::FOREIGN,] $($line),*)
    };
    (@ [read $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* read = const $crate::gate::lane::offset::READ,] $($line),*)
    };
    (@ [write $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* write = const $crate::gate::lane::offset::WRITE,] $($line),*)
    };
    (@ [pread $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* pread = const $crate::gate::lane::offset::PREAD,] $($line),*)
    };
    (@ [pwrite $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* pwrite = const $crate::gate::lane::offset::PWRITE,] $($line),*)
    };
    (@ [lseek $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* lseek = const $crate::gate::lane::offset::LSEEK,] $($line),*)
    };
    (@ [watch $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* watch = const $crate::gate::lane::offset::WATCH,] $($line),*)
    };
    (@ [epoch $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* epoch = const $crate::gate::lane::offset::EPOCH,] $($line),*)
    };
    (@ [lock $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* lock = const $crate::gate::lane::offset::LOCK,] $($line),*)
    };
    (@ [is_written $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* is_written = const $crate::gate::lane::offset::IS_WRITTEN,] $($line),*)
    };
    (@ [budget $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* budget = const $crate::gate::lane::offset::BUDGET,] $($line),*)
    };
    (@ [base $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* base = const $crate::gate::lane::offset::BASE,] $($line),*)
    };
    (@ [size $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* size = const $crate::gate::lane::offset::SIZE,] $($line),*)
    };
    (@ [offset $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* offset = const $crate::gate::lane::offset::OFFSET,] $($line),*)
    };
    (@ [reads $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* reads = const $crate::gate::lane::offset::READS,] $($line),*)
    };
    (@ [writes $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* writes = const $crate::gate::lane::offset::WRITES,] $($line),*)
    };
    (@ [ring_used $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* ring_used = const $crate::gate::lane::ring::USED,] $($line),*)
    };
    (@ [ring_base $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* ring_base = const $crate::gate::lane::ring::BASE,] $($line),*)
    };
    (@ [ring_start $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* ring_start = const $crate::gate::lane::ring::START,] $($line),*)
    };
    (@ [ring_len $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* ring_len = const $crate::gate::lane::ring::LEN,] $($line),*)
    };
    (@ [ring_operations $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* ring_operations = const $crate::gate::lane::ring::OPERATIONS,] $($line),*)
    };
    (@ [unsafe_flags $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* unsafe_flags = const $crate::gate::flags::UNSAFE,] $($line),*)
    };
    (@ [safe_mask $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* safe_mask = const !$crate::gate::flags::UNSAFE,] $($line),*)
    };
    (@ [rare_flags $($rest:ident)*] [$($operand:tt)*] $($line:expr),*) => {
        gate_asm!(@ [$($rest)*] [$($operand)* rare_flags = const $crate::gate::flags::RARE,] $($line),*)
    };
}

/// Names labels of the assembly: an enum with their addresses, and for each block of assembly a macro that declares its
/// labels.
macro_rules! labels {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($declare:ident: [$($variant:ident = $label:ident),* $(,)?]),* $(,)?
    }) => {
        unsafe extern "C" {
            $($(static $label: u8;)*)*
        }

        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(missing_docs, reason = "named as the assembly's labels, whose contracts are written above their blocks")]
        pub enum $name {
            $($($variant),*),*
        }

        impl $name {
            /// The label's address.
            #[must_use]
            pub fn address(self) -> u64 {
                let at = match self {
                    $($(Self::$variant => &raw const $label),*),*
                };
                at as u64
            }
        }

        $(
            macro_rules! $declare {
                () => {
                    concat!($(".globl ", stringify!($label), "\n.hidden ", stringify!($label), "\n"),*)
                };
            }
            #[allow(unused_imports, reason = "blocks in this file find the macro without it")]
            pub(in crate::gate) use $declare;
        )*
    };
}

/// Keeps xmm0 to xmm15 in the thread state.
macro_rules! save_xmm {
    () => {
        concat!(
            "movaps xmmword ptr gs:[{xmm}], xmm0\n",
            "movaps xmmword ptr gs:[{xmm} + 16], xmm1\n",
            "movaps xmmword ptr gs:[{xmm} + 32], xmm2\n",
            "movaps xmmword ptr gs:[{xmm} + 48], xmm3\n",
            "movaps xmmword ptr gs:[{xmm} + 64], xmm4\n",
            "movaps xmmword ptr gs:[{xmm} + 80], xmm5\n",
            "movaps xmmword ptr gs:[{xmm} + 96], xmm6\n",
            "movaps xmmword ptr gs:[{xmm} + 112], xmm7\n",
            "movaps xmmword ptr gs:[{xmm} + 128], xmm8\n",
            "movaps xmmword ptr gs:[{xmm} + 144], xmm9\n",
            "movaps xmmword ptr gs:[{xmm} + 160], xmm10\n",
            "movaps xmmword ptr gs:[{xmm} + 176], xmm11\n",
            "movaps xmmword ptr gs:[{xmm} + 192], xmm12\n",
            "movaps xmmword ptr gs:[{xmm} + 208], xmm13\n",
            "movaps xmmword ptr gs:[{xmm} + 224], xmm14\n",
            "movaps xmmword ptr gs:[{xmm} + 240], xmm15\n",
        )
    };
}

/// Takes them from there.
macro_rules! restore_xmm {
    () => {
        concat!(
            "movaps xmm0, xmmword ptr gs:[{xmm}]\n",
            "movaps xmm1, xmmword ptr gs:[{xmm} + 16]\n",
            "movaps xmm2, xmmword ptr gs:[{xmm} + 32]\n",
            "movaps xmm3, xmmword ptr gs:[{xmm} + 48]\n",
            "movaps xmm4, xmmword ptr gs:[{xmm} + 64]\n",
            "movaps xmm5, xmmword ptr gs:[{xmm} + 80]\n",
            "movaps xmm6, xmmword ptr gs:[{xmm} + 96]\n",
            "movaps xmm7, xmmword ptr gs:[{xmm} + 112]\n",
            "movaps xmm8, xmmword ptr gs:[{xmm} + 128]\n",
            "movaps xmm9, xmmword ptr gs:[{xmm} + 144]\n",
            "movaps xmm10, xmmword ptr gs:[{xmm} + 160]\n",
            "movaps xmm11, xmmword ptr gs:[{xmm} + 176]\n",
            "movaps xmm12, xmmword ptr gs:[{xmm} + 192]\n",
            "movaps xmm13, xmmword ptr gs:[{xmm} + 208]\n",
            "movaps xmm14, xmmword ptr gs:[{xmm} + 224]\n",
            "movaps xmm15, xmmword ptr gs:[{xmm} + 240]\n",
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
