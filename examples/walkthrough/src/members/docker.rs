//! Docker containers of an engine in the sandbox. Their image is one static program: the sandbox has no
//! network from which an image could be pulled.

use std::path::Path;
use std::process::{Command, Stdio};

use contrail_lab::sandbox::{ControlGroups, DockerEngine};
use serde_json::Value;

use super::containers::Containers;
use super::member::Member;
use super::networks::Network;
use crate::failure::{Failure, expect};
use crate::programs::{PAUSE, Programs, check};
use crate::report::step;

/// The image has the name that the steps by hand use.
const IMAGE: &str = "alpine:3.1";

/// A running engine.
pub struct Docker {
    engine: DockerEngine,
    /// Its objects at the start.
    before: Vec<String>,
}

impl Docker {
    /// Why no containers can run here; `None` if they can.
    pub fn unavailable(programs: &Programs) -> Option<String> {
        let program = programs.path(PAUSE);
        let missing = || format!("{} does not exist", program.display());
        DockerEngine::unavailable().or_else(|| (!program.exists()).then(missing))
    }

    /// Starts an engine and creates the image.
    pub fn start(programs: &Programs, groups: &ControlGroups) -> Result<Self, Failure> {
        step("dockerd, in the sandbox", || {
            let engine = DockerEngine::start(&[], groups)?;
            let version = docker("version --format {{.Server.Version}}")?;
            let before = objects()?;
            import(&programs.path(PAUSE))?;
            let line = format!(
                "Docker {} with an image of one static program",
                version.trim()
            );
            Ok((Self { engine, before }, vec![line]))
        })
    }
}

impl Containers for Docker {
    fn create_network(&mut self, network: &Network) -> Result<(), Failure> {
        let Network {
            name,
            route_target,
            subnet,
        } = network;
        typed(&format!(
            "network create -d opencontrail -o rt={route_target} -o name={name} --subnet {subnet} {name}"
        ))
    }

    fn run(&mut self, name: &'static str, networks: &[&str]) -> Result<Member, Failure> {
        match networks {
            [network] => typed(&format!("run -d --name {name} --net {network} {IMAGE}"))?,
            [first, rest @ ..] => {
                typed(&format!(
                    "create --name {name} --net {first} --sysctl net.ipv4.ip_forward=1 {IMAGE}"
                ))?;
                for network in rest {
                    typed(&format!("network connect {network} {name}"))?;
                }
                typed(&format!("start {name}"))?;
            }
            [] => return Err(Failure::missing(name, "network", "")),
        }
        look(name)
    }

    fn chain_member(&self, container: &Member) -> Value {
        container.name.into()
    }

    fn restart(&mut self, container: &Member) -> Result<Member, Failure> {
        typed(&format!("restart -t 0 {}", container.name))?;
        look(container.name)
    }

    fn remove(&mut self, container: &Member) -> Result<(), Failure> {
        typed(&format!("rm -f {}", container.name))
    }

    fn remove_network(&mut self, network: &Network) -> Result<(), Failure> {
        typed(&format!("network rm {}", network.name))
    }

    fn end(&mut self) -> Result<(), Failure> {
        docker(&format!("image rm {IMAGE}"))?;
        expect("objects of the engine", objects()?, self.before.clone())?;
        Ok(self.engine.end(nix::sys::signal::Signal::SIGTERM)?)
    }
}

/// The member that a running container is.
fn look(name: &'static str) -> Result<Member, Failure> {
    let format = "{{.NetworkSettings.SandboxKey}}";
    let sandbox = docker(&format!("container inspect --format {format} {name}"))?;
    Member::look(name, "Docker", Path::new(sandbox.trim()))
}

/// Runs a `docker` command as a step.
fn typed(line: &str) -> Result<(), Failure> {
    step(&format!("docker {line}"), || {
        docker(line)?;
        Ok(((), Vec::new()))
    })
}

fn docker(line: &str) -> Result<String, Failure> {
    let mut command = Command::new("docker");
    let output = command
        .args(line.split(' '))
        .stdin(Stdio::null())
        .output()?;
    check(&format!("docker {line}"), &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Creates an image that holds only a static program.
fn import(program: &Path) -> Result<(), Failure> {
    let (directory, file) = (program.parent(), program.file_name());
    let mut tar = Command::new("tar")
        .args(["--create", "--owner=0", "--group=0", "--directory"])
        .args(directory)
        .args(file)
        .stdout(Stdio::piped())
        .spawn()?;
    let archive = tar.stdout.take();
    let change = format!("CMD [\"/{PAUSE}\"]");
    let output = Command::new("docker")
        .args(["import", "--change", &change, "-", IMAGE])
        .stdin(archive.map_or_else(Stdio::null, Stdio::from))
        .output()?;
    tar.wait()?;
    check("docker import", &output)
}

/// The ids of the containers, networks and images of the engine.
fn objects() -> Result<Vec<String>, Failure> {
    let listings = ["ps -aq", "network ls -q", "image ls -q"].map(docker);
    let listings: Vec<String> = listings.into_iter().collect::<Result<_, _>>()?;
    let mut objects: Vec<String> = listings
        .iter()
        .flat_map(|listing| listing.lines())
        .map(str::to_owned)
        .collect();
    objects.sort();
    Ok(objects)
}
