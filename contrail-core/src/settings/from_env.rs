//! The settings of this process: the only part of this module that reads its environment and files.

use std::path::Path;

use super::resolve::ReadFile;
use super::{Settings, Sources};
use crate::error::Result;
use crate::files;

/// Where Linux tells the host name.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

impl Sources<'static> {
    /// The sources of this process: its environment, the files of the system and the host name. Add
    /// those that only one program has:
    ///
    /// ```no_run
    /// use contrail_core::settings::{Key, Layer, Origin, Settings, Sources};
    ///
    /// let mut flags = Layer::default();
    /// flags.set(Key::ApiServer, "10.0.0.1", Origin::Flag("--api-server".into()));
    /// let settings = Settings::load(&Sources { nearer: vec![flags], ..Sources::of_process() })?;
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    pub fn of_process() -> Self {
        Self {
            nearer: Vec::new(),
            environment: &variable,
            files: Vec::new(),
            read: &files::read_text,
            host_name: host_name(&files::read_text),
        }
    }
}

impl Settings {
    /// The settings that the environment and `/etc/contrail/vnc_api_lib.ini` give to this process.
    ///
    /// ```no_run
    /// use contrail_core::settings::Settings;
    ///
    /// // Such as API_SERVER_IP, OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_TENANT_NAME.
    /// let settings = Settings::from_env()?;
    /// let client = settings.client("my-program")?;
    /// # Ok::<(), contrail_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Settings::load`].
    pub fn from_env() -> Result<Self> {
        Self::load(&Sources::of_process())
    }
}

/// The name of this host, for [`Sources::host_name`]; `None` if the system does not tell it.
pub fn host_name(read: ReadFile) -> Option<String> {
    let name = read(Path::new(HOST_NAME)).ok()?;
    Some(name.trim().to_string()).filter(|name| !name.is_empty())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_host_name_is_that_of_the_kernel() {
        let read = |path: &Path| match path.to_str() {
            Some(HOST_NAME) => Ok("node1\n".to_string()),
            _ => Err(io::ErrorKind::NotFound.into()),
        };
        assert_eq!(host_name(&read).as_deref(), Some("node1"));
        assert_eq!(host_name(&|_| Ok("\n".into())), None);
        assert_eq!(host_name(&|_| Err(io::ErrorKind::NotFound.into())), None);
    }

    #[test]
    fn this_process_has_a_host_name() {
        assert!(Sources::of_process().host_name.is_some());
    }
}
