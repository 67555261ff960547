//! The settings: `vnc_api_lib.ini`, flat YAML and the environment.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use contrail_core::settings::{self, Layer, Settings, Sources, VNC_API_LIB_PATH, parse_flat_yaml};

use super::{check_error, used};

fn resolve(sources: &Sources) {
    match Settings::load(sources) {
        Ok(settings) => used(settings::render(settings.values())),
        Err(error) => check_error(&error),
    }
    used(sources.log_settings());
}

/// `vnc_api_lib.ini`.
pub fn ini(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    resolve(&Sources {
        nearer: Vec::new(),
        environment: &|_| None,
        files: Vec::new(),
        read: &|path| match path == Path::new(VNC_API_LIB_PATH) {
            true => Ok(text.to_owned()),
            false => Err(io::ErrorKind::NotFound.into()),
        },
        host_name: Some("test".into()),
    });
}

/// `opencontrail.conf`.
pub fn yaml(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let path = Path::new("/etc/contrail/opencontrail.conf");
    let layer = parse_flat_yaml(text, path).and_then(|entries| Layer::of_entries(entries, &[]));
    match layer {
        Ok(layer) => resolve(&Sources {
            nearer: Vec::new(),
            environment: &|_| None,
            files: vec![layer],
            read: &|_| Err(io::ErrorKind::NotFound.into()),
            host_name: Some("test".into()),
        }),
        Err(error) => check_error(&error),
    }
}

/// Variables of the environment, `NAME=value` in each line.
pub fn environment(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let variables = text.split('\n').filter_map(|line| line.split_once('='));
    let variables: BTreeMap<&str, &str> = variables.collect();
    resolve(&Sources {
        nearer: Vec::new(),
        environment: &|name| variables.get(name).map(|value| (*value).to_owned()),
        files: Vec::new(),
        read: &|_| Err(io::ErrorKind::NotFound.into()),
        host_name: Some("test".into()),
    });
}
