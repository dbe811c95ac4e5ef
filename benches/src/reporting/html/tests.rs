//! What the page holds, and that it works in a browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::load::Rows;
use super::super::{fixture, plots, published, tables};
use super::*;

fn data() -> Data {
    Data::of(Rows { rows: fixture::rows(), warnings: vec!["left <out>".to_owned()] })
}

fn text(data: &Data) -> String {
    let published = published::read().unwrap();
    page(data, &tables::all(data, &published), &plots::choose::all(data, &published)).unwrap()
}

#[test]
fn every_row_is_in_the_page() {
    let data = data();
    let text = text(&data);
    for outcome in data.outcomes() {
        assert!(text.contains(&format!("data-key=\"{}\"", outcome.key())), "{}", outcome.key());
    }
    for part in ["left &lt;out&gt;", "Example CPU 9000", "runsc is not on PATH", "value=\"direct relaxed\""] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn nothing_is_fetched() {
    let text = text(&data());
    let rest = text.replace("http://www.w3.org/2000/svg", "");
    for part in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!rest.contains(part), "{part}");
    }
}

#[test]
fn no_rows_is_a_page_too() {
    assert!(text(&Data::default()).contains("No rows."));
}

/// What a reader would do; the result is left in the document for the test to find.
const VISIT: &str = r##"<script>
(() => {
  const result = [];
  const table = document.querySelector("#table-singularity + p + div table");
  const heading = table.tHead.rows[0].cells[2];
  const figures = () => Array.from(table.tBodies[0].rows, (row) => Number(row.cells[2].dataset.value));
  const sorted = (sign) => figures().every((value, index, all) => index === 0 || sign * (value - all[index - 1]) >= 0);
  heading.click();
  result.push("ascending " + sorted(1));
  heading.click();
  result.push("descending " + sorted(-1));
  const toggle = (kind, value) => document.querySelector(`input[data-filter="${kind}"][value="${value}"]`).click();
  const shown = () => document.querySelector("td[data-way=translate]").offsetParent !== null;
  toggle("way", "translate");
  result.push("hidden " + !shown());
  toggle("way", "translate");
  result.push("shown " + shown());
  toggle("suite", "vmware");
  result.push("suite " + (document.querySelector("section[data-suite=vmware]").offsetParent === null));
  toggle("suite", "vmware");
  const bar = document.querySelector("svg .hit");
  bar.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: 10, clientY: 10 }));
  result.push("tip " + (!document.getElementById("tip").hidden && document.getElementById("tip").textContent.length > 5));
  document.body.dataset.visit = result.join(", ");
})();
</script>"##;

#[test]
fn page_works_in_a_browser() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_installed(name))
    else {
        eprintln!("no browser: apt-get install chromium");
        return;
    };
    let directory = Directory::new();
    let path = directory.0.join("report.html");
    let data = data();
    fs::write(&path, text(&data).replace("</body>", &format!("{VISIT}</body>"))).unwrap();
    let output = Command::new("timeout")
        .args([
            "--kill-after=5",
            "120",
            browser,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args(["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", directory.0.join("profile").display()))
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = messages.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(console.is_empty(), "{console:?}");
    let document = String::from_utf8_lossy(&output.stdout);
    assert!(document.contains("data-ready=\"yes\""), "the script did not end: {messages}");
    for outcome in data.outcomes() {
        assert!(document.contains(&format!("data-key=\"{}\"", outcome.key())), "{}", outcome.key());
    }
    let visit = "data-visit=\"ascending true, descending true, hidden true, shown true, suite true, tip true\"";
    assert!(document.contains(visit), "{:?}", document.split("data-visit=").nth(1).map(|rest| &rest[..120]));
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// A directory that goes away with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("bt-bench-page-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(Path::new(&self.0));
    }
}
