//! `cnm-opencontrail ping`: does the plugin answer on its sockets?

use std::path::Path;
use std::time::Duration;

use contrail_core::process::output::print;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyperlocal::{UnixConnector, Uri};

use super::flags::Flags;
use super::load;
use crate::error::{Error, Result};

/// How long an answer may take. The plugin makes no request for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls `Plugin.Activate` on every socket; fails with the first that does not answer as this plugin does.
pub(super) fn run(flags: &Flags) -> Result<()> {
    let sockets = load::load(flags)?.sockets;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::system("start the runtime", source))?;
    for socket in &sockets {
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
    let request = Request::builder()
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
