//! The socket as HTTP sees it: reads are as they come, writes leave as the shaper says.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::Closer;

/// One direction of a connection under the network's faults, and the other untouched.
pub(crate) struct ShapedStream {
    socket: Arc<TcpStream>,
    closer: Closer,
    /// Until the next bytes may leave.
    wait: Pin<Box<Sleep>>,
}

impl ShapedStream {
    pub(super) fn new(socket: Arc<TcpStream>, closer: Closer) -> Self {
        Self { socket, closer, wait: Box::pin(sleep_until(Instant::now())) }
    }

    /// Sends what is due, and is ready when nothing is queued.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let Some((due, bytes)) = self.closer.shaper().next() else { return Poll::Ready(Ok(())) };
            if due > Instant::now() {
                self.wait.as_mut().reset(due);
                ready!(self.wait.as_mut().poll(context));
            }
            let sent = ready!(poll_socket(&self.socket, context, |socket| socket.try_write(&bytes)))?;
            self.closer.shaper().advance(sent);
        }
    }

    /// Takes in `bytes` for later. Ready with none while the queue is full.
    fn poll_accept(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        while self.closer.shaper().is_full() {
            ready!(self.poll_drain(context))?;
        }
        let accepted = self.closer.accept(bytes);
        // What is due leaves now; the rest when its time comes, which this registers for.
        let _later = self.poll_drain(context)?;
        Poll::Ready(Ok(accepted))
    }
}

/// Waits until the socket takes bytes, and gives it some.
fn poll_socket<T>(
    socket: &TcpStream,
    context: &mut Context<'_>,
    mut write: impl FnMut(&TcpStream) -> io::Result<T>,
) -> Poll<io::Result<T>> {
    loop {
        ready!(socket.poll_write_ready(context))?;
        match write(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Poll::Ready(done),
        }
    }
}

impl AsyncRead for ShapedStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.socket.poll_read_ready(context))?;
            match self.socket.try_read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for ShapedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.closer.shaper().is_transparent() {
            return poll_socket(&self.socket, context, |socket| socket.try_write(bytes));
        }
        self.poll_accept(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.closer.shaper().is_transparent() {
            return poll_socket(&self.socket, context, |socket| socket.try_write_vectored(slices));
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_accept(context, first.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(context)
    }

    /// Only flushes: the connection is closed by its [`Link`](super::Link), which knows when and how.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
