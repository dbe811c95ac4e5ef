//! tar with the compressors, each round trip compared with what went in.

use crate::spec::Test;

pub fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> =
        [("gzip", "gzip", "-z"), ("bzip2", "bzip2", "-j"), ("xz", "xz-utils", "-J"), ("zstd", "zstd", "--zstd")]
            .into_iter()
            .map(|(name, package, flag)| round_trip(name, package, flag))
            .collect();
    tests.push(
        Test::program("tar/archives_keep_metadata")
            .needs(&["tar"])
            .with_files("coreutils")
            .prepare(&[
                "sh",
                "-c",
                "mkdir in; cp words in; ln -s words in/link; ln in/words in/hard; chmod 4711 in/words; mkfifo in/pipe",
            ])
            .prepare(&["find", "in", "-exec", "touch", "-h", "-d", "2021-01-01", "{}", ";"])
            .run(&["tar", "--sort=name", "--owner=0", "--group=0", "-cf", "x.tar", "in"])
            .run(&["tar", "-tvf", "x.tar"])
            .run(&["tar", "-C", "out", "--one-top-level", "-xf", "x.tar"])
            .ends(crate::spec::End::Exit(2))
            .run(&["tar", "--one-top-level=out", "-xpf", "x.tar"])
            .run(&["tar", "-df", "x.tar"])
            .calls_equal(),
    );
    tests
}

fn round_trip(name: &str, package: &'static str, flag: &str) -> Test {
    let create: &[&str] =
        &["tar", "--sort=name", "--mtime=2021-01-01", "--owner=0", "--group=0", flag, "-cf", "x.tar", "in"];
    Test::program(&format!("tar/{name}_round_trip"))
        .needs(&["tar", "diffutils", package])
        .prepare(&["sh", "-c", "mkdir in; cp -rL /usr/include/linux/netfilter* in; seq 1 200000 > in/numbers; touch -d 2021-01-01 in/numbers; head -c 300000 /usr/bin/tar > in/binary"])
        .run(create)
        .run(&["tar", "--one-top-level=out", flag, "-xf", "x.tar"])
        .run(&["diff", "-r", "in", "out/in"])
        .run(&[name, "-9", "-k", "in/numbers"])
        .run(&[name, "-t", "x.tar"])
        .any_stderr()
        .calls_equal_except(&[
            ("read", "how much of a pipe one read finds depends on timing"),
            ("write", "likewise"),
            ("lseek", "diff reads /proc/self/maps, which is longer, and begins again where its buffer is too small"),
            ("poll", "xz waits for its pipe when it is empty"),
            ("futex", "zstd has threads"),
            ("rseq", "the C library does not register it for threads when the first registration is refused"),
            ("mmap", "zstd's threads take arenas by timing"),
            ("munmap", "likewise"),
            ("mprotect", "likewise"),
            ("madvise", "likewise"),
        ])
        .limit_secs(90)
}
