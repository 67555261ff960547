//! The log of a program: standard error, and a file if the settings name one. It never goes to
//! standard output, which is for results.
//!
//! No call fails or waits for its log: a message that standard error or the file does not take is lost
//! there, and the next one that is taken says how many were.

use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use log::{Level, LevelFilter};

use super::stderr::Patient;
use crate::error::{Error, report, visible};
use crate::files;
use crate::settings::LogSettings;

/// How long messages wait in each second for a reader of standard error that is busy.
const PATIENCE: Duration = Duration::from_millis(100);

/// Starts the log of `program`, such as `cni-opencontrail`; a second call changes nothing.
///
/// The level holds for the crate of the program, whose name has `_` for `-`, and for this one.
/// Other crates log warnings at most: they may log headers, and headers hold tokens.
///
/// A log file that cannot be written is logged as a warning: no container fails for its log.
pub fn start(program: &'static str, settings: &LogSettings) {
    let (output, failure) = Output::open(program, settings);
    let level = settings.level;
    let started = env_logger::Builder::new()
        .filter_level(level.min(LevelFilter::Warn))
        .filter_module("contrail_core", level)
        .filter_module(&program.replace('-', "_"), level)
        .target(env_logger::Target::Pipe(Box::new(output)))
        .format(move |out, record| {
            let line = Line {
                program,
                level: record.level(),
                message: record.args(),
            };
            writeln!(out, "{line}")
        })
        .try_init();
    if let (Ok(()), Some(error)) = (started, failure) {
        log::warn!("{}", report(&error));
    }
}

/// A line of the log. Names and values in messages come from anywhere, so none of them acts on a terminal or
/// begins a line of its own.
struct Line<M> {
    program: &'static str,
    level: Level,
    message: M,
}

impl<M: Display> Display for Line<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, pid) = (Timestamp::now(), std::process::id());
        let level = self.level.as_str().to_ascii_lowercase();
        let (program, message) = (self.program, visible(&self.message.to_string()));
        write!(f, "{time:.3} {program}[{pid}] {level}: {message}")
    }
}

/// Standard error and the log file.
struct Output {
    program: &'static str,
    stderr: Lossy<Patient>,
    file: Option<Lossy<File>>,
}

impl Output {
    /// The output that the settings describe, and why its file cannot be written, if it cannot.
    fn open(program: &'static str, settings: &LogSettings) -> (Self, Option<Error>) {
        let mut output = Self {
            program,
            stderr: Lossy::new(Patient::stderr(PATIENCE), "standard error"),
            file: None,
        };
        let Some(path) = &settings.file else {
            return (output, None);
        };
        match files::open_log(path) {
            Ok(file) => {
                output.file = file.map(|file| Lossy::new(file, "the log file"));
                (output, None)
            }
            Err(error) => (output, Some(Error::file("write log file", path, error))),
        }
    }
}

impl Write for Output {
    /// Takes a whole line.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.line(self.program, bytes);
        }
        self.stderr.line(self.program, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream of lines that may lose some.
struct Lossy<W> {
    stream: W,
    /// What it is, in words.
    name: &'static str,
    lost: Option<Lost>,
    /// The last line was written in part.
    cut: bool,
}

/// Lines that a stream did not take.
struct Lost {
    count: u64,
    /// Why the first one was lost.
    reason: io::Error,
}

impl<W: Write> Lossy<W> {
    fn new(stream: W, name: &'static str) -> Self {
        Self {
            stream,
            name,
            lost: None,
            cut: false,
        }
    }

    /// Writes a line, or counts it. One call for each line: those of parallel processes stay whole.
    fn line(&mut self, program: &'static str, line: &[u8]) {
        let mut text = Vec::new();
        if self.cut {
            text.push(b'\n');
        }
        if let Some(Lost { count, reason }) = &self.lost {
            let (name, s) = (self.name, if *count == 1 { "" } else { "s" });
            let reason: &dyn Display = match reason.kind() {
                io::ErrorKind::WouldBlock => &"nobody reads it",
                _ => reason,
            };
            let notice = Line {
                program,
                level: Level::Warn,
                message: format_args!("{name} lost {count} message{s}: {reason}"),
            };
            text.extend(format!("{notice}\n").into_bytes());
        }
        text.extend(line);
        match self.write(&text) {
            Ok(()) => self.lost = None,
            Err(error) => {
                let lost = self.lost.get_or_insert(Lost {
                    count: 0,
                    reason: error,
                });
                lost.count += 1;
            }
        }
    }

    fn write(&mut self, mut text: &[u8]) -> io::Result<()> {
        while !text.is_empty() {
            match self.stream.write(text) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.cut = text[count - 1] != b'\n';
                    text = &text[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as much as it is told to.
    #[derive(Default)]
    struct Tap {
        text: Vec<u8>,
        room: usize,
    }

    impl Write for Tap {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= count;
            self.text.extend(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines without their times and process ids.
    fn lines(lossy: &Lossy<Tap>) -> Vec<String> {
        let text = String::from_utf8(lossy.stream.text.clone()).unwrap();
        let line = |line: &str| line.rsplit("] ").next().unwrap().to_owned();
        text.lines().map(line).collect()
    }

    #[test]
    fn lost_messages_are_counted_until_one_is_taken() {
        let mut lossy = Lossy::new(Tap::default(), "standard error");
        for (room, line) in [
            (100, "one\n"),
            (0, "lost\n"),
            (0, "lost\n"),
            (0, "lost\n"),
            (1000, "two\n"),
            (1000, "three\n"),
        ] {
            lossy.stream.room = room;
            lossy.line("p", line.as_bytes());
        }
        let notice = "warn: standard error lost 3 messages: nobody reads it";
        assert_eq!(lines(&lossy), ["one", notice, "two", "three"]);
    }

    #[test]
    fn a_line_that_was_cut_does_not_run_into_the_next_one() {
        let mut lossy = Lossy::new(Tap::default(), "the log file");
        for (room, line) in [(2, "cut\n"), (0, "lost\n"), (1000, "whole\n")] {
            lossy.stream.room = room;
            lossy.line("p", line.as_bytes());
        }
        let notice = "warn: the log file lost 2 messages: nobody reads it";
        assert_eq!(lines(&lossy), ["cu", notice, "whole"]);
    }

    #[test]
    fn a_notice_that_gets_lost_is_repeated() {
        let mut lossy = Lossy::new(Tap::default(), "the log file");
        for (room, line) in [(0, "lost\n"), (10, "lost\n"), (1000, "whole\n")] {
            lossy.stream.room = room;
            lossy.line("p", line.as_bytes());
        }
        let notice = "warn: the log file lost 2 messages: nobody reads it";
        assert_eq!(lines(&lossy)[1..], [notice, "whole"]);
    }

    #[test]
    fn a_line_has_time_program_process_and_level() {
        let line = Line {
            program: "cni-opencontrail",
            level: Level::Warn,
            message: "x",
        };
        let line = line.to_string();
        let (time, rest) = line.split_once(' ').unwrap();
        assert_eq!(time.len(), "2026-12-01T00:00:00.000Z".len(), "{time}");
        assert!(time.parse::<Timestamp>().is_ok(), "{time}");
        let pid = std::process::id();
        assert_eq!(rest, format!("cni-opencontrail[{pid}] warn: x"));
    }

    #[test]
    fn a_message_is_one_line_and_acts_on_no_terminal() {
        let message = "unknown key \u{1b}]0;x\u{7}\n2026-01-01 forged";
        let line = Line {
            program: "p",
            level: Level::Warn,
            message,
        };
        let text = line.to_string();
        assert!(!text.chars().any(char::is_control), "{text}");
        assert!(text.contains("warn: unknown key \\u{1b}]0;x"), "{text}");
    }
}
