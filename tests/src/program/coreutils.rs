//! coreutils, find and xargs.

use crate::spec::{End, Test};

fn coreutils(name: &str) -> Test {
    Test::program(&format!("coreutils/{name}")).needs(&["coreutils"]).with_files("coreutils")
}

pub fn tests() -> Vec<Test> {
    [text_tools(), file_tools()].concat()
}

/// What prints, and what reads text.
fn text_tools() -> Vec<Test> {
    vec![
        coreutils("ls_lists_a_directory").run(&["ls", "-la", "--time-style=+", "/usr"]).calls_equal(),
        coreutils("true_and_false_exit").run(&["true"]).run(&["false"]).ends(End::Exit(1)).calls_equal(),
        coreutils("cat_copies_input").run(&["cat", "-", "words"]).stdin("from standard input\n").calls_equal(),
        coreutils("cat_of_a_missing_file_complains").run(&["cat", "no-such-file"]).ends(End::Exit(1)).calls_equal(),
        coreutils("echo_and_printf_print")
            .run(&["echo", "-e", "a\\tb\\n"])
            .run(&["printf", "%05d %s %x %.3f\\n", "42", "text", "255", "3.14159"])
            .calls_equal(),
        coreutils("sort_orders_lines")
            .run(&["sort", "words"])
            .run(&["sort", "-rn", "-k2", "numbers"])
            .run(&["sort", "-u", "-f", "words"])
            // sort sizes its buffers by free memory and its threads by CPUs.
            .calls_equal_except(&[
                ("futex", "helper threads meet differently each time"),
                ("madvise", "thread stacks are given back or kept by timing"),
                ("munmap", "thread stacks are given back or kept by timing"),
            ]),
        coreutils("sort_of_many_lines_uses_threads")
            .prepare(&["sh", "-c", "seq 1 300000 > big"])
            .run(&["sort", "--parallel=4", "-R", "--random-source=words", "-o", "shuffled", "big"])
            .run(&["sort", "--parallel=4", "-n", "-o", "sorted", "shuffled"])
            .run(&["cmp", "big", "sorted"]),
        coreutils("digests_agree")
            .run(&["md5sum", "words", "numbers"])
            .run(&["sha1sum", "words"])
            .run(&["sha256sum", "words"])
            .run(&["sha512sum", "words"])
            .run(&["b2sum", "words"])
            .run(&["cksum", "words"])
            .calls_equal(),
        coreutils("text_tools_cut_and_join")
            .run(&["cut", "-d", " ", "-f", "1", "numbers"])
            .run(&["tr", "a-z", "A-Z"])
            .stdin("lower case\n")
            .run(&["uniq", "-c", "words"])
            .run(&["wc", "words", "numbers"])
            .run(&["head", "-n", "3", "words"])
            .run(&["tail", "-n", "3", "words"])
            .run(&["tac", "words"])
            .run(&["paste", "words", "numbers"])
            .run(&["nl", "words"])
            .run(&["fold", "-w", "4", "words"])
            .run(&["od", "-A", "x", "-t", "x1z", "words"])
            .run(&["base64", "words"])
            .run(&["comm", "--nocheck-order", "words", "numbers"])
            .run(&["expand", "words"])
            .run(&["fmt", "-w", "20", "words"])
            .run(&["seq", "-w", "0", "0.5", "10"])
            .run(&["factor", "18446744073709551557", "1000000007000000"])
            .run(&["expr", "6", "*", "7"])
            .run(&["basename", "/a/b/c.txt", ".txt"])
            .run(&["shuf", "--random-source=words", "-n", "5", "numbers"]),
    ]
}

/// What changes files, starts programs, and asks the system.
fn file_tools() -> Vec<Test> {
    vec![
        coreutils("file_tools_change_the_tree")
            .run(&["mkdir", "-p", "a/b/c", "d"])
            .run(&["touch", "-d", "2020-02-02 02:02:02", "a/file"])
            .run(&["cp", "-a", "words", "a/b/copy"])
            .run(&["ln", "-s", "../words", "a/link"])
            .run(&["ln", "words", "d/hard"])
            .run(&["mv", "a/b/copy", "d/moved"])
            .run(&["chmod", "-R", "u=rwX,go=", "a"])
            .run(&["truncate", "-s", "12345", "d/sparse"])
            .run(&["dd", "if=words", "of=d/dd", "bs=7", "skip=1", "status=none"])
            .run(&["split", "-b", "50", "words", "d/part."])
            .run(&["csplit", "-s", "-f", "d/cs.", "words", "3"])
            .run(&["stat", "-c", "%n %s %F %a", "a/file", "d/hard", "a/link"])
            .run(&["readlink", "-f", "a/link"])
            .run(&["rm", "-r", "a/b"])
            .run(&["rmdir", "a/b"])
            .ends(End::Exit(1))
            .run(&["tee", "d/tee"])
            .stdin("both ways\n")
            .run(&["install", "-m", "750", "words", "d/installed"])
            .run(&["du", "--apparent-size", "-b", "-a", "d"])
            .run(&["test", "-x", "d/installed"])
            .calls_equal(),
        coreutils("wrappers_execute_programs")
            .run(&["env", "-i", "A=b", "env"])
            .run(&["nice", "-n", "5", "nice"])
            .run(&["nohup", "echo", "kept"])
            .any_stderr()
            .run(&["timeout", "20", "sh", "-c", "echo in time"])
            .run(&["timeout", "0.05", "sh", "-c", "while :; do :; done"])
            .ends(End::Exit(124))
            .run(&["stdbuf", "-oL", "cat", "words"])
            .run(&["env", "no-such-program"])
            .ends(End::Exit(127))
            .run(&["env", "/etc/passwd"])
            .ends(End::Exit(126)),
        coreutils("system_queries_answer")
            .run(&["uname", "-srm"])
            .run(&["id", "-u"])
            .run(&["pwd"])
            .run(&["nproc"])
            .run(&["date", "-u", "-d", "@1000000000"])
            .run(&["printenv", "LC_ALL"])
            .run(&["tty"])
            .ends(End::Exit(1))
            .run(&["arch"])
            .run(&["getconf", "PAGESIZE"])
            .calls_equal(),
        Test::program("findutils/find_walks_and_executes")
            .needs(&["findutils"])
            .with_files("coreutils")
            .prepare(&["sh", "-c", "mkdir -p t/x/y t/z; touch t/x/1 t/x/y/2 t/z/3; ln -s x t/l"])
            .run(&["find", "t", "-printf", "%p %y\\n"])
            .run(&["find", "t", "-type", "f", "-exec", "basename", "{}", ";"])
            .run(&["find", "t", "-type", "f", "-exec", "echo", "{}", "+"])
            .calls_equal(),
        Test::program("findutils/find_feeds_xargs")
            .needs(&["findutils"])
            .prepare(&["sh", "-c", "mkdir t; for i in 1 2 3 4 5 6 7 8 9; do echo $i > \"t/file $i\"; done"])
            .run(&["sh", "-c", "find t -type f -print0 | sort -z | xargs -0 -n 2 cat"])
            .run(&["sh", "-c", "find t -type f -print0 | xargs -0 -P 4 -n 1 wc -c | sort"]),
    ]
}
