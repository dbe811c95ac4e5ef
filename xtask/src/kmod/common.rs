//! Arguments that every command takes.

use std::path::PathBuf;

use clap::Args;

use super::build;
use super::kernels::{KERNELS, Kernel};

/// What every command takes.
#[derive(Args)]
pub struct Common {
    /// Works with this kernel only; may be given several times
    #[arg(long = "kernel", value_parser = KERNELS.iter().map(|kernel| kernel.name).collect::<Vec<_>>())]
    pub kernels: Vec<String>,
    /// Takes the module's sources from another directory
    #[arg(long)]
    pub sources: Option<PathBuf>,
    /// Installs no packages, also not as root
    #[arg(long)]
    pub no_install: bool,
}

impl Common {
    /// The kernels to work with.
    pub fn kernels(&self) -> impl Iterator<Item = &'static Kernel> {
        KERNELS.iter().filter(|kernel| self.kernels.is_empty() || self.kernels.iter().any(|name| name == kernel.name))
    }

    /// The directory of the module's sources.
    pub fn sources(&self) -> PathBuf {
        self.sources.clone().unwrap_or_else(build::sources)
    }
}
