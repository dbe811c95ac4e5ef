//! What is measured: each file is a suite, or what suites are made of, and names what is run. Nothing is run here.

pub(crate) mod benchmark;
mod c_source;
mod calls;
pub(crate) mod compute;
pub(crate) mod drivers;
pub(crate) mod dynamorio;
mod interpose;
pub(crate) mod invocation;
pub(crate) mod mechanisms;
mod memory;
mod noted;
mod pieces;
mod pipelines;
pub(crate) mod programs;
pub(crate) mod promises;
mod servers;
mod singularity;
mod small_pieces;
mod startup;
mod switch;
mod syscall;
mod vmware;
pub(crate) mod workload;

use benchmark::Suite;

/// What `bt-bench run` runs.
pub(crate) const SUITES: &[&Suite] = &[
    &singularity::SUITE,
    &vmware::SUITE,
    &switch::SUITE,
    &interpose::SUITE,
    &startup::SUITE,
    &compute::SUITE,
    &programs::SUITE,
    &syscall::SUITE,
    &pipelines::SUITE,
    &servers::SUITE,
];

/// What `bt-bench speed` holds against the targets of an engine.
pub(crate) const SPEED: &[&Suite] =
    &[&compute::SPEED, &programs::SUITE, &startup::SPEED, &syscall::SPEED, &memory::SUITE, &mechanisms::SUITE];

/// What `bt-bench emulation` holds against the targets of the levels of emulation.
pub(crate) const EMULATION: &[&Suite] =
    &[&calls::SUITE, &noted::SUITE, &pieces::SUITE, &small_pieces::SUITE, &compute::LEVELS];
