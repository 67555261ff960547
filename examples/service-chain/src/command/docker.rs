//! Docker containers of this host: only the engine knows which container has a name. The virtual machine of
//! a container has an id that is computed from the sandbox of the container.

use std::io;
use std::process::{Command, Stdio};

use contrail_core::service_chain::{Description, Member};
use contrail_core::values::identity;
use contrail_core::{Error, Result};
use uuid::Uuid;

/// Replaces the names and ids of the containers that the Docker engine of this host runs by their virtual
/// machines. Other members are not changed: the controller may know them.
pub fn resolve(description: &mut Description, node: &str) -> Result<()> {
    let members = description.services.iter_mut().flat_map(|s| &mut s.members);
    for member in members {
        let Some(name) = member.container.clone().or(member.container_id.clone()) else {
            continue;
        };
        if let Some(sandbox) = sandbox(&name)? {
            let vm = identity::virtual_machine(node, &sandbox);
            log::info!("Docker container {name} is virtual machine {vm}");
            *member = with_machine(member, vm);
        }
    }
    Ok(())
}

fn with_machine(member: &Member, vm: Uuid) -> Member {
    Member {
        container: None,
        container_id: None,
        vm: Some(vm),
        ..member.clone()
    }
}

/// The sandbox of a running container; `None` if the engine does not run a container of this name.
fn sandbox(name: &str) -> Result<Option<String>> {
    let inspected = Command::new("docker")
        .args([
            "container",
            "inspect",
            "--format",
            "{{.NetworkSettings.SandboxKey}}",
            "--",
            name,
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match inspected {
        Ok(output) if output.status.success() => {
            let sandbox = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Ok(Some(sandbox).filter(|sandbox| !sandbox.is_empty()))
        }
        Ok(_) => Ok(None),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::system("run docker", e)),
    }
}
