//! The thread that computes: several replies take turns, one token each.

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
};

use crate::{
    network::Network,
    prefixes::Prefixes,
    reply::{Job, Reply, Turn},
    vocabulary::Vocabulary,
};

/// Starts the thread. It ends when the returned sender is dropped and the last reply is done.
///
/// A thread of its own, because a token takes many milliseconds of computing, which no async worker may be held up for.
pub(crate) fn start(vocabulary: Arc<Vocabulary>, network: Network) -> io::Result<mpsc::Sender<Job>> {
    let (sender, jobs) = mpsc::channel();
    thread::Builder::new().name("local-model".to_owned()).spawn(move || work(&jobs, &vocabulary, &network))?;
    Ok(sender)
}

fn work(jobs: &mpsc::Receiver<Job>, vocabulary: &Vocabulary, untouched: &Network) {
    let mut prefixes = Prefixes::new();
    let mut replies: Vec<Reply<'_>> = Vec::new();
    loop {
        let waiting = if replies.is_empty() { jobs.recv().ok() } else { jobs.try_recv().ok() };
        match waiting {
            Some(job) => replies.push(Reply::new(job, vocabulary, &mut prefixes, untouched)),
            None if replies.is_empty() => return,
            None => {}
        }
        replies.retain_mut(|reply| reply.advance(&mut prefixes) == Turn::Again);
    }
}
