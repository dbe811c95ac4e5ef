//! The image cache.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::bench::Bench;
use crate::paths;
use crate::runner::executable::write_executable;
use crate::runner::launch::options_of;
use crate::runner::process::{self, End};

/// What is in the image cache, by `bt-run cache list`.
fn images(bench: &Bench, directory: &str) -> Result<Vec<String>> {
    let done = bench.run(&["--cache-dir", directory, "cache", "list"])?;
    ensure!(done.end == Some(End::Exit(0)), "cache list: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    Ok(text.lines().filter(|line| line.contains(".img")).map(str::to_owned).collect())
}

/// Figure `name` of the only process in the statistics.
fn sites(bench: &Bench, directory: &str, program: &[&str], name: &str) -> Result<u64> {
    let file = bench.work.join("stats");
    let _ = fs::remove_file(&file);
    let stats = format!("--stats={}", file.display());
    let done = bench.program(&["--cache-dir", directory, &stats], program)?;
    ensure!(done.end == Some(End::Exit(0)), "{program:?}: {:?} {}", done.end, String::from_utf8_lossy(&done.stderr));
    let text = fs::read_to_string(&file).context("--stats wrote no file")?;
    let (_, rest) = text.split_once(&format!("\"{name}\":")).context("no such figure")?;
    Ok(rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse()?)
}

/// A program is scanned once; a changed one again; a cache that others could write is not used.
pub fn check(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images").display().to_string();
    let own = bench.work.join("busybox").display().to_string();
    let busybox = fs::read("/bin/busybox")?;
    write_executable(own.as_ref(), &busybox, 0o755)?;
    let run = |name: &str| sites(bench, &directory, &[&own, "true"], name);
    ensure!(run("remembered")? == 0, "remembered before it was ever seen");
    let first = images(bench, &directory)?;
    ensure!(!first.is_empty(), "nothing was kept");
    ensure!(run("remembered")? == 1, "not remembered");
    ensure!(run("numbered")? < 16, "sites were patched again");
    // Another time of modification, the same contents.
    write_executable(own.as_ref(), &busybox, 0o755)?;
    ensure!(run("remembered")? == 0, "a changed file was taken for the old one");
    ensure!(images(bench, &directory)?.len() == first.len() + 1, "the changed file was not kept");
    // Damaged images are ignored: shorter, with another owner's permissions, as a link.
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        let file = fs::OpenOptions::new().write(true).open(&path)?;
        file.set_len(file.metadata()?.len() - 1)?;
    }
    ensure!(run("remembered")? == 0, "a truncated image was used");
    let cleared = bench.run(&["--cache-dir", &directory, "cache", "clear"])?;
    ensure!(cleared.end == Some(End::Exit(0)) && images(bench, &directory)?.is_empty(), "cache clear left something");
    run("remembered")?;
    for entry in fs::read_dir(&directory)? {
        fs::set_permissions(entry?.path(), fs::Permissions::from_mode(0o644))?;
    }
    ensure!(run("remembered")? == 0, "an image that others may read was used");
    bench.run(&["--cache-dir", &directory, "cache", "clear"])?;
    run("remembered")?;
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        let moved = path.with_extension("moved");
        fs::rename(&path, &moved)?;
        std::os::unix::fs::symlink(&moved, &path)?;
    }
    ensure!(run("remembered")? == 0, "an image that a link leads to was used");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777))?;
    ensure!(run("remembered")? == 0, "a directory that others may write was used");
    Ok(())
}

/// Something done to an image.
type Way = dyn Fn(&Path) -> Result<()>;

/// An image that cannot be used makes room for one that can, whatever is wrong with it; one with a second name, as
/// profilers give it, can.
pub fn check_replacement(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images").display().to_string();
    let own = bench.work.join("busybox").display().to_string();
    write_executable(own.as_ref(), &fs::read("/bin/busybox")?, 0o755)?;
    let run = |name: &str| sites(bench, &directory, &[&own, "true"], name);
    let paths =
        || -> Result<Vec<PathBuf>> { Ok(fs::read_dir(&directory)?.filter_map(|e| Some(e.ok()?.path())).collect()) };
    let spoil = |how: &Way| -> Result<()> {
        let found: Vec<_> = paths()?.into_iter().filter(|path| path.extension().is_some_and(|x| x == "img")).collect();
        found.iter().try_for_each(|path| how(path))
    };
    run("remembered")?;
    ensure!(run("remembered")? == 1, "not remembered");
    spoil(&|path| Ok(fs::hard_link(path, path.with_extension("kept"))?))?;
    ensure!(run("remembered")? == 1, "a second name took the image away");
    let ways: [(&str, &Way); 4] = [
        ("shorter", &|path| {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            Ok(file.set_len(file.metadata()?.len() - 1)?)
        }),
        ("empty", &|path| Ok(fs::write(path, b"")?)),
        ("of others", &|path| Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o644))?)),
        ("a link", &|path| {
            fs::rename(path, path.with_extension("moved"))?;
            Ok(std::os::unix::fs::symlink(path.with_extension("moved"), path)?)
        }),
    ];
    for (what, way) in ways {
        spoil(way)?;
        ensure!(run("remembered")? == 0, "an image that is {what} was used");
        ensure!(run("remembered")? == 1, "an image that was {what} was not replaced");
    }
    Ok(())
}

/// A site that no jump can take the place of is remembered too, and works from the image.
pub fn check_traps(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images").display().to_string();
    let (source, program) = (bench.work.join("traps.c"), bench.work.join("traps").display().to_string());
    // No load of a number stands before the call, and what follows it cannot be moved.
    fs::write(
        &source,
        r#"#include <unistd.h>
        int main(void) {
            long result;
            __asm__ volatile("sub $128, %%rsp; mov $39, %%eax; jmp 1f; 1: syscall; call 2f; jmp 3f; 2: ret; 3: add $128, %%rsp"
                             : "=a"(result) : : "rcx", "r11", "memory");
            return result == getpid() ? 7 : 1;
        }"#,
    )?;
    let built = Command::new("gcc").args(["-O1", "-o", &program]).arg(&source).status()?;
    ensure!(built.success(), "the program does not build");
    let figures = ["trapped", "remembered", "traps"];
    let file = bench.work.join("stats");
    let stats = format!("--stats={}", file.display());
    let mut runs = Vec::new();
    for _ in 0..2 {
        let _ = fs::remove_file(&file);
        let done = bench.program(&["--cache-dir", &directory, &stats], &[&program])?;
        ensure!(done.end == Some(End::Exit(7)), "{:?} {}", done.end, String::from_utf8_lossy(&done.stderr));
        let text = fs::read_to_string(&file)?;
        let figure = |name: &str| -> Option<u64> {
            let (_, rest) = text.split_once(&format!("\"{name}\":"))?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        runs.push(figures.map(|name| figure(name).unwrap_or(u64::MAX)));
    }
    // Program, loader and libc.
    ensure!(runs == [[1, 0, 1], [0, 3, 1]], "trapped, remembered, traps: {runs:?}");
    Ok(())
}

/// `doctor` and `--explain` say when each start searches its files, and why.
pub fn check_cold(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images");
    let at = directory.display().to_string();
    let own = bench.work.join("busybox").display().to_string();
    write_executable(own.as_ref(), &fs::read("/bin/busybox")?, 0o755)?;
    let explained = |options: &[&str]| -> Result<String> {
        let done = bench.program(&[&["--explain"], options].concat(), &[&own, "true"])?;
        ensure!(done.end == Some(End::Exit(0)), "{:?}", done.end);
        Ok(String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let kept = ["--cache-dir", &at];
    let first = explained(&kept)?;
    ensure!(first.contains(&own) && first.contains("is kept now"), "at first: {first}");
    ensure!(explained(&kept)?.is_empty(), "a warm start is explained");
    let never = explained(&["--no-cache"])?;
    ensure!(never.contains(&own) && never.contains("as at each start"), "without a cache: {never}");
    for entry in fs::read_dir(&directory)? {
        fs::set_permissions(entry?.path(), fs::Permissions::from_mode(0o644))?;
    }
    let spoiled = explained(&kept)?;
    ensure!(spoiled.contains("others may change it") && spoiled.contains("is kept now"), "spoiled: {spoiled}");
    let doctor = |options: &[&str]| -> Result<String> {
        let done = bench.run(&[options, &["doctor"]].concat())?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        Ok(text.lines().find(|line| line.starts_with("image cache")).context("no such line")?.to_owned())
    };
    ensure!(doctor(&kept)?.ends_with(&format!("yes: {at}")), "{}", doctor(&kept)?);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755))?;
    ensure!(doctor(&kept)?.contains("no, each start"), "{}", doctor(&kept)?);
    Ok(())
}

/// A library whose text lies in its first segment is mapped, for a moment, as long as it will be in memory: past the file's end. It
/// is remembered all the same, also when it comes and goes.
pub fn check_text_first(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images").display().to_string();
    let path = |name: &str| bench.work.join(name).display().to_string();
    let (library, program) = (path("text_first.so"), path("text_first"));
    fs::write(
        path("library.c"),
        r#"static char zeros[1 << 20];
        int use(int i) { zeros[i] = 1; return zeros[i + 1]; }
        long number(long n) { __asm__ volatile("syscall" : "+a"(n) : : "rcx", "r11", "memory"); return n; }"#,
    )?;
    fs::write(
        path("program.c"),
        r#"#include <dlfcn.h>
        #include <unistd.h>
        int main(int argc, char **argv) {
            int good = 0;
            for (int i = 0; i < 3; i++) {
                void *library = dlopen(argv[1], RTLD_NOW);
                long (*number)(long) = (long (*)(long))dlsym(library, "number");
                int (*use)(int) = (int (*)(int))dlsym(library, "use");
                good += number(39) == getpid() && use(1 << 19) == 0;
                dlclose(library);
            }
            return good == 3 && argc == 2 ? 0 : 1;
        }"#,
    )?;
    let compile = |arguments: &[&str], source: &str, output: &str| -> Result<()> {
        let built = Command::new("gcc").args(arguments).args(["-O1", "-o", output, &path(source)]).status()?;
        ensure!(built.success(), "{source} does not build");
        Ok(())
    };
    compile(&["-shared", "-fPIC", "-Wl,-z,noseparate-code"], "library.c", &library)?;
    compile(&[], "program.c", &program)?;
    let run = |name: &str| sites(bench, &directory, &[&program, &library], name);
    ensure!(run("scanned_bytes")? > 1 << 20, "nothing was scanned");
    // Without files: the vDSO and its like.
    let scanned = run("scanned_bytes")?;
    ensure!(scanned < 64 << 10, "{scanned} bytes were scanned again");
    Ok(())
}

/// Many starts at once fill one cache; starts that are killed meanwhile leave nothing that is half.
pub fn check_fill(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images").display().to_string();
    for round in 0..20u32 {
        bench.run(&["--cache-dir", &directory, "cache", "clear"])?;
        let start = || -> Result<std::process::Child> {
            let mut command = Command::new(paths::launcher());
            command.args(options_of(&bench.pass)).args(["--cache-dir", &directory, "--", "bash", "-c", "exit 7"]);
            command.current_dir(&bench.work).stdin(std::process::Stdio::null());
            process::fix_environment(&mut command, &bench.work);
            Ok(command.spawn()?)
        };
        let mut children = (0..6).map(|_| start()).collect::<Result<Vec<_>>>()?;
        // The first is killed at another moment of its start in every round.
        for _ in 0..round * 20_000 {
            std::hint::spin_loop();
        }
        children[0].kill()?;
        for (n, child) in children.iter_mut().enumerate() {
            let status = child.wait()?;
            ensure!(n == 0 || status.code() == Some(7), "start {n} of round {round} ended with {status}");
        }
        let done = bench.program(&["--cache-dir", &directory], &["bash", "-c", "exit 7"])?;
        ensure!(done.end == Some(End::Exit(7)), "after round {round}: {:?}", done.end);
        let strangers = fs::read_dir(&directory)?
            .filter_map(|e| e.ok())
            .filter(|e| e.path().extension().is_none_or(|x| x != "img"));
        ensure!(strangers.count() == 0, "something unfinished was left in round {round}");
    }
    Ok(())
}

/// A full disk costs the image, not the program.
pub fn check_full(bench: &Bench) -> Result<()> {
    let directory = bench.work.join("images").display().to_string();
    // A limit of 64 KiB for each file plays the full disk: to reach it would end the program by SIGXFSZ (setrlimit(2)).
    let line = format!(
        "ulimit -f 64; exec {} {} --cache-dir {directory} -- bash -c 'exit 7'",
        paths::launcher().display(),
        options_of(&bench.pass).join(" ")
    );
    let mut command = Command::new("bash");
    command.args(["-c", &line]).current_dir(&bench.work);
    process::fix_environment(&mut command, &bench.work);
    let done = process::run(&mut command, None, &bench.logs, "full", bench.limit)?;
    ensure!(done.end == Some(End::Exit(7)), "ended with {:?}: {}", done.end, String::from_utf8_lossy(&done.stderr));
    let largest = fs::read_dir(&directory)?.filter_map(|e| Some(e.ok()?.metadata().ok()?.len())).max().unwrap_or(0);
    ensure!(largest <= 64 << 10, "an image of {largest} bytes was kept");
    Ok(())
}
