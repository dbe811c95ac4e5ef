//! Who takes part: native, the engines, and for some benchmarks others.

use std::path::Path;

use anyhow::Result;

use super::launch::Launcher;
use super::peers::{self, Peer};
use crate::rows::engine::{Engine, Level, Variant};
use crate::rows::result::Way;

/// The kernel module's device.
const DEVICE: &str = "/dev/btshim";

/// One way, and how it runs a command.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    /// As results name it.
    pub way: Way,
    /// How it is done.
    pub how: How,
}

/// How a way runs a command.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// As it is.
    Native,
    /// Under bt-run.
    BtRun(Launcher),
    /// As an argument of another program.
    Wrapped(Vec<String>),
    /// The driver has a benchmark of this name that sets the mechanism up.
    InDriver(&'static str),
    /// Not on this machine; the text says what is missing.
    Missing(String),
}

impl Contender {
    /// The kernel alone.
    #[must_use]
    pub(crate) fn native() -> Self {
        Self { way: Way::Native, how: How::Native }
    }

    /// An engine at a level.
    #[must_use]
    pub(crate) fn is(&self, wanted: Engine, level: Level) -> bool {
        let wanted = Way::Engine { engine: wanted.name().to_owned(), emulate: Some(level.name().to_owned()) };
        self.way == wanted
    }
}

const RING0: &str = "the kernel module is not loaded: engine ring0 runs by it, and by nothing else";
const RING0_LEVEL: &str = "engine ring0 answers in the kernel: its levels are off and exact";

/// What engine ring0 lacks on this machine, at a level.
fn ring0_lacks(device: &Path, level: Option<Level>) -> Option<&'static str> {
    if matches!(level, Some(Level::Coherent)) {
        Some(RING0_LEVEL)
    } else if !device.exists() {
        Some(RING0)
    } else {
        None
    }
}

/// Native first, then each engine at each level; no levels means the launcher's default one. Images may differ from
/// way to way: each has a cache of its own, empty at first.
///
/// # Errors
/// A cache cannot be made.
pub(crate) fn engines(engines: &[Engine], levels: &[Level], launcher: &Launcher) -> Result<Vec<Contender>> {
    let mut all = vec![Contender::native()];
    let levels: Vec<Option<Level>> =
        if levels.is_empty() { vec![None] } else { levels.iter().copied().map(Some).collect() };
    for &engine in engines {
        for &emulate in &levels {
            let name = engine.name();
            let lacks = (engine == Engine::Ring0).then(|| ring0_lacks(Path::new(DEVICE), emulate)).flatten();
            let level = emulate.map(|level| level.name().to_owned());
            let way = Way::Engine { engine: name.to_owned(), emulate: level.clone() };
            if all.iter().any(|contender| contender.way == way) {
                continue;
            }
            let how = match lacks {
                Some(what) => How::Missing(what.to_owned()),
                None => {
                    let cache = format!("images-run-{name}-{}", level.as_deref().unwrap_or("default"));
                    let variant = Variant { engine, emulate };
                    let launcher = Launcher { variant, ..launcher.with_cache(&cache) };
                    launcher.empty_cache()?;
                    How::BtRun(launcher)
                }
            };
            all.push(Contender { way, how });
        }
    }
    Ok(all)
}

/// The kernel's mechanisms, the programs that are known, and those of the user's file.
///
/// # Errors
/// The file is no such file.
pub(crate) fn interposers(file: Option<&Path>) -> Result<Vec<Contender>> {
    let mut programs = peers::discover(&peers::search_path());
    if let Some(file) = file {
        let named = peers::read(file)?;
        // The user's word about a program goes before ours.
        programs.retain(|known| named.iter().all(|peer| peer.name != known.name));
        programs.extend(named);
    }
    Ok(mechanisms().chain(programs.into_iter().map(of_peer)).collect())
}

/// The mechanisms of the kernel that a driver sets up.
fn mechanisms() -> impl Iterator<Item = Contender> {
    peers::MECHANISMS.iter().map(|&(name, of_driver)| Contender {
        way: Way::Peer { name: name.to_owned(), version: None },
        how: How::InDriver(of_driver),
    })
}

/// The programs that are known.
pub(crate) fn programs() -> impl Iterator<Item = Contender> {
    peers::discover(&peers::search_path()).into_iter().map(of_peer)
}

/// DynamoRIO's launcher, where it is installed.
#[must_use]
pub(crate) fn drrun() -> Option<Contender> {
    let peers = peers::discover(&peers::search_path()).into_iter();
    peers.filter(|peer| peer.name == "drrun" && peer.command.is_ok()).map(of_peer).next()
}

fn of_peer(peer: Peer) -> Contender {
    let how = match peer.command {
        Ok(template) => How::Wrapped(template),
        Err(missing) => How::Missing(missing),
    };
    Contender { way: Way::Peer { name: peer.name, version: peer.version }, how }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launcher() -> Launcher {
        Launcher {
            bt_run: "/bt-run".into(),
            variant: Engine::Direct.into(),
            cache: "/cache".into(),
            scratch: std::env::temp_dir(),
        }
    }

    #[test]
    fn native_is_always_first() {
        let all = engines(&[Engine::Ring0], &[], &launcher()).unwrap();
        let names: Vec<String> = all.iter().map(|contender| contender.way.name()).collect();
        assert_eq!(names, ["native", "ring0"]);
    }

    #[test]
    fn ring0_says_what_is_missing() {
        let (absent, there) = (Path::new("/dev/none/btshim"), Path::new("/dev/null"));
        assert_eq!(ring0_lacks(absent, None), Some(RING0));
        assert_eq!(ring0_lacks(there, Some(Level::Coherent)), Some(RING0_LEVEL));
        assert_eq!([None, Some(Level::Exact)].map(|level| ring0_lacks(there, level)), [None, None]);
    }

    #[test]
    fn each_engine_stands_at_each_level_once() {
        let levels = [Level::Off, Level::Coherent];
        let all = engines(&[Engine::Ring0, Engine::Ring0], &levels, &launcher()).unwrap();
        let names: Vec<String> = all.iter().map(|contender| contender.way.name()).collect();
        assert_eq!(names, ["native", "ring0 off", "ring0 coherent"]);
    }

    #[test]
    fn mechanisms_are_those_of_the_driver() {
        let source = include_str!("../../drivers/interpose.c");
        let all = interposers(None).unwrap();
        for contender in &all {
            if let How::InDriver(name) = contender.how {
                assert!(source.contains(&format!("{{ \"{name}\",")), "{name}");
            }
        }
        assert!(all.len() > peers::MECHANISMS.len());
    }
}
