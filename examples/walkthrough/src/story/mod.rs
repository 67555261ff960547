//! The story: two networks with a container each cannot reach one another. Through a service chain of a
//! container and a namespace they can, also after these have restarted; without the chain they cannot.
//! In the end nothing is left.

mod chain;
mod host;
mod restarts;

use contrail_lab::sandbox::ControlGroups;
use host::HostState;
use restarts::Scene;

use crate::failure::{Failure, expect};
use crate::members::{Containers, NETWORKS, Namespace, containers};
use crate::options::Members;
use crate::path::{self, Path};
use crate::programs::{Daemon, Programs};
use crate::report::{say, step};

/// Runs all steps, and fails at the first unexpected result. Returns the path through the chain.
pub fn tell(
    programs: &Programs,
    groups: &ControlGroups,
    wanted: Option<Members>,
) -> Result<Path, Failure> {
    say("A service chain of a container and a namespace, on one host and in a sandbox of its own");
    let before = HostState::read()?;
    step("contrail-lab up --background", || {
        let output = programs.lab(&["up", "--background"])?;
        Ok(((), output.lines().take(1).map(str::to_owned).collect()))
    })?;
    let empty = objects(programs)?;
    let plugin = step("cnm-opencontrail &", || {
        Ok((Daemon::start(programs)?, Vec::new()))
    })?;
    let mut containers = containers(programs, groups, wanted)?;
    let path = members(programs, containers.as_mut())?;
    containers.end()?;
    step("nothing is left", || {
        plugin.end()?;
        expect("objects of the lab", objects(programs)?, empty)?;
        programs.lab(&["down"])?;
        drop(containers);
        expect("state of the host", HostState::read()?, before)?;
        let what = "no object, port, container, image, link, namespace or rule";
        Ok(((), vec![what.to_owned()]))
    })?;
    say("\nevery step had the expected result");
    Ok(path)
}

/// Starts the members, chains them and removes them.
fn members(programs: &Programs, containers: &mut dyn Containers) -> Result<Path, Failure> {
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
        let what = format!("addresses of {name}");
        expect(what, member.addresses(), owned(addresses))?;
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
    let path = path::measure([&alp1, &alp2], [&cnm_si, &cni_si], [net1, net2])?;
    path::measure([&alp2, &alp1], [&cni_si, &cnm_si], [net2, net1])?;
    say(&format!("\n{}\n", path::text(&path)));

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
    Ok(path)
}

/// The names of the networks and ports in the lab. Some networks exist from the start, as in every
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

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
