//! Debian's kernels for virtual machines: downloads and unpacks them, installs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::output::output_directory;
use crate::apt;

/// A kernel that the module is built for.
#[derive(Debug)]
pub struct Kernel {
    /// The version as it is said on the command line.
    pub name: &'static str,
    /// Package that depends on the newest image.
    image: &'static str,
    /// Package that depends on the newest headers.
    headers: &'static str,
}

/// Every kernel.
pub const KERNELS: &[Kernel] = &[
    Kernel { name: "6.1", image: "linux-image-cloud-amd64", headers: "linux-headers-cloud-amd64" },
    Kernel { name: "6.12", image: "linux-image-6.12-cloud-amd64", headers: "linux-headers-6.12-cloud-amd64" },
];

/// An unpacked kernel.
#[derive(Debug)]
pub struct Unpacked {
    /// [`Kernel::name`].
    pub name: &'static str,
    /// What `uname -r` says.
    pub release: String,
    /// The image to boot.
    pub image: PathBuf,
    /// The directory to build modules in.
    pub headers: PathBuf,
    /// The directory of its own modules.
    pub modules: PathBuf,
}

impl Unpacked {
    /// A kernel of which only the headers are known.
    pub fn elsewhere(headers: &Path) -> Self {
        Self {
            name: ELSEWHERE,
            release: headers.display().to_string(),
            image: PathBuf::new(),
            headers: headers.to_path_buf(),
            modules: PathBuf::new(),
        }
    }
}

/// The name of a kernel that is not one of ours.
pub const ELSEWHERE: &str = "own";

impl Kernel {
    fn directory(&self) -> PathBuf {
        output_directory().join("kernels").join(self.name)
    }

    /// Downloads and unpacks the kernel unless that was done before, and as a whole.
    pub fn fetch(&self) -> Result<Unpacked> {
        let directory = self.directory();
        if let Ok(unpacked) = self.unpacked(&directory) {
            return Ok(unpacked);
        }
        // Renamed when complete.
        let partial = directory.with_extension("partial");
        for old in [&partial, &directory] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        fs::create_dir_all(&partial)?;
        self.unpack_into(&partial)?;
        fs::rename(&partial, &directory)?;
        self.unpacked(&directory)
    }

    fn unpack_into(&self, directory: &Path) -> Result<()> {
        let packages = self.packages()?;
        println!("fetching {}", packages.join(" "));
        let debs = directory.join("debs");
        fs::create_dir(&debs)?;
        // The sandbox's user cannot write into a directory of ours; the packages are checked all the same.
        run(Command::new("apt-get")
            .args(["-q", "-o", "APT::Sandbox::User=root", "download"])
            .args(&packages)
            .current_dir(&debs))?;
        for deb in entries(&debs)? {
            run(Command::new("dpkg").arg("-x").arg(deb).arg(directory))?;
        }
        fs::remove_dir_all(&debs)?;
        redirect_makefile(directory)
    }

    /// Names of the newest packages that it takes to boot the kernel and to build modules for it.
    fn packages(&self) -> Result<Vec<String>> {
        let image = self.newest(self.image, "linux-image-")?;
        let headers = self.newest(self.headers, "linux-headers-")?;
        // The rest of what the headers depend on (compiler, pahole) is not unpacked but installed, or not needed.
        let parts: Vec<String> = dependencies(&headers)?
            .into_iter()
            .filter(|name| {
                name.starts_with("linux-kbuild-") || name.starts_with("linux-headers-") && name.ends_with("-common")
            })
            .collect();
        if parts.len() != 2 {
            bail!("{headers} does not depend on common headers and kbuild but on {parts:?}");
        }
        Ok([image, headers].into_iter().chain(parts).collect())
    }

    /// The package that the package `meta` depends on for the newest version.
    fn newest(&self, meta: &str, prefix: &str) -> Result<String> {
        let mut found = dependencies(meta)?;
        if found.is_empty() && apt::may_install() {
            apt::update()?;
            found = dependencies(meta)?;
        }
        let wanted = format!("{prefix}{}.", self.name);
        found.into_iter().find(|name| name.starts_with(&wanted)).with_context(|| {
            format!(
                "apt knows no {meta} that depends on a {wanted}*: this needs Debian 12 with its security updates, \
                 and `apt-get update`"
            )
        })
    }

    fn unpacked(&self, directory: &Path) -> Result<Unpacked> {
        let missing = || format!("{} is not a whole kernel", directory.display());
        let image = entries(&directory.join("boot"))?
            .into_iter()
            .find(|path| file_name(path).starts_with("vmlinuz-"))
            .with_context(missing)?;
        let release = file_name(&image).trim_start_matches("vmlinuz-").to_owned();
        let headers = directory.join("usr/src").join(format!("linux-headers-{release}"));
        let modules = directory.join("lib/modules").join(&release);
        if !headers.exists() || !modules.exists() {
            bail!(missing());
        }
        Ok(Unpacked { name: self.name, release, image, headers, modules })
    }
}

/// The headers' Makefile includes the common one below `/usr/src`: lets it find that beside itself.
fn redirect_makefile(directory: &Path) -> Result<()> {
    for headers in entries(&directory.join("usr/src"))? {
        let makefile = headers.join("Makefile");
        let Ok(text) = fs::read_to_string(&makefile) else { continue };
        if let Some(rest) = text.strip_prefix("include /usr/src/") {
            fs::write(&makefile, format!("include $(dir $(lastword $(MAKEFILE_LIST)))../{rest}"))?;
        }
    }
    Ok(())
}

/// Packages that `package` depends on; none when apt does not know it.
fn dependencies(package: &str) -> Result<Vec<String>> {
    let done = Command::new("apt-cache").args(["depends", package]).output().context("cannot start apt-cache")?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    Ok(text.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")).map(str::to_owned).collect())
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().display().to_string();
    let done = command.output().with_context(|| format!("cannot start {name}"))?;
    if !done.status.success() {
        bail!("{name} failed\n{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let list = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let mut paths = list.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
