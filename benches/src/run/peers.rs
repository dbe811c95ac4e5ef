//! Others that get between a program and its system calls: mechanisms of the kernel, programs that run programs,
//! and what the user names in a file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::base::programs;

/// The place of the measured command in a template.
pub(crate) const PROGRAM: &str = "{program}";

/// A mechanism of the kernel that `drivers/interpose.c` sets up itself: its name in results, and in the driver.
#[rustfmt::skip]
pub(crate) const MECHANISMS: &[(&str, &str)] = &[
    ("syscall user dispatch", "user-dispatch"),
    ("seccomp trap",          "seccomp-trap"),
    ("seccomp user notify",   "seccomp-notify"),
    ("ptrace",                "ptrace"),
];

struct Known {
    name: &'static str,
    command: &'static [&'static str],
    /// How it is had where the distribution has no package.
    otherwise: Option<&'static str>,
}

/// Programs that are looked for on PATH.
#[rustfmt::skip]
const KNOWN: &[Known] = &[
    Known { name: "valgrind",    command: &["valgrind", "--tool=none", "-q", PROGRAM],     otherwise: None },
    Known { name: "qemu-x86_64", command: &["qemu-x86_64", PROGRAM],                       otherwise: None },
    Known { name: "strace",      command: &["strace", "-f", "-o", "/dev/null", PROGRAM],   otherwise: None },
    Known { name: "proot",       command: &["proot", PROGRAM],                             otherwise: None },
    Known { name: "runsc",       command: &["runsc", "--ignore-cgroups", "--network=host", "do", PROGRAM],
        otherwise: Some("gVisor: https://gvisor.dev/docs/user_guide/install/") },
    Known { name: "drrun",       command: &["drrun", "--", PROGRAM],
        otherwise: Some("DynamoRIO: https://dynamorio.org/page_releases.html") },
];

/// A program that runs another one, or why it is not measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Peer {
    /// As results name it.
    pub name: String,
    /// What it says about its version.
    pub version: Option<String>,
    /// The words with [`PROGRAM`] among them, or what is missing.
    pub command: Result<Vec<String>, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    peer: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    command: Words,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Line(String),
    List(Vec<String>),
}

/// The programs that are known, found on `path` or not.
#[must_use]
pub(crate) fn discover(path: &str) -> Vec<Peer> {
    let peer = |known: &Known| {
        let found = programs::find_in(path, known.command[0]);
        let words = |place: PathBuf| {
            let place = [place.to_string_lossy().into_owned()];
            place.into_iter().chain(known.command[1..].iter().map(|&word| word.to_owned())).collect()
        };
        Peer {
            name: known.name.to_owned(),
            version: found.as_deref().and_then(programs::version_of),
            command: found.map(words).ok_or_else(|| {
                let source = known.otherwise.map_or_else(|| programs::apt_line(&[known.command[0]]), str::to_owned);
                format!("{} is not installed: {source}", known.name)
            }),
        }
    };
    KNOWN.iter().map(peer).collect()
}

/// The peers of a file, as `peers.example.toml` explains it.
///
/// # Errors
/// The file cannot be read, is no such file, or a command has no place for the program.
pub(crate) fn read(path: &Path) -> Result<Vec<Peer>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    parse(&text).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> Result<Vec<Peer>> {
    let file: File = toml::from_str(text)?;
    file.peer.into_iter().map(peer_of).collect()
}

fn peer_of(entry: Entry) -> Result<Peer> {
    let words: Vec<String> = match entry.command {
        Words::Line(line) => line.split_whitespace().map(str::to_owned).collect(),
        Words::List(list) => list,
    };
    if words.iter().filter(|word| *word == PROGRAM).count() != 1 {
        bail!("{}: the command needs the word {PROGRAM} once", entry.name);
    }
    let first = &words[0];
    let is_there = if first.contains('/') {
        Path::new(first).is_file()
    } else {
        first == PROGRAM || programs::find_in(&search_path(), first).is_some()
    };
    let command = if is_there { Ok(words) } else { Err(format!("{first} is not there")) };
    Ok(Peer { name: entry.name, version: entry.version, command })
}

/// Where peers are looked for: the user's PATH, unlike that of the measured programs.
#[must_use]
pub(crate) fn search_path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| programs::PATH.to_owned())
}

/// The template with a command in its place.
#[must_use]
pub(crate) fn wrap(template: &[String], command: &[String]) -> Vec<String> {
    let mut words = Vec::with_capacity(template.len() + command.len());
    for word in template {
        if word == PROGRAM {
            words.extend_from_slice(command);
        } else {
            words.push(word.clone());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_takes_its_place() {
        let template = ["drrun", "--", PROGRAM].map(str::to_owned);
        let command = ["/bin/true", "x"].map(str::to_owned);
        assert_eq!(wrap(&template, &command), ["drrun", "--", "/bin/true", "x"]);
    }

    #[test]
    fn example_is_a_file_of_peers() {
        let peers = parse(include_str!("../../peers.example.toml")).unwrap();
        assert!(peers.iter().any(|peer| peer.name == "zpoline"), "{peers:?}");
    }

    #[test]
    fn lines_and_lists_are_commands_and_need_one_place() {
        let peers = parse("[[peer]]\nname = 'a'\ncommand = 'env A=1 {program}'\n").unwrap();
        assert_eq!(peers[0].command, Ok(["env", "A=1", PROGRAM].map(str::to_owned).to_vec()));
        let peers = parse("[[peer]]\nname = 'b'\ncommand = ['/no such/pin', '--', '{program}']\n").unwrap();
        assert_eq!(peers[0].command, Err("/no such/pin is not there".to_owned()));
        assert!(parse("[[peer]]\nname = 'c'\ncommand = 'env'\n").is_err());
        assert!(parse("[[peer]]\nname = 'd'\ncommand = 'env {program}'\nspeed = 1\n").is_err());
    }

    #[test]
    fn what_is_not_there_says_how_to_get_it() {
        let peers = discover("/nonexistent");
        let reason = |name: &str| {
            let peer = peers.iter().find(|peer| peer.name == name).unwrap();
            peer.command.clone().unwrap_err()
        };
        assert!(reason("qemu-x86_64").contains("apt-get install --no-install-recommends qemu-user"));
        assert!(reason("drrun").contains("dynamorio.org"));
    }
}
