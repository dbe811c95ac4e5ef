//! The launcher's own command line: what it prints, and how it ends on bad input.

mod bench;
mod broken_images;
mod code;
mod command_line;
mod handoff;
mod images;
mod limits;
mod stale_images;
mod statistics;
mod withheld;

use crate::spec::{Action, Kind, Test};

pub use bench::{Bench, Check};
pub use handoff::honest_string;

/// All of them.
pub fn collect() -> Vec<Test> {
    let checks: &[(&str, Check)] = &[
        ("help_and_version_are_told", command_line::help_and_version),
        ("unknown_options_are_refused", command_line::unknown_options),
        ("missing_program_exits_127", command_line::missing_program),
        ("what_cannot_be_executed_exits_126", broken_images::not_executable),
        ("broken_images_never_break_the_launcher", broken_images::broken_images),
        ("unusual_images_are_noted", broken_images::unusual_image),
        ("path_is_searched_as_a_shell_does", command_line::path_search),
        ("trace_prints_calls", command_line::trace),
        ("children_run_natively_without_following", command_line::no_follow),
        ("perf_map_names_code", code::perf_map),
        ("touches_no_state_the_gate_does_not_save", code::instructions),
        ("small_caches_start_anew_under_threads", code::small_cache),
        ("strict_finds_hidden_calls", code::strict),
        ("statistics_lines_are_whole", statistics::whole_lines),
        ("calls_are_answered_at_their_level", statistics::answers),
        ("statistics_tell_the_time_in_calls", statistics::times),
        ("forged_handoffs_gain_nothing", handoff::forged_fields),
        ("bytes_of_a_handoff_may_be_anything", handoff::forged_bytes),
        ("address_space_may_be_limited", limits::address_space),
        ("data_may_be_limited", limits::data),
        ("locked_memory_may_be_limited", limits::locked_memory),
        ("images_are_kept_and_checked", images::check),
        ("images_are_filled_at_once_and_killed", images::check_fill),
        ("images_do_not_need_room", images::check_full),
        ("images_that_cannot_be_used_are_replaced", images::check_replacement),
        ("images_stay_when_descriptors_are_short", images::check_shortage),
        ("images_hold_sites_that_trap", images::check_traps),
        ("suites_are_compared_with_native", crate::suite::check_tiny),
        ("images_of_disks_are_told_apart", stale_images::disks),
        ("images_follow_shared_mappings", stale_images::shared_mapping),
        ("images_that_are_missing_are_told_of", images::check_cold),
        ("images_are_kept_of_libraries_with_text_first", images::check_text_first),
        ("doubtful_pages_alone_are_translated", withheld::pages_alone),
    ];
    let test = |&(name, check): &(&str, Check)| {
        let test = Test::new(&format!("launcher/{name}"), Kind::Launcher, Action::Launcher(check));
        // They are about the code cache.
        let translates = matches!(name, "perf_map_names_code" | "small_caches_start_anew_under_threads");
        let in_place = name.starts_with("images_") || name.starts_with("strict_") || name.starts_with("doubtful_");
        if name.contains("handoff") {
            return test.needs(&["perl", "strace"]);
        }
        match (translates, in_place) {
            (true, _) => test.only_under("translate"),
            _ if name.ends_with("_may_be_limited") => test.needs(&["python3"]),
            (_, true) => test.only_under("direct").needs(&["busybox-static", "e2fsprogs", "mount", "python3"]),
            _ => test,
        }
    };
    checks.iter().map(test).collect()
}
