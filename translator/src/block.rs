//! The single pass: from a guest pc to a fragment.
//!
//! A fragment follows the guest's code along its fall-through path: conditional branches leave it, calls leave it and
//! the return point that follows is a second entry, an unconditional jump ends it. It therefore covers one
//! contiguous range of guest code, in the guest's own layout.

use crate::addr::{CachePc, GuestPc};
use crate::decode::{Class, DecodeError, Insn, Prefixes, copied_len, decode_into};
use crate::emit::Branch;
use crate::layout::Layout;
use crate::rewrite::site::{Next, Site, emit_exit};
use crate::rewrite::{branch, copy, cpuid, indirect, rip_relative, segment, syscall};
use crate::source::{CodeSource, Window};
use crate::translation::{Entry, ExitKind, NO_ENTRY, Recover, Translation};

/// Guest instructions in one fragment at most.
pub const MAX_INSNS: u32 = 128;
/// Bytes of hot code at which a fragment ends: with the longest rewrite after that, it stays below 8 KiB.
const MAX_HOT_BYTES: u32 = 6 * 1024;
/// Bytes of cold code that a fragment can need at most, and of hot code, for room checks.
pub const MAX_FRAGMENT_BYTES: u64 = 16 * 1024;

/// How a fragment is to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request {
    /// The first entry gets a prologue for indirect branches.
    pub indirect: bool,
    /// The fragment ends after every instruction that may write memory (for code that is written while it runs).
    pub end_after_store: bool,
    /// One way in only: the return point of a call begins a fragment of its own.
    pub single_entry: bool,
    /// The guest runs in place but for the code from the tag to here: branches lead into the guest's own code, and the
    /// fragment ends with a jump to this pc. [`Translation::refused`] is set if that cannot be done.
    pub in_place_until: Option<GuestPc>,
    /// The fragment ends after this many instructions; 0 means the usual limit. What follows is never entered, so a
    /// fragment that is translated again for its position map is the same as the first time whatever has become known
    /// since.
    pub max_insns: u32,
}

/// Translates for one layout; keeps a window of guest code.
pub struct Translator {
    layout: Layout,
    window: Window,
}

/// Ends the fragment: the guest goes on at `pc`.
fn exit_to(layout: &Layout, out: &mut Translation, tag: GuestPc, pc: GuestPc) {
    out.mark(tag, pc, Recover::At);
    emit_exit(layout, out, Branch::JMP, ExitKind::Direct, pc);
}

/// Ends the fragment before what has too few readable bytes, or is no instruction we know: the CPU has the word, in
/// place.
fn leave_undecoded(layout: &Layout, out: &mut Translation, tag: GuestPc, pc: GuestPc, error: DecodeError) {
    out.mark(tag, pc, Recover::At);
    let is_first = pc == tag;
    let kind = match error {
        DecodeError::TooShort if !is_first => ExitKind::Direct,
        _ => ExitKind::Step,
    };
    emit_exit(layout, out, Branch::JMP, kind, pc);
    if is_first {
        out.guest_len = 1;
    }
}

impl Translator {
    /// A translator that emits code for `layout`.
    #[must_use]
    pub const fn new(layout: Layout) -> Self {
        Self { layout, window: Window::EMPTY }
    }

    /// Translates the code at `tag` into `out`, to run at `hot_at`, with stubs at `cold_at`.
    pub fn translate(
        &mut self,
        tag: GuestPc,
        request: Request,
        hot_at: CachePc,
        cold_at: CachePc,
        source: &mut dyn CodeSource,
        out: &mut Translation,
    ) {
        out.restart(hot_at, cold_at);
        out.in_place = request.in_place_until.is_some();
        self.window.forget();
        let mut pc = tag;
        let mut insn = Insn::default();
        enter(&self.layout, out, tag, pc, request.indirect);
        let mut body = out.hot.offset();
        let mut last_len = 0;
        let is_again = request.max_insns != 0;
        let limit = if is_again { request.max_insns } else { MAX_INSNS };
        loop {
            if last_len != 0 {
                let emitted = u8::try_from(out.hot.offset() - body).unwrap_or(NO_ENTRY);
                out.boundaries.push([last_len, emitted]);
                body = out.hot.offset();
            }
            if request.in_place_until.is_some_and(|end| pc >= end) {
                exit_to(&self.layout, out, tag, pc);
                break;
            }
            let bytes = self.window.at(pc, source);
            // Most instructions need nothing but their length.
            if let Some(window) = bytes.first_chunk()
                && let copied @ 1.. = copied_len(window)
                && !request.end_after_store
            {
                out.mark(tag, pc, Recover::Copied);
                out.hot.copy_start(window, copied);
                out.known_number = if out.in_place { loaded_number(window) } else { None };
                pc = pc.plus(copied as u64);
                last_len = u8::try_from(copied).unwrap_or(0);
                out.insns += 1;
                if out.insns >= limit || out.hot.offset() >= MAX_HOT_BYTES {
                    exit_to(&self.layout, out, tag, pc);
                    break;
                }
                continue;
            }
            if let Err(error) = decode_into(bytes, &mut insn) {
                leave_undecoded(&self.layout, out, tag, pc, error);
                break;
            }
            let window = bytes.first_chunk();
            let bytes = bytes.get(..usize::from(insn.len)).unwrap_or(&[]);
            let next = emit_decoded(&mut Site { layout: &self.layout, tag, pc, insn: &insn, bytes, out }, window);
            // Only a stub cannot be entered between the load and the call.
            out.known_number = if out.in_place { loaded_number(bytes) } else { None };
            pc = pc.plus(u64::from(insn.len));
            last_len = insn.len;
            out.insns += 1;
            let is_full = out.insns >= limit
                || out.hot.offset() >= MAX_HOT_BYTES
                || (request.end_after_store && (insn.may_write_memory() || insn.class == Class::Syscall));
            let is_known = || !is_again && source.is_known(pc);
            match next {
                Next::End => break,
                Next::ReturnPoint if is_full || out.in_place || request.single_entry || is_known() => break,
                Next::ReturnPoint => enter(&self.layout, out, tag, pc, true),
                Next::Continue | Next::NewBlock if is_full || next == Next::NewBlock && is_known() => {
                    exit_to(&self.layout, out, tag, pc);
                    break;
                }
                Next::Continue | Next::NewBlock => {}
            }
        }
        out.guest_len = out.guest_len.max(u32::try_from(pc.since(tag)).unwrap_or(0));
        out.refused |= !out.hot.is_sound() || !out.cold.is_sound();
    }

    /// A prologue for indirect branches to `pc` that jumps to the body, for a fragment that was made without one.
    pub fn translate_prologue(&mut self, pc: GuestPc, hot_at: CachePc, cold_at: CachePc, out: &mut Translation) {
        out.restart(hot_at, cold_at);
        indirect::prologue(&self.layout, out, pc, pc);
        exit_to(&self.layout, out, pc, pc);
    }
}

/// The number that `mov eax, imm32`, `mov rax, imm32` or `xor eax, eax` loads.
#[must_use]
pub fn loaded_number(code: &[u8]) -> Option<u32> {
    match *code {
        [0xb8, a, b, c, d, ..] => Some(u32::from_le_bytes([a, b, c, d])),
        [0x31 | 0x33, 0xc0, ..] => Some(0),
        [0x48, 0xc7, 0xc0, a, b, c, d, ..] if d < 0x80 => Some(u32::from_le_bytes([a, b, c, d])),
        _ => None,
    }
}

/// Records an entry at `pc`, with a prologue if indirect branches are to use it.
fn enter(layout: &Layout, out: &mut Translation, tag: GuestPc, pc: GuestPc, indirect: bool) {
    let prologue = indirect.then(|| {
        let at = out.hot.offset();
        indirect::prologue(layout, out, tag, pc);
        at
    });
    let body = out.hot.offset();
    out.entries.push(Entry { pc, indirect: prologue, body });
}

/// The instruction means the same at another address: nothing of it is relative to the pc or to gs.
#[inline]
fn is_copied(insn: &Insn) -> bool {
    insn.class == Class::Plain && !insn.is_rip_relative() && !insn.prefixes.contains(Prefixes::SEG_GS)
}

/// Emits one instruction; `window` is its bytes with what comes after them, where there is that much.
#[inline(always)]
fn emit_decoded(site: &mut Site<'_>, window: Option<&[u8; 16]>) -> Next {
    if !is_copied(site.insn) {
        return rewrite(site);
    }
    site.mark(Recover::Copied);
    match window {
        Some(window) => site.out.hot.copy_start(window, site.bytes.len()),
        None => site.out.hot.copy(site.bytes),
    }
    Next::Continue
}

/// Emits one instruction that is not simply copied.
fn rewrite(site: &mut Site<'_>) -> Next {
    let insn = site.insn;
    match insn.class {
        Class::Cpuid => cpuid::emit(site),
        Class::Plain | Class::Rdtsc | Class::Int3 | Class::Int1 | Class::Popf => {
            if segment::applies(insn) {
                segment::emit(site)
            } else if insn.is_rip_relative() {
                rip_relative::emit(site)
            } else {
                copy::emit(site)
            }
        }
        Class::Ud => {
            copy::emit(site);
            Next::End
        }
        Class::Jcc(_) => branch::conditional(site),
        Class::LoopOrJrcxz => branch::counted(site),
        Class::Jmp => branch::jump(site),
        Class::Call => branch::call(site),
        Class::Xbegin => branch::xbegin(site),
        Class::JmpInd | Class::CallInd | Class::Ret if site.out.in_place => indirect::in_place(site),
        Class::JmpInd => indirect::jump(site),
        Class::CallInd => indirect::call(site),
        Class::Ret => indirect::ret(site),
        Class::Syscall => syscall::emit(site),
        Class::Int(0x80) => site.leave_to_runtime(ExitKind::Int80),
        Class::Int(_) => copy::emit(site),
        Class::Iret => site.leave_to_runtime(ExitKind::Iret),
        Class::FarTransfer => site.leave_to_runtime(ExitKind::Far),
        Class::GsSelector => site.leave_to_runtime(ExitKind::GsSelector),
        Class::GsBase => segment::gs_base(site),
        Class::Sysenter => site.leave_to_runtime(ExitKind::Unsupported),
    }
}
