//! The time of each read, taken the moment its bytes are there.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One read of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    /// Counted from one over the connection's life.
    pub(crate) number: u64,
    pub(crate) at: Instant,
}

/// Knows a connection's last read. Reader and writer are parts of one task, so that no order of memory matters.
#[derive(Debug, Clone)]
pub(super) struct ReadClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    opened: Instant,
    number: AtomicU64,
    nanos: AtomicU64,
}

impl Default for ReadClock {
    fn default() -> Self {
        Self(Arc::new(Inner { opened: Instant::now(), number: AtomicU64::new(0), nanos: AtomicU64::new(0) }))
    }
}

impl ReadClock {
    fn tick(&self) {
        let nanos = u64::try_from(self.0.opened.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.nanos.store(nanos, Ordering::Relaxed);
        self.0.number.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn last(&self) -> Read {
        let at = self.0.opened + Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed));
        Read { number: self.0.number.load(Ordering::Relaxed), at }
    }
}

/// A stream whose reads are timed.
pub(super) struct Timed<S> {
    stream: S,
    clock: ReadClock,
}

impl<S> Timed<S> {
    pub(super) fn new(stream: S, clock: ReadClock) -> Self {
        Self { stream, clock }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.clock.tick();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
