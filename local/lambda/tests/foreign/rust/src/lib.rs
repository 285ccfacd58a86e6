//! What both functions share: a server behind them that decides what they say next.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// What the server at the address in `UPSTREAM` says on a new connection until it closes it.
///
/// # Errors
/// When `UPSTREAM` is not set, or the connection fails.
pub async fn ask_upstream() -> io::Result<String> {
    let address = std::env::var("UPSTREAM").map_err(io::Error::other)?;
    let mut answer = String::new();
    TcpStream::connect(address).await?.read_to_string(&mut answer).await?;
    Ok(answer)
}
