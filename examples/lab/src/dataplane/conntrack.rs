//! Forgets the flows that the lab's namespace tracks.
//!
//! A flow that was accepted stays accepted while it is tracked. After a change of what is allowed
//! the table is emptied: what is still allowed recovers with its next packet.

use contrail_core::{Error, Result};
use rtnetlink::sys::{Socket, SocketAddr};

/// Protocol number of netlink for netfilter.
const NETLINK_NETFILTER: isize = 12;

/// `nlmsghdr` (length 20, type 0x0102 = ctnetlink delete, flags REQUEST|ACK) and `nfgenmsg` of
/// zeroes: all entries of all families.
fn flush_message() -> [u8; 20] {
    let mut message = [0; 20];
    message[0..4].copy_from_slice(&20u32.to_ne_bytes());
    message[4..6].copy_from_slice(&0x0102u16.to_ne_bytes());
    message[6..8].copy_from_slice(&0x0005u16.to_ne_bytes());
    message
}

/// Empties the table of tracked flows of the calling thread's network namespace.
///
/// # Errors
/// [`Error::System`] when the kernel refuses, for example because it has no connection tracking.
pub fn flush() -> Result<()> {
    let failed = |e: std::io::Error| Error::system("flush the tracked flows", e);
    let mut socket = Socket::new(NETLINK_NETFILTER).map_err(failed)?;
    socket.bind_auto().map_err(failed)?;
    socket
        .send_to(&flush_message(), &SocketAddr::new(0, 0), 0)
        .map_err(failed)?;
    let (answer, _) = socket.recv_from_full().map_err(failed)?;
    // The acknowledgement is an error message: after the header of 16 bytes the negative number.
    match answer
        .get(16..20)
        .and_then(|bytes| bytes.try_into().ok())
        .map(i32::from_ne_bytes)
    {
        Some(0) => Ok(()),
        Some(code) => Err(failed(std::io::Error::from_raw_os_error(-code))),
        None => Err(failed(std::io::ErrorKind::UnexpectedEof.into())),
    }
}
