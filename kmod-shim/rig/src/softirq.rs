//! Vector registers in the kernel's softirqs: each UDP packet of the loopback interface is encrypted and decrypted with AES
//! in vector registers, the latter where the network's softirq receives it (IPsec: RFC 4303, RFC 4106).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::command::{Bench, expect_success};
use crate::server::wait_until;

/// RFC 4106: an AES key of 128 bits and a salt of 32. Who reads along is the machine itself.
const KEY: &str = "0x000102030405060708090a0b0c0d0e0f10111213";
/// `/proc/crypto`'s name of that cipher in vector registers.
const DRIVER: &str = "rfc4106-gcm-aesni";
const TRACING: &str = "/sys/kernel/debug/tracing";
/// Where the kernel takes the vector registers for itself.
const PROBE: &str = "p:takes_registers kernel_fpu_begin_mask";
const ENOUGH: usize = 100;
const LIMIT: Duration = Duration::from_secs(20);

/// UDP on the loopback interface is encrypted as long as this lives.
#[derive(Debug)]
pub struct EncryptedUdp<'a>(&'a Bench);

impl Drop for EncryptedUdp<'_> {
    fn drop(&mut self) {
        for what in ["policy", "state"] {
            if let Err(error) = run(self.0, "ip", &["xfrm", what, "flush"]) {
                println!("{error:#}");
            }
        }
    }
}

/// Encrypts UDP on the loopback interface.
pub fn encrypt_udp(bench: &Bench) -> Result<EncryptedUdp<'_>> {
    let encrypted = EncryptedUdp(bench);
    run(bench, "modprobe", &["-a", "aesni-intel", "seqiv", "esp4", "xfrm_user"])?;
    for setting in ["disable_xfrm", "disable_policy"] {
        fs::write(format!("/proc/sys/net/ipv4/conf/lo/{setting}"), "0").context(setting)?;
    }
    let ends = "src 127.0.0.1 dst 127.0.0.1";
    let state = format!("xfrm state add {ends} proto esp spi 1 mode transport aead rfc4106(gcm(aes)) {KEY} 128");
    run(bench, "ip", &state.split(' ').collect::<Vec<_>>())?;
    for direction in ["out", "in"] {
        let policy = format!("xfrm policy add {ends} proto 17 dir {direction} tmpl {ends} proto esp mode transport");
        run(bench, "ip", &policy.split(' ').collect::<Vec<_>>())?;
    }
    let known = fs::read_to_string("/proc/crypto").context("/proc/crypto")?;
    if known.contains(DRIVER) { Ok(encrypted) } else { bail!("the kernel has no {DRIVER}") }
}

/// Waits until softirqs have used the vector registers often: somebody has to send packets.
pub fn expect_vector_use() -> Result<()> {
    let tracing = Path::new(TRACING);
    write(tracing.join("kprobe_events"), PROBE)?;
    write(tracing.join("events/kprobes/takes_registers/enable"), "1")?;
    let uses = || {
        fs::read_to_string(tracing.join("trace")).unwrap_or_default().lines().filter(|line| is_softirqs(line)).count()
    };
    let found = wait_until("softirqs that use vector registers", LIMIT, || uses() >= ENOUGH);
    if found.is_err() {
        println!("{}", fs::read_to_string(tracing.join("trace"))?.lines().take(30).collect::<Vec<_>>().join("\n"));
    }
    write(tracing.join("events/kprobes/takes_registers/enable"), "0")?;
    write(tracing.join("kprobe_events"), "")?;
    write(tracing.join("trace"), "")?;
    found
}

/// A line `TASK-PID [CPU] FLAGS TIME: EVENT…`; the third flag is `s` or `S` in a softirq (Documentation/trace/ftrace.rst).
fn is_softirqs(line: &str) -> bool {
    let Some((before, _)) = line.split_once(": takes_registers") else { return false };
    let flags = before.split_ascii_whitespace().rev().nth(1).unwrap_or_default();
    flags.as_bytes().get(2).is_some_and(|flag| flag.eq_ignore_ascii_case(&b's'))
}

fn write(path: PathBuf, text: &str) -> Result<()> {
    fs::write(&path, text).with_context(|| path.display().to_string())
}

fn run(bench: &Bench, program: &str, arguments: &[&str]) -> Result<()> {
    let finished = bench.run(program, Command::new(program).args(arguments))?;
    expect_success(&format!("{program} {}", arguments.join(" ")), &finished)
}

#[cfg(test)]
mod tests {
    use super::is_softirqs;

    #[test]
    fn a_line_says_that_it_is_a_softirqs() {
        let line =
            |flags: &str| format!("     vectors-137     [001] {flags}    12.345678: takes_registers: (kernel_fpu…)");
        assert!(is_softirqs(&line("..s2.")) && is_softirqs(&line("..s.")));
        assert!(!is_softirqs(&line("...1.")) && !is_softirqs(&line("..b1.")) && !is_softirqs("# tracer: nop"));
    }
}
