//! Answers that hyper would not send: byte by byte, or before a close that was not announced.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::Response;

/// A whole answer as bytes; the connection is closed behind it.
#[derive(Debug)]
pub(super) struct ByHand {
    bytes: Vec<u8>,
    /// The time between two bytes; all are sent at once when it is zero.
    pause: Duration,
}

impl ByHand {
    /// The bytes of a response to a request that is not HEAD.
    pub(super) fn new(response: &Response, pause: Duration) -> Self {
        let code = hyper::StatusCode::from_u16(response.status);
        let standard = code.ok().and_then(|code| code.canonical_reason());
        let reason = match response.reason {
            "" => standard.unwrap_or_default(),
            reason => reason,
        };
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", response.status);
        for (name, value) in &response.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", response.body.len()));
        let mut bytes = head.into_bytes();
        bytes.extend(&response.body);
        Self { bytes, pause }
    }

    /// Sends it and closes the connection.
    ///
    /// # Errors
    /// When the client has gone.
    pub(super) async fn send(&self, mut stream: TcpStream) -> io::Result<()> {
        if self.pause.is_zero() {
            stream.write_all(&self.bytes).await?;
        } else {
            for byte in &self.bytes {
                stream.write_u8(*byte).await?;
                tokio::time::sleep(self.pause).await;
            }
        }
        stream.shutdown().await
    }
}
