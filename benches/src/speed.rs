//! `bt-bench speed`: one run, one table.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::command::{self, Begun, Common};
use crate::engine::Engine;
use crate::suites::GROUPS;
use crate::variant::Variant;
use crate::{mechanisms, peers, report};

/// Options of `bt-bench speed`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The engine of bt-run, which decides about the targets too
    #[arg(long, value_enum, value_name = "ENGINE", default_value_t = Engine::Direct)]
    engine: Engine,
    /// Only these groups (compute startup syscall memory) or rows (compute/xz)
    #[arg(long, num_args = 1.., value_name = "GROUP", value_parser = parse_selection)]
    only: Vec<String>,
    #[command(flatten)]
    common: Common,
}

fn parse_selection(text: &str) -> Result<String, String> {
    let group = text.split('/').next().unwrap_or_default();
    if GROUPS.contains(&group) { Ok(text.to_owned()) } else { Err(format!("the groups are {}", GROUPS.join(", "))) }
}

/// Measures and prints.
///
/// # Errors
/// There is no bt-run, or a file cannot be written.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let variant = Variant::from(arguments.engine);
    let mut begun = command::begin(&arguments.common, &arguments.only, variant, &variant.to_string())?;
    begun.session.peer = Some(peers::dynamorio()?);
    let result = begun.session.run();
    if result.is_ok() && begun.rows().is_empty() {
        bail!("engine {} has no row named {}", arguments.engine, arguments.only.join(" or "));
    }
    print_report(&begun);
    command::end(result)
}

fn print_report(begun: &Begun) {
    let (session, rows) = (&begun.session, begun.rows());
    println!("{}", begun.heading);
    print!("{}", report::table(rows));
    let count = |met: bool| rows.iter().filter(|row| row.met == Some(met)).count();
    println!("{}", begun.summary(&format!("{} targets met, {} missed", count(true), count(false))));
    println!(
        "Ratios and differences: medians of pairs with a bootstrap 95 % interval, each pair one run of bt-run \
         between two native ones. Floor: how far native against native strays in the same run. \
         A target is met when the interval's upper end ≤ target + floor; an absolute one is about bt-run's own figure."
    );
    if let Some(peer) = &session.peer {
        println!("DynamoRIO: {}.", peer.source);
    }
    let others = mechanisms::table(&session.mechanisms, &session.missing_mechanisms, session.launcher.variant);
    if !others.is_empty() {
        print!("\n{others}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_direct_unless_named() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            arguments: Arguments,
        }
        let engine = |words: &[&str]| <Cli as clap::Parser>::try_parse_from(words).map(|cli| cli.arguments.engine);
        assert_eq!(engine(&["speed"]).ok(), Some(Engine::Direct));
        assert_eq!(engine(&["speed", "--engine", "translate"]).ok(), Some(Engine::Translate));
        assert!(engine(&["speed", "--engine", "auto"]).is_err());
    }

    #[test]
    fn selections_begin_with_a_group() {
        assert!(parse_selection("compute").is_ok());
        assert!(parse_selection("compute/xz").is_ok());
        assert!(parse_selection("xz").is_err());
    }
}
