//! grep, sed, awk, perl.

use crate::spec::{End, Test};

/// libsigsegv, which grep and gawk start, reads /proc/self/maps into a buffer that it enlarges when the runtime's
/// mappings no longer fit.
const MAPS: &str = "the list of mappings is longer, and read again into a larger buffer";

pub fn tests() -> Vec<Test> {
    vec![
        Test::program("grep/searches_a_tree")
            .needs(&["grep"])
            .with_files("coreutils")
            .run(&["grep", "-r", "-n", "-E", "struct [a-z_]+ \\{", "/usr/include/linux"])
            .run(&["grep", "-c", "e", "words"])
            .run(&["grep", "-P", "(?<=a)p+", "words"])
            .run(&["grep", "-v", "-i", "A", "words"])
            .run(&["grep", "nothing like this", "words"])
            .ends(End::Exit(1))
            .calls_equal_except(&[("lseek", MAPS), ("mmap", MAPS), ("munmap", MAPS), ("read", MAPS)]),
        Test::program("sed/edits_streams_and_files")
            .needs(&["sed"])
            .with_files("coreutils")
            .run(&["sed", "-n", "2,4p;$=", "words"])
            .run(&["sed", "-E", "s/(.)(.)/\\2\\1/g;y/abc/xyz/", "words"])
            .run(&["sed", "-i.bak", "1d;/e$/s/^/> /", "words"])
            .run(&["sed", ":a;N;$!ba;s/\\n/,/g", "numbers"])
            .run(&["sed", "s/unfinished"])
            .ends(End::Exit(1))
            .calls_equal_except(&[("getrandom", "mkostemp draws again when a number would bias the name")]),
        awk("mawk").calls_equal(),
        awk("gawk").needs(&["gawk"]).calls_equal_except(&[("read", MAPS), ("mmap", MAPS), ("munmap", MAPS)]),
        Test::program("perl/script_runs").needs(&["perl"]).with_files("languages").run(&[
            "perl",
            "features.pl",
            "argument",
        ]),
        Test::program("perl/forks_and_signals").needs(&["perl"]).with_files("languages").run(&["perl", "processes.pl"]),
    ]
}

fn awk(name: &str) -> Test {
    Test::program(&format!("awk/{name}_computes"))
        .with_files("coreutils")
        .run(&[
            name,
            "{ sum += $2; n[$1]++ } END { print sum, length(n); for (k in n) print k, n[k] | \"sort\" }",
            "numbers",
        ])
        .run(&[
            name,
            "BEGIN { while ((\"echo from a pipe\" | getline line) > 0) print line; printf \"%.10f\\n\", atan2(0, -1) }",
        ])
        .run(&[name, "BEGIN { for (i = 0; i < 300000; i++) s = (s * 31 + i) % 65521; print s; exit 4 }"])
        .ends(End::Exit(4))
}
