//! The state in a file, so that a lab can be stopped and started again.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use super::state::State;

/// Writes the state. The file is replaced as a whole: after a crash it is the old or the new one.
///
/// # Errors
/// When the file or its directory cannot be written.
pub fn save(state: &State, path: &Path) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut writer = BufWriter::new(File::create(&fresh)?);
    serde_json::to_writer(&mut writer, state)?;
    writer.flush()?;
    writer.get_ref().sync_all()?;
    fs::rename(&fresh, path)
}

/// Reads a state that [`save`] has written.
///
/// # Errors
/// When the file cannot be read, or is no such state (kind `InvalidData`).
pub fn load(path: &Path) -> io::Result<State> {
    let reader = BufReader::new(File::open(path)?);
    serde_json::from_reader(reader)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
