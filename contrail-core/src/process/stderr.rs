//! Standard error, without waiting for a reader that does not read: a program serves although its pipe
//! is full or its terminal is stopped.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::write;

/// The interval in which writes wait at most [`Waits::most`].
const INTERVAL: Duration = Duration::from_secs(1);

/// What a pipe takes at once if it has room at all (`PIPE_BUF`).
const PIPE_ROOM: usize = 4096;

/// A stream that is written to for a limited time only.
pub struct Patient<F = io::Stderr> {
    stream: F,
    waits: Waits,
}

impl Patient {
    /// Standard error. In any second, writes wait together no longer than `most` for a slow reader.
    pub fn stderr(most: Duration) -> Self {
        Self::new(io::stderr(), most)
    }
}

impl<F: AsFd> Patient<F> {
    fn new(stream: F, most: Duration) -> Self {
        Self {
            stream,
            waits: Waits {
                most,
                since: None,
                used: Duration::ZERO,
            },
        }
    }
}

impl<F: AsFd> Write for Patient<F> {
    /// # Errors
    /// [`ErrorKind::WouldBlock`] if nothing has been written and the time is over.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stream = self.stream.as_fd();
        // Chosen for each write: a program may put another file in the place of this one, and must not keep
        // the former open.
        let mut way = Way::of(stream);
        loop {
            match way.write(stream, bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.waits.wait(stream) {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a write does not wait. `O_NONBLOCK` on the stream itself would hold for all processes that share it,
/// such as the shell that started this one.
enum Way {
    /// The same pipe or terminal, opened again with that flag.
    Again(File),
    /// A socket has a flag for each write.
    Socket,
    /// A pipe that this user cannot open again, such as one that another user made: written to while it has
    /// room.
    Room,
    /// Files and devices do not wait for a reader.
    Plain,
}

impl Way {
    fn of(stream: BorrowedFd) -> Self {
        let kind =
            fstat(stream).map(|found| SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT);
        match kind {
            Ok(SFlag::S_IFSOCK) => return Self::Socket,
            Ok(SFlag::S_IFIFO) => {}
            Ok(_) if !stream.is_terminal() => return Self::Plain,
            Ok(_) | Err(_) => {}
        }
        let again = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(format!("/proc/self/fd/{}", stream.as_raw_fd()));
        again.map_or(Self::Room, Self::Again)
    }

    fn write(&mut self, stream: BorrowedFd, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Again(file) => file.write(bytes),
            Self::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                Ok(send(stream.as_raw_fd(), bytes, flags)?)
            }
            Self::Room if !has_room(stream, Duration::ZERO) => Err(ErrorKind::WouldBlock.into()),
            Self::Room => Ok(write(stream, &bytes[..bytes.len().min(PIPE_ROOM)])?),
            Self::Plain => Ok(write(stream, bytes)?),
        }
    }
}

/// How long writes have waited.
struct Waits {
    /// In each [`INTERVAL`].
    most: Duration,
    since: Option<Instant>,
    used: Duration,
}

impl Waits {
    /// Waits for room as long as there is time left; whether there is room.
    fn wait(&mut self, stream: BorrowedFd) -> bool {
        let started = Instant::now();
        if self.since.is_none_or(|since| started - since >= INTERVAL) {
            self.since = Some(started);
            self.used = Duration::ZERO;
        }
        let left = self.most.saturating_sub(self.used);
        let room = !left.is_zero() && has_room(stream, left);
        self.used += started.elapsed();
        room
    }
}

/// Waits until something can be written, or the reader is gone.
fn has_room(stream: BorrowedFd, time: Duration) -> bool {
    let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    let mut polled = [PollFd::new(stream, PollFlags::POLLOUT)];
    matches!(poll(&mut polled, timeout), Ok(1..))
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    const MOST: Duration = Duration::from_millis(20);

    /// Writes until nothing more is taken; what was taken.
    fn fill(stream: &mut Patient<impl AsFd>) -> usize {
        let mut taken = 0;
        loop {
            match stream.write(&[b'x'; 1000]) {
                Ok(count) => taken += count,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    return taken;
                }
            }
        }
    }

    fn is_blocking(stream: &impl AsFd) -> bool {
        let flags = nix::fcntl::fcntl(stream, nix::fcntl::FcntlArg::F_GETFL).unwrap();
        flags & libc::O_NONBLOCK == 0
    }

    #[test]
    fn a_full_pipe_is_waited_for_only_a_moment_and_its_other_users_notice_nothing() {
        let (mut reader, writer) = io::pipe().unwrap();
        let shared = writer.try_clone().unwrap();
        let mut stream = Patient::new(writer, MOST);
        let taken = fill(&mut stream);
        assert!(taken > PIPE_ROOM, "{taken}");
        assert!(is_blocking(&shared));
        let started = Instant::now();
        (0..1000).for_each(|_| assert!(stream.write(&[b'x'; 1000]).is_err()));
        assert!(started.elapsed() < Duration::from_millis(500));
        reader.read_exact(&mut vec![0; taken]).unwrap();
        assert_eq!(stream.write(b"again").unwrap(), 5);
    }

    #[test]
    fn a_full_socket_is_waited_for_only_a_moment() {
        let (mut reader, writer) = UnixStream::pair().unwrap();
        let shared = writer.try_clone().unwrap();
        let mut stream = Patient::new(writer, MOST);
        let taken = fill(&mut stream);
        assert!(is_blocking(&shared));
        reader.read_exact(&mut vec![0; taken]).unwrap();
        assert_eq!(stream.write(b"again").unwrap(), 5);
    }

    #[test]
    fn a_pipe_that_cannot_be_opened_again_is_written_to_while_it_has_room() {
        let (mut reader, writer) = io::pipe().unwrap();
        assert!(matches!(Way::of(writer.as_fd()), Way::Again(_)));
        let write = || Way::Room.write(writer.as_fd(), &[b'x'; 5000]);
        let mut taken = 0;
        while let Ok(count) = write() {
            taken += count;
        }
        assert_eq!(write().unwrap_err().kind(), ErrorKind::WouldBlock);
        reader.read_exact(&mut vec![0; taken]).unwrap();
        assert_eq!(write().unwrap(), PIPE_ROOM);
    }

    #[test]
    fn what_nobody_can_read_or_store_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let error = Patient::new(writer, MOST).write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = Patient::new(full, MOST).write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn a_file_keeps_its_place_for_those_that_share_it() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before ").unwrap();
        let mut stream = Patient::new(file.try_clone().unwrap(), MOST);
        stream.write_all(b"between").unwrap();
        file.write_all(b" after").unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let text = io::read_to_string(file).unwrap();
        assert_eq!(text, "before between after");
    }

    #[test]
    fn a_pipe_that_a_file_has_replaced_is_not_kept_open() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut stream = Patient::new(std::os::fd::OwnedFd::from(writer), MOST);
        stream.write_all(b"pipe").unwrap();
        let mut file = tempfile::tempfile().unwrap();
        nix::unistd::dup2(&file, &mut stream.stream).unwrap();
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "pipe");
        stream.write_all(b"file").unwrap();
        io::Seek::rewind(&mut file).unwrap();
        assert_eq!(io::read_to_string(file).unwrap(), "file");
    }

    #[test]
    fn a_reader_that_comes_in_time_gets_everything() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut stream = Patient::new(writer, Duration::from_secs(60));
        let reading = std::thread::spawn(move || {
            let mut text = vec![0; 1 << 20];
            reader.read_exact(&mut text).map(|()| text)
        });
        stream.write_all(&[b'x'; 1 << 20]).unwrap();
        assert!(
            reading
                .join()
                .unwrap()
                .unwrap()
                .iter()
                .all(|&byte| byte == b'x')
        );
    }
}
