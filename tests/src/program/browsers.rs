//! Browsers with their sandboxes, which filter system calls by their arguments and make namespaces.

use crate::spec::Test;

pub fn tests() -> Vec<Test> {
    vec![
        browser("chromium", "--headless --disable-gpu --user-data-dir=profile --dump-dom").prints("sum 57930"),
        browser("firefox-esr", "--headless --no-remote --profile profile --window-size=200,200 --screenshot shot.png"),
    ]
}

/// They have no sandbox, or refuse to run, as root.
fn browser(package: &'static str, options: &str) -> Test {
    let shown =
        format!("exec unshare --user --map-user=1234 --map-group=1234 {package} {options} file://$PWD/page.html");
    Test::program(&format!("{package}/shows_a_page_from_its_sandbox"))
        .needs(&[package, "util-linux"])
        .with_files("browsers")
        .prepare(&["mkdir", "profile"])
        .run(&["sh", "-c", &shown])
        .any_stderr()
        .ignore_files("profile")
        .ignore_files(".")
        .limit_secs(90)
        .alone()
}
