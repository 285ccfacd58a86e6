//! Log lines: `tracing` events as JSON.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

/// Sends our own events from `level` up to standard output, and those of dependencies from `warn` up only,
/// whatever `level` says: at `debug` the SDK logs whole requests, prompts included. A panic is one line too.
///
/// A second call changes nothing.
pub fn init(level: LevelFilter) {
    let dependencies = level.min(LevelFilter::WARN);
    let json = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let targets = Targets::new().with_default(dependencies).with_target(env!("CARGO_CRATE_NAME"), level);
    // Fails only if a subscriber is there already.
    let _ = registry().with(json).with(targets).try_init();
    std::panic::set_hook(Box::new(|panic| {
        // Where, but not what: a message of the standard library may quote the very text that it failed on.
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "a panic");
    }));
}
