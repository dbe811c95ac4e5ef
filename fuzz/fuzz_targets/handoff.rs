//! [`bt_fuzz::handoff`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bt_fuzz::handoff(data));
