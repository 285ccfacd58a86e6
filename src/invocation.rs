//! What is known of an invocation before its request is looked at: who it is, when it came, and how long it may take.
//!
//! Time is read here once and handed on, so that everything after it counts from the same receipt.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Whether an invocation is the first of its sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The sandbox was started for it.
    Cold,
    /// The sandbox had served before.
    Warm,
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id.
    pub request_id: String,
    /// The X-Ray trace header, where tracing is on.
    pub trace_id: Option<String>,
    /// When the whole event was here.
    pub received: Receipt,
    /// When Lambda will end the invocation.
    pub deadline: Instant,
    /// First of its sandbox or not.
    pub start: Start,
}

/// A moment on both clocks. The monotonic one measures; the wall clock compares with other machines' times.
#[derive(Debug, Clone, Copy)]
pub struct Receipt {
    /// The monotonic clock's time.
    pub instant: Instant,
    /// The wall clock's time. Read anew for each invocation: the monotonic clock stands still in a frozen sandbox.
    pub wall: SystemTime,
}

impl Receipt {
    /// This moment.
    pub fn now() -> Self {
        Self { instant: Instant::now(), wall: SystemTime::now() }
    }

    /// When the wall clock will show `epoch_ms` (milliseconds since 1970), on the monotonic clock; not before the receipt.
    pub fn instant_at(&self, epoch_ms: u64) -> Instant {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(epoch_ms);
        self.instant + moment.duration_since(self.wall).unwrap_or_default()
    }
}
