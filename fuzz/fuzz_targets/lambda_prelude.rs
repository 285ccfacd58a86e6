#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| local_lambda::fuzzing::prelude(input));
