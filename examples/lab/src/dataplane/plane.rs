//! The thread of the data plane: waits for changes of the inputs and of the host's links, and
//! brings the kernel to what they ask for.

use std::collections::BTreeMap;
use std::sync::mpsc;

use contrail_core::error::report;
use contrail_core::{Error, Result};
use rtnetlink::Handle;
use tokio::sync::mpsc::UnboundedReceiver;

use super::messages::{Command, Inputs, Mode, PlaneOptions, PortSnapshot, Snapshot};
use super::model::Model;
use super::netlink;
use super::resolve::{Tables, resolve};
use super::router::{Outcome, Router};
use super::watch::{Event, Links, Watch};

/// A runtime of one thread.
///
/// # Errors
/// [`Error::System`].
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|e| Error::system("start a runtime", e))
}

/// Serves the data plane on the calling thread until it is told to stop. Tells `ready` when it can
/// be asked, or why it cannot start.
pub fn run(
    options: PlaneOptions,
    inputs: Inputs,
    commands: UnboundedReceiver<Command>,
    ready: &mpsc::Sender<Result<()>>,
) {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(e) => {
            // Nobody to tell when the starter is gone.
            let _ = ready.send(Err(e));
            return;
        }
    };
    runtime.block_on(async {
        match Plane::start(options, inputs).await {
            Ok(plane) => {
                let _ = ready.send(Ok(()));
                plane.serve(commands).await;
            }
            Err(e) => {
                let _ = ready.send(Err(e));
            }
        }
    });
}

struct Plane {
    lab: String,
    inputs: Inputs,
    /// `None` when nothing was to be forwarded: nobody is in a hurry then.
    watch: Option<Watch>,
    /// In the namespace of the host ends, apart from the watching socket: that one may overflow.
    host: Handle,
    links: Links,
    router: Option<Router>,
    /// Why there is no router or no filter.
    limits: Vec<String>,
    tables: Tables,
    model: Model,
    outcome: Outcome,
    /// Whether the inputs have changed since they were looked at. Without a router that is only done
    /// for those who ask.
    is_behind: bool,
}

impl Plane {
    async fn start(options: PlaneOptions, inputs: Inputs) -> Result<Self> {
        let watch = match options.mode {
            Mode::Off => None,
            Mode::On | Mode::Auto => Some(Watch::start()?),
        };
        let (connection, host, _) =
            rtnetlink::new_connection().map_err(|e| Error::system("open netlink", e))?;
        tokio::spawn(connection);
        let links = Links::read(&host).await?;
        let mut limits = Vec::new();
        let router = match options.mode {
            Mode::Off => {
                limits.push("data plane off: nothing is forwarded, as asked for".to_owned());
                None
            }
            mode => match Router::start(&options.lab, host.clone(), options.nft.as_deref()).await {
                Ok(router) => Some(router),
                Err(e) if mode == Mode::On => return Err(e),
                Err(e) => {
                    limits.push(format!(
                        "data plane off: nothing is forwarded: {}",
                        report(&e)
                    ));
                    None
                }
            },
        };
        if let Some(Err(e)) = router.as_ref().map(|router| &router.filter) {
            limits.push(format!(
                "no packet filter, so each hop costs a TTL and sources are not checked: {}",
                report(e)
            ));
        }
        Ok(Self {
            lab: options.lab,
            inputs,
            watch,
            host,
            links,
            router,
            limits,
            tables: Tables::default(),
            model: Model::default(),
            outcome: Outcome::default(),
            is_behind: false,
        })
    }

    async fn serve(mut self, mut commands: UnboundedReceiver<Command>) {
        loop {
            tokio::select! {
                command = commands.recv() => {
                    let Some(command) = command else { break };
                    if let Some(answer) = self.handle(command, &mut commands).await {
                        // The receiver may have lost patience.
                        let _ = answer.send(self.stop().await);
                        return;
                    }
                }
                event = next(&mut self.watch) => match event {
                    Some(event) => self.link_event(event).await,
                    None => {
                        log::error!("the kernel ended the watch of the links");
                        break;
                    }
                },
            }
        }
        if let Err(e) = self.stop().await {
            log::warn!("{}", report(&e));
        }
    }

    /// Handles a command and those that wait behind it; the answer to a stop is the caller's.
    async fn handle(
        &mut self,
        first: Command,
        commands: &mut UnboundedReceiver<Command>,
    ) -> Option<mpsc::Sender<Result<()>>> {
        let mut changed = false;
        let mut waiting = Vec::new();
        let mut stop = None;
        let mut next = Some(first);
        // One look at the inputs serves everybody who waits for it.
        while let Some(command) = next {
            match command {
                Command::Changed => changed = true,
                Command::Settle(done) => {
                    changed = true;
                    waiting.push(done);
                }
                Command::LinkExists(name, answer) => {
                    let link = netlink::link(&self.host, &name).await;
                    let _ = answer.send(matches!(link, Ok(Some(_))));
                }
                Command::Snapshot(answer) => {
                    if std::mem::take(&mut changed) {
                        self.follow(std::mem::take(&mut waiting)).await;
                    }
                    let _ = answer.send(self.snapshot().await);
                }
                Command::Stop(answer) => {
                    stop = Some(answer);
                    break;
                }
            }
            next = commands.try_recv().ok();
        }
        if changed && stop.is_none() {
            self.follow(waiting).await;
        }
        stop
    }

    async fn link_event(&mut self, event: Event) {
        let concerned = match event {
            Event::Changed(link) => {
                let known = self.links.all().get(&link.name);
                let news = known.is_none_or(|known| !known.forwards_like(&link));
                let mut ports = self.model.ports.iter();
                let concerned = news && ports.any(|port| port.host_ifname == link.name);
                self.links.changed(link);
                concerned
            }
            Event::Gone(link) => {
                self.links.gone(&link);
                if let Some(router) = &mut self.router {
                    router.link_is_gone(link.index);
                }
                let mut ports = self.model.ports.iter();
                ports.any(|port| port.host_ifname == link.name || port.names.stub == link.name)
            }
            Event::Lost => {
                match Links::read(&self.host).await {
                    Ok(links) => self.links = links,
                    Err(e) => log::warn!("{}", report(&e)),
                }
                true
            }
        };
        if concerned {
            self.follow(Vec::new()).await;
        }
    }

    /// Brings the kernel to what the inputs ask for, and tells those who wait.
    async fn follow(&mut self, waiting: Vec<mpsc::Sender<()>>) {
        self.is_behind = true;
        if self.router.is_some() {
            self.look().await;
        }
        for done in waiting {
            // Whoever lost patience does not need it.
            let _ = done.send(());
        }
        self.tidy().await;
    }

    /// Looks at the inputs and, with a router, brings the kernel to what they ask for.
    async fn look(&mut self) {
        self.is_behind = false;
        let subscriptions = (self.inputs.subscriptions)();
        let view = (self.inputs.view)();
        let names: Vec<&str> = subscriptions
            .iter()
            .map(|port| port.host_ifname.as_str())
            .collect();
        let read = match &self.watch {
            Some(_) => self.links.refresh(&self.host, &names).await,
            None => Links::read(&self.host).await.map(|all| self.links = all),
        };
        if let Err(e) = read {
            log::warn!("{}", report(&e));
        }
        let links = self.links.all();
        self.model = resolve(&self.lab, &subscriptions, &view, links, &mut self.tables);
        if let Some(router) = &mut self.router {
            self.outcome = router.reconcile(&self.model, links).await;
        }
    }

    /// Removes what the latest look found to be of no use, and tells of what went wrong.
    async fn tidy(&mut self) {
        if let Some(router) = &mut self.router {
            let unused = std::mem::take(&mut self.outcome.unused);
            if let Err(e) = router.remove(&unused).await {
                self.outcome.problems.push(report(&e));
            }
        }
        for problem in self
            .outcome
            .problems
            .iter()
            .chain(self.outcome.unwired.values())
        {
            log::warn!("{problem}");
        }
    }

    async fn snapshot(&mut self) -> Snapshot {
        // Nobody tells of links that came or went meanwhile when they are not watched.
        if self.is_behind || self.watch.is_none() {
            self.look().await;
        }
        let mut ports = BTreeMap::new();
        for port in &self.model.ports {
            let link = netlink::link(&self.host, &port.host_ifname).await;
            let link = link.ok().flatten();
            let snapshot = PortSnapshot {
                ifindex: link.as_ref().map(|link| link.index),
                problem: self.outcome.unwired.get(&port.id).cloned(),
                counters: link.map(|link| link.counters).unwrap_or_default(),
            };
            ports.insert(port.id, snapshot);
        }
        let limits = self.limits.iter();
        Snapshot {
            namespace: self.router.as_ref().map(|router| router.path().to_owned()),
            problems: limits.chain(&self.outcome.problems).cloned().collect(),
            model: self.model.clone(),
            ports,
        }
    }

    async fn stop(&mut self) -> Result<()> {
        match self.router.take() {
            Some(router) => router.stop().await,
            None => Ok(()),
        }
    }
}

/// The next event; never one without a watch.
async fn next(watch: &mut Option<Watch>) -> Option<Event> {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}
