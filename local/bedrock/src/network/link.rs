//! A connection as the server holds it: serving on it under the network's faults, and closing it in the right way.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{Closing, Conditions, shaper::Shaper, stream::ShapedStream};

/// How long bytes that are still queued may take to leave before a connection that is to close does.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// One accepted connection.
pub(crate) struct Link {
    socket: Arc<TcpStream>,
    closer: Closer,
    network: watch::Receiver<Conditions>,
}

/// A handle that closes a connection. It does not keep the socket open.
#[derive(Clone)]
pub(crate) struct Closer(Arc<Shared>);

struct Shared {
    shaper: Mutex<Shaper>,
    /// Told when there is, or may be, a new time at which to close.
    closing: Notify,
}

impl Link {
    pub(crate) fn new(socket: TcpStream, mut network: watch::Receiver<Conditions>) -> Self {
        // A frame is a few hundred bytes and must leave at once. Where this fails the connection is broken anyway.
        let _unset = socket.set_nodelay(true);
        let conditions = network.borrow_and_update().clone();
        Self { socket: Arc::new(socket), closer: Closer::new(conditions), network }
    }

    pub(crate) fn closer(&self) -> Closer {
        self.closer.clone()
    }

    /// The bytes, for HTTP to read and write.
    pub(crate) fn stream(&self) -> ShapedStream {
        ShapedStream::new(Arc::clone(&self.socket), self.closer())
    }

    /// Drives `connection`, which is HTTP over [`stream`](Self::stream), until it ends or a fault closes it.
    pub(crate) async fn serve(mut self, connection: impl Future) {
        let mut connection = std::pin::pin!(connection);
        let closing = loop {
            tokio::select! {
                // First: a fault that closes it must find written what came before.
                biased;
                _end = &mut connection => break self.closer.at_end().await,
                closing = self.closer.closing() => {
                    if closing == Closing::Finish {
                        self.drain(&mut connection).await;
                    }
                    break closing;
                }
                // Ends only with the server, which then ends this too. The turn of the loop lets HTTP flush anew.
                Ok(()) = self.network.changed() => {
                    let conditions = self.network.borrow_and_update().clone();
                    self.closer.shaper().change(conditions, Instant::now());
                }
            }
        };
        let slow_close = self.closer.shaper().slow_close();
        match (closing, slow_close) {
            // A socket that cannot be set so is closed already.
            (Closing::Reset, _) => _ = self.socket.set_zero_linger(),
            (Closing::Finish, Some(delay)) => sleep(delay).await,
            (Closing::Finish, None) => {}
        }
    }

    /// Lets HTTP write what it has, and waits until it has left.
    async fn drain(&self, mut connection: impl Future + Unpin) {
        let drained = poll_fn(|context| {
            let ended = std::pin::Pin::new(&mut connection).poll(context).is_ready();
            if ended || self.closer.shaper().next().is_none() { Poll::Ready(()) } else { Poll::Pending }
        });
        // Past the time it closes nevertheless, as it was to.
        let _elapsed = timeout(DRAIN_TIMEOUT, drained).await;
    }
}

impl Closer {
    fn new(conditions: Conditions) -> Self {
        let shaper = Mutex::new(Shaper::new(conditions, Instant::now()));
        Self(Arc::new(Shared { shaper, closing: Notify::new() }))
    }

    /// Of no connection.
    #[cfg(test)]
    pub(crate) fn detached() -> Self {
        Self::new(Conditions::default())
    }

    /// Closes the connection, in due form once everything written before is sent, or by a reset.
    pub(crate) fn close(&self, closing: Closing) {
        self.shaper().close(closing, Instant::now());
        self.0.closing.notify_one();
    }

    pub(super) fn accept(&self, bytes: &[u8]) -> usize {
        let mut shaper = self.shaper();
        let accepted = shaper.accept(bytes, Instant::now());
        if shaper.closing().is_some() {
            self.0.closing.notify_one();
        }
        accepted
    }

    pub(super) fn shaper(&self) -> MutexGuard<'_, Shaper> {
        self.0.shaper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a connection closes over which HTTP is done: at once, unless a reset is due, which then comes when it is due.
    async fn at_end(&self) -> Closing {
        let closing = self.shaper().closing();
        match closing {
            Some((at, Closing::Reset)) => {
                sleep_until(at).await;
                Closing::Reset
            }
            _ => Closing::Finish,
        }
    }

    /// Ready when the connection is to be closed.
    async fn closing(&self) -> Closing {
        loop {
            let closing = self.shaper().closing();
            match closing {
                Some((at, closing)) if at <= Instant::now() => return closing,
                Some((at, _)) => tokio::select! {
                    () = sleep_until(at) => {}
                    () = self.0.closing.notified() => {}
                },
                None => self.0.closing.notified().await,
            }
        }
    }
}
