#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| opencontrail_fuzz::targets::agent(text));
