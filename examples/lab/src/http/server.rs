//! Serves one [`Service`] on one listener, with the faults that were asked for, and logs it.

use std::error::Error as _;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::answer::{Answer, Broken, answer, set_content_type};
use super::by_hand::ByHand;
use super::{Request, Response, Service, ServiceName, Step};
use crate::faults::{Action, Faults};
use crate::harm::Harm;
use crate::request_log::RequestLog;

/// What all servers of a lab share: the faults to play and the log to write.
#[derive(Clone, Default)]
pub struct Watch {
    /// The rules, set through the control endpoint.
    pub faults: Arc<Faults>,
    /// Every request of every service.
    pub log: Arc<RequestLog>,
}

/// A running server. Dropping it stops it: the listener and all connections are closed.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `service` on `listener` from a thread of its own until [`Server::stop`].
    ///
    /// # Errors
    /// When the listener cannot be used or no thread can be started.
    pub fn start(
        listener: TcpListener,
        name: ServiceName,
        service: Arc<dyn Service>,
        watch: Watch,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _guard = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let server = Arc::new(Handler {
            name,
            service,
            watch,
        });
        let thread = std::thread::Builder::new()
            .name(name.to_string())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, server) => {}
                        // An error means that the server value was leaked; both end the loop.
                        _ = stopped => {}
                    }
                });
                // A blocked handler must not keep `stop` waiting.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where the server listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Closes the listener and every connection.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone if the thread has ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the server thread of {} panicked", self.address);
        }
    }
}

/// More than any service takes; a body beyond it ends the connection.
const MAX_BODY: usize = 64 << 20;

/// Numbers connections over all servers of the process, for the log.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

async fn accept(listener: tokio::net::TcpListener, handler: Arc<Handler>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, mostly: a closing connection gives one back.
                log::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        if handler.watch.faults.refuses(handler.name) {
            reset(&stream);
            continue;
        }
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(stream, number, Arc::clone(&handler)));
    }
}

/// Makes the close of a connection a reset, which the client sees as a refusal.
fn reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        log::warn!("cannot reset a connection: {error}");
    }
}

async fn serve(stream: TcpStream, number: u64, handler: Arc<Handler>) {
    // Without it the kernel holds small answers back for the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        log::warn!("cannot set TCP_NODELAY: {error}");
    }
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        Box::pin(async move { handler.answer(request, number).await })
    });
    let mut connection = http1::Builder::new()
        // The real servers keep idle connections open, too.
        .header_read_timeout(None)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else {
        return;
    };
    log::debug!("connection {number} ended: {error}");
    let broken = error.source().and_then(|e| e.downcast_ref::<Broken>());
    if let Some(Broken::ByHand(answer)) = broken {
        let stream = connection.into_parts().io.into_inner();
        if let Err(error) = answer.send(stream).await {
            log::debug!("the client of connection {number} has gone: {error}");
        }
    }
}

struct Handler {
    name: ServiceName,
    service: Arc<dyn Service>,
    watch: Watch,
}

impl Handler {
    async fn answer(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        connection: u64,
    ) -> Result<hyper::Response<Answer>, Broken> {
        let (mut head, body) = split(request);
        let entry = self.watch.log.begin(self.name, connection, &head);
        if let Some(response) = self.service.admit(&head) {
            drain(body).await;
            entry.end(response.status);
            return Ok(answer(response.with_header("Connection", "close"), false));
        }
        let action = self.watch.faults.take(self.name, &head.method, &head.path);
        // A client that breaks off while sending gets no answer and has no effect.
        let body = Limited::new(body, MAX_BODY).collect().await;
        head.body = body.map_err(|_| Broken::Dropped)?.to_bytes().into();
        let (response, sending) = match action {
            None => (self.run(head).await?, Sending::Whole),
            Some(action) => self.misbehave(action, head).await?,
        };
        entry.end(response.status);
        match sending {
            Sending::Whole => Ok(answer(response, false)),
            Sending::Half => Ok(answer(response, true)),
            Sending::ByHand(pause) => Err(Broken::ByHand(ByHand::new(&response, pause))),
        }
    }

    async fn run(self: &Arc<Self>, request: Request) -> Result<Response, Broken> {
        self.run_slowly(request, Duration::ZERO).await
    }

    /// Runs a request and pauses for so long when it has begun.
    async fn run_slowly(
        self: &Arc<Self>,
        request: Request,
        pause: Duration,
    ) -> Result<Response, Broken> {
        // A panic of the service has been printed; the client sees the connection drop.
        if self.service.waits() {
            let this = Arc::clone(self);
            let call = move || this.service.handle(&request);
            let response = spawn_blocking(call).await.map_err(|_| Broken::Dropped)?;
            sleep(pause).await;
            return Ok(response);
        }
        let step = match Arc::clone(&self.service).begin(&request) {
            Step::Answered(response) if pause.is_zero() => return Ok(response),
            step => step,
        };
        // A client that goes away does not end what the server has begun.
        let steps = tokio::spawn(take_steps(step, request, pause));
        steps.await.map_err(|_| Broken::Dropped)
    }

    /// Plays a fault: the response, and how it is sent.
    async fn misbehave(
        self: &Arc<Self>,
        action: Action,
        request: Request,
    ) -> Result<(Response, Sending), Broken> {
        let mut sending = Sending::Whole;
        let response = match action {
            Action::Refuse | Action::DropBefore => return Err(Broken::Dropped),
            Action::Hang => std::future::pending().await,
            Action::Delay(milliseconds) => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                self.run(request).await?
            }
            Action::Status(answer) => answer.response(),
            Action::DropAfter => {
                self.run(request).await?;
                return Err(Broken::Dropped);
            }
            Action::Swallow => {
                self.run(request).await?;
                std::future::pending().await
            }
            Action::Truncate => {
                sending = Sending::Half;
                self.run(request).await?
            }
            Action::Trickle(milliseconds) => {
                sending = Sending::ByHand(Duration::from_millis(milliseconds));
                self.run(request).await?
            }
            Action::Close => {
                sending = Sending::ByHand(Duration::ZERO);
                self.run(request).await?
            }
            Action::Garbage => {
                let mut response = self.run(request).await?;
                response.body = b"{\"garbage\": [".to_vec();
                response
            }
            Action::Harm(harm) => {
                // A refusal that is a lie cannot be told from one that is not.
                let mut response = match harm {
                    Harm::Refusal => Response::new(400, "text/html", ""),
                    _ => self.run(request).await?,
                };
                harm.spoil(&mut response);
                response
            }
            Action::ContentType(value) => {
                let mut response = self.run(request).await?;
                set_content_type(&mut response, &value);
                response
            }
            Action::Overlap(milliseconds) => {
                let pause = Duration::from_millis(milliseconds);
                self.run_slowly(request, pause).await?
            }
            Action::Forget => self.service.pretend(&request),
        };
        Ok((response, sending))
    }
}

/// How often the other tasks of the thread run before a request that is under way goes on. One that has
/// arrived by now is accepted, read and begun meanwhile; this costs some microseconds.
const TURNS: u32 = 3;

/// Goes on with a request that has begun; the first pause takes at least this long.
async fn take_steps(mut step: Step, request: Request, mut pause: Duration) -> Response {
    loop {
        match step {
            Step::Answered(response) => {
                sleep(pause).await;
                return response;
            }
            Step::After(time, underway) => {
                wait(time.max(pause)).await;
                pause = Duration::ZERO;
                step = underway.next(&request);
            }
        }
    }
}

/// Waits, if only by letting other tasks of this thread run.
async fn wait(time: Duration) {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    sleep(time).await;
}

/// Sleeps; the timer would make a millisecond of no time.
async fn sleep(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// How an answer is sent.
enum Sending {
    Whole,
    /// The connection breaks off in the middle of the body.
    Half,
    /// With this time between two bytes; then the connection is closed.
    ByHand(Duration),
}

/// The head as a value, and the body still to be read.
fn split(request: hyper::Request<Incoming>) -> (Request, Incoming) {
    let (parts, body) = request.into_parts();
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let head = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: Vec::new(),
    };
    (head, body)
}

/// Reads a body that is not used: closing before that would reset the connection, and the client
/// might never see the refusal.
async fn drain(body: Incoming) {
    let mut body = Limited::new(body, MAX_BODY);
    while let Some(Ok(_)) = body.frame().await {}
}
