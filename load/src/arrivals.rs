//! When requests of an open loop start: a schedule fixed by its rate, its kind and a seed, whatever the server does.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;

use crate::extent::{Extent, Part, WarmUp};

/// Above this the schedule itself would be late.
const HIGHEST_RATE: f64 = 20_000.0;
/// Below this a run would never come to an end.
const LOWEST_RATE: f64 = 0.01;

/// Requests per second: steady, or rising or falling evenly over the measured duration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    from: f64,
    to: f64,
}

/// A text that is no rate.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error(
    "a rate is a number of requests per second from {LOWEST_RATE} to {HIGHEST_RATE}, or two with `..` between \
     them, as in 10..200"
)]
pub struct InvalidRate;

impl Rate {
    /// From `from` requests per second to `to`.
    ///
    /// # Errors
    /// When one of them is out of bounds.
    pub fn new(from: f64, to: f64) -> Result<Self, InvalidRate> {
        let possible = |rate: f64| (LOWEST_RATE..=HIGHEST_RATE).contains(&rate);
        if possible(from) && possible(to) { Ok(Self { from, to }) } else { Err(InvalidRate) }
    }

    /// Requests per second at the beginning.
    #[must_use]
    pub fn from(self) -> f64 {
        self.from
    }

    /// Requests per second at the end.
    #[must_use]
    pub fn to(self) -> f64 {
        self.to
    }

    /// Whether it stays the same.
    #[must_use]
    #[allow(clippy::float_cmp, reason = "the same number was given, or was not")]
    pub fn is_steady(self) -> bool {
        self.from == self.to
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let number = |text: &str| text.parse().map_err(|_| InvalidRate);
        Self::new(number(from)?, number(to)?)
    }
}

/// How arrivals are spread at a given rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// Evenly.
    Constant,
    /// As independent people come: a Poisson process.
    Poisson,
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        })
    }
}

/// One request's place on the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// From the beginning of the run.
    pub(crate) offset: Duration,
    pub(crate) part: Part,
}

/// The arrivals of a run in order.
///
/// Arrivals are drawn on a line on which one comes per unit, and stretched onto time by the inverse of the expected
/// number of arrivals so far: that is exact for a changing rate too, and the same draws give the same load at any rate.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    rate: Rate,
    arrivals: Arrivals,
    rng: Rng,
    warm_up: WarmUp,
    extent: Extent,
    issued: u64,
    measured: u64,
    /// Where on the line of one arrival per unit the next one is.
    position: f64,
}

impl Schedule {
    pub(crate) fn new(rate: Rate, arrivals: Arrivals, seed: u64, warm_up: WarmUp, extent: Extent) -> Self {
        let mut rng = Rng::with_seed(seed);
        let position = match arrivals {
            Arrivals::Constant => 0.0,
            Arrivals::Poisson => exponential(&mut rng),
        };
        Self { rate, arrivals, rng, warm_up, extent, issued: 0, measured: 0, position }
    }

    /// Seconds of the warm-up, in which the rate is the first one. One of so many requests lasts as long as they take
    /// on average.
    fn warm_up_seconds(&self) -> f64 {
        match self.warm_up {
            WarmUp::None => 0.0,
            WarmUp::Duration(duration) => duration.as_secs_f64(),
            WarmUp::Requests(count) => count.get() as f64 / self.rate.from,
        }
    }

    /// Seconds from the beginning of the run to where `position` arrivals are expected; none where a falling rate has
    /// ended before.
    fn seconds(&self, position: f64) -> Option<f64> {
        let Rate { from, to } = self.rate;
        let warm_up = self.warm_up_seconds();
        let beyond = position - from * warm_up;
        let duration = self.extent.duration().filter(|_| !self.rate.is_steady());
        match duration {
            Some(duration) if beyond > 0.0 => {
                // from·t + slope·t²/2 = beyond, solved in the form that loses no digits for a small slope.
                let slope = (to - from) / duration.as_secs_f64();
                let discriminant = from * from + 2.0 * slope * beyond;
                (discriminant >= 0.0).then(|| warm_up + 2.0 * beyond / (from + discriminant.sqrt()))
            }
            _ => Some(position / from),
        }
    }

    fn part(&self, seconds: f64) -> Part {
        let in_warm_up = match self.warm_up {
            WarmUp::None => false,
            WarmUp::Duration(duration) => seconds < duration.as_secs_f64(),
            WarmUp::Requests(count) => self.issued < count.get(),
        };
        if in_warm_up { Part::WarmUp } else { Part::Measured }
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let seconds = self.seconds(self.position)?;
        let part = self.part(seconds);
        if part == Part::Measured {
            let since = Duration::try_from_secs_f64((seconds - self.warm_up_seconds()).max(0.0)).ok()?;
            if self.extent.is_over(since, self.measured) {
                return None;
            }
            self.measured += 1;
        }
        self.issued += 1;
        self.position += match self.arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => exponential(&mut self.rng),
        };
        Some(Arrival { offset: Duration::try_from_secs_f64(seconds).ok()?, part })
    }
}

/// A draw from the exponential distribution of mean 1.
fn exponential(rng: &mut Rng) -> f64 {
    -(1.0 - rng.f64()).ln()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    fn schedule(rate: &str, arrivals: Arrivals, seed: u64, warm_up: WarmUp, extent: Extent) -> Vec<Arrival> {
        Schedule::new(rate.parse().unwrap(), arrivals, seed, warm_up, extent).collect()
    }

    fn seconds(seconds: u64) -> Extent {
        Extent::duration_of(Duration::from_secs(seconds))
    }

    fn requests(count: u64) -> Extent {
        Extent::requests_of(NonZeroU64::new(count).unwrap())
    }

    fn millis(arrivals: &[Arrival]) -> Vec<u128> {
        arrivals.iter().map(|arrival| (arrival.offset + Duration::from_nanos(500)).as_millis()).collect()
    }

    #[test]
    fn a_constant_rate_comes_evenly_from_the_first_moment() {
        let arrivals = schedule("4", Arrivals::Constant, 0, WarmUp::None, seconds(2));
        assert_eq!(millis(&arrivals), [0, 250, 500, 750, 1000, 1250, 1500, 1750]);
        assert_eq!(millis(&schedule("4", Arrivals::Constant, 0, WarmUp::None, requests(3))), [0, 250, 500]);
    }

    #[test]
    fn a_ramp_comes_closer_and_closer_and_holds_the_mean_of_its_ends() {
        let arrivals = schedule("0.5..3.5", Arrivals::Constant, 0, WarmUp::None, seconds(3));
        // t/2 + t²/2 = n
        assert_eq!(millis(&arrivals), [0, 1000, 1561, 2000, 2372, 2701]);
        assert_eq!(schedule("10..200", Arrivals::Constant, 0, WarmUp::None, seconds(10)).len(), 1_050);
        assert_eq!(schedule("200..10", Arrivals::Constant, 0, WarmUp::None, seconds(10)).len(), 1_050);
    }

    #[test]
    fn the_warm_up_has_the_first_rate_and_comes_before_the_measured_part() {
        let arrivals = schedule("2..4", Arrivals::Constant, 0, WarmUp::Duration(Duration::from_secs(1)), seconds(1));
        // Then 2t + t² = n.
        assert_eq!(millis(&arrivals), [0, 500, 1000, 1414, 1732]);
        assert_eq!(arrivals.iter().filter(|arrival| arrival.part == Part::WarmUp).count(), 2);

        let warm_up = WarmUp::Requests(NonZeroU64::new(2).unwrap());
        let arrivals = schedule("2", Arrivals::Constant, 0, warm_up, requests(3));
        let parts: Vec<_> = arrivals.iter().map(|arrival| arrival.part).collect();
        assert_eq!(parts, [Part::WarmUp, Part::WarmUp, Part::Measured, Part::Measured, Part::Measured]);
    }

    #[test]
    fn a_poisson_process_is_the_same_for_a_seed_and_has_its_rate_and_spread() {
        let draw = |seed| schedule("100", Arrivals::Poisson, seed, WarmUp::None, seconds(200));
        let arrivals = draw(7);
        assert_eq!(arrivals, draw(7));
        assert_ne!(arrivals, draw(8));
        let count = arrivals.len() as f64;
        // 20,000 expected; the standard deviation is its root, 141.
        assert!((count - 20_000.0).abs() < 600.0, "{count}");
        let gaps: Vec<f64> =
            arrivals.windows(2).map(|pair| (pair[1].offset - pair[0].offset).as_secs_f64() * 100.0).collect();
        let mean = gaps.iter().sum::<f64>() / count;
        let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count).sqrt();
        assert!((mean - 1.0).abs() < 0.05 && (deviation - 1.0).abs() < 0.05, "{mean} {deviation}");
    }

    #[test]
    fn the_first_draws_of_a_seed_are_these() {
        let arrivals = schedule("10", Arrivals::Poisson, 1, WarmUp::None, requests(3));
        assert_eq!(millis(&arrivals), [107, 183, 210]);
    }

    #[test]
    fn rates_are_numbers_within_bounds() {
        assert_eq!("10..200".parse(), Rate::new(10.0, 200.0));
        assert!("12.5".parse::<Rate>().is_ok_and(Rate::is_steady));
        for text in ["", "0", "-1", "1..", "..5", "a", "NaN", "inf", "20001"] {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text}");
        }
    }
}
