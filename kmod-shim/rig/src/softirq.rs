//! Vector registers in the kernel's softirqs: each UDP packet of the loopback interface is encrypted and decrypted with
//! AES in vector registers, the latter where the network's softirq receives it (IPsec: RFC 4303, RFC 4106).

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command::{Bench, expect_success};
use crate::limits;
use crate::server::wait_until;

/// RFC 4106: an AES key of 128 bits and a salt of 32. Who reads along is the machine itself.
const KEY: &str = "0x000102030405060708090a0b0c0d0e0f10111213";
/// `/proc/crypto`'s name of that cipher in vector registers.
const DRIVER: &str = "rfc4106-gcm-aesni";
const ENOUGH: u64 = 1000;

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

/// Waits until many packets have been en- and decrypted: somebody has to send them. What receives them is the network's
/// softirq, and the driver takes the vector registers there unless the kernel has them already. A probe would show
/// that, but patches code that other processors execute, which the emulator does not always survive.
pub fn expect_vector_use(bench: &Bench) -> Result<()> {
    let mut seen = Ok(0);
    wait_until("encrypted packets", limits::WAIT, || {
        seen = packets(bench);
        !matches!(seen, Ok(0..ENOUGH))
    })?;
    seen.map(drop)
}

/// Packets of the connection so far.
fn packets(bench: &Bench) -> Result<u64> {
    let finished = bench.run("ip", Command::new("ip").args(["-s", "xfrm", "state"]))?;
    expect_success("ip", &finished)?;
    packets_in(&String::from_utf8_lossy(&finished.stdout)).context("ip prints no number of packets")
}

/// The number in `lifetime current:`, `N(bytes), N(packets)`.
fn packets_in(text: &str) -> Option<u64> {
    let (_, current) = text.split_once("lifetime current:")?;
    let (before, _) = current.split_once("(packets)")?;
    before.rsplit(' ').next()?.parse().ok()
}

fn run(bench: &Bench, program: &str, arguments: &[&str]) -> Result<()> {
    let finished = bench.run(program, Command::new(program).args(arguments))?;
    expect_success(&format!("{program} {}", arguments.join(" ")), &finished)
}

#[cfg(test)]
mod tests {
    use super::packets_in;

    #[test]
    fn packets_are_read() {
        let text =
            "\tlifetime config:\n\t  limit: soft (INF)(packets)\n\tlifetime current:\n\t  1234(bytes), 56(packets)\n";
        assert_eq!(packets_in(text), Some(56));
        assert_eq!(packets_in("nothing"), None);
    }
}
