//! Blocking requests to the kernel's routing socket: one private runtime and one socket, which
//! stays in the namespace in which it was opened.

use std::io;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use nix::libc;
use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL, NLM_F_REQUEST,
    NetlinkMessage, NetlinkPayload,
};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use rtnetlink::sys::AsyncSocket;
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::values::Deadline;

/// The kernel answers while it takes a request. Only an answer that the library cannot read, which
/// it drops, would be waited for in vain.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// How often a dump is repeated that is incomplete because the objects changed during it.
const DUMP_ATTEMPTS: usize = 10;

type Notifications = UnboundedReceiver<(
    NetlinkMessage<RouteNetlinkMessage>,
    rtnetlink::sys::SocketAddr,
)>;

/// A routing socket. Its namespace is the one of the thread that opened it; other threads can use it.
pub(super) struct Netlink<'a> {
    runtime: Runtime,
    handle: Handle,
    connection: JoinHandle<()>,
    notifications: Notifications,
    requests: &'a AtomicU64,
}

/// In a program that uses tokio's signals, building the first runtime panics if the process has too few files
/// left; in others it is an error.
fn runtime() -> io::Result<Runtime> {
    let build = || {
        let mut builder = Builder::new_current_thread();
        builder.enable_io().enable_time().build()
    };
    panic::catch_unwind(build).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(io::Error::other(
            text.unwrap_or("a panic of tokio").to_owned(),
        ))
    })
}

impl<'a> Netlink<'a> {
    /// Opens a socket in the namespace of the calling thread. Every request is counted in
    /// `requests`.
    pub(super) fn open(requests: &'a AtomicU64) -> io::Result<Self> {
        Self::open_listening(requests, &[])
    }

    /// Opens a socket like [`Self::open`] that also receives the notifications of these `RTNLGRP_…` groups.
    pub(super) fn open_listening(requests: &'a AtomicU64, groups: &[u32]) -> io::Result<Self> {
        let runtime = runtime()?;
        let entered = runtime.enter();
        // Strict: the kernel then filters dumps by what the request says, or refuses the request.
        let (mut connection, handle, notifications) =
            rtnetlink::new_connection_with_strict_check()?;
        for group in groups {
            let socket = connection.socket_mut().socket_mut();
            socket.add_membership(*group)?;
        }
        drop(entered);
        Ok(Self {
            connection: runtime.spawn(connection),
            runtime,
            handle,
            notifications,
            requests,
        })
    }

    /// Creates a link; `EEXIST` if one of its names is taken.
    pub(super) fn create_link(&self, link: LinkMessage) -> io::Result<()> {
        self.change(
            RouteNetlinkMessage::NewLink(link),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Changes a link that exists.
    pub(super) fn set_link(&self, link: LinkMessage) -> io::Result<()> {
        self.change(RouteNetlinkMessage::SetLink(link), 0)
    }

    /// Deletes a link by its name; `false` when it does not exist.
    pub(super) fn delete_link(&self, name: &str) -> io::Result<bool> {
        let link = LinkMessageBuilder::<LinkUnspec>::new().name(name).build();
        match self.change(RouteNetlinkMessage::DelLink(link), 0) {
            Ok(()) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A link by its name.
    pub(super) fn link(&self, name: &str) -> io::Result<Option<LinkMessage>> {
        let query = LinkMessageBuilder::<LinkUnspec>::new()
            .name(name)
            .append_extra_attribute(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]))
            .build();
        match self.request(RouteNetlinkMessage::GetLink(query), 0) {
            Ok(answers) => Ok(answers.into_iter().find_map(|answer| match answer {
                RouteNetlinkMessage::NewLink(link) => Some(link),
                _ => None,
            })),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Requests a change and waits until the kernel acknowledges it.
    pub(super) fn change(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.request(message, NLM_F_ACK | flags).map(drop)
    }

    /// All objects that match `query`.
    pub(super) fn dump(&self, query: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
        for _ in 1..DUMP_ATTEMPTS {
            match self.request(query.clone(), NLM_F_DUMP) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
        self.request(query, NLM_F_DUMP)
    }

    /// Waits for a notification of the groups that the socket listens to; `false`
    /// when the deadline comes first.
    pub(super) fn wait(&mut self, deadline: Deadline) -> bool {
        let next = self.notifications.next();
        self.runtime
            .block_on(async { tokio::time::timeout(deadline.remaining(), next).await })
            .is_ok_and(|notification| notification.is_some())
    }

    fn request(
        &self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut message = NetlinkMessage::from(message);
        message.header.flags = NLM_F_REQUEST | flags;
        let mut handle = self.handle.clone();
        let answers = self.runtime.block_on(async {
            tokio::time::timeout(ANSWER_TIME, exchange(&mut handle, message)).await
        })??;
        if self.connection.is_finished() {
            // The answers ended because the socket was closed.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(answers)
    }
}

async fn exchange(
    handle: &mut Handle,
    message: NetlinkMessage<RouteNetlinkMessage>,
) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut stream = handle
        .request(message)
        .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    let mut answers = Vec::new();
    let mut interrupted = false;
    while let Some(answer) = stream.next().await {
        interrupted |= answer.header.flags & NLM_F_DUMP_INTR != 0;
        match answer.payload {
            NetlinkPayload::InnerMessage(answer) => answers.push(answer),
            NetlinkPayload::Error(refusal) => {
                return Err(io::Error::from_raw_os_error(-refusal.raw_code()));
            }
            NetlinkPayload::Overrun(_) => {
                return Err(io::Error::from_raw_os_error(libc::ENOBUFS));
            }
            _ => {}
        }
    }
    if interrupted {
        return Err(io::ErrorKind::Interrupted.into());
    }
    Ok(answers)
}

fn is_absent(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENODEV)
}
