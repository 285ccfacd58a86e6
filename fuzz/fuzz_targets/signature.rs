#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| local_signature::fuzzing::signature(input));
