//! Standard input with an end: a runtime that keeps its end open must not keep the plugin, and with it
//! the container, forever.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use contrail_core::Deadline;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd;

/// How long the whole configuration may take to come: as long as attaching by default.
pub const TIME: Duration = Duration::from_secs(20);

/// The largest configuration that is read, in bytes. The largest that runtimes send are those of GC,
/// with the ids of all attachments of a host: 100 bytes each.
pub const MAX_SIZE: u64 = 8 << 20;

/// A file descriptor that is read until a deadline.
pub struct Until<'a> {
    descriptor: BorrowedFd<'a>,
    deadline: Deadline,
    time: Duration,
}

impl<'a> Until<'a> {
    /// `descriptor`, to be read for `time` from now on.
    pub fn new(descriptor: &'a impl AsFd, time: Duration) -> Self {
        Self {
            descriptor: descriptor.as_fd(),
            deadline: Deadline::after(time),
            time,
        }
    }

    /// Waits until something, or the end, can be read.
    fn wait(&self) -> io::Result<()> {
        loop {
            // Rounded up: with less than a millisecond left this would not wait at all.
            let left = self.deadline.remaining() + Duration::from_millis(1);
            let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.descriptor, PollFlags::POLLIN)], left) {
                Ok(0) if self.deadline.has_passed() => {
                    let seconds = self.time.as_secs_f32();
                    let text = format!("its end did not come within {seconds} s");
                    return Err(io::Error::new(ErrorKind::TimedOut, text));
                }
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait()?;
        Ok(unistd::read(self.descriptor, buffer)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Write, pipe};

    use super::*;

    #[test]
    fn what_is_closed_is_read_to_its_end() {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(b"{}").unwrap();
        drop(writer);
        let mut text = String::new();
        let mut input = Until::new(&reader, TIME);
        input.read_to_string(&mut text).unwrap();
        assert_eq!(text, "{}");
        let file = File::open("/proc/self/stat").unwrap();
        assert!(
            Until::new(&file, TIME)
                .read_to_end(&mut Vec::new())
                .unwrap()
                > 0
        );
    }

    #[test]
    fn what_is_never_closed_is_given_up() {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(b"{}").unwrap();
        let mut input = Until::new(&reader, Duration::from_millis(20));
        let error = input.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "its end did not come within 0.02 s");
    }
}
