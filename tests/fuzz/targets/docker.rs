//! The requests of Docker, and the options of its commands.

use cnm_opencontrail::fuzzing::{read_options, reads_note};
use cnm_opencontrail::proto::{Call, Options};

use super::{check_error, used};

/// The path of a request and, after the end of the first line, its body.
pub fn docker_request(text: &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (path, body) = text.split_at(end.unwrap_or(text.len()));
    let path = String::from_utf8_lossy(path);
    if let Err(error) = Call::parse(&path, body) {
        check_error(&error);
    }
}

/// Options as a JSON object, as those of a network, an endpoint and a pool.
pub fn docker_options(text: &[u8]) {
    if let Ok(options) = serde_json::from_slice::<Options>(text) {
        used(read_options(&options));
    }
}

/// The annotation of a virtual network, which any tenant can write.
pub fn annotation(text: &[u8]) {
    used(reads_note(&String::from_utf8_lossy(text)));
}
