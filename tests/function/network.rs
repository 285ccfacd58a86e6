//! The network between the function and Bedrock: it passes bytes on, until a test closes what lies idle.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::sse::PATIENCE;

/// How a connection is closed.
#[derive(Debug, Clone, Copy)]
pub enum Closing {
    /// Properly, with a FIN.
    Fin,
    /// By a reset.
    Reset,
    /// Unheard: it is gone, but the other end learns of it only by the reset that its next bytes meet. So it is
    /// where a whole machine was frozen, network stack and all.
    Unheard,
}

/// Passes connections on to one address.
pub struct Network {
    address: String,
    open: Arc<Mutex<Vec<UnboundedSender<Closing>>>>,
    closed: UnboundedReceiver<()>,
}

impl Network {
    pub async fn start(to: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (open, (done, closed)) = (Arc::new(Mutex::new(Vec::new())), unbounded_channel());
        let connections = open.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (close, closing) = unbounded_channel();
                connections.lock().expect("no panic").push(close);
                tokio::spawn(pass(connection, to.clone(), closing, done.clone()));
            }
        });
        Self { address, open, closed }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Closes every connection, and waits until it is done.
    pub async fn close_all(&mut self, closing: Closing) {
        let open = std::mem::take(&mut *self.open.lock().expect("no panic"));
        assert!(!open.is_empty(), "there is no connection to close");
        for connection in open {
            // One that has ended by itself takes no orders.
            if connection.send(closing).is_ok() {
                timeout(PATIENCE, self.closed.recv()).await.expect("not closed").expect("a sign");
            }
        }
    }
}

async fn pass(mut from: TcpStream, to: String, mut closing: UnboundedReceiver<Closing>, closed: UnboundedSender<()>) {
    let mut to = TcpStream::connect(to).await.expect("the other side");
    let closing = tokio::select! {
        _ = copy_bidirectional(&mut from, &mut to) => return,
        Some(closing) = closing.recv() => closing,
    };
    match closing {
        Closing::Fin => drop(from),
        Closing::Reset => {
            from.set_zero_linger().expect("a socket");
            drop(from);
        }
        Closing::Unheard => {
            let _ = closed.send(());
            let _ = from.read(&mut [0; 1]).await;
            from.set_zero_linger().expect("a socket");
            return;
        }
    }
    let _ = closed.send(());
}
