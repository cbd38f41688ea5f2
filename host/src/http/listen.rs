//! Sockets: accepting, serving HTTP/1.1 and h2c with explicit bounds, and draining.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, Sleep, sleep};

use super::dispatch::{Door, respond};
use crate::limits;
use crate::server::Shared;
use crate::telemetry::Metrics;

/// Accepts on one socket until `stop` turns true, then lets the open connections finish their requests.
pub async fn listen(
    shared: Arc<Shared>,
    socket: TcpListener,
    door: Door,
    connections: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    let builder = builder();
    let graceful = GracefulShutdown::new();
    // Nothing is ever sent: the channel closes when the last connection does.
    let (open, mut all_closed) = mpsc::channel::<Infallible>(1);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|is_stopping| *is_stopping) => break,
            accepted = socket.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, mostly: a moment's wait lets connections end.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = connections.clone().try_acquire_owned() else {
            shared.metrics.connection_refused();
            drop(stream);
            continue;
        };
        let Ok(local) = stream.local_addr() else { continue };
        // Tokens are small writes that must not wait for each other.
        let _ = stream.set_nodelay(true);
        let held = Arc::new(Connection::new(local, shared.metrics.clone(), permit, open.clone()));
        let service = {
            let (shared, door) = (shared.clone(), door.clone());
            service_fn(move |request| respond(shared.clone(), door.clone(), held.clone(), request))
        };
        let stream = TokioIo::new(Unstalled::new(stream));
        let connection = graceful.watch(builder.serve_connection_with_upgrades(stream, service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection ended early");
            }
        });
    }
    drop((socket, open));
    graceful.shutdown().await;
    // What became a websocket is no longer hyper's.
    let _ = all_closed.recv().await;
}

/// One open connection. Whoever answers on it holds this: hyper, and what a connection was upgraded to.
pub struct Connection {
    /// The server's address on it.
    pub local: SocketAddr,
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
    _open: mpsc::Sender<Infallible>,
}

impl Connection {
    fn new(
        local: SocketAddr,
        metrics: Arc<Metrics>,
        permit: OwnedSemaphorePermit,
        open: mpsc::Sender<Infallible>,
    ) -> Connection {
        metrics.connection_opened();
        Connection { local, metrics, _permit: permit, _open: open }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.metrics.connection_closed();
    }
}

/// Binds a socket.
///
/// # Errors
/// With the address, and what to do about it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use: stop the other server or choose another port with --listen")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{address}: ports below 1024 need privileges; choose another with --listen")
        }
        _ => format!("cannot listen on {address}: {error}"),
    })
}

/// Every bound of the protocol, none left to a library's default.
fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Also ends connections that stay idle between requests.
        .header_read_timeout(Duration::from_millis(limits::HEADER_MS))
        .max_headers(limits::HEADERS_MAX)
        .max_buf_size(limits::HEADER_BYTES_MAX)
        .keep_alive(true)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::H2_STREAMS_MAX)
        .initial_stream_window_size(limits::H2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::H2_CONNECTION_WINDOW_BYTES)
        .max_header_list_size(limits::H2_HEADER_LIST_BYTES_MAX)
        .max_pending_accept_reset_streams(limits::H2_RESETS_MAX)
        .max_send_buf_size(limits::H2_SEND_BYTES_MAX)
        .keep_alive_interval(Duration::from_millis(limits::H2_PING_MS))
        .keep_alive_timeout(Duration::from_millis(limits::H2_PONG_MS));
    builder
}

/// A stream whose writes fail when the peer takes nothing for too long: a reader that never reads holds nothing for ever.
struct Unstalled {
    stream: TcpStream,
    stall: Option<Pin<Box<Sleep>>>,
}

impl Unstalled {
    fn new(stream: TcpStream) -> Unstalled {
        Unstalled { stream, stall: None }
    }

    /// Passes a write's result on; starts the clock when it has to wait.
    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let most = Duration::from_millis(limits::WRITE_STALL_MS);
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(most)));
        ready!(stall.as_mut().poll(context));
        stall.as_mut().reset(Instant::now() + most);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for Unstalled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Unstalled {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
