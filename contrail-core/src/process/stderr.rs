//! Standard error, without waiting for a reader that does not read: a program serves although its pipe
//! is full or its terminal is stopped.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};

/// The interval in which writes wait at most [`Waits::most`].
const INTERVAL: Duration = Duration::from_secs(1);

/// What a pipe takes at once if it has room at all (`PIPE_BUF`).
const PIPE_ROOM: usize = 4096;

/// A stream that is written to for a limited time only.
pub struct Patient<F = io::Stderr> {
    way: Way<F>,
    waits: Waits,
}

/// How a write does not wait. `O_NONBLOCK` on the stream itself would hold for all processes that share it,
/// such as the shell that started this one.
enum Way<F> {
    /// The same pipe or terminal, opened again with that flag.
    Again(File, F),
    /// A socket has a flag for each write.
    Socket(F),
    /// A pipe that this user cannot open again, such as one that another user made: written to while it has
    /// room.
    Room(F),
    /// Files and devices do not wait for a reader.
    Plain(File),
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
            way: Way::of(stream),
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
        loop {
            match self.way.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.waits.wait(self.way.as_fd()) {
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

impl<F: AsFd> Way<F> {
    fn of(stream: F) -> Self {
        let own = stream.as_fd().try_clone_to_owned().map(File::from);
        let Ok(own) = own else {
            return Self::Room(stream);
        };
        let Ok(kind) = own.metadata().map(|metadata| metadata.file_type()) else {
            return Self::Room(stream);
        };
        let is_terminal = own.is_terminal();
        if kind.is_socket() {
            return Self::Socket(stream);
        }
        if !kind.is_fifo() && !is_terminal {
            return Self::Plain(own);
        }
        let again = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(format!("/proc/self/fd/{}", own.as_raw_fd()));
        match again {
            Ok(again) => Self::Again(again, stream),
            Err(_) => Self::Room(stream),
        }
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Again(file, _) | Self::Plain(file) => file.as_fd(),
            Self::Socket(stream) | Self::Room(stream) => stream.as_fd(),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Again(file, _) | Self::Plain(file) => file.write(bytes),
            Self::Socket(stream) => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                Ok(send(stream.as_fd().as_raw_fd(), bytes, flags)?)
            }
            Self::Room(stream) => {
                if !has_room(stream.as_fd(), Duration::ZERO) {
                    return Err(ErrorKind::WouldBlock.into());
                }
                let some = &bytes[..bytes.len().min(PIPE_ROOM)];
                Ok(nix::unistd::write(stream.as_fd(), some)?)
            }
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
        let mut stream = Patient::new(writer, MOST);
        let Way::Again(_, writer) = stream.way else {
            panic!("a pipe can be opened again here");
        };
        stream.way = Way::Room(writer);
        let taken = fill(&mut stream);
        assert!(taken >= PIPE_ROOM, "{taken}");
        reader.read_exact(&mut vec![0; taken]).unwrap();
        assert_eq!(stream.write(b"again").unwrap(), 5);
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
