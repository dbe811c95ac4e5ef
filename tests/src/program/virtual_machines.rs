//! node, java and mono with their compilers at work.

use crate::spec::{End, Test};

pub fn tests() -> Vec<Test> {
    let node = node();
    let node = node.as_str();
    vec![
        Test::program("node/starts_and_ends")
            .needs(&["nodejs"])
            .run(&[node, "-e", "process.exit(4)"])
            .ends(End::Exit(4))
            .run(&[node, "-e", "throw new Error('uncaught')"])
            .ends(End::Exit(1)),
        Test::program("node/optimises_and_deoptimises")
            .needs(&["nodejs"])
            .with_files("virtual_machines")
            .run(&[node, "jit.js"]),
        Test::program("node/worker_threads_share_memory")
            .needs(&["nodejs"])
            .with_files("virtual_machines")
            .run(&[node, "workers.js"]),
        Test::program("node/children_files_and_sockets")
            .needs(&["nodejs"])
            .with_files("virtual_machines")
            .run(&[node, "system.js"]),
        java("compiled_threads_throw", &["java", "-cp", "classes", "Compute"]).ends(End::Exit(1)),
        java("interpreter_only", &["java", "-Xint", "-cp", "classes", "Compute", "small"]).ends(End::Exit(1)),
        java("other_collectors", &["java", "-XX:+UseSerialGC", "-cp", "classes", "Compute"])
            .ends(End::Exit(1))
            .run(&["java", "-XX:+UseParallelGC", "-cp", "classes", "Compute"])
            .ends(End::Exit(1)),
        Test::program("mono/compiles_and_runs")
            .needs(&["mono-mcs", "mono-runtime"])
            .with_files("virtual_machines")
            .run(&["mcs", "Features.cs"])
            .run(&["mono", "Features.exe"])
            .ends(End::Exit(5))
            // Each compilation has a number of its own.
            .ignore_files("Features.exe")
            .limit_secs(90),
        java("compiler_runs", &["javac", "-d", "again", "Compute.java"]),
    ]
}

/// The `node` on the caller's PATH, else the distribution's.
fn node() -> String {
    std::env::var_os("PATH")
        .and_then(|path| {
            std::env::split_paths(&path).map(|directory| directory.join("node")).find(|path| path.is_file())
        })
        .map_or_else(|| "node".to_owned(), |path| path.display().to_string())
}

fn java(name: &str, argv: &[&str]) -> Test {
    Test::program(&format!("java/{name}"))
        .needs(&["openjdk-17-jdk-headless"])
        .with_files("virtual_machines")
        .prepare(&["javac", "-d", "classes", "Compute.java"])
        .run(argv)
        .limit_secs(180)
}
