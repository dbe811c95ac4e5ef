//! An image is used for the file of this moment only, whatever stands in the file's inode.

use std::fs::{self, File, OpenOptions};
use std::num::NonZeroUsize;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::bench::Bench;
use crate::runner::process::End;

fn compile(bench: &Bench, name: &str, text: &str, flags: &[&str]) -> Result<Vec<u8>> {
    let (source, output) = (bench.work.join(format!("{name}.c")), bench.work.join(name));
    fs::write(&source, text)?;
    let mut gcc = Command::new("gcc");
    gcc.args(["-O1", "-Wl,--build-id=none"]).args(flags).arg("-o").arg(&output).arg(&source);
    let built = gcc.status()?;
    ensure!(built.success(), "{name} does not build");
    Ok(fs::read(output)?)
}

/// A function that makes a call and returns this number.
fn function(value: u32) -> String {
    format!(
        "#include <unistd.h>\nint value(void) {{ long pid; __asm__ volatile(\"syscall\" : \"=a\"(pid) : \"a\"(39) : \"rcx\", \"r11\", \"memory\");\n\
         return pid == getpid() ? {value} : 1; }}\n"
    )
}

/// How a command ends under bt-run, which must be as it does natively.
fn status(bench: &Bench, command: &[&str], when: &str) -> Result<i32> {
    let [program, arguments @ ..] = command else { bail!("no command") };
    let natively = Command::new(program).args(arguments).status()?.code().context("it has no exit status")?;
    let directory = bench.work.join("images").display().to_string();
    let done = bench.program(&["--cache-dir", &directory], command)?;
    ensure!(done.end == Some(End::Exit(natively)), "{when}: {:?}, natively {natively}", done.end);
    Ok(natively)
}

/// A file that is changed through a shared mapping has no new times if its pages were dirty already.
pub fn shared_mapping(bench: &Bench) -> Result<()> {
    let library = |name: &str, value: u32| compile(bench, name, &function(value), &["-shared", "-fPIC"]);
    let (three, four) = (library("three.so", 3)?, library("four.so", 4)?);
    ensure!(three.len() == four.len() && three != four, "the libraries are of different sizes");
    let program = "#include <dlfcn.h>\nint main(int argc, char **argv) {\n\
        void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : 0;\n\
        return library ? ((int (*)(void))dlsym(library, \"value\"))() : 2; }\n";
    compile(bench, "loads", program, &[])?;
    let path = bench.work.join("changes.so");
    fs::copy(bench.work.join("three.so"), &path)?;
    let loads = bench.work.join("loads").display().to_string();
    let at = path.display().to_string();
    let load = |when: &str| status(bench, &[&loads, &at], when);
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    let len = NonZeroUsize::new(three.len()).context("empty")?;
    // SAFETY: a new mapping of a file of this test's own, which is not truncated.
    let map = unsafe { mmap(None, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, &file, 0) }?;
    let bytes = map.as_ptr().cast::<u8>();
    let differing: Vec<usize> = (0..three.len()).filter(|&i| three[i] != four[i]).collect();
    let store = |values: &[u8]| {
        for &i in &differing {
            // SAFETY: inside the mapping, which only this thread writes.
            unsafe { bytes.add(i).write_volatile(values[i]) };
        }
    };
    store(&three);
    ensure!(load("its pages are dirty")? == 3, "the first");
    store(&four);
    ensure!(load("a page that was dirty was changed")? == 4, "the second");
    store(&three);
    ensure!(load("changed back")? == 3, "the first again");
    store(&four);
    // SAFETY: the mapping of above, used no more.
    unsafe { munmap(map.cast(), len.get()) }?;
    ensure!(load("changed, and unmapped")? == 4, "the second again");
    Ok(())
}

fn run(command: &[&str]) -> Result<String> {
    let [name, arguments @ ..] = command else { bail!("no command") };
    let done = Command::new(name).args(arguments).output().with_context(|| (*name).to_owned())?;
    ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}

/// Makes a disk with the program in it, whose inode looks the same on each such disk.
fn disk(bench: &Bench, program: &[u8], name: &str) -> Result<String> {
    let (tree, image) = (bench.work.join(format!("{name}.tree")), bench.work.join(format!("{name}.disk")));
    fs::create_dir_all(&tree)?;
    crate::runner::executable::write_executable(&tree.join("program"), program, 0o755)?;
    File::create(&image)?.set_len(8 << 20)?;
    let image = image.display().to_string();
    let tree = tree.display().to_string();
    run(&["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", &tree, &image])?;
    for field in ["atime", "mtime", "ctime", "crtime"] {
        run(&["debugfs", "-w", "-R", &format!("set_inode_field /program {field} 20200101000000"), &image])?;
        run(&["debugfs", "-w", "-R", &format!("set_inode_field /program {field}_extra 0"), &image])?;
    }
    Ok(image)
}

/// What is attached and mounted; undone when it goes.
struct Mounted {
    device: String,
    at: String,
}

impl Mounted {
    /// Attaches a disk, to this loop device if one is named, and mounts it for reading.
    fn new(image: &str, device: Option<&str>, at: &str) -> Result<Self> {
        let device = match device {
            Some(device) => run(&["losetup", "-r", device, image]).map(|_| device.to_owned())?,
            None => run(&["losetup", "--find", "--show", "-r", image])?,
        };
        let mounted = Self { device, at: at.to_owned() };
        run(&["mount", "-o", "ro", &mounted.device, at])?;
        Ok(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run(&["umount", &self.at]);
        let _ = run(&["losetup", "-d", &self.device]);
    }
}

/// Two disks, one after the other at one loop device: the same device number, the same inode, the same size and times, and another
/// program.
pub fn disks(bench: &Bench) -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("launcher/images_of_disks_are_told_apart: only root mounts disks, so nothing was looked at");
        return Ok(());
    }
    let program = |name: &str, status: u32| {
        compile(bench, name, &format!("{}int main(void) {{ return value(); }}\n", function(status)), &[])
    };
    let (three, four) = (program("three", 3)?, program("four", 4)?);
    let (first, second) = (disk(bench, &three, "first")?, disk(bench, &four, "second")?);
    let at = bench.work.join("mounted");
    fs::create_dir_all(&at)?;
    let (program, at) = (at.join("program"), at.display().to_string());
    let program = program.display().to_string();
    let look = || run(&["stat", "-c", "%d %i %s %X %Y %Z", &program]);
    let mounted = Mounted::new(&first, None, &at)?;
    let before = look()?;
    ensure!(status(bench, &[&program], "the first disk")? == 3, "the first");
    ensure!(status(bench, &[&program], "the first disk, remembered")? == 3, "the first again");
    let device = mounted.device.clone();
    drop(mounted);
    let mounted = Mounted::new(&second, Some(&device), &at)?;
    let after = look()?;
    ensure!(before == after, "the inodes differ, so this shows nothing: {before}, {after}");
    ensure!(status(bench, &[&program], "the second disk")? == 4, "the second");
    drop(mounted);
    Ok(())
}
