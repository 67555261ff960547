//! The agent's routes: whole paths, case-sensitive, ids in lower case with dashes only.

use uuid::Uuid;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    AddPort,
    Port(Uuid),
    DeletePort(Uuid),
    EnablePort(Uuid),
    DisablePort(Uuid),
    Sync,
    /// The simple virtual gateway, which the lab does not have.
    Gateway,
    AddVm,
    Vm {
        machine: Uuid,
        interface: Option<Uuid>,
    },
    DeleteVm(Uuid),
    /// By the machine's name.
    VmConfig(&'a str),
}

impl<'a> Route<'a> {
    /// The route of a method and a path; `None` for every other.
    pub fn of(method: &str, path: &'a str) -> Option<Self> {
        if method == "GET"
            && let Some(name) = path.strip_prefix("/vm-cfg/")
        {
            return Some(Self::VmConfig(name));
        }
        let mut parts = path.strip_prefix('/')?.split('/');
        let first = parts.next()?;
        let ids: Vec<Uuid> = parts.map(id).collect::<Option<_>>()?;
        match (method, first, ids.as_slice()) {
            ("POST", "port", []) => Some(Self::AddPort),
            ("GET", "port", [id]) => Some(Self::Port(*id)),
            ("DELETE", "port", [id]) => Some(Self::DeletePort(*id)),
            ("PUT", "enable-port", [id]) => Some(Self::EnablePort(*id)),
            ("PUT", "disable-port", [id]) => Some(Self::DisablePort(*id)),
            ("POST", "syncports", []) => Some(Self::Sync),
            ("POST" | "DELETE", "gateway", []) => Some(Self::Gateway),
            ("POST", "vm", []) => Some(Self::AddVm),
            ("GET", "vm", [machine]) => Some(Self::Vm {
                machine: *machine,
                interface: None,
            }),
            ("GET", "vm", [machine, interface]) => Some(Self::Vm {
                machine: *machine,
                interface: Some(*interface),
            }),
            ("DELETE", "vm", [machine]) => Some(Self::DeleteVm(*machine)),
            _ => None,
        }
    }
}

/// An id in a URL.
fn id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_paths_with_lower_case_ids_are_routes() {
        let id = "97556910-7aaf-11eb-9576-00163e6d1150";
        assert!(Route::of("GET", &format!("/port/{id}")).is_some());
        for path in [
            format!("/port/{}", id.to_uppercase()),
            format!("/port/{id}/"),
            format!("/port/{}", id.replace('-', "")),
            "/port".into(),
            "/ports".into(),
            String::new(),
        ] {
            assert_eq!(Route::of("GET", &path), None, "{path}");
        }
        assert_eq!(Route::of("PUT", "/port"), None);
        assert_eq!(
            Route::of("GET", "/vm-cfg/k8s__default__a"),
            Some(Route::VmConfig("k8s__default__a"))
        );
    }
}
