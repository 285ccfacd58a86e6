//! Conditions under which a run fails: `ttft.p99>800ms`, `errors>1%`, `tokens_per_second<100`.

mod figure;

use std::fmt;
use std::str::FromStr;

use crate::latencies::Metric;
use crate::report::{Report, ThresholdReport};
use figure::{Count, Figure, Statistic};

/// A figure, a comparison and a limit. A run that meets the condition fails; so does one in which the figure was not
/// measured at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    figure: Figure,
    comparison: Comparison,
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Comparison {
    /// The longer signs first, since the shorter ones begin them.
    const ALL: [(&'static str, Self); 4] =
        [(">=", Self::AtLeast), ("<=", Self::AtMost), (">", Self::Above), ("<", Self::Below)];

    fn holds(self, measured: f64, limit: f64) -> bool {
        match self {
            Self::Above => measured > limit,
            Self::AtLeast => measured >= limit,
            Self::Below => measured < limit,
            Self::AtMost => measured <= limit,
        }
    }
}

/// A text that is no threshold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidThreshold {
    /// No comparison.
    #[error("write it as FIGURE>LIMIT, with one of > >= < <=, as in ttft.p99>800ms")]
    Comparison,
    /// An unknown figure.
    #[error(
        "there is no figure {name:?}; there are errors, cut_off, buffered, streamed, cold_starts, never_started, \
         requests_per_second, tokens_per_second, and METRIC.STATISTIC with one of {metrics} and one of \
         mean min p50 p90 p95 p99 p99.9 max",
        metrics = Metric::ALL.map(Metric::name).join(" ")
    )]
    Figure {
        /// As it was given.
        name: String,
    },
    /// A limit that does not fit the figure.
    #[error("{limit:?} is no limit for {figure}: {expected}")]
    Limit {
        /// As it was given.
        limit: String,
        /// Of which figure.
        figure: String,
        /// What would be one.
        expected: &'static str,
    },
}

impl FromStr for Threshold {
    type Err = InvalidThreshold;

    fn from_str(text: &str) -> Result<Self, InvalidThreshold> {
        let split = Comparison::ALL.iter().find_map(|(sign, comparison)| Some((text.split_once(sign)?, *comparison)));
        let ((name, limit), comparison) = split.ok_or(InvalidThreshold::Comparison)?;
        let (name, limit) = (name.trim(), limit.trim());
        let (figure, limit) = parse(name, limit)?;
        Ok(Self { text: text.trim().to_owned(), figure, comparison, limit })
    }
}

fn parse(name: &str, text: &str) -> Result<(Figure, f64), InvalidThreshold> {
    let refused = |expected| InvalidThreshold::Limit { limit: text.to_owned(), figure: name.to_owned(), expected };
    let number = |text: &str| text.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    if let Some((_, count)) = Count::ALL.iter().find(|(known, _)| *known == name) {
        return match text.strip_suffix('%') {
            Some(percent) => number(percent).map(|limit| (Figure::Share(*count), limit)),
            None => number(text).map(|limit| (Figure::Count(*count), limit)),
        }
        .ok_or_else(|| refused("write a number, or a percentage as in 1%"));
    }
    let rate = match name {
        "requests_per_second" => Some(Figure::RequestsPerSecond),
        "tokens_per_second" => Some(Figure::TokensPerSecond),
        _ => None,
    };
    if let Some(figure) = rate {
        return number(text).map(|limit| (figure, limit)).ok_or_else(|| refused("write a number"));
    }
    let latency = name.split_once('.').and_then(|(metric, statistic)| {
        let (_, statistic) = Statistic::ALL.iter().find(|(known, _)| *known == statistic)?;
        Some(Figure::Latency(metric.parse().ok()?, *statistic))
    });
    let figure = latency.ok_or_else(|| InvalidThreshold::Figure { name: name.to_owned() })?;
    match millis(text) {
        Some(limit) => Ok((figure, limit)),
        None => Err(refused("write a time with its unit, as in 800ms or 1.5s")),
    }
}

/// A time in milliseconds; a fraction may stand before its unit.
fn millis(text: &str) -> Option<f64> {
    let units = [("us", 1e-3), ("µs", 1e-3), ("ms", 1.0), ("s", 1e3)];
    let (number, factor) = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then(|| number * factor)
}

impl Threshold {
    /// What a stream must not be: held back in any reply, or seen in none.
    #[must_use]
    pub fn streaming() -> [Self; 2] {
        let threshold = |text: &str, count, comparison, limit| Self {
            text: text.to_owned(),
            figure: Figure::Count(count),
            comparison,
            limit,
        };
        [
            threshold("buffered>0", Count::Buffered, Comparison::Above, 0.0),
            threshold("streamed<1", Count::Streamed, Comparison::Below, 1.0),
        ]
    }

    /// What becomes of it in a run.
    #[must_use]
    pub fn judge(&self, report: &Report) -> ThresholdReport {
        let (measured, unit) = self.figure.of(report);
        let failed = measured.is_none_or(|measured| self.comparison.holds(measured, self.limit));
        ThresholdReport { fail_if: self.text.clone(), measured, unit: unit.to_owned(), failed }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::outcome::Outcome;
    use crate::sample::Sample;
    use crate::tally::Tally;

    /// Ten requests within a second: nine replies whose first token came after 100, 200 … 900 ms, and one cut off.
    fn report() -> Report {
        let mut tally = Tally::default();
        for tenth in 1..=9 {
            let ms = Duration::from_millis;
            let mut sample = Sample::without_answer(SystemTime::UNIX_EPOCH, ms(1_000), Outcome::Done);
            sample.first_token = Some(ms(100 * tenth));
            sample.output_tokens = Some(20);
            tally.record(&sample);
        }
        let cut = Sample::without_answer(SystemTime::UNIX_EPOCH, Duration::from_millis(10), Outcome::CutOff);
        tally.record(&cut);
        Report::new(&tally, Vec::new())
    }

    #[test]
    fn a_threshold_fails_a_run_that_meets_its_condition() {
        let report = report();
        for (threshold, measured, unit, failed) in [
            ("ttft.mean>500ms", 500.0, "ms", false),
            ("ttft.mean>=500ms", 500.0, "ms", true),
            ("ttft.mean > 0.4999s", 500.0, "ms", true),
            ("ttft.min<99ms", 99.968, "ms", false),
            ("total.mean<=1000000us", 1_000.0, "ms", true),
            ("errors>0", 1.0, "", true),
            ("errors>10%", 10.0, "%", false),
            ("errors>9.9%", 10.0, "%", true),
            ("cut_off>0", 1.0, "", true),
            ("buffered>0", 0.0, "", false),
            ("requests_per_second<9", 9.0, "/s", false),
            ("requests_per_second<9.1", 9.0, "/s", true),
            ("tokens_per_second<180", 180.0, "/s", false),
            ("tokens_per_second<181", 180.0, "/s", true),
        ] {
            let judged = threshold.parse::<Threshold>().unwrap().judge(&report);
            let expected = ThresholdReport {
                fail_if: threshold.to_owned(),
                measured: Some(measured),
                unit: unit.to_owned(),
                failed,
            };
            assert_eq!(judged, expected);
        }
    }

    #[test]
    fn the_thresholds_of_streaming_are_what_they_say() {
        for threshold in Threshold::streaming() {
            assert_eq!(threshold.to_string().parse(), Ok(threshold));
        }
    }

    #[test]
    fn what_was_not_measured_fails() {
        for threshold in ["ttft.p99>1s", "tls.p50<1s", "errors>1%"] {
            let judged = threshold.parse::<Threshold>().unwrap().judge(&Report::new(&Tally::default(), Vec::new()));
            assert!(judged.failed && judged.measured.is_none(), "{threshold}");
        }
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_what_would_be_one() {
        for (text, told) in [
            ("ttft.p99", "FIGURE>LIMIT"),
            ("ttft=5ms", "FIGURE>LIMIT"),
            ("latency.p99>5ms", "connect tls head"),
            ("ttft.p42>5ms", "p99.9"),
            ("ttft>5ms", "METRIC.STATISTIC"),
            ("ttft.p99>5", "800ms"),
            ("ttft.p99>-5ms", "800ms"),
            ("ttft.p99>NaNms", "800ms"),
            ("errors>1ms", "1%"),
            ("tokens_per_second<5/s", "a number"),
        ] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
