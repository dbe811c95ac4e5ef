//! Files that cannot be executed, and images with damaged headers.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::bench::{Bench, refused};
use crate::runner::process::End;

pub fn not_executable(bench: &Bench) -> Result<()> {
    let image = fs::read("/bin/true").context("/bin/true")?;
    let mut machine = image.clone();
    *machine.get_mut(18).context("short image")? = 183;
    fs::create_dir(bench.work.join("directory"))?;
    let names = [
        "./directory".to_owned(),
        bench.file("no_permission", &image, 0o644)?,
        bench.file("other_machine", &machine, 0o755)?,
        bench.file("truncated", image.get(..50).unwrap_or_default(), 0o755)?,
        bench.file("headers_only", image.get(..120).unwrap_or_default(), 0o755)?,
        bench.file("missing_interpreter_of_script", b"#!/no/such/interpreter\n", 0o755)?,
        bench.file(
            "missing_interpreter",
            &replace(&image, b"/lib64/ld-linux-x86-64.so.2", b"/no/such/interpreter/at/all")?,
            0o755,
        )?,
    ];
    for name in &names {
        refused(&bench.program(&[], &[name])?, 126, name)?;
    }
    Ok(())
}

fn replace(image: &[u8], from: &[u8], to: &[u8]) -> Result<Vec<u8>> {
    ensure!(from.len() == to.len(), "lengths differ");
    let at = image.windows(from.len()).position(|bytes| bytes == from).context("no interpreter in the image")?;
    let mut changed = image.to_vec();
    changed.splice(at..at + from.len(), to.iter().copied());
    Ok(changed)
}

/// Images with damaged headers: where the kernel refuses, so do we, in one line; where it does not,
/// the launcher does not report a fault of its own.
pub fn broken_images(bench: &Bench) -> Result<()> {
    let image = fs::read("/bin/true").context("/bin/true")?;
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for number in 0..200 {
        let mut changed = image.clone();
        for _ in 0..=number % 4 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // The ELF header and the program headers.
            let at = usize::try_from(state % 700)?;
            let value = state.to_le_bytes().get(5).copied().unwrap_or_default();
            *changed.get_mut(at).context("short image")? = value;
        }
        let name = bench.file("damaged", &changed, 0o755)?;
        // A process that another test is just starting may still hold the file open for writing.
        let natively = loop {
            match Command::new(bench.work.join("damaged")).output() {
                Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                result => break result,
            }
        };
        let done = bench.program(&[], &[&name])?;
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        if text.contains("panicked") || text.contains("internal") {
            bail!("image {number}: {text}");
        }
        match natively {
            Err(_) => refused(&done, 126, "damaged").with_context(|| format!("image {number}"))?,
            Ok(native) if native.status.success() => {
                ensure!(done.end == Some(End::Exit(0)), "image {number} runs natively, here {:?} {text}", done.end);
            }
            Ok(_) => ensure!(
                done.end.is_some_and(|end| end != End::Exit(0)),
                "image {number} dies natively, here {:?}",
                done.end
            ),
        }
        fs::remove_file(bench.work.join("damaged"))?;
    }
    Ok(())
}

/// An image that the kernel runs and the launcher does not read is left to the kernel, and noted.
pub fn unusual_image(bench: &Bench) -> Result<()> {
    const PHDR_BYTES: usize = 56;
    const PT_INTERP: [u8; 4] = [3, 0, 0, 0];
    let mut image = fs::read("/bin/true").context("/bin/true")?;
    let headers: usize = image.get(32..40).and_then(|bytes| bytes.try_into().ok()).map_or(0, usize::from_le_bytes);
    let interp = (headers..).step_by(PHDR_BYTES).take(20).find(|&at| image.get(at..at + 4) == Some(&PT_INTERP));
    let interp = interp.context("no interpreter in the image")?;
    let path = format!("/lib64/{}ld-linux-x86-64.so.2\0", "./".repeat(200));
    let end = image.len();
    image.extend_from_slice(path.as_bytes());
    // p_offset and p_filesz.
    for (at, value) in [(interp + 8, end), (interp + 32, path.len())] {
        image.splice(at..at + 8, value.to_le_bytes());
    }
    let name = bench.file("long_path", &image, 0o755)?;
    let done = bench.program(&["--stats=figures"], &[&name])?;
    ensure!(done.end == Some(End::Exit(0)), "ended with {:?}", done.end);
    let figures = fs::read_to_string(bench.work.join("figures"))?;
    ensure!(figures.contains(r#""reason":"long path of an interpreter""#), "not noted: {figures}");
    Ok(())
}
