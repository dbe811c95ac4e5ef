//! x86-64 instruction decoding.
