//! The launcher is a static position-independent executable without libc: it brings its own
//! `_start` and relocates itself.
fn main() {
    for arg in ["-nostdlib", "-nostartfiles", "-static-pie", "-Wl,-z,max-page-size=4096", "-Wl,--build-id"] {
        println!("cargo:rustc-link-arg-bins={arg}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
