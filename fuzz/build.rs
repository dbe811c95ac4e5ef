//! libFuzzer and the runtime both define memcmp and bcmp: libFuzzer to learn what is compared, the runtime because it is
//! linked without libc. Either does what the other does, so the linker may take the first.
fn main() {
    if std::env::var_os("CARGO_FEATURE_LIBFUZZER").is_some() {
        println!("cargo:rustc-link-arg-bins=-Wl,--allow-multiple-definition");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
