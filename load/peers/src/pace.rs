//! Waits to a few microseconds. Tokio's own timers go by whole milliseconds: a model paced by them would round away
//! whatever a function adds before the model is asked.

use std::io;
use std::time::Instant;

/// A timer of one reply.
#[cfg(target_os = "linux")]
pub(crate) struct Pace(tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>);

#[cfg(target_os = "linux")]
impl Pace {
    /// # Errors
    /// Where the process may open no more descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "unsound for what changes its descriptor, which this one does not; all else is unsafe"
        )]
        tokio::io::unix::AsyncFd::new(timer).map(Self)
    }

    /// Returns at `due`, or at once where that is past.
    ///
    /// # Errors
    /// Where the operating system fails the timer.
    pub(crate) async fn until(&mut self, due: Instant) -> io::Result<()> {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: once, it_value: left })?;
            let mut ready = self.0.readable().await?;
            let mut expirations = [0; 8];
            let _ = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut expirations)?));
        }
        Ok(())
    }
}

/// Without timers of the kernel's that Tokio can wait for, its own have to do.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Pace;

#[cfg(not(target_os = "linux"))]
impl Pace {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn until(&mut self, due: Instant) -> io::Result<()> {
        tokio::time::sleep_until(due.into()).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn nothing_is_early_and_what_is_past_does_not_wait() {
        let mut pace = Pace::new().expect("a timer");
        let start = Instant::now();
        for due in [2_300, 2_900, 1_000, 4_100].map(|micros| start + Duration::from_micros(micros)) {
            pace.until(due).await.expect("the time");
            assert!(Instant::now() >= due);
        }
    }
}
