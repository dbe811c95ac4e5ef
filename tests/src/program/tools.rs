//! sqlite3, openssl, git, make, valgrind.

use crate::spec::{End, Test};

pub fn tests() -> Vec<Test> {
    vec![
        Test::program("sqlite3/creates_queries_and_recovers")
            .needs(&["sqlite3"])
            .with_files("tools")
            .run(&["sqlite3", "-bail", "data.db", ".read fill.sql"])
            .run(&["sqlite3", "data.db", ".read query.sql"])
            .run(&["sqlite3", "data.db", "pragma integrity_check"])
            .run(&["sqlite3", "-bail", "data.db", "select * from absent"])
            .ends(End::Exit(1))
            .run(&["sqlite3", "data.db", ".dump"])
            .calls_equal(),
        openssl(),
        git("makes_history"),
        Test::program("make/parallel_build_equals_native")
            .needs(&["make", "gcc", "libc6-dev", "binutils"])
            .with_files("make")
            .run(&["make", "-s", "-j2"])
            .run(&["./program", "3"])
            .run(&["make", "-q"])
            .run(&["make", "-s", "fails"])
            .ends(End::Exit(2))
            .limit_secs(120),
        Test::program("valgrind/programs_are_instrumented")
            .needs(&["valgrind"])
            .run(&["valgrind", "-q", "--tool=none", "/bin/true"])
            .run(&["valgrind", "-q", "--tool=none", "/bin/echo", "a word"])
            .run(&["valgrind", "-q", "/bin/echo", "memory is checked"])
            .run(&["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=/dev/null", "/bin/echo", "calls"])
            .run(&["valgrind", "-q", "--tool=helgrind", "/bin/echo", "locks"])
            .run(&["valgrind", "-q", "--tool=none", "/bin/false"])
            .ends(End::Exit(1))
            .limit_secs(120),
    ]
}

fn openssl() -> Test {
    Test::program("openssl/digests_ciphers_keys_and_certificates")
        .needs(&["openssl"])
        .with_files("coreutils")
        .run(&["openssl", "dgst", "-sha256", "words"])
        .run(&["openssl", "dgst", "-sha3-512", "words"])
        .run(&[
            "openssl",
            "enc",
            "-aes-256-cbc",
            "-pbkdf2",
            "-pass",
            "pass:x",
            "-S",
            "0011223344556677",
            "-in",
            "words",
            "-out",
            "cipher",
        ])
        .run(&[
            "openssl",
            "enc",
            "-d",
            "-aes-256-cbc",
            "-pbkdf2",
            "-pass",
            "pass:x",
            "-S",
            "0011223344556677",
            "-in",
            "cipher",
        ])
        .run(&["openssl", "enc", "-chacha20", "-K", "00", "-iv", "00", "-in", "words", "-out", "stream"])
        .any_stderr()
        .run(&["openssl", "genrsa", "-out", "key.pem", "2048"])
        .run(&["openssl", "rsa", "-in", "key.pem", "-check", "-noout"])
        .run(&["openssl", "dgst", "-sha256", "-sign", "key.pem", "-out", "signature", "words"])
        .run(&["openssl", "rsa", "-in", "key.pem", "-pubout", "-out", "public.pem"])
        .run(&["openssl", "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "words"])
        .run(&[
            "openssl", "req", "-x509", "-new", "-key", "key.pem", "-subj", "/CN=test", "-days", "1", "-out", "cert.pem",
        ])
        .run(&["openssl", "verify", "-CAfile", "cert.pem", "cert.pem"])
        .run(&["openssl", "prime", "170141183460469231731687303715884105727"])
        .run(&["openssl", "dgst", "-sha256", "-verify", "public.pem", "-signature", "cipher", "words"])
        .ends(End::Exit(1))
        // A fresh key each time.
        .ignore_files("key.pem")
        .ignore_files("public.pem")
        .ignore_files("cert.pem")
        .ignore_files("signature")
        .calls_equal_except(&[
            ("getpid", "the search for primes asks at every random number"),
            ("getrandom", "likewise"),
            ("brk", "numbers of varying size"),
        ])
        .limit_secs(90)
}

/// git's own times are fixed by the environment, so every object is the same byte for byte.
fn git(name: &str) -> Test {
    let mut test = Test::program(&format!("git/{name}")).needs(&["git"]).with_files("tools");
    let commands: &[&[&str]] = &[
        &["git", "init", "-q", "-b", "main", "repo"],
        &["git", "-C", "repo", "add", "-A"],
        &["cp", "fill.sql", "query.sql", "repo"],
        &["git", "-C", "repo", "add", "."],
        &["git", "-C", "repo", "commit", "-q", "-m", "first"],
        &["git", "-C", "repo", "checkout", "-q", "-b", "side"],
        &["git", "-C", "repo", "mv", "query.sql", "renamed.sql"],
        &["git", "-C", "repo", "commit", "-q", "-m", "second"],
        &["git", "-C", "repo", "checkout", "-q", "main"],
        &["git", "-C", "repo", "commit", "-q", "--allow-empty", "-m", "third"],
        &["git", "-C", "repo", "merge", "-q", "--no-edit", "side"],
        &["git", "-C", "repo", "log", "--stat", "--graph"],
        &["git", "-C", "repo", "diff", "HEAD~1", "HEAD"],
        &["git", "-C", "repo", "gc", "-q"],
        &["git", "-C", "repo", "fsck", "--full"],
        &["git", "clone", "-q", "repo", "copy"],
        &["git", "clone", "-q", "--no-hardlinks", "--bare", "repo", "bare.git"],
        &["git", "-C", "copy", "log", "--format=%H %s %an %ad"],
        &["git", "-C", "copy", "blame", "renamed.sql"],
        &["git", "-C", "copy", "grep", "-n", "select"],
        &["git", "-C", "copy", "status", "--short"],
    ];
    for command in commands {
        test = test.run(command);
        for (variable, value) in [
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_EMAIL", "a@example.org"),
            ("GIT_AUTHOR_DATE", "2024-01-01T00:00:00Z"),
            ("GIT_COMMITTER_NAME", "C"),
            ("GIT_COMMITTER_EMAIL", "c@example.org"),
            ("GIT_COMMITTER_DATE", "2024-01-01T00:00:00Z"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
        ] {
            test = test.env(variable, value);
        }
    }
    // The index holds inode numbers and times; reflog and packs are compared.
    test.ignore_files("repo/.git/index").ignore_files("copy/.git/index").limit_secs(90)
}
