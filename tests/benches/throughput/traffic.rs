//! What is sent by a path.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::path::Path;

/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much one TCP stream carries, in Gbit/s.
pub fn gigabits(path: &Path, time: Duration) -> Result<f64> {
    let bind = || TcpListener::bind((path.address, 0));
    let listener = path.to.netns().run(bind)??;
    let address = listener.local_addr()?;
    let connect = || TcpStream::connect_timeout(&address, PATIENCE);
    let mut sender = path.from.netns().run(connect)??;
    let (receiver, _) = listener.accept()?;
    receiver.set_read_timeout(Some(PATIENCE))?;
    let received = thread::spawn(move || count(receiver));
    let start = Instant::now();
    let chunk = vec![0; 256 * 1024];
    while start.elapsed() < time {
        sender.write_all(&chunk)?;
    }
    sender.shutdown(Shutdown::Write)?;
    let bytes = received.join().map_err(|_| "the receiver panicked")??;
    Ok(bytes as f64 * 8.0 / start.elapsed().as_secs_f64() / 1e9)
}

/// How many bytes come until the end of a stream.
fn count(mut stream: TcpStream) -> std::io::Result<usize> {
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(bytes),
            length => bytes += length,
        }
    }
}

/// The median time of a UDP packet there and back, in microseconds.
pub fn round_trip(path: &Path, packets: usize) -> Result<f64> {
    let bind = || UdpSocket::bind((path.address, 0));
    let echo = path.to.netns().run(bind)??;
    echo.set_read_timeout(Some(PATIENCE))?;
    let address: SocketAddr = echo.local_addr()?;
    let echoing = thread::spawn(move || -> std::io::Result<()> {
        let mut buffer = [0; 1];
        for _ in 0..packets {
            let (_, sender) = echo.recv_from(&mut buffer)?;
            echo.send_to(&buffer, sender)?;
        }
        Ok(())
    });
    let open = || -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect(address)?;
        Ok(socket)
    };
    let asking = path.from.netns().run(open)??;
    asking.set_read_timeout(Some(PATIENCE))?;
    let mut times = Vec::with_capacity(packets);
    for _ in 0..packets {
        let start = Instant::now();
        asking.send(&[1])?;
        asking.recv(&mut [0; 1])?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    echoing.join().map_err(|_| "the echo panicked")??;
    Ok(crate::median(times))
}
