//! The translator's parts on this machine's libc: bytes per second. `cargo bench -p bt-bench --bench translator`
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;

use bt_translator::addr::{CachePc, GuestPc};
use bt_translator::block::{Request, Translator};
use bt_translator::decode::{Insn, decode_into};
use bt_translator::layout::Layout;
use bt_translator::scan::{NoFunctions, scan};
use bt_translator::source::CodeSource;
use bt_translator::translation::Translation;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const LIBC: [&str; 2] = ["/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib64/libc.so.6"];
const AT: GuestPc = GuestPc(0x7f12_0040_0000);
const CACHE: CachePc = CachePc(AT.0 - (80 << 20));
/// Code that is translated in one measured run.
const TRANSLATED_BYTES: usize = 256 << 10;

/// Slots at the offsets that the numbers say; nothing of it runs.
const LAYOUT: Layout = Layout {
    slot_rcx: 0x10,
    slot_r11: 0x18,
    slot_scratch: 0x20,
    slot_rsp: 0x60,
    runtime_sp: 0x68,
    guest_gs_base: 0x28,
    enter_exit: 0x40,
    enter_lookup: 0x48,
    enter_gate: 0x50,
    enter_cpuid: 0x58,
    enter_slow: 0x70,
    sampled: &[],
    call_entries: 0x3000,
    stub_calls: 0x7ff8_0000,
    call_counts: 0x2000,
    stubs_call: true,
    answers: &[],
    ibtc: 0x7ff0_0000,
};

struct Code(Vec<u8>);

impl CodeSource for Code {
    fn read(&mut self, pc: GuestPc, buf: &mut [u8]) -> usize {
        let from = usize::try_from(pc.since(AT)).unwrap_or(usize::MAX);
        let rest = self.0.get(from..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        len
    }

    fn is_known(&self, _: GuestPc) -> bool {
        false
    }
}

/// The segment of libc that is executed (elf(5): program headers of 56 bytes, PT_LOAD with PF_X).
fn text() -> Vec<u8> {
    let file = LIBC.iter().find_map(|path| std::fs::read(path).ok()).expect("libc is where Debian or Fedora puts it");
    let word = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().expect("eight bytes"));
    let half = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let headers = usize::try_from(word(32)).expect("an offset in the file");
    for header in (0..half(56)).map(|n| headers + n * 56) {
        let kind_and_flags = word(header);
        if kind_and_flags == 5 << 32 | 1 {
            let place = |field: usize| usize::try_from(word(header + field)).expect("a place in the file");
            return file[place(8)..place(8) + place(32)].to_vec();
        }
    }
    panic!("libc has no code");
}

/// Where instructions begin, as far as the code decodes from its start on.
fn decode_all(code: &[u8]) -> usize {
    let (mut insn, mut at) = (Insn::default(), 0);
    while let Some(rest) = code.get(at..).filter(|rest| rest.len() >= 15) {
        at += decode_into(rest, &mut insn).map_or(1, usize::from);
    }
    at
}

/// Translates block after block.
fn translate_all(translator: &mut Translator, out: &mut Translation, source: &mut Code, len: usize) -> u64 {
    let (mut at, mut emitted) = (0, 0);
    while at < len {
        let tag = AT.plus(at as u64);
        translator.translate(tag, Request::default(), CACHE, CACHE.plus(1 << 20), source, out);
        emitted += u64::from(out.hot.offset()) + u64::from(out.cold.offset());
        let guest: usize = out.boundaries.iter().map(|&[len, _]| usize::from(len)).sum();
        at += guest.max(1);
    }
    emitted
}

fn parts(criterion: &mut Criterion) {
    let code = text();
    let mut group = criterion.benchmark_group("translator");
    group.throughput(Throughput::Bytes(code.len() as u64));
    group.bench_function("decode", |bench| bench.iter(|| decode_all(black_box(&code))));
    let mut source = Code(code.clone());
    let end = AT.plus(code.len() as u64);
    group.bench_function("scan", |bench| {
        bench.iter(|| scan(AT, black_box(end), &mut source, &mut NoFunctions).len());
    });
    group.throughput(Throughput::Bytes(TRANSLATED_BYTES as u64));
    group.bench_function("translate", |bench| {
        bench.iter_batched_ref(
            || (Translator::new(LAYOUT), Translation::default()),
            |(translator, out)| translate_all(translator, out, &mut source, black_box(TRANSLATED_BYTES)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, parts);
criterion_main!(benches);
