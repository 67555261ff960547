//! The agent's port files: written once per port, read at its start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use uuid::Uuid;

use super::body;
use super::ports::{Kind, Subscription};

/// Who writes files and answers, in their "author" key.
pub const AUTHOR: &str = "/usr/bin/contrail-vrouter-agent";

/// The directory of port files (`/var/lib/contrail/ports` in the field).
#[derive(Clone, Debug)]
pub struct PortFiles {
    directory: PathBuf,
}

/// A port file, its keys in their order.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PortFile<'a> {
    id: Uuid,
    instance_id: Uuid,
    display_name: &'a str,
    ip_address: String,
    ip6_address: String,
    vn_id: Uuid,
    vm_project_id: Uuid,
    mac_address: &'a str,
    system_name: &'a str,
    r#type: u8,
    rx_vlan_id: u16,
    tx_vlan_id: u16,
    vhostuser_mode: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_state: Option<u8>,
    author: &'static str,
    time: String,
}

impl PortFiles {
    /// The files of a directory, which is made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// The file of a port.
    pub fn path(&self, id: Uuid) -> PathBuf {
        self.directory.join(id.to_string())
    }

    /// Writes the file of a port that has none. An existing file is never touched.
    ///
    /// # Errors
    /// When it cannot be written; no partial file is left.
    pub fn create(&self, port: &Subscription) -> io::Result<()> {
        if self.path(port.id).try_exists()? {
            return Ok(());
        }
        self.write(port)
    }

    /// Writes the file of a port in place of the old one: beside it under a name that the reload
    /// skips, then renamed.
    ///
    /// # Errors
    /// When it cannot be written; no partial file is left.
    pub fn write(&self, port: &Subscription) -> io::Result<()> {
        let temporary = self.directory.join(format!(".{}", port.id));
        let written = fs::write(&temporary, content(port))
            .and_then(|()| fs::rename(&temporary, self.path(port.id)));
        if written.is_err() {
            // Nothing to say when it was not even made.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes the file of a port; absent is fine.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, id: Uuid) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// The ports of all files that the agent takes at its start: the name begins with an id
    /// (whatever follows), the content is valid and the host end exists. Files of other ports stay
    /// where they are.
    pub fn load(&self, link_exists: &dyn Fn(&str) -> bool) -> Vec<Subscription> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(e) => {
                log::warn!("cannot read {}: {e}", self.directory.display());
                return Vec::new();
            }
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        paths.sort();
        paths
            .iter()
            .filter_map(|path| load_file(path))
            .filter(|port| port.kind == Kind::Remote || link_exists(&port.host_ifname))
            .collect()
    }
}

fn load_file(path: &Path) -> Option<Subscription> {
    let id = body::uuid(path.file_name()?.to_str()?);
    if id.is_nil() || !path.is_file() {
        return None;
    }
    let content = fs::read(path).ok()?;
    match body::parse(&content) {
        Ok(body::Body::One(object)) => body::port(&object).ok(),
        _ => None,
    }
}

/// The exact content of a port's file: four blanks of indentation, no line end.
fn content(port: &Subscription) -> Vec<u8> {
    pretty(&PortFile {
        id: port.id,
        instance_id: port.instance_id,
        display_name: &port.display_name,
        ip_address: port.address.to_string(),
        ip6_address: port.address6.to_string(),
        vn_id: port.vn_id,
        vm_project_id: port.project_id,
        mac_address: &port.mac_text,
        system_name: &port.host_ifname,
        r#type: port.kind.number(),
        rx_vlan_id: port.rx_vlan,
        tx_vlan_id: port.tx_vlan,
        vhostuser_mode: port.vhostuser_mode,
        link_state: (port.kind == Kind::Remote).then_some(port.link_state),
        author: AUTHOR,
        time: time_text(port.time),
    })
}

/// JSON as the agent prints it.
pub fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    let mut serializer = Serializer::with_formatter(&mut text, formatter);
    if let Err(e) = value.serialize(&mut serializer) {
        log::error!("cannot print an answer: {e}");
    }
    text
}

/// A moment as the agent prints it: the time since 1970 as hours, minutes and seconds.
pub fn time_text(microseconds: u64) -> String {
    let seconds = microseconds / 1_000_000;
    format!(
        "{}:{:02}:{:02}.{:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        microseconds % 1_000_000
    )
}
