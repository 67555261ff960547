//! Runs the plugin in this process, with operations that record what it is asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use cni_opencontrail::interrupts::Interrupts;
use cni_opencontrail::operations::Operations;
use cni_opencontrail::protocol::environment::Environment;
use cni_opencontrail::{Streams, World, run};
use contrail_core::attach::Result;
use contrail_core::attach::{
    Assigned, Attached, Attachment, Cleaned, Demand, Detachment, Expected, Status,
};
use contrail_core::http::Effect;
use contrail_core::settings::Settings;
use contrail_core::{Error, FqName, MacAddr, kernel, values::identity};
use ipnetwork::IpNetwork;
use serde_json::Value;

/// The namespace path of all tests; the recorder does not open it.
pub const NETNS: &str = "/var/run/netns/cni-1";

/// What the plugin asked of the library.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    Attach(Vec<Attachment>),
    Detach(Vec<Detachment>),
    Check(Expected),
    Collect(FqName, String, BTreeSet<(String, String)>),
    Status(FqName),
    Clean(FqName, Option<Duration>),
}

/// How the operations behave.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Behaviour {
    #[default]
    Works,
    FailsAt(&'static str),
    /// An interface of this name is there already.
    FindsInterface(&'static str),
    /// CHECK finds this difference.
    Differs(&'static str),
    AgentIsDown,
    Panics,
}

/// No signal comes.
struct NoSignals;

impl Interrupts for NoSignals {
    fn defer(&self) {}

    fn came(&self) -> bool {
        false
    }
}

/// A call that is being prepared.
#[derive(Clone, Default)]
pub struct Plugin {
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    stdin: Vec<u8>,
    files: BTreeMap<String, String>,
    behaviour: Behaviour,
    pub reader_is_gone: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub succeeded: bool,
    pub stdout: String,
    pub stderr: String,
    pub calls: Vec<Call>,
    /// API server and project of every connection that was made.
    pub connections: Vec<(String, String)>,
}

impl Plugin {
    /// A call with everything that a command may need.
    pub fn new(command: &str) -> Self {
        Self::default()
            .env("CNI_COMMAND", command)
            .env("CNI_CONTAINERID", "c1")
            .env("CNI_NETNS", NETNS)
            .env("CNI_IFNAME", "eth0")
            .env("CNI_PATH", "/opt/cni/bin")
            .config(r#"{"cniVersion":"1.1.0","name":"net1","type":"opencontrail","ipam":{"subnet":"10.1.1.0/24"}}"#)
    }

    pub fn arguments(mut self, line: &str) -> Self {
        self.arguments = line.split_whitespace().map(str::to_owned).collect();
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    pub fn config(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    pub fn json(self, value: Value) -> Self {
        self.config(value.to_string())
    }

    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    pub fn behaving(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    pub fn run(&self) -> Outcome {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let calls = Rc::new(RefCell::new(Vec::new()));
        let connections = Rc::new(RefCell::new(Vec::new()));
        let behaviour = self.behaviour;
        let code = {
            let (calls, connections) = (calls.clone(), connections.clone());
            let connect = move |settings: &Settings| -> contrail_core::Result<Box<dyn Operations>> {
                let server = settings.servers[0].base_url();
                connections
                    .borrow_mut()
                    .push((server.clone(), settings.project.clone()));
                let calls = calls.clone();
                Ok(Box::new(Recorder {
                    calls,
                    behaviour,
                    server,
                    node: settings.node.clone(),
                }))
            };
            let mut gone = Gone;
            let world = World {
                environment: Environment::new(self.environment.clone()),
                read_file: &|path| self.read(path),
                connect: &connect,
                start_log: &|_| {},
                interrupts: &NoSignals,
            };
            let streams = Streams {
                stdin: &mut self.stdin.as_slice(),
                stdout: match self.reader_is_gone {
                    true => &mut gone,
                    false => &mut stdout,
                },
                stderr: &mut stderr,
            };
            run(&self.arguments, &world, streams)
        };
        Outcome {
            succeeded: format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
            calls: calls.take(),
            connections: connections.take(),
        }
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        if path == Path::new("/proc/sys/kernel/hostname") {
            return Ok("node1\n".into());
        }
        let text = self.files.get(path.to_str().unwrap_or_default());
        text.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Outcome {
    /// The result of a call that succeeded.
    pub fn result(&self) -> Value {
        assert!(self.succeeded, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// Code and whole text of a call that failed.
    pub fn error(&self) -> (u64, String) {
        assert!(!self.succeeded, "{self:?}");
        let error: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {:?}", self.stdout));
        let details = error["details"].as_str().unwrap_or_default();
        let text = format!("{} {details}", error["msg"].as_str().unwrap());
        (error["code"].as_u64().unwrap(), text)
    }

    /// The only attachments that were asked for.
    pub fn attachments(&self) -> &[Attachment] {
        match self.calls.as_slice() {
            [Call::Attach(attachments)] => attachments,
            other => panic!("{other:?}; {}", self.stdout),
        }
    }
}

struct Gone;

impl io::Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Recorder {
    calls: Rc<RefCell<Vec<Call>>>,
    behaviour: Behaviour,
    server: String,
    node: String,
}

impl Operations for Recorder {
    fn attach(&self, attachments: &[Attachment]) -> Result<Vec<Attached>> {
        self.calls
            .borrow_mut()
            .push(Call::Attach(attachments.to_vec()));
        self.answer()?;
        let attached = attachments.iter().map(|one| attached(&self.node, one));
        Ok(attached.collect())
    }

    fn detach(&self, detachments: &[Detachment]) -> Result<()> {
        self.calls
            .borrow_mut()
            .push(Call::Detach(detachments.to_vec()));
        self.answer()
    }

    fn check(&self, expected: &Expected) -> Result<Vec<String>> {
        self.calls.borrow_mut().push(Call::Check(expected.clone()));
        self.answer().map(|()| match self.behaviour {
            Behaviour::Differs(what) => vec![what.to_owned()],
            _ => Vec::new(),
        })
    }

    fn collect(
        &self,
        network: &FqName,
        configuration: &str,
        keep: &BTreeSet<(String, String)>,
    ) -> Result<usize> {
        let call = Call::Collect(network.clone(), configuration.to_owned(), keep.clone());
        self.calls.borrow_mut().push(call);
        self.answer().map(|()| 1)
    }

    fn status(&self, project: &FqName, _: &[Demand]) -> Status {
        self.calls.borrow_mut().push(Call::Status(project.clone()));
        let api = self.reach().map_err(Into::into);
        let state = Ok(());
        let agent = match self.behaviour {
            Behaviour::AgentIsDown => Err(Error::Unreachable {
                service: "vRouter agent".into(),
                effect: Effect::NotSent,
                source: "connection refused".into(),
            }),
            _ => Ok(()),
        };
        Status { state, api, agent }
    }

    fn clean(&self, project: &FqName, grace: Option<Duration>) -> Result<Cleaned> {
        let call = Call::Clean(project.clone(), grace);
        self.calls.borrow_mut().push(call);
        self.answer().map(|()| Cleaned {
            finished: 0,
            waiting: Vec::new(),
            grace,
            projects: vec![(project.clone(), Ok(Vec::new()))],
            machines: Ok(Vec::new()),
        })
    }
}

impl Recorder {
    fn answer(&self) -> Result<()> {
        self.reach()?;
        match self.behaviour {
            Behaviour::FindsInterface(name) => Err(kernel::Error::InterfaceExists {
                ifname: name.into(),
                place: "the host's network namespace".into(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    fn reach(&self) -> contrail_core::Result<()> {
        match self.behaviour {
            Behaviour::FailsAt(server) if self.server.contains(server) => Err(Error::Unreachable {
                service: format!("config API {server}"),
                effect: Effect::NotSent,
                source: "connection refused".into(),
            }),
            Behaviour::Panics => panic!("deliberate"),
            _ => Ok(()),
        }
    }
}

/// What the library would make of it: the last address of each family's first subnet.
fn attached(node: &str, wanted: &Attachment) -> Attached {
    let interface = identity::interface(node, &wanted.container, &wanted.ifname);
    let default = contrail_core::attach::SubnetSpec::new("10.9.0.0/24".parse().unwrap());
    let subnets = match wanted.network.subnets.as_slice() {
        [] => vec![default],
        subnets => subnets.to_vec(),
    };
    let mut addresses: Vec<Assigned> = Vec::new();
    for subnet in &subnets {
        let is_v4 = subnet.prefix.is_ipv4();
        if addresses.iter().any(|a| a.address.is_ipv4() == is_v4) {
            continue;
        }
        let asked = wanted.addresses.iter().find(|a| a.is_ipv4() == is_v4);
        let (first, last) = ends(subnet.prefix);
        let address = asked.copied().unwrap_or(last);
        addresses.push(Assigned {
            address: IpNetwork::new(address, subnet.prefix.prefix()).unwrap(),
            gateway: Some(subnet.gateway.unwrap_or(first)),
        });
    }
    let gateway = |is_v4: bool| {
        let of_family = addresses.iter().find(|a| a.address.is_ipv4() == is_v4);
        of_family.and_then(|a| a.gateway)
    };
    let routes = wanted.routes.iter().cloned().map(|mut route| {
        let own = gateway(route.destination.is_ipv4());
        route.gateway = route.gateway.or(own);
        route
    });
    Attached {
        vm: identity::virtual_machine(node, &wanted.container),
        interface,
        network: uuid::Uuid::from_u128(7),
        ifname: wanted.ifname.clone(),
        host_ifname: identity::host_ifname(interface),
        mac: wanted
            .mac
            .unwrap_or_else(|| MacAddr::of_interface(interface)),
        mtu: wanted.mtu.unwrap_or(1500),
        routes: routes.collect(),
        dns: vec![Ipv4Addr::new(10, 1, 1, 2).into()],
        addresses,
    }
}

fn ends(prefix: IpNetwork) -> (IpAddr, IpAddr) {
    match prefix {
        IpNetwork::V4(v4) => (
            Ipv4Addr::from(u32::from(v4.network()) + 1).into(),
            Ipv4Addr::from(u32::from(v4.broadcast()) - 1).into(),
        ),
        IpNetwork::V6(v6) => (
            Ipv6Addr::from(u128::from(v6.network()) + 1).into(),
            Ipv6Addr::from(u128::from(v6.broadcast()) - 1).into(),
        ),
    }
}
