//! The programs that are compared: how they are built, found, called and timed.

use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use contrail_lab::lab::CLIENT_ENVIRONMENT;
use contrail_lab::sandbox::TestNetns;
use serde_json::{Value, json};

use super::budget;
use super::installed;
use super::sample::Sample;

/// How many programs are compared, and their places.
pub const COUNT: usize = 3;
pub const PLUGIN: usize = 0;
pub const KERNEL: usize = 1;
pub const REFERENCE: usize = 2;

/// How many are started at once.
pub const CROWD: usize = 50;

/// Where Debian's package containernetworking-plugins puts the reference plugins.
const REFERENCE_DIR: &str = "/usr/lib/cni";
const CHILD: &str = env!("CARGO_BIN_EXE_attach-bench-child");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Add,
    Del,
}

impl Operation {
    pub const BOTH: [Self; 2] = [Self::Add, Self::Del];

    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Del => "DEL",
        }
    }
}

pub struct Programs {
    plugin: PathBuf,
    /// The reference plugin `ptp`, if it is installed.
    reference: Option<PathBuf>,
}

impl Programs {
    pub fn find() -> Result<Self, Box<dyn Error>> {
        let installed = |name| Path::new(REFERENCE_DIR).join(name);
        let both = ["ptp", "host-local"].map(installed);
        Ok(Self {
            plugin: installed::directory()?.join("cni-opencontrail"),
            reference: both.iter().all(|p| p.exists()).then(|| installed("ptp")),
        })
    }

    /// The size of the plugin in bytes.
    fn size(&self) -> Result<u64, Box<dyn Error>> {
        Ok(fs::metadata(&self.plugin)?.len())
    }

    /// What is compared, and where.
    pub fn versions(&self) -> Result<String, Box<dyn Error>> {
        let size = self.size()?;
        let plugin = first_line(&self.plugin)?;
        let reference = match &self.reference {
            Some(ptp) => format!("{}, with host-local{}", first_line(ptp)?, package()),
            None => format!("not in {REFERENCE_DIR}: install containernetworking-plugins"),
        };
        Ok(format!(
            "plugin     {plugin}\n           {:.2} MB, static and stripped; budget {}\n\
             reference  {reference}\n\
             machine    {} CPUs, Linux {}",
            size as f64 / 1e6,
            budget::of_size(size),
            std::thread::available_parallelism()?,
            fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        ))
    }

    /// For each program so many places in which it attaches; none for one that is not installed.
    pub fn slots(
        &self,
        configuration: &Value,
        count: usize,
    ) -> Result<[Vec<Slot>; COUNT], Box<dyn Error>> {
        let plugin = input("opencontrail", configuration)?;
        let reference = input("ptp", &reference_configuration())?;
        let mut slots: [Vec<Slot>; COUNT] = Default::default();
        for i in 0..count {
            slots[PLUGIN].push(Slot::new(
                Kind::Cni(self.plugin.clone(), plugin.clone()),
                i,
            )?);
            slots[KERNEL].push(Slot::new(Kind::Bare, i)?);
            if let Some(ptp) = &self.reference {
                slots[REFERENCE].push(Slot::new(Kind::Cni(ptp.clone(), reference.clone()), i)?);
            }
        }
        Ok(slots)
    }
}

/// The version of the reference plugins' package: Debian's plugins do not know their own.
fn package() -> String {
    let query = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", "containernetworking-plugins"])
        .output();
    match query {
        Ok(output) if output.status.success() => format!(
            ", Debian package {}",
            String::from_utf8_lossy(&output.stdout)
        ),
        _ => String::new(),
    }
}

/// What a CNI plugin says of itself when nobody gives it a command.
fn first_line(plugin: &Path) -> Result<String, Box<dyn Error>> {
    let output = Command::new(plugin)
        .env_clear()
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The input as a file: a pipe's other end would have to be served while the time runs.
fn input(name: &str, configuration: &Value) -> Result<PathBuf, Box<dyn Error>> {
    let path = Path::new("/run").join(format!("{name}.conf"));
    fs::write(&path, configuration.to_string())?;
    Ok(path)
}

fn reference_configuration() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "reference",
        "type": "ptp",
        "mtu": 1492,
        "ipam": {
            "type": "host-local",
            "subnet": "10.99.0.0/16",
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": "/run/host-local",
        },
    })
}

enum Kind {
    /// A CNI plugin, and the file with its configuration.
    Cni(PathBuf, PathBuf),
    /// The work of the kernel alone.
    Bare,
}

/// A namespace in which a program attaches.
pub struct Slot {
    kind: Kind,
    name: String,
    netns: TestNetns,
}

impl Slot {
    fn new(kind: Kind, number: usize) -> Result<Self, Box<dyn Error>> {
        let prefix = match &kind {
            Kind::Cni(program, _) => program.file_name().unwrap_or_default().to_string_lossy(),
            Kind::Bare => "bare".into(),
        };
        let name = format!("{prefix}-{number}");
        Ok(Self {
            netns: TestNetns::new(&name)?,
            kind,
            name,
        })
    }

    /// Runs the program and says what it cost.
    pub fn run(&self, operation: Operation) -> Result<Sample, Box<dyn Error>> {
        let program = self.command(operation)?;
        let mut command = Command::new(CHILD);
        command
            .arg("measure")
            .arg(program.get_program())
            .args(program.get_args());
        self.surroundings(&mut command, operation)?;
        let output = command.output()?;
        let text = String::from_utf8(output.stdout)?;
        if !output.status.success() {
            return Err(self.failed(operation, &output.stderr));
        }
        let numbers = text.split_whitespace().map(str::parse::<u64>);
        match numbers.collect::<Result<Vec<_>, _>>()?[..] {
            [wall, cpu, rss] => Ok(Sample {
                wall: Duration::from_micros(wall),
                cpu: Duration::from_micros(cpu),
                rss,
            }),
            _ => Err(format!("three numbers were expected: {text:?}").into()),
        }
    }

    fn command(&self, operation: Operation) -> Result<Command, Box<dyn Error>> {
        let mut command = match (&self.kind, operation) {
            (Kind::Cni(program, _), _) => Command::new(program),
            (Kind::Bare, Operation::Add) => {
                let mut command = Command::new(CHILD);
                command.arg("add").arg(self.netns.path()).arg(&self.name);
                command
            }
            (Kind::Bare, Operation::Del) => {
                let mut command = Command::new(CHILD);
                command.arg("del").arg(&self.name);
                command
            }
        };
        self.surroundings(&mut command, operation)?;
        Ok(command)
    }

    fn surroundings(
        &self,
        command: &mut Command,
        operation: Operation,
    ) -> Result<(), Box<dyn Error>> {
        command.env_clear().stdin(Stdio::null());
        if let Kind::Cni(_, input) = &self.kind {
            command
                .stdin(File::open(input)?)
                .envs([
                    ("CNI_COMMAND", operation.name()),
                    ("CNI_CONTAINERID", &self.name),
                    ("CNI_IFNAME", "eth0"),
                    ("CNI_PATH", REFERENCE_DIR),
                    ("CONTRAIL_NODE_NAME", "node1"),
                ])
                .envs(CLIENT_ENVIRONMENT)
                .env("CNI_NETNS", self.netns.path());
        }
        Ok(())
    }

    fn failed(&self, operation: Operation, log: &[u8]) -> Box<dyn Error> {
        let log = String::from_utf8_lossy(log);
        format!("{} of {} failed: {log}", operation.name(), self.name).into()
    }
}

/// Starts the program in every place at once; the time from the first start to the last end.
pub fn all_at_once(slots: &[Slot], operation: Operation) -> Result<Duration, Box<dyn Error>> {
    let mut commands = Vec::new();
    for slot in slots {
        let mut command = slot.command(operation)?;
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        commands.push(command);
    }
    let started = Instant::now();
    let running: Result<Vec<_>, _> = commands.iter_mut().map(Command::spawn).collect();
    let ended = running?.into_iter().map(|child| child.wait_with_output());
    let outputs: Vec<_> = ended.collect::<Result<_, _>>()?;
    let time = started.elapsed();
    for (slot, output) in slots.iter().zip(outputs) {
        if !output.status.success() {
            return Err(slot.failed(operation, &output.stderr));
        }
    }
    Ok(time)
}
