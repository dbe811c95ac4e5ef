//! Executes mutants natively and under an engine, in batches, and compares how each ends.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::build;
use super::generate::{self, Mutant};
use crate::environment::number;
use crate::launcher::{Bench, honest_string};
use crate::paths;
use crate::runner::launch::{self, Launch};
use crate::runner::process::{self, End};

/// Mutants for each start of the program that executes them.
const BATCH: u64 = 200;
/// The seed, where the environment has no other.
const SEED: u64 = 1;
/// A mutant may take five seconds, but few do.
const LIMIT: Duration = Duration::from_secs(300);
/// Differences after which no more are looked for.
const ENOUGH: usize = 20;
/// How a launcher may end that was handed anything: options or a program that are wrong, or the program's own end.
const ENDS_OF_FORGERIES: [&str; 4] = ["exits with 2,", "exits with 7,", "exits with 126,", "exits with 127,"];

/// Which of the two an access outside of the program's segments raises depends on what lies beside them.
const BUS: &str = " signal 7,";
const SEGMENT: &str = " signal 11,";

/// What one pass works with.
struct Pass {
    name: String,
    seed: u64,
    bases: Vec<Vec<u8>>,
    honest: Vec<u8>,
    home: PathBuf,
}

/// Lines about each mutant.
type Ends = BTreeMap<u64, String>;

/// Checks the mutants of a pass, `count` of them, and a tenth as many forged strings.
pub fn check(pass: &str, count: u64, home: &Path) -> Result<()> {
    let home = home.join(pass);
    let work = home.join("honest");
    fs::create_dir_all(&work)?;
    let bench = Bench { logs: work.join("logs"), work, limit: LIMIT, pass: pass.to_owned() };
    let honest = honest_string(&bench)?;
    let pass = Pass { name: pass.to_owned(), seed: number("BT_SEED", SEED)?, bases: build::bases()?, honest, home };
    let started = Instant::now();
    let (batches, next) = (count.div_ceil(BATCH), AtomicU64::new(0));
    let all = batches + (count / 10).div_ceil(BATCH);
    let found: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            let (pass, next, found) = (&pass, &next, &found);
            scope.spawn(move || {
                while found.lock().is_ok_and(|found| found.len() < ENOUGH) {
                    let batch = next.fetch_add(1, Ordering::Relaxed);
                    let new = if batch < batches {
                        pass.compare(batch, worker)
                    } else if batch < all {
                        pass.forge(batch, worker)
                    } else {
                        return;
                    };
                    let new = new.unwrap_or_else(|error| vec![format!("batch {batch}: {error:#}")]);
                    if let Ok(mut found) = found.lock() {
                        found.extend(new);
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (seed, seconds) = (pass.seed, started.elapsed().as_secs_f64());
    println!("  {count} mutants under {}, seed {seed}, {seconds:.1} s", pass.name);
    ensure!(
        found.is_empty(),
        "seed {seed}; the files are in {}\n{}",
        pass.home.join("found").display(),
        found.join("\n")
    );
    Ok(())
}

impl Pass {
    fn directory(&self, worker: usize) -> Result<PathBuf> {
        let directory = self.home.join(format!("worker{worker}"));
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(directory.join("files"))?;
        Ok(directory)
    }

    /// A batch natively, then under the engine; in every fourth with images that are kept, made and then used.
    fn compare(&self, batch: u64, worker: usize) -> Result<Vec<String>> {
        let directory = self.directory(worker)?;
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        for number in numbers.clone() {
            write(&directory, number, &generate::mutant(self.seed, number, &self.bases, &self.honest))?;
        }
        let native = self.execute(&directory, &Launch::Native, &numbers, "native")?;
        let is_kept = batch.is_multiple_of(4) && launch::engine_of(&self.name) == "direct";
        let mut found = Vec::new();
        for time in 0..1 + u64::from(is_kept) {
            let ours = self.execute(&directory, &self.ours(&directory, is_kept), &numbers, &format!("ours{time}"))?;
            for number in numbers.clone().filter(|number| native.get(number) != ours.get(number)) {
                if let Some(difference) = self.verify(&directory, number, is_kept)? {
                    found.push(difference);
                    self.keep(&directory, number)?;
                }
            }
        }
        Ok(found)
    }

    fn ours(&self, directory: &Path, is_kept: bool) -> Launch {
        let images = directory.join("images").display().to_string();
        let options = if is_kept { vec!["--cache-dir".to_owned(), images] } else { vec!["--no-cache".to_owned()] };
        Launch::Engine { pass: self.name.clone(), options, launcher: None }
    }

    /// Executes one mutant some times more: what differs must do so always.
    fn verify(&self, directory: &Path, number: u64, is_kept: bool) -> Result<Option<String>> {
        let mut ends = [Vec::new(), Vec::new()];
        for _ in 0..3 {
            for (launch, ends) in [Launch::Native, self.ours(directory, is_kept)].iter().zip(&mut ends) {
                let end = self.execute(directory, launch, &(number..number + 1), "again")?;
                ends.extend(end.into_values());
            }
        }
        let [native, ours] = ends;
        if ours.iter().any(|end| native.contains(end)) {
            return Ok(None);
        }
        let show = |ends: Vec<String>| ends.into_iter().next().unwrap_or_default();
        Ok(Some(format!("natively {}under {}: {}", show(native), self.name, show(ours))))
    }

    /// A batch of strings that the family did not write, for the launcher itself.
    fn forge(&self, batch: u64, worker: usize) -> Result<Vec<String>> {
        let directory = self.directory(worker)?;
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        for number in numbers.clone() {
            write(&directory, number, &generate::forgery(self.seed, number, &self.bases, &self.honest))?;
        }
        let launcher = paths::launcher().display().to_string();
        let ends = self.batch(&directory, &Launch::Native, &numbers, "forged", Some(&launcher))?;
        let is_bad = |end: &&String| {
            !ENDS_OF_FORGERIES.iter().any(|good| end.contains(good))
                || end.contains("panic")
                || end.contains("internal")
        };
        let mut found = Vec::new();
        for (number, end) in ends.iter().filter(|(_, end)| is_bad(end)) {
            found.push(format!("forged string {number}: {end}"));
            self.keep(&directory, *number)?;
        }
        Ok(found)
    }

    fn execute(&self, at: &Path, launch: &Launch, numbers: &std::ops::Range<u64>, label: &str) -> Result<Ends> {
        self.batch(at, launch, numbers, label, None)
    }

    /// Runs the program that executes mutants.
    fn batch(
        &self,
        directory: &Path,
        launch: &Launch,
        numbers: &std::ops::Range<u64>,
        label: &str,
        launcher: Option<&str>,
    ) -> Result<Ends> {
        let batch = build::batch().display().to_string();
        let mut argv = vec![batch, numbers.start.to_string(), numbers.end.to_string()];
        argv.extend(launcher.map(str::to_owned));
        let record = directory.join(format!("{label}.record"));
        let mut command: Command = launch.command(&argv, &directory.join("files"), &record);
        let done = process::run(&mut command, None, directory, label, LIMIT)?;
        if done.end != Some(End::Exit(0)) {
            bail!("the batch ended with {:?}: {}", done.end, String::from_utf8_lossy(&done.stderr));
        }
        let mut ends = Ends::new();
        for line in String::from_utf8_lossy(&done.stdout).lines() {
            let number = line.split([' ', '/']).find_map(|word| word.parse().ok()).with_context(|| line.to_owned())?;
            let is_remark = line.contains(" said ");
            // What bt-run has to say is no difference, unless it is in trouble.
            if !is_remark || line.contains("panic") || line.contains("internal") {
                *ends.entry(number).or_default() += &format!("{}\n", line.replace(BUS, SEGMENT));
            }
        }
        ensure!(ends.len() as u64 == numbers.end - numbers.start, "{} ends of {numbers:?}", ends.len());
        Ok(ends)
    }

    fn keep(&self, directory: &Path, number: u64) -> Result<()> {
        let found = self.home.join("found");
        fs::create_dir_all(&found)?;
        for name in [number.to_string(), format!("{number}.env")] {
            if directory.join("files").join(&name).exists() {
                fs::copy(directory.join("files").join(&name), found.join(&name))?;
            }
        }
        Ok(())
    }
}

fn write(directory: &Path, number: u64, mutant: &Mutant) -> Result<()> {
    let path = directory.join("files").join(number.to_string());
    fs::write(&path, &mutant.file)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    if let Some(first) = &mutant.first {
        fs::write(path.with_extension("env"), first)?;
    }
    Ok(())
}
