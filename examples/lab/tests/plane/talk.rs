//! What containers say to each other.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::world::Container;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection to a server of [`serve`], if it comes about.
pub fn connect(from: &Container, to: IpAddr, port: u16) -> Option<TcpStream> {
    let address = SocketAddr::new(to, port);
    let stream = from
        .netns
        .netns()
        .run(|| TcpStream::connect_timeout(&address, PATIENCE));
    let stream = stream.unwrap().ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    Some(stream)
}

/// Whether the server answers on a connection.
pub fn echoes(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 2];
    stream.write_all(b"hi").unwrap();
    stream.read_exact(&mut answer).is_ok() && &answer == b"hi"
}

/// Whether a server answers on a new connection.
pub fn connects(from: &Container, to: IpAddr, port: u16) -> bool {
    connect(from, to, port).is_some_and(|mut stream| echoes(&mut stream))
}

/// Serves a TCP port that says what it is told.
pub fn serve(container: &Container, address: IpAddr, port: u16) {
    let listener = container
        .netns
        .netns()
        .run(|| TcpListener::bind((address, port)));
    let listener = listener.unwrap().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || echo(stream.unwrap()));
        }
    });
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        // Whoever connected may have gone away.
        if stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

/// Sends a UDP packet that is answered: whether it arrives, and whether the answer does.
pub fn asks(from: &Container, to: &Container, family: usize, port: u16) -> (bool, bool) {
    let (source, target) = (from.address(family), to.address(family));
    let (asking, asked) = (from.udp(source, 0), to.udp(target, port));
    let mut buffer = [0; 8];
    asking.send_to(b"?", (target, port)).unwrap();
    let Ok((_, sender)) = asked.recv_from(&mut buffer) else {
        return (false, false);
    };
    asked.send_to(b"!", sender).unwrap();
    (true, asking.recv_from(&mut buffer).is_ok())
}
