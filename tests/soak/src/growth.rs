//! Whether what the processes use grows with the requests they serve.

use crate::processes::Usage;
use crate::slope::{median, theil_sen};

/// The share of the samples that belongs to the warm-up: allocators fill their first arenas, pools their first
/// connections.
const WARM_UP: f64 = 0.25;
/// Memory that may be added per 1,000 requests, in KiB: 64 bytes a request. A record or a reply that is kept
/// is more.
pub(crate) const MOST_KIB_PER_1000: f64 = 64.0;
/// Memory that a process may add after the warm-up whatever the slope, in KiB: in a short soak, a few pages more make
/// a steep line.
pub(crate) const NOISE_KIB: f64 = 1_024.0;
/// The same for this process, which on several threads reads and compares replies of megabytes: how many of them lie in
/// memory at once depends on the load of the machine, and what an arena of the allocator has grown to it keeps.
pub(crate) const OWN_NOISE_KIB: f64 = 16_384.0;
/// File descriptors that a process may have more towards the end than after the warm-up: connections to Bedrock come
/// and go with its failures.
const MORE_DESCRIPTORS: f64 = 2.0;
/// Fewer samples after the warm-up say nothing.
const FEWEST: usize = 10;

/// What the processes used after some number of requests.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Requests that were over by then.
    pub(crate) requests: u64,
    /// The function's processes.
    pub(crate) function: Vec<Usage>,
    /// This process.
    pub(crate) own: Option<Usage>,
}

/// What became of the memory over the soak.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// In KiB, after the warm-up.
    pub(crate) start: u64,
    /// In KiB, at the end.
    pub(crate) end: u64,
    /// In KiB per 1,000 requests, after the warm-up.
    pub(crate) per_1000: f64,
    /// Requests after the warm-up.
    requests: u64,
    /// In KiB, over the whole time: what it may grow by, whatever the slope.
    noise: f64,
}

impl Memory {
    /// Whether there is more than noise, and it grows faster than it may.
    pub(crate) fn grows(self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "2^53 requests are none of our worries")]
        let thousands = self.requests as f64 / 1_000.0;
        self.per_1000 > MOST_KIB_PER_1000 && self.per_1000 * thousands > self.noise
    }
}

/// The samples after the warm-up: those in which the function has as many processes as at the end.
fn steady(samples: &[Sample]) -> &[Sample] {
    let processes = samples.last().map_or(0, |sample| sample.function.len());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a count"
    )]
    let warm_up = (samples.len() as f64 * WARM_UP) as usize;
    let complete = samples.iter().rposition(|sample| sample.function.len() != processes).map_or(0, |last| last + 1);
    let steady = samples.get(warm_up.max(complete)..).unwrap_or_default();
    if steady.len() < FEWEST { &[] } else { steady }
}

/// The memory of all the function's processes together: with it the slope is the growth per request, whichever of them
/// served it. None without enough samples.
pub(crate) fn of_the_function(samples: &[Sample]) -> Option<Memory> {
    #[expect(clippy::cast_precision_loss, reason = "a count of processes")]
    let noise = samples.last()?.function.len() as f64 * NOISE_KIB;
    memory(steady(samples), noise, |sample| Some(sample.function.iter().map(|usage| usage.rss_kib).sum()))
}

/// The memory of this process.
pub(crate) fn of_the_stand_ins(samples: &[Sample]) -> Option<Memory> {
    memory(steady(samples), OWN_NOISE_KIB, |sample| sample.own.map(|usage| usage.rss_kib))
}

#[expect(clippy::cast_precision_loss, reason = "2^53 KiB are none of our worries")]
fn memory(samples: &[Sample], noise: f64, rss: impl Fn(&Sample) -> Option<u64>) -> Option<Memory> {
    let (first, last) = (samples.first()?, samples.last()?);
    let points = samples.iter().filter_map(|sample| Some((sample.requests as f64 / 1_000.0, rss(sample)? as f64)));
    let per_1000 = theil_sen(&points.collect::<Vec<_>>())?;
    Some(Memory { start: rss(first)?, end: rss(last)?, per_1000, requests: last.requests - first.requests, noise })
}

/// What is counted, how many more there may be, and how it is counted.
type Kind = (&'static str, f64, fn(&Usage) -> usize);

/// What file descriptors and threads say, where it is not that there are as many as before.
pub(crate) fn leaks(samples: &[Sample]) -> Vec<String> {
    let steady = steady(samples);
    let third = steady.len() / 3;
    let (early, late) =
        (steady.get(..third).unwrap_or_default(), steady.get(steady.len() - third..).unwrap_or_default());
    let kinds: [Kind; 2] =
        [("file descriptors", MORE_DESCRIPTORS, |usage| usage.descriptors), ("threads", 0.0, |usage| usage.threads)];
    let mut leaks = Vec::new();
    for (what, more, count) in kinds {
        let typical = |samples: &[Sample], pid| {
            let counts = samples.iter().flat_map(|sample| sample.function.iter());
            #[expect(clippy::cast_precision_loss, reason = "a count of descriptors or threads")]
            median(counts.filter(|usage| usage.pid == pid).map(|usage| count(usage) as f64).collect())
        };
        let pids = late.last().into_iter().flat_map(|sample| &sample.function).map(|usage| usage.pid);
        for pid in pids {
            if let (Some(before), Some(after)) = (typical(early, pid), typical(late, pid))
                && after > before + more
            {
                leaks.push(format!("process {pid} had {before} {what} after the warm-up, and {after} towards the end"));
            }
        }
    }
    leaks
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// One sample a second of two processes, thirty requests a second.
    fn samples(seconds: u64, rss: impl Fn(u64) -> u64, descriptors: impl Fn(u64) -> usize) -> Vec<Sample> {
        let sample = |second: u64| {
            let usage = |pid| Usage {
                pid,
                rss_kib: rss(second * 30),
                descriptors: descriptors(second * 30),
                threads: 1,
                cpu: Duration::ZERO,
            };
            Sample { requests: second * 30, function: vec![usage(1), usage(2)], own: Some(usage(3)) }
        };
        (0..seconds).map(sample).collect()
    }

    fn grows(seconds: u64, rss: impl Fn(u64) -> u64) -> bool {
        of_the_function(&samples(seconds, rss, |_| 10)).expect("enough samples").grows()
    }

    #[test]
    fn memory_that_grows_with_the_requests_is_seen_and_a_warm_up_is_not() {
        assert!(grows(600, |requests| 9_000 + requests / 5), "200 bytes a request in each of two processes");
        assert!(grows(60, |requests| 9_000 + requests), "a kilobyte a request, within a minute");
        assert!(
            grows(6_000, |requests| 9_000 + requests / 16),
            "64 bytes of each invocation, in each of two processes, over an hour and a half"
        );
        assert!(!grows(600, |requests| 9_000 + requests.min(4_000)), "a warm-up");
        assert!(!grows(600, |requests| 9_000 + (requests * 7_919) % 300), "noise");
        assert!(!grows(60, |requests| 9_000 + requests / 10), "less than can be told from noise in a minute");
    }

    #[test]
    fn descriptors_that_are_not_closed_are_seen() {
        assert_eq!(leaks(&samples(600, |_| 9_000, |requests| 10 + usize::from(requests % 60 == 0))), [""; 0]);
        let leaks = leaks(&samples(600, |_| 9_000, |requests| 10 + usize::try_from(requests / 1_000).expect("few")));
        assert_eq!(leaks.len(), 2, "{leaks:?}");
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert!(of_the_function(&samples(12, |requests| requests * 1_000, |_| 10)).is_none());
    }
}
