//! One HTTP/1.1 connection, driven by the task that uses it.
//!
//! Hyper's connection future is polled beside the response's in one task, so that no hop between threads lies between
//! a read and its time, and the time of a read is taken within the read itself.

mod clock;
mod dial;
mod pool;
mod roots;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

pub(crate) use clock::Read;
pub(crate) use dial::{Dialer, NoDialer};
pub(crate) use pool::Pool;
pub use roots::TlsUnavailable;

use clock::{ReadClock, Timed};
use dial::Stream;

/// A connection on which one request at a time is made.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Driver,
    clock: ReadClock,
}

/// There was no response.
pub(crate) struct Unanswered {
    pub(crate) error: hyper::Error,
    /// The request, where nothing of it was written.
    pub(crate) unsent: Option<Request<Full<Bytes>>>,
}

/// Moves the connection's bytes while something else is waited for.
struct Driver(Option<http1::Connection<Carrier, Full<Bytes>>>);

type Carrier = TokioIo<Timed<Box<dyn Stream>>>;

impl Driver {
    fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && Pin::new(connection).poll(cx).is_ready()
        {
            // Whoever waits for the connection learns from their own future how it ended.
            self.0 = None;
        }
    }

    async fn beside<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|cx| {
            self.poll(cx);
            future.as_mut().poll(cx)
        })
        .await
    }
}

impl Connection {
    async fn over(stream: Box<dyn Stream>) -> Result<Self, hyper::Error> {
        let clock = ReadClock::default();
        let (sender, connection) = http1::handshake(TokioIo::new(Timed::new(stream, clock.clone()))).await?;
        Ok(Self { sender, driver: Driver(Some(connection)), clock })
    }

    /// Sends a request and waits for the response's head.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        if let Err(error) = self.driver.beside(self.sender.ready()).await {
            return Err(Unanswered { error, unsent: Some(request) });
        }
        let sent = self.driver.beside(self.sender.try_send_request(request)).await;
        sent.map_err(|mut error| Unanswered { unsent: error.take_message(), error: error.into_error() })
    }

    /// The next piece of a response's body, as it was read; nothing at its end.
    pub(crate) async fn piece(&mut self, body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            match self.driver.beside(body.frame()).await? {
                Ok(frame) => {
                    // A trailer is no piece.
                    if let Ok(piece) = frame.into_data() {
                        return Some(Ok(piece));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The last read that brought anything.
    pub(crate) fn last_read(&self) -> Read {
        self.clock.last()
    }

    /// Whether another request can be made, as far as can be told without waiting.
    async fn is_usable(&mut self) -> bool {
        poll_fn(|cx| {
            self.driver.poll(cx);
            Poll::Ready(())
        })
        .await;
        self.driver.0.is_some() && !self.sender.is_closed()
    }
}
