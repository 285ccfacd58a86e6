//! What is seen of a run while it runs: one line that is drawn over on a terminal, a line every five seconds elsewhere.
//! It goes to standard error, where no result is.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use bro_load::Progress;
use bro_load::progress::Snapshot;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{MissedTickBehavior, interval};

const DRAWN_EVERY: Duration = Duration::from_millis(250);
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Shows progress until it is dropped.
pub(crate) async fn show(progress: &Progress) -> Infallible {
    if io::stderr().is_terminal() { draw(progress).await } else { tell(progress).await }
}

async fn draw(progress: &Progress) -> Infallible {
    let bar = ProgressBar::new_spinner();
    // Without the template's style it is drawn in the default one.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let bar = Cleared(bar);
    let mut ticks = interval(DRAWN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        bar.0.set_message(line(&progress.snapshot()));
        bar.0.tick();
    }
}

/// Leaves no line behind, whenever it is dropped.
struct Cleared(ProgressBar);

impl Drop for Cleared {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn tell(progress: &Progress) -> Infallible {
    let began = Instant::now();
    let mut ticks = interval(TOLD_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, when there is nothing to tell.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        note(&format!("{:.0} s: {}", began.elapsed().as_secs_f64(), line(&progress.snapshot())));
    }
}

fn line(now: &Snapshot) -> String {
    let under_way = now.started.saturating_sub(now.done + now.failed);
    let mut line = format!("{} done, {} failed, {under_way} under way, {} tokens", now.done, now.failed, now.tokens);
    if let (Some(p50), Some(p99)) = (now.ttft_p50, now.ttft_p99) {
        line.push_str(&format!(", TTFT p50 {p50:.1} ms, p99 {p99:.1} ms"));
    }
    line
}

/// A sentence on standard error. Where that is closed there is nobody to tell.
pub(crate) fn note(sentence: &str) {
    let _ = writeln!(io::stderr(), "{sentence}");
}
