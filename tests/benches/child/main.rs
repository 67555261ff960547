//! What the benchmark `attach` starts as processes of their own, beside the plugins:
//!
//! - `add <netns> <host interface>` and `del <host interface>`: the work that the kernel has with
//!   one attachment and nothing else, by the same messages as the plugin's;
//! - `measure <program>`: runs a program and prints what it cost. The kernel counts the memory of
//!   whoever starts a program towards the program's peak, so the starter must be small.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use contrail_core::MacAddr;
use contrail_core::kernel::{Dataplane, InterfaceConfig, Kernel, Route, VethSpec};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["add", netns, host] => add(Path::new(netns), host)?,
        ["del", host] => {
            Kernel::new().delete_link(host, None)?;
        }
        ["measure", program, ref arguments @ ..] => return measure(program, arguments),
        _ => return Err(
            "add <netns> <host interface>, del <host interface> or measure <program> is expected"
                .into(),
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// An interface as the plugin makes it from the benchmark's configuration.
fn add(netns: &Path, host: &str) -> Result<(), Box<dyn Error>> {
    let kernel = Kernel::new();
    let netns = kernel.open_netns(netns)?;
    let spec = VethSpec {
        host: host.to_owned(),
        container: "eth0".to_owned(),
        mac: MacAddr([2, 0, 0, 0, 0, 1]),
        mtu: Some(1492),
        alias: "d2addb42-4371-5012-bee6-417003b71696".to_owned(),
    };
    kernel.create_veth(&spec, Some(&netns))?;
    let config = InterfaceConfig {
        addresses: vec!["10.1.1.4/16".parse()?],
        routes: vec![Route::default_via("10.1.1.1".parse()?)],
        forwarding: false,
    };
    Ok(kernel.configure(&netns, "eth0", &config)?)
}

/// Runs a program with this one's standard input and prints its wall time and its CPU time in
/// microseconds and its peak memory in KiB. Processes that it waited for count as its own.
fn measure(program: &str, arguments: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let started = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    let wall = started.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = duration(usage.user_time()) + duration(usage.system_time());
    let line = format!(
        "{} {} {}\n",
        wall.as_micros(),
        cpu.as_micros(),
        usage.max_rss()
    );
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes())?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn duration(time: TimeVal) -> Duration {
    Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or_default())
}
