//! Target `scan`: any bytes can be an ELF file whose functions are looked for, and code that is searched for calls.

use crate::Code;
use bt_runtime::engine::direct::functions::ElfImage;
use bt_translator::addr::GuestPc;
use bt_translator::scan::{Candidate, Functions, NoFunctions, Verdict, branch_targets};

/// The input is a file in memory, and all of it is searched.
pub fn scan(data: &[u8]) {
    let at = data.as_ptr() as u64;
    let found = match ElfImage::of_memory(at, data.len() as u64) {
        Some(mut image) => {
            let found = scan_with(data, &mut image);
            for &Candidate { pc, .. } in found.iter().take(64) {
                if let Some(extent) = image.holding(pc.0) {
                    assert!((extent.0..extent.1).contains(&pc.0));
                    check_targets(data, extent);
                }
                let _ = (image.is_data(pc.0), image.hole(pc.0));
            }
            found
        }
        None => Vec::new(),
    };
    let without = scan_with(data, &mut NoFunctions);
    // What is a candidate is decided by the bytes alone.
    assert!(found.is_empty() || found.iter().map(|c| c.pc).eq(without.iter().map(|c| c.pc)));
    check_targets(data, (at, at + data.len() as u64));
}

fn scan_with(data: &[u8], functions: &mut dyn Functions) -> Vec<Candidate> {
    let at = data.as_ptr() as u64;
    let end = at + data.len() as u64;
    let mut code = Code { at, bytes: data };
    let found = bt_translator::scan::scan(GuestPc(at), GuestPc(end), &mut code, functions);
    assert!(found.windows(2).all(|pair| pair[0].pc < pair[1].pc));
    for Candidate { pc, verdict } in &found {
        assert!((at..end).contains(&pc.0));
        if let Verdict::Site { previous: Some(previous), .. } = verdict {
            assert!(previous < pc && pc.0 - previous.0 <= 15);
        }
    }
    found
}

/// Branch targets lie inside the code, ascending.
fn check_targets(data: &[u8], extent: (u64, u64)) {
    let mut code = Code { at: data.as_ptr() as u64, bytes: data };
    let targets = branch_targets(extent, &mut code);
    assert!(targets.is_sorted() && targets.iter().all(|target| (extent.0..extent.1).contains(target)));
}
