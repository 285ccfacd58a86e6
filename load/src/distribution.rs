//! A distribution of durations: an HDR histogram with an exact sum. Distributions add up; percentiles do not.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

/// Longer durations count as this. Every request has a shorter limit.
const LONGEST: Duration = Duration::from_secs(3_600);
const LONGEST_MICROS: u64 = 3_600_000_000;
const NANOS_PER_MS: f64 = 1e6;

/// Durations counted in microseconds, with a precision of so many significant digits.
#[derive(Debug, Clone)]
pub struct Distribution {
    histogram: Histogram<u64>,
    /// In nanoseconds, so that sums do not depend on the order in which they were made.
    sum: u128,
}

/// How finely a distribution is kept.
#[derive(Debug, Clone, Copy)]
pub enum Precision {
    /// Three significant digits: within 0.1 % or a microsecond.
    Fine,
    /// Two significant digits: within 1 %, at an eighth of the memory. For the many of a time line.
    Coarse,
}

/// A text that is no histogram of this kind.
#[derive(Debug, thiserror::Error)]
#[error("not a base64-encoded HDR histogram (V2, deflate) of at most one hour: {0}")]
pub struct InvalidHistogram(String);

impl Distribution {
    /// An empty one.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        let digits = match precision {
            Precision::Fine => 3,
            Precision::Coarse => 2,
        };
        // Grows with its largest value. The only error is for more than five digits.
        let mut histogram = Histogram::new(digits).unwrap_or_else(|_| unreachable!("2 and 3 digits are valid"));
        histogram.auto(true);
        Self { histogram, sum: 0 }
    }

    /// Counts one duration, rounded to the microsecond.
    pub fn record(&mut self, duration: Duration) {
        let duration = duration.min(LONGEST);
        self.sum += duration.as_nanos();
        let micros = (duration + Duration::from_nanos(500)).as_micros();
        // Cannot fail: the histogram grows.
        let _ = self.histogram.record(u64::try_from(micros).unwrap_or(u64::MAX));
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        // Cannot fail: the histogram grows.
        let _ = self.histogram.add(&other.histogram);
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The exact mean in milliseconds.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum as f64 / NANOS_PER_MS / self.count() as f64)
    }

    /// The shortest in milliseconds.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count() > 0).then(|| millis(self.histogram.min()))
    }

    /// The longest in milliseconds.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count() > 0).then(|| millis(self.histogram.max()))
    }

    /// The duration in milliseconds that `percent` percent (0 to 100) do not exceed.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        (self.count() > 0).then(|| millis(self.histogram.value_at_percentile(percent)))
    }

    /// The histogram, in microseconds.
    #[must_use]
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }

    /// The histogram in HdrHistogram's V2 format, deflated and base64-encoded, as its libraries for other languages
    /// read it.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = Vec::new();
        // How far a histogram has grown depends on the order of its values; what is written does not. Neither step can
        // fail: an hour is within bounds, and memory takes what is written.
        if let Ok(mut whole) = Histogram::<u64>::new_with_bounds(1, LONGEST_MICROS, self.histogram.sigfig()) {
            let _ = whole.add(&self.histogram);
            let _ = V2DeflateSerializer::new().serialize(&whole, &mut bytes);
        }
        BASE64.encode(bytes)
    }

    /// From an encoded histogram and the mean that belongs to it.
    ///
    /// # Errors
    /// When the text is no such histogram, or holds more than an hour.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "2^53 ns are a hundred days")]
    pub fn decode(text: &str, mean_ms: f64) -> Result<Self, InvalidHistogram> {
        let invalid = |error: &dyn std::fmt::Display| InvalidHistogram(error.to_string());
        let bytes = BASE64.decode(text).map_err(|error| invalid(&error))?;
        let read: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| invalid(&error))?;
        if read.max() > read.highest_equivalent(LONGEST_MICROS) {
            return Err(InvalidHistogram("its values are too large".to_owned()));
        }
        // Read, it is as large as it may become; copied, it is as large as it has to be.
        let mut histogram = Histogram::new(read.sigfig()).map_err(|error| invalid(&error))?;
        histogram.auto(true);
        histogram.add(&read).map_err(|error| invalid(&error))?;
        let sum = (mean_ms * histogram.len() as f64 * NANOS_PER_MS).round().max(0.0) as u128;
        Ok(Self { histogram, sum })
    }
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}
