//! CPU time of programs whose code is hard to tell from data: run-time systems with tables in their text, compilers of hundreds of
//! megabytes, functions that no unwind table names. What of them runs translated, and how long the search takes that each
//! process of theirs begins with, shows here.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::benchmark::{Benchmark, Program, Quantity, Suite, scaled};
use super::invocation::Invocation;
use crate::base::programs;
use crate::rows::result::Unit;

/// The suite, as the module describes it.
pub(crate) const SUITE: Suite = Suite {
    name: "programs",
    about: "CPU time of run-time systems, compilers and servers of the distribution, each on one CPU",
    benchmarks: || ALL.iter().map(benchmark).collect(),
};

struct Job {
    name: &'static str,
    about: &'static str,
    needs: &'static [&'static str],
    /// Makes what the script needs, with bash; run once, natively.
    before: &'static str,
    /// For bash, which `exec`s or starts the program; `$1` grows with the work.
    script: &'static str,
}

#[rustfmt::skip]
const ALL: &[Job] = &[
    Job { name: "mono", about: "mono runs a small C# program", needs: &["mono", "mcs"],
        before: "mcs -out:run.exe Run.cs", script: "exec mono run.exe $((5 * $1))" },
    Job { name: "mcs", about: "mono's compiler, a C# program compiled ahead of time", needs: &["mono", "mcs"],
        before: "", script: "for ((i = 0; i < $1; i += 4)); do mcs -out:again.exe Run.cs; done" },
    Job { name: "ghc", about: "ghc compiles a small Haskell program", needs: &["ghc"],
        before: "", script: "for ((i = 0; i < $1; i += 4)); do ghc -v0 -fforce-recomp -O1 -outputdir ghc -o run-hs Run.hs; done" },
    Job { name: "haskell", about: "what ghc has compiled", needs: &["ghc"],
        before: "ghc -v0 -O1 -outputdir ghc -o run-hs Run.hs", script: "exec ./run-hs $((10 * $1))" },
    Job { name: "rustc", about: "rustc compiles a small program without optimization", needs: &["rustc"],
        before: "", script: "for ((i = 0; i < $1; i += 4)); do rustc --edition 2021 -o run-rs run.rs; done" },
    Job { name: "cargo", about: "cargo builds a package anew, which starts rustc", needs: &["cargo", "rustc"],
        before: "mkdir -p package/src && cp run.rs package/src/main.rs && printf '[package]\\nname = \"p\"\\nversion = \"0.1.0\"\\nedition = \"2021\"\\n[workspace]\\n' > package/Cargo.toml",
        script: "cd package; export CARGO_HOME=$PWD/home; for ((i = 0; i < $1; i += 4)); do rm -rf target; cargo build -q --offline; done" },
    Job { name: "postgres", about: "a single-user server: inserts and selects", needs: &["postgres", "setpriv"],
        before: "rm -rf data; mkdir data; if [ $(id -u) = 0 ]; then chown 65534:65534 data; as='setpriv --reuid=65534 --regid=65534 --clear-groups'; fi; cd data; $as $(ls -d /usr/lib/postgresql/*/bin/initdb | tail -1) -D . -A trust -E UTF8 --locale=C > ../list",
        script: "if [ $(id -u) = 0 ]; then as='setpriv --reuid=65534 --regid=65534 --clear-groups'; fi; cd data; for ((i = 0; i < $1 * 20; i++)); do echo \"select sum(sqrt(x)) from generate_series(1, 20000) x where x % 3 <> $i % 3;\"; done | $as $(ls -d /usr/lib/postgresql/*/bin/postgres | tail -1) --single -D . -c fsync=off -c log_min_messages=fatal postgres | grep -c sum" },
    Job { name: "dpkg", about: "dpkg looks for the packages of files, and lists all", needs: &["dpkg", "dpkg-query"],
        before: "", script: "for ((i = 0; i < $1; i++)); do dpkg -S /bin/bash > list; dpkg-query -W > list; done" },
    Job { name: "sshd", about: "the server reads its configuration", needs: &["sshd", "ssh-keygen"],
        before: "rm -f key; ssh-keygen -q -t ed25519 -N '' -f key; mkdir -p /run/sshd 2> /dev/null; true",
        script: "sshd=$(command -v sshd); for ((i = 0; i < $1 * 4; i++)); do $sshd -T -f /dev/null -h $PWD/key > list; done" },
];

/// A program of each kind that is compiled or run: sums, dictionaries, lists.
const SOURCES: &[(&str, &str)] = &[
    (
        "Run.cs",
        "using System; using System.Collections.Generic; using System.Linq;\n\
         class Run { static int Fib(int n) { return n < 2 ? n : Fib(n - 1) + Fib(n - 2); }\n\
         static void Main(string[] a) { int n = int.Parse(a[0]); long sum = 0;\n\
         for (int i = 0; i < n; i++) { var d = new Dictionary<string, int>();\n\
         for (int k = 0; k < 20000; k++) d[\"k\" + k % 5000] = k;\n\
         sum += Fib(24) + d.Values.Where(v => v % 3 == 0).Select(v => v.ToString().Length).Sum(); }\n\
         Console.WriteLine(sum); } }\n",
    ),
    (
        "Run.hs",
        "module Main where\nimport qualified Data.List as L\nimport System.Environment (getArgs)\n\
         sieve :: [Int] -> [Int]\nsieve [] = []\nsieve (p:xs) = p : sieve [x | x <- xs, x `mod` p /= 0]\n\
         main :: IO ()\nmain = do\n  [n] <- getArgs\n  mapM_ (\\i -> print (L.foldl' (+) i (sieve [2 .. 6000 + i])))\n    [1 .. read n]\n",
    ),
    (
        "run.rs",
        "use std::collections::BTreeMap;\nfn main() {\n    let mut words: BTreeMap<String, usize> = BTreeMap::new();\n    \
         for i in 0..1000usize { *words.entry(format!(\"w{}\", i % 37)).or_default() += i; }\n    \
         let line: Vec<String> = words.iter().map(|(k, v)| format!(\"{k}={v}\")).collect();\n    \
         println!(\"{}\", line.join(\" \"));\n}\n",
    ),
];

fn benchmark(job: &'static Job) -> Benchmark {
    let program = Program {
        needs: [&["bash"], job.needs].concat(),
        quantity: Quantity::Cpu,
        prepare: Box::new(|setting| {
            let directory = setting.scratch.join(job.name);
            fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
            for (name, text) in SOURCES {
                fs::write(directory.join(name), text).with_context(|| (*name).to_owned())?;
            }
            make(job, &directory)?;
            let work = if setting.quick { "4" } else { "20" };
            let program = programs::find("bash").context("bash")?;
            Ok(Invocation::new(&program, &["-c", job.script, "bash", work], &directory))
        }),
    };
    Benchmark::program(job.name, job.about, Unit::Seconds, program, scaled(2_500, 600)).rounds(7, 3)
}

/// Runs what has to be done once.
fn make(job: &Job, directory: &Path) -> Result<()> {
    let bash = programs::find("bash").context("bash")?;
    let done = Command::new(bash)
        .args(["-c", job.before])
        .current_dir(directory)
        .env("PATH", programs::PATH)
        .stdin(Stdio::null())
        .output()?;
    ensure!(done.status.success(), "{}: {}", job.name, String::from_utf8_lossy(&done.stderr));
    Ok(())
}
