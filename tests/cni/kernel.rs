//! Every step in the kernel that attaching and detaching take, refused by the kernel before or after it took
//! effect: the caller hears of it, and after one more detach nothing is left.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contrail_core::Deadline;
use contrail_core::attach::{
    Attacher, Attachment, Backend, Detachment, Host, NetworkSpec, SubnetSpec,
};
use contrail_core::kernel::{Dataplane, InterfaceConfig, Kernel, Link, Netns, VethSpec};
use contrail_core::kernel::{Error, Result};
use contrail_core::ownership::Maker;
use contrail_core::settings::{Settings, Sources};
use contrail_lab::sandbox::{self, TestNetns};
use nix::errno::Errno;
use opencontrail_tests::world::{everything, lab};

/// What the kernel may say, where it can occur.
const ERRORS: [Errno; 4] = [Errno::EEXIST, Errno::EPERM, Errno::ENODEV, Errno::ENOSPC];

/// Nobody is struck.
const NEVER: usize = usize::MAX;

/// The kernel, one of whose steps fails.
struct Faulty {
    kernel: Kernel,
    /// How many steps were taken.
    taken: AtomicUsize,
    /// Which one fails.
    fails: AtomicUsize,
    errno: Errno,
    /// Whether it takes effect all the same.
    after_effect: bool,
}

impl Faulty {
    fn new(errno: Errno, after_effect: bool) -> Arc<Self> {
        Arc::new(Self {
            kernel: Kernel::new(),
            taken: AtomicUsize::new(0),
            fails: AtomicUsize::new(NEVER),
            errno,
            after_effect,
        })
    }

    /// The step with this number fails, counted from now on.
    fn strike(&self, step: usize) {
        self.taken.store(0, Ordering::SeqCst);
        self.fails.store(step, Ordering::SeqCst);
    }

    fn step<T>(&self, name: &str, action: impl FnOnce() -> Result<T>) -> Result<T> {
        let number = self.taken.fetch_add(1, Ordering::SeqCst);
        if number != self.fails.load(Ordering::SeqCst) {
            return action();
        }
        if self.after_effect {
            action()?;
        }
        Err(Error::kernel(name, io::Error::from(self.errno)))
    }
}

impl Dataplane for Faulty {
    fn open_netns(&self, path: &Path) -> Result<Netns> {
        self.step("open_netns", || self.kernel.open_netns(path))
    }

    fn create_veth(&self, spec: &VethSpec, netns: Option<&Netns>) -> Result<()> {
        self.step("create_veth", || self.kernel.create_veth(spec, netns))
    }

    fn configure(&self, netns: &Netns, ifname: &str, config: &InterfaceConfig) -> Result<()> {
        self.step("configure", || self.kernel.configure(netns, ifname, config))
    }

    fn delete_link(&self, name: &str, alias: Option<&str>) -> Result<bool> {
        self.step("delete_link", || self.kernel.delete_link(name, alias))
    }

    fn has_link(&self, name: &str) -> Result<bool> {
        self.kernel.has_link(name)
    }

    fn link(&self, netns: Option<&Netns>, name: &str) -> Result<Option<Link>> {
        self.step("link", || self.kernel.link(netns, name))
    }
}

fn attacher(dataplane: Arc<dyn Dataplane>) -> Attacher {
    let settings = Settings::load(&Sources {
        nearer: Vec::new(),
        environment: &|_| None,
        files: Vec::new(),
        read: &|_| Err(io::ErrorKind::NotFound.into()),
        host_name: Some("node1".into()),
    });
    let backend = settings.unwrap().backend("cni-opencontrail").unwrap();
    let maker = Maker {
        program: "cni-opencontrail".into(),
        node: "node1".into(),
        machine: None,
    };
    let state_dir = "/var/lib/contrail/cni-opencontrail";
    let host = Host {
        attach_timeout: Duration::from_secs(10),
        detach_timeout: Duration::from_secs(10),
        ..Host::new(maker, "/run/contrail", state_dir)
    };
    Attacher::new(
        Backend {
            dataplane,
            ..backend
        },
        host,
    )
}

fn attachment(netns: &TestNetns) -> Attachment {
    let network = NetworkSpec {
        fq_name: "default-domain:admin:n".parse().unwrap(),
        subnets: vec![SubnetSpec::new("10.1.1.0/24".parse().unwrap())],
    };
    Attachment {
        configuration: Some("test".into()),
        ..Attachment::new("c", "eth0", netns.path(), network)
    }
}

fn detachment() -> Detachment {
    Detachment {
        container: "c".into(),
        ifname: "eth0".into(),
    }
}

/// How many steps a call takes.
fn steps(kernel: &Faulty, call: impl FnOnce()) -> usize {
    kernel.strike(NEVER);
    call();
    kernel.taken.load(Ordering::SeqCst)
}

#[test]
fn whatever_the_kernel_refuses_nothing_is_left() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let left = || -> BTreeSet<String> {
            let after = everything(&lab, &[netns.netns()]);
            after.symmetric_difference(&before).cloned().collect()
        };
        let (mut cases, mut taken_back, mut by_detach) = (0, 0, 0);
        for (errno, after_effect) in ERRORS.into_iter().flat_map(|e| [(e, false), (e, true)]) {
            let kernel = Faulty::new(errno, after_effect);
            let attacher = attacher(kernel.clone());
            let attach = || attacher.attach(&[attachment(&netns)]);
            let detach = || attacher.detach(&[detachment()]);
            let to_attach = steps(&kernel, || drop(attach().unwrap()));
            let to_detach = steps(&kernel, || assert_eq!(detach().unwrap().deferred, 0));
            assert!(to_attach >= 3 && to_detach >= 1, "{to_attach} {to_detach}");
            for step in 0..to_attach {
                kernel.strike(step);
                let failed = attach();
                kernel.strike(NEVER);
                assert!(failed.is_err(), "attach, step {step}, {errno}: {failed:?}");
                cases += 1;
                match left().is_empty() {
                    true => taken_back += 1,
                    false => by_detach += 1,
                }
                detach().unwrap();
                assert!(
                    left().is_empty(),
                    "attach, step {step}, {errno}: {:#?}",
                    left()
                );
            }
            for step in 0..to_detach {
                attach().unwrap();
                kernel.strike(step);
                // Whether it is deferred or an error, the next DEL of any container finishes it.
                let _ = detach();
                kernel.strike(NEVER);
                cases += 1;
                attacher.work_off_all_pending(Deadline::after(Duration::from_secs(10)));
                by_detach += 1;
                detach().unwrap();
                assert!(
                    left().is_empty(),
                    "detach, step {step}, {errno}: {:#?}",
                    left()
                );
            }
        }
        sandbox::note(&format!(
            "kernel steps refused: {cases} cases, {taken_back} taken back at once, {by_detach} finished by \
             the queue or DEL"
        ));
    });
}

#[test]
fn a_container_is_attached_and_detached_within_an_async_runtime() {
    sandbox::test(|| {
        let lab = lab();
        let netns = TestNetns::new("c").unwrap();
        let before = everything(&lab, &[netns.netns()]);
        let attacher = attacher(Arc::new(Kernel::new()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let attached = attacher.attach(&[attachment(&netns)]).unwrap();
            assert_eq!(attached[0].addresses.len(), 1);
            assert_eq!(attacher.detach(&[detachment()]).unwrap().deferred, 0);
        });
        assert_eq!(everything(&lab, &[netns.netns()]), before);
    });
}
