//! The story: two networks with a container each do not reach one another; through a service chain of a
//! container and a namespace they do, also after these have restarted; without it no more; and in the end
//! nothing is left.

use std::fs;

use crate::Members;
use crate::chain;
use crate::cni::Namespace;
use crate::containers::{Containers, NETWORKS};
use crate::daemon::Daemon;
use crate::docker::Docker;
use crate::failure::{Failure, expect};
use crate::path::{self, Path};
use crate::picture::picture;
use crate::programs::Programs;
use crate::report::{say, step};
use crate::restarts::Scene;
use crate::stand_in::StandIn;
use crate::svg::draw;
use contrail_lab::sandbox::{ControlGroups, DockerEngine};

/// Tells the whole story, and fails where it is not as promised; a drawing of the path.
pub fn tell(
    programs: &Programs,
    groups: &ControlGroups,
    wanted: Option<Members>,
) -> Result<String, Failure> {
    say("A service chain of a container and a namespace, on one host and in a sandbox of its own");
    let before = State::of_the_host()?;
    step("contrail-lab up --background", || {
        let output = programs.lab(&["up", "--background"])?;
        Ok(((), output.lines().take(1).map(str::to_owned).collect()))
    })?;
    let empty = objects(programs)?;
    let plugin = step("cnm-opencontrail &", || {
        Ok((Daemon::start(programs)?, Vec::new()))
    })?;
    let mut containers = containers(programs, groups, wanted)?;
    let drawing = members(programs, containers.as_mut())?;
    containers.end()?;
    step("nothing is left", || {
        plugin.end()?;
        expect("what the lab holds", objects(programs)?, empty)?;
        programs.lab(&["down"])?;
        drop(containers);
        expect("what the host has", State::of_the_host()?, before)?;
        let what = "no object, port, container, image, link, namespace or rule";
        Ok(((), vec![what.to_owned()]))
    })?;
    say("\neverything was as promised");
    Ok(drawing)
}

/// What runs the containers: without a wish, Docker where it can.
fn containers(
    programs: &Programs,
    groups: &ControlGroups,
    wanted: Option<Members>,
) -> Result<Box<dyn Containers>, Failure> {
    let reason = match wanted {
        Some(Members::Docker) => {
            return match DockerEngine::unavailable() {
                Some(reason) => Err(Failure::NoDocker(reason)),
                None => Ok(Box::new(Docker::start(programs, groups)?)),
            };
        }
        Some(Members::Namespaces) => "as asked for".to_owned(),
        None => match DockerEngine::unavailable() {
            Some(reason) => reason,
            None => match Docker::start(programs, groups) {
                Ok(docker) => return Ok(Box::new(docker)),
                Err(error) => error.to_string().lines().take(1).collect(),
            },
        },
    };
    say("             namespaces stand in for Docker's containers, with the same calls of the");
    say(&format!("             plugin's socket: {reason}"));
    Ok(Box::new(StandIn::default()))
}

/// Networks and members come, are chained, and go.
fn members(programs: &Programs, containers: &mut dyn Containers) -> Result<String, Failure> {
    for network in &NETWORKS {
        containers.create_network(network)?;
    }
    let [net1, net2] = NETWORKS.map(|network| network.name);
    let mut run = |name, networks: &[&str], addresses: &[&str]| {
        let member = containers.run(name, networks)?;
        member
            .lines()
            .iter()
            .for_each(|line| say(&format!("             {line}")));
        expect(
            format!("addresses of {name}"),
            member.addresses(),
            owned(addresses),
        )?;
        Ok::<_, Failure>(member)
    };
    let cnm_si = run("cnmSI", &[net1, net2], &["10.1.1.2", "10.1.2.2"])?;
    let alp1 = run("alp1", &[net1], &["10.1.1.3"])?;
    let alp2 = run("alp2", &[net2], &["10.1.2.3"])?;
    let (namespace, cni_si) = Namespace::join(programs, "cniSI")?;
    let expected = owned(&["10.1.1.254", "10.1.2.254"]);
    expect("addresses of cniSI", cni_si.addresses(), expected)?;

    alp1.reaches("inside net1", cni_si.on(net1)?)?;
    alp2.reaches("inside net2", cnm_si.on(net2)?)?;
    alp1.does_not_reach("in the other network", alp2.on(net2)?)?;

    let chain = chain::with_member(containers.chain_member(&cnm_si))?;
    chain::apply(programs, &chain)?;
    let there = path::measure([&alp1, &alp2], [&cnm_si, &cni_si], [net1, net2])?;
    path::measure([&alp2, &alp1], [&cni_si, &cnm_si], [net2, net1])?;
    show(&there);
    let drawing = draw(&there);

    let mut scene = Scene {
        programs,
        containers,
        namespace: &namespace,
        ends: [&alp1, &alp2],
        services: [cnm_si, cni_si],
    };
    scene.tell()?;
    chain::delete(programs, &scene.chain()?)?;
    let [cnm_si, _] = scene.services;
    alp1.does_not_reach("without the chain", alp2.on(net2)?)?;

    namespace.leave(programs)?;
    for member in [&cnm_si, &alp1, &alp2] {
        containers.remove(member)?;
    }
    for network in &NETWORKS {
        containers.remove_network(network)?;
    }
    Ok(drawing)
}

fn show(path: &Path<'_>) {
    say(&format!("\n{}\n", picture(path)));
}

/// The networks and ports that the lab knows, by name. Some networks it has from the start, as every
/// OpenContrail.
fn objects(programs: &Programs) -> Result<Vec<String>, Failure> {
    let status = programs.status()?;
    let objects = ["networks", "ports"].map(|kind| status[kind].as_array().cloned());
    Ok(objects
        .into_iter()
        .flatten()
        .flatten()
        .map(|object| object["name"].to_string())
        .collect())
}

/// What must be as it was.
#[derive(Debug, PartialEq)]
struct State {
    links: Vec<String>,
    namespaces: Vec<String>,
}

impl State {
    fn of_the_host() -> Result<Self, Failure> {
        let namespaces = match fs::read_dir("/run/netns") {
            Ok(entries) => entries
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect(),
            Err(_) => Vec::new(),
        };
        Ok(Self {
            links: links()?,
            namespaces,
        })
    }
}

/// The names of the links in the caller's network namespace. Not /sys, which shows those of the
/// namespace in which it was mounted.
pub fn links() -> std::io::Result<Vec<String>> {
    let table = fs::read_to_string("/proc/thread-self/net/dev")?;
    let names = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next());
    let mut names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    names.sort();
    Ok(names)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
