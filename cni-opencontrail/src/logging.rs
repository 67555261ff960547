//! Messages go to standard error and, if asked for, to a file; never to standard output.

use std::fs::File;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use contrail_core::files;
use contrail_core::settings::LogSettings;
use log::LevelFilter;

/// Starts logging; a second call changes nothing. A file that cannot be opened is reported and
/// otherwise done without: no container may fail for its log.
pub fn start(settings: &LogSettings) {
    let opened = settings.file.as_deref().map(files::open_log);
    let (file, failure) = match opened {
        None => (None, None),
        Some(Ok(file)) => (file, None),
        Some(Err(e)) => (None, Some(e)),
    };
    let level = settings.level;
    let started = env_logger::Builder::new()
        // Libraries may log headers, and headers hold tokens.
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("contrail_core", level)
        .filter_module("cni_opencontrail", level)
        .target(env_logger::Target::Pipe(Box::new(Tee { file })))
        .format(|out, record| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let time = utc(since.unwrap_or_default().as_secs());
            let pid = std::process::id();
            let level = record.level().as_str().to_ascii_lowercase();
            writeln!(
                out,
                "{time} cni-opencontrail[{pid}] {level}: {}",
                record.args()
            )
        })
        .try_init();
    if let (Ok(()), Some(path), Some(e)) = (started, &settings.file, failure) {
        log::warn!("cannot write log file {}: {e}", path.display());
    }
}

struct Tee {
    file: Option<File>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One call per line for each: lines of parallel processes stay whole.
        if let Some(file) = &mut self.file {
            file.write_all(bytes).ok();
        }
        io::stderr().write_all(bytes).ok();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Seconds since 1970 as `2026-11-24T22:57:16Z`.
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // The Gregorian calendar from a day number, counted in eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_everybody_reads_them() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_795_561_036), "2026-11-24T22:57:16Z");
        assert_eq!(utc(4_107_542_399), "2100-02-28T23:59:59Z");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
