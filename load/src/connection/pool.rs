//! Connections between two requests.

use std::sync::{Mutex, PoisonError};

use super::Connection;

/// Keeps connections; the one used last is used first, so that as few as needed are kept busy. It holds at most as many
/// as there were requests under way at once.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Connection>>);

impl Pool {
    /// A connection that is still open. A server may close one at any time, which only a look at it tells.
    pub(crate) async fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if connection.is_usable().await {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection on which a response has come to its end.
    pub(crate) async fn put(&self, mut connection: Connection) {
        if connection.is_usable().await {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
