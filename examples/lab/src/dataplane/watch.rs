//! The links of the host's namespace, kept up to date by the kernel's notifications.

use std::collections::BTreeMap;

use contrail_core::{Error, Result};
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::SocketAddr;
use rtnetlink::{Handle, MulticastGroup, new_multicast_connection};

use super::netlink::{self, Link};

/// The kernel's notifications about links of one namespace.
pub struct Watch {
    /// The connection ends with its last handle.
    _handle: Handle,
    messages: UnboundedReceiver<(NetlinkMessage<RouteNetlinkMessage>, SocketAddr)>,
}

/// What happened to a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is new or has changed.
    Changed(Link),
    /// It is gone.
    Gone(Link),
    /// Notifications were lost: read everything again.
    Lost,
}

impl Watch {
    /// Watches the links of the calling thread's network namespace. Called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::System`] when no socket can be had.
    pub fn start() -> Result<Self> {
        let (connection, handle, messages) = new_multicast_connection(&[MulticastGroup::Link])
            .map_err(|e| Error::system("watch the links", e))?;
        tokio::spawn(connection);
        Ok(Self {
            _handle: handle,
            messages,
        })
    }

    /// The next event; `None` when the kernel ended the connection.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let (message, _) = self.messages.next().await?;
            let event = match message.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => {
                    Link::of(&link).map(Event::Changed)
                }
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelLink(link)) => {
                    Link::of(&link).map(Event::Gone)
                }
                NetlinkPayload::Overrun(_) => Some(Event::Lost),
                _ => None,
            };
            if event.is_some() {
                return event;
            }
        }
    }
}

/// The links of a namespace by name.
#[derive(Debug, Default)]
pub struct Links(BTreeMap<String, Link>);

impl Links {
    /// Reads all links.
    ///
    /// # Errors
    /// [`Error::System`].
    pub async fn read(handle: &Handle) -> Result<Self> {
        let links = netlink::links(handle).await?.into_iter();
        Ok(Self(links.map(|link| (link.name.clone(), link)).collect()))
    }

    /// Takes note of a link as it is now.
    pub fn changed(&mut self, link: Link) {
        self.0
            .retain(|name, known| known.index != link.index || *name == link.name);
        self.0.insert(link.name.clone(), link);
    }

    /// Takes note that a link is gone. A link made again under its name stays.
    pub fn gone(&mut self, link: &Link) {
        self.0.retain(|_, known| known.index != link.index);
    }

    /// All links by name.
    pub fn all(&self) -> &BTreeMap<String, Link> {
        &self.0
    }

    /// Asks the kernel for those of `names` that are unknown or not running: its notifications may
    /// still be under way.
    ///
    /// # Errors
    /// [`Error::System`].
    pub async fn refresh(&mut self, handle: &Handle, names: &[&str]) -> Result<()> {
        for name in names {
            let ready = self
                .0
                .get(*name)
                .is_some_and(|link| link.up && link.running);
            if ready {
                continue;
            }
            match netlink::link(handle, name).await? {
                Some(link) => self.changed(link),
                None => {
                    self.0.remove(*name);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.into(),
            alias: String::new(),
            mtu: 1500,
            up: true,
            running: true,
            counters: Default::default(),
        }
    }

    #[test]
    fn a_renamed_link_has_one_name() {
        let mut links = Links::default();
        links.changed(link(7, "veth0"));
        links.changed(link(7, "tap1"));
        assert_eq!(links.all().keys().collect::<Vec<_>>(), ["tap1"]);
    }

    #[test]
    fn a_late_notice_of_the_old_link_does_not_remove_the_new_one() {
        let mut links = Links::default();
        links.changed(link(7, "tap1"));
        links.changed(link(9, "tap1"));
        links.gone(&link(7, "tap1"));
        assert_eq!(links.all()["tap1"].index, 9);
    }
}
