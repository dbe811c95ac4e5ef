//! The table of cases.

use super::{bench, blocks, boundaries, device, faults, module, programs, programs_ring0, promptness, servers};
use crate::case::{Case, case};

/// Every case, in the order in which they run.
pub const CASES: &[Case] = &[
    case("module_loads", module::loads),
    case("module_unloads", module::unloads),
    case("programs_run_natively", programs::run_natively),
    case("c_programs_run_natively", programs::c_programs_run_natively),
    case("servers_run_natively", servers::run_natively),
    case("launcher_runs", programs::launcher_runs),
    case("ring0_loops_are_hot", programs_ring0::loops_are_hot),
    case("ring0_mixed_calls_are_hot", programs_ring0::mixed_calls_are_hot),
    case("ring0_dd_bytes_is_hot", programs_ring0::dd_bytes_is_hot),
    case("ring0_dd_copies_a_file", programs_ring0::dd_copies_a_file),
    case("ring0_cat_is_hot", programs_ring0::cat_is_hot),
    case("ring0_sqlite_selects", programs_ring0::sqlite_selects),
    case("ring0_signals_are_handled", programs_ring0::signals_are_handled),
    case("ring0_threads_are_hot", programs_ring0::threads_are_hot),
    case("ring0_shell_scripts_run", programs_ring0::shell_scripts_run),
    case("ring0_nginx_answers", programs_ring0::nginx_answers),
    case("ring0_httpd_answers", programs_ring0::httpd_answers),
    case("ring0_redis_answers", programs_ring0::redis_answers),
    case("ring0_is_measured", bench::measures),
    case("ring0_blocks_are_as_native", blocks::are_as_native),
    case("ring0_faults_are_the_programs", faults::are_the_programs),
    case("ring0_vector_registers_stay", faults::vector_registers_stay),
    case("ring0_spinning_is_killed", promptness::spinning_is_killed),
    case("ring0_calling_is_killed", promptness::calling_is_killed),
    case("ring0_waiting_is_killed", promptness::waiting_is_killed),
    case("ring0_programs_stop_and_go_on", promptness::programs_stop_and_go_on),
    case("ring0_timers_strike", promptness::timers_strike),
    case("ring0_filters_see_calls", boundaries::filters_see_calls),
    case("ring0_tracers_attach", boundaries::tracers_attach),
    case("ring0_launcher_is_traced", boundaries::launcher_is_traced),
    case("ring0_families_go_on", boundaries::families_go_on),
    case("ring0_descriptors_are_closed", boundaries::descriptors_are_closed),
    case("ring0_descriptors_are_taken", boundaries::descriptors_are_taken),
    case("ring0_descriptors_are_few", boundaries::descriptors_are_few),
    case("ring0_descriptors_are_hidden", boundaries::files_are_seen_as_natively),
    case("ring0_root_changes", boundaries::root_changes),
    case("ring0_user_changes", boundaries::user_changes),
    case("ring0_module_is_missed", boundaries::module_is_missed),
    case("device_refuses", device::refuses),
    case("device_memory_is_the_processs_own", device::memory_is_the_processs_own),
    case("device_bases_are_followed", device::bases_are_followed),
    case("device_stack_is_exact", device::stack_is_exact),
    case("device_flags_stay", device::flags_stay),
    case("device_random_units_do_no_harm", device::random_units_do_no_harm),
    case("device_code_goes_while_it_runs", device::code_goes_while_it_runs),
    case("device_strings_are_interrupted", device::strings_are_interrupted),
    case("device_open_keeps_the_module", device::open_device_keeps_the_module),
    case("module_cycles_leave_nothing", device::cycles_leave_nothing),
    // Last: an opcode that is on the list and must not be ends the machine.
    case("device_opcodes_do_no_harm", device::opcodes_do_no_harm),
];

#[cfg(test)]
mod tests {
    use super::CASES;
    use crate::case::select;

    #[test]
    fn names_are_words_and_no_name_is_there_twice() {
        let mut names: Vec<_> = CASES.iter().chain(crate::figures::FIGURES).map(|case| case.name).collect();
        assert!(names.iter().all(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')));
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn filters_are_parts_of_names() {
        assert_eq!(select(CASES, &["module_loads".to_owned(), "module_unloads".to_owned()]).len(), 2);
        assert_eq!(select(CASES, &[]).len(), CASES.len());
    }
}
