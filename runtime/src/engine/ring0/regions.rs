//! Guest code becomes units.

use super::Ring0;
use crate::calls::route::{Filter, Route};
use crate::engine::Engine;
use crate::engine::direct::Direct;
use crate::gate::allowed::{self, may_call};
use crate::mem::guest;
use crate::mem::map::CodeMap;
use crate::sys::shim::Kernel;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use bt_shim::Refusal;
use bt_shim::uapi::{Kind, MEMORY, Op};
use bt_translator::block::loaded_number;
use bt_units::{Entry, Outside, Unit};
use linux_raw_sys::general as k;

/// Guest memory, as far as code may be made from it.
struct Guest<'a> {
    map: &'a CodeMap,
    direct: &'a Direct,
    known: &'a BTreeSet<u64>,
    pages: &'a mut BTreeSet<u64>,
}

impl Outside for Guest<'_> {
    fn read_code(&mut self, pc: u64, buf: &mut [u8]) -> usize {
        let mut done = 0usize;
        while done < buf.len() {
            let at = pc.wrapping_add(done as u64);
            let Some((_, region)) = self.map.find(at) else { break };
            // What can change without a call is left in place.
            if !region.is_exec() || region.is_writable() || region.shared {
                break;
            }
            let page_end = (at & !4095) + 4096;
            let want = usize::try_from(page_end.min(region.end) - at).unwrap_or(0).min(buf.len() - done);
            let Some(chunk) = buf.get_mut(done..done + want) else { break };
            let got = guest::read_bytes(at, chunk);
            self.direct.undo(at, chunk);
            self.pages.insert(at >> 12);
            done += got;
            if got < want {
                break;
            }
        }
        done
    }

    fn read_pointer(&mut self, address: u64) -> Option<u64> {
        guest::read(address)
    }

    fn has_code(&mut self, pc: u64) -> bool {
        self.known.contains(&pc)
    }

    fn check_call(&mut self, number: u32, checks: &mut Vec<Op>) -> bool {
        checks_of(number, checks);
        may_call(number as usize)
    }
}

/// Condition codes of Jcc.
const EQUAL: u8 = 4;
const ABOVE: u8 = 7;
const RSI: u8 = 6;
const RDI: u8 = 7;

/// Leaves where `reg` compares so with `value`.
const fn leave_if(reg: u8, condition: u8, value: u32) -> Op {
    Op { reg, opcode: condition, size: 4, imm: value as u64, ..Op::new(Kind::Check) }
}

/// Leaves where the four bytes at `base` are `text`.
const fn leave_if_text(base: u8, text: [u8; 4]) -> Op {
    Op { rm: MEMORY, base, opcode: EQUAL, size: 4, imm: u32::from_le_bytes(text) as u64, ..Op::new(Kind::Check) }
}

/// The question that the gate asks about a call.
fn filter_of(nr: u64) -> Option<Filter> {
    match crate::calls::traits(nr)?.route {
        Route::Filter(filter) => Some(filter),
        _ => None,
    }
}

/// The questions that the gate's filters ask (`gate::filters`), as operations: what they give to Rust leaves ring 0. Where
/// a path ends cannot be asked there: it leaves if it begins as most that concern the runtime do.
fn checks_of(number: u32, checks: &mut Vec<Op>) {
    let path = match filter_of(u64::from(number)) {
        Some(Filter::FirstPath) => RDI,
        Some(Filter::SecondPath) => RSI,
        Some(Filter::Fcntl) => {
            // From F_GETFD to F_SETLKW.
            checks.push(leave_if(RSI, EQUAL, k::F_DUPFD));
            checks.push(leave_if(RSI, ABOVE, k::F_SETLKW));
            return;
        }
        _ => return,
    };
    checks.push(leave_if_text(path, *b"/pro"));
    checks.push(leave_if_text(path, *b"exe\0"));
}

/// The call is looked at before ring 0 makes it: its number must be known when code is made.
fn has_checks(nr: usize) -> bool {
    filter_of(nr as u64).is_some()
}

/// What came of an attempt to make code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Made {
    /// There is code for the pc.
    Code,
    /// There can be none.
    Nothing,
}

/// Tries to place one unit.
const TRIES: u32 = 40;

impl Engine {
    /// How a unit is entered at `pc`, with `number` in eax, if that is a `syscall`. Where the patch of a site begins
    /// with the load of its number, it is that one.
    pub fn entry_at(&self, pc: u64, number: u32) -> Option<Entry> {
        let patch = self.direct.patch_at(pc).filter(|(start, _)| *start < pc);
        let loaded = patch.and_then(|(_, patch)| loaded_number(&patch.original));
        self.is_call(pc).then_some(if loaded == Some(number) { Entry::Number(number) } else { Entry::Any })
    }

    /// The guest has a `syscall` at `pc`.
    pub fn is_call(&self, pc: u64) -> bool {
        const SYSCALL: [u8; 2] = [0x0f, 0x05];
        let mut code = [0; SYSCALL.len()];
        guest::read_bytes(pc, &mut code);
        self.direct.undo(pc, &mut code);
        code == SYSCALL
    }

    /// Makes code for `pc`. With an `entry`, for the call there.
    pub fn make_code(&mut self, pc: u64, entry: Option<Entry>) -> Made {
        self.ring0.settle();
        for _ in 0..TRIES {
            let Ring0 { builder, known, pages, .. } = &mut self.ring0;
            let mut guest = Guest { map: &self.map, direct: &self.direct, known, pages };
            let unit = builder.build(pc, entry, &mut guest);
            if unit.ops.len() < 2 || entry.is_some() && unit.calls == 0 {
                return Made::Nothing;
            }
            match self.ring0.load() {
                Ok(()) => return Made::Code,
                // Everything else went, and has to be made again as it is needed; this unit at once.
                Err(Refusal::Dropped) => {
                    self.ring0.known.clear();
                    self.ring0.pages.clear();
                    self.ring0.stats.drops += 1;
                }
                Err(Refusal::Full) if !self.ring0.known.is_empty() => self.ring0.drop_code(),
                Err(_) => return Made::Nothing,
            }
        }
        Made::Nothing
    }
}

impl Ring0 {
    /// Tells the module which calls it may make, if that has changed.
    fn settle(&mut self) {
        if !allowed::take_change() {
            return;
        }
        let allowed = self
            .device()
            .is_some_and(|device| device.allow(&Kernel, may_call, |nr| may_call(nr) && !has_checks(nr)).is_ok());
        if allowed {
            // What is allowed holds from here on.
            self.drop_code();
        } else {
            self.give_up();
        }
    }

    /// Loads the unit just built. An operation that cannot be made there ends the unit before it.
    fn load(&mut self) -> Result<(), Refusal> {
        // Taken out of itself for the time being: opening the device needs the whole.
        let mut unit = core::mem::take(self.builder.unit_mut());
        let result = self.load_unit(&mut unit);
        *self.builder.unit_mut() = unit;
        result
    }

    fn load_unit(&mut self, unit: &mut Unit) -> Result<(), Refusal> {
        loop {
            let Some(device) = self.device() else { return Err(Refusal::Full) };
            match device.load(&Kernel, &unit.ops, 0) {
                Ok(loaded) => {
                    self.stats.units += 1;
                    self.stats.code_bytes += u64::from(loaded.code_bytes);
                    self.known.extend(unit.entries.iter().copied());
                    return Ok(());
                }
                Err(Refusal::Operation(n)) if n > 0 && (n as usize) < unit.ops.len() => unit.end_before(n as usize),
                Err(refusal) => return Err(refusal),
            }
        }
    }
}
