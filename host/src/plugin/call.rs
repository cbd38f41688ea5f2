//! One request through one fresh guest.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::fault::{Fault, classify};
use super::guest::{Guest, Services};
use super::imports::http::{Answer, Header, IncomingRequest, Repeat, ResponseSink};
use super::imports::websocket::SocketEnds;
use super::load::Personality;
use crate::limits;

/// A guest's work, from its start to its return.
pub type GuestRun = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// Runs guests, no more at once than there are instances.
pub struct Caller {
    services: Arc<Services>,
    instances: Arc<Semaphore>,
}

/// What a client gets from a plugin.
pub enum Reply {
    /// A whole response.
    Whole {
        /// HTTP status.
        status: u16,
        /// Headers as the guest gave them.
        headers: Vec<Header>,
        /// Body.
        body: Bytes,
    },
    /// The beginning of a response.
    Streamed {
        /// HTTP status.
        status: u16,
        /// Headers as the guest gave them.
        headers: Vec<Header>,
        /// The rest, which drives the guest as it is read.
        body: GuestStream,
    },
    /// No response: the connection becomes a websocket, and whoever has it drives the guest.
    Socket {
        /// The connection's ends.
        ends: SocketEnds,
        /// The guest.
        run: GuestRun,
    },
}

impl Caller {
    /// A caller for the whole server.
    pub fn new(services: Arc<Services>) -> Caller {
        Caller { services, instances: Arc::new(Semaphore::new(limits::GUESTS_MAX as usize)) }
    }

    /// Lets a fresh instance of `personality` answer `request`. Dropping the future, or the stream it returns, ends the guest and
    /// what it started.
    ///
    /// # Errors
    /// When the guest failed before it answered.
    pub async fn call(&self, personality: &Arc<Personality>, request: IncomingRequest) -> Result<Reply, Fault> {
        let permit = self.instance().await?;
        let (sink, mut answer) = ResponseSink::new();
        let mut run: GuestRun = Box::pin(run(personality.clone(), self.services.clone(), request, sink, permit));
        // The guest runs inside this future, and later inside the body's: no task of its own, so nothing outlives the client.
        let (answer, end) = tokio::select! {
            biased;
            result = &mut run => {
                let answer = answer.try_recv();
                match (answer, result) {
                    (Ok(answer), result) => (answer, Some(result)),
                    (Err(_), Err(fault)) => return Err(fault),
                    (Err(_), Ok(())) => return Err(Fault::NoAnswer),
                }
            }
            answer = &mut answer => match answer {
                Ok(answer) => (answer, None),
                // The guest dropped its response; it can only return now.
                Err(_) => return Err((&mut run).await.err().unwrap_or(Fault::NoAnswer)),
            },
        };
        match answer {
            Answer::Whole(status, headers, body) => {
                // The guest may have work to do after it answered, such as keeping a session: the client hears of it afterwards. What
                // was answered stands even if the guest fails on its way out; `run` has logged it.
                if end.is_none() {
                    let _ = run.await;
                }
                Ok(Reply::Whole { status, headers, body })
            }
            Answer::Streamed(status, headers, chunks) => {
                let (run, fault) = match end {
                    None => (Some(run), None),
                    Some(result) => (None, result.err()),
                };
                Ok(Reply::Streamed { status, headers, body: GuestStream { run, fault, is_flushed: false, chunks } })
            }
            Answer::Socket(ends) => {
                let run = end.map_or(run, |result| Box::pin(std::future::ready(result)));
                Ok(Reply::Socket { ends, run })
            }
        }
    }

    async fn instance(&self) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(permit) = self.instances.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let wait = Duration::from_millis(limits::INSTANCE_WAIT_MS);
        match tokio::time::timeout(wait, self.instances.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Fault::Overloaded),
        }
    }
}

/// Instantiates, calls `handle`, drops everything.
async fn run(
    personality: Arc<Personality>,
    services: Arc<Services>,
    request: IncomingRequest,
    sink: ResponseSink,
    permit: OwnedSemaphorePermit,
) -> Result<(), Fault> {
    let request_id: Arc<str> = request.head.request_id.as_str().into();
    let mut guest = Guest::new(personality.identity.clone(), services.clone(), request_id.clone());
    guest.tenant = request.tenant;
    let handles = guest.table.push(request).and_then(|request| Ok((request, guest.table.push(sink)?)));
    let (request, response) = handles.map_err(|error| Fault::Limit(error.to_string()))?;
    let mut store = guest.into_store(personality.pre.engine());
    let work = async {
        let world = personality.pre.instantiate_async(&mut store).await?;
        world.mimus_plugin_dialect().call_handle(&mut store, request, response).await
    };
    let result = match tokio::time::timeout(Duration::from_millis(limits::REQUEST_MS), work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(classify(&error, store.data().is_memory_denied())),
        Err(_) => Err(Fault::Timeout),
    };
    if let Err(fault) = &result {
        services.metrics.plugin_fault(&personality.manifest.name, fault.kind());
        tracing::warn!(request_id = &*request_id, plugin = personality.manifest.name, version = personality.manifest.version, %fault, "a guest failed");
    }
    let repeat = store.data_mut().repeat.take();
    // The store goes before the permit: an instance is free when the permit says so.
    drop(store);
    drop(permit);
    if let (Some(repeat), Ok(())) = (repeat, &result) {
        go_on(repeat, services.stopping.clone()).await;
    }
    result
}

/// Writes the same bytes until the server stops; a client that leaves drops this.
async fn go_on(repeat: Repeat, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopping.wait_for(|is_stopping| *is_stopping) => return,
            () = tokio::time::sleep(repeat.interval) => {}
        }
        if repeat.chunks.send(repeat.bytes.clone()).await.is_err() {
            return;
        }
    }
}

/// The body of a streamed response. Reading it drives the guest.
pub struct GuestStream {
    /// The guest, until it has returned.
    run: Option<GuestRun>,
    /// How it failed, until the reader has been told; what the guest wrote before comes first.
    fault: Option<Fault>,
    /// Whether the reader had a chance to send on what came before the fault.
    is_flushed: bool,
    chunks: mpsc::Receiver<Bytes>,
}

impl GuestStream {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When the guest fails: what was sent so far is not a whole response.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        if let Poll::Ready(Some(chunk)) = self.chunks.poll_recv(context) {
            return Poll::Ready(Some(Ok(chunk)));
        }
        if let Some(run) = &mut self.run
            && let Poll::Ready(result) = run.as_mut().poll(context)
        {
            self.run = None;
            self.fault = result.err();
        }
        match self.chunks.poll_recv(context) {
            Poll::Ready(Some(chunk)) => Poll::Ready(Some(Ok(chunk))),
            // A failing body ends the connection at once, with what still waits to be written: that gets out first.
            Poll::Ready(None) if self.fault.is_some() && !self.is_flushed => {
                self.is_flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            // The guest's end of the channel goes with its store.
            Poll::Ready(None) if self.run.is_none() => Poll::Ready(self.fault.take().map(Err)),
            _ => Poll::Pending,
        }
    }
}
