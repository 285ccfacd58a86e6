//! How it ends.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Stack, within};

/// Waits until a process has ended; the kernel says when.
async fn gone(process: &str) {
    let process = process.parse().ok().and_then(Pid::from_raw).expect("a process id");
    // An error means that there is no such process any more.
    let Ok(process) = pidfd_open(process, PidfdFlags::empty()) else { return };
    let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
    let ended = tokio::task::spawn_blocking(move || poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)));
    assert_eq!(ended.await.expect("no panic"), Ok(1), "a process did not end");
}

#[tokio::test]
async fn ctrl_c_ends_every_child_and_is_no_failure() {
    let mut stack = Stack::running("child", &[]).await;
    let children = stack.get().await;
    assert_eq!(children.split(' ').count(), 2, "{children}");
    stack.stop(Signal::INT).await;
    for child in children.split(' ') {
        gone(child).await;
    }
}

#[tokio::test]
async fn ctrl_c_ends_it_while_a_request_is_under_way() {
    let mut stack = Stack::running("hang", &[]).await;
    let mut client = TcpStream::connect(stack.url()).await.expect("a connection");
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("a request");
    let mut line = String::new();
    while !line.contains("cold start") {
        line = within("the sandbox", stack.output.next_line()).await.expect("output").expect("a line");
    }
    stack.stop(Signal::INT).await;
}
