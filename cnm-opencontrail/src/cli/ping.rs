//! `cnm-opencontrail ping`: does the plugin answer on its sockets, and could it attach a container?

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use contrail_core::Deadline;
use contrail_core::process::output::print;
use http_body_util::{BodyExt as _, Empty};
use hyper::Method;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyperlocal::{UnixConnector, Uri};

use super::flags::Flags;
use super::load;
use crate::daemon::PROGRAM;
use crate::error::{Error, Result};

/// How long an answer may take. The plugin makes no request for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The arguments.
#[derive(Debug, Args)]
pub(super) struct Request {
    /// Check the sockets alone: the plugin also runs, and removes containers, while the API is down.
    #[arg(long)]
    socket: bool,
}

/// Calls `Plugin.Activate` on every socket; fails with the first that does not answer as this plugin does.
/// Then checks the state directory, the API and the agent, with the settings of this process.
pub(super) fn run(flags: &Flags, request: &Request) -> Result<()> {
    let loaded = load::load(flags)?;
    ask(&loaded.sockets)?;
    if request.socket {
        return Ok(());
    }
    let settings = &loaded.settings;
    let project = settings.project_name();
    let attacher = settings.attacher(PROGRAM)?;
    let status = attacher.status(&project, &[], Deadline::after(PATIENCE));
    status.state?;
    status.api?;
    status.agent?;
    print("the configuration API and the vRouter agent answer\n")?;
    Ok(())
}

fn ask(sockets: &[PathBuf]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::system("start the runtime", source))?;
    for socket in sockets {
        let answer = runtime.block_on(async {
            tokio::time::timeout(PATIENCE, activate(socket))
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
        });
        match answer {
            Ok(answer) => print(format!("{}: {answer}\n", socket.display()))?,
            Err(reason) => {
                return Err(Error::NoAnswer {
                    path: socket.clone(),
                    reason,
                });
            }
        }
    }
    Ok(())
}

async fn activate(socket: &Path) -> Result<String, String> {
    let client: Client<UnixConnector, Empty<Bytes>> =
        Client::builder(hyper_util::rt::TokioExecutor::new()).build(UnixConnector);
    let request = hyper::Request::builder()
        .method(Method::POST)
        .uri(Uri::new(socket, "/Plugin.Activate"))
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    let answer = client
        .request(request)
        .await
        .map_err(|error| contrail_core::error::report(&error))?;
    let status = answer.status();
    let body = answer.into_body().collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let implements = |text: &str| {
        let value = serde_json::from_str::<serde_json::Value>(text).ok()?;
        value.get("Implements")?.as_array().map(drop)
    };
    match status.is_success() && implements(&text).is_some() {
        true => Ok(text),
        false => Err(format!("it answers {status} {text}")),
    }
}
