#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| bro_buddy::fuzzing::converse_stream(input));
