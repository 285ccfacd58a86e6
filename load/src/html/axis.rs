//! Axes: where on a chart a value lies, and which values are marked.

use super::number;

/// From this ratio of the highest value to the median on, equal steps would leave most of a chart empty.
const SPREAD: f64 = 20.0;
/// The most decades above the median that a logarithmic axis spans.
const MOST_DECADES: i32 = 5;
/// About how many steps have room across a telephone, and up a chart.
const FEW: f64 = 4.5;
const MANY: f64 = 6.0;

/// An axis from its low end (0) to its high end (1).
#[derive(Debug, Clone)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    pub(super) ticks: Vec<Tick>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Logarithmic,
}

/// The values that an axis of durations is for, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) median: f64,
    pub(super) high: f64,
}

/// A marked value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// From 0 to 1.
    pub(super) at: f64,
    pub(super) label: String,
}

impl Axis {
    /// For durations in milliseconds, across a chart.
    pub(super) fn across(range: Range) -> Self {
        Self::durations(range, range.low, FEW)
    }

    /// For durations in milliseconds, up a chart: from zero where equal steps will do.
    pub(super) fn up(range: Range) -> Self {
        Self::durations(range, 0.0, MANY)
    }

    /// Logarithmic where the median would stand next to the low end otherwise. What is much faster than the median
    /// then stands at the low end: two tokens of one read, for instance, which no decades should be spent on.
    fn durations(range: Range, low_of_equal_steps: f64, steps: f64) -> Self {
        let high = range.high.max(0.001);
        let median = range.median.clamp(high / 10_f64.powi(MOST_DECADES), high).max(0.001);
        if high > median * SPREAD {
            return Self::logarithmic(range.low.max(median / SPREAD).max(0.001), high);
        }
        // An axis for one value alone would have no length.
        let (low, high) = match low_of_equal_steps {
            low if high - low < high / 1e3 => (high * 0.99, high * 1.01),
            low => (low, high),
        };
        let (unit, name) = match high {
            high if high >= 2_000.0 => (1e3, "s"),
            high if high >= 2.0 => (1.0, "ms"),
            _ => (1e-3, "µs"),
        };
        Self::linear(low, high, steps, |value, step| format!("{}\u{a0}{name}", decimal(value / unit, step / unit)))
    }

    /// For figures from zero to `high`.
    pub(super) fn from_zero(high: f64, unit: &str) -> Self {
        Self::linear(0.0, if high > 0.0 { high } else { 1.0 }, MANY, |value, step| {
            format!("{}{unit}", decimal(value, step))
        })
    }

    /// Seconds since the start of a run.
    pub(super) fn seconds(high: f64) -> Self {
        let unit = match high {
            high if high > 2.0 * 3_600.0 => (3_600.0, "h"),
            high if high > 180.0 => (60.0, "min"),
            _ => (1.0, "s"),
        };
        Self::linear(0.0, high.max(1.0) / unit.0, FEW, |value, step| {
            format!("{}\u{a0}{}", decimal(value, step), unit.1)
        })
        .stretched(unit.0)
    }

    /// Percentiles of `count` values, with the same room for each nine: 0, 90, 99, 99.9 and so on.
    pub(super) fn percentiles(count: u64) -> Self {
        let nines = (count as f64).log10().max(1.0);
        let marked = [50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999];
        let mut axis = Self { scale: Scale::Linear, low: 0.0, high: nines, ticks: Vec::new() };
        axis.ticks = marked
            .into_iter()
            .filter(|percentile| nines_of(*percentile) <= nines + 1e-9)
            .map(|percentile| Tick { at: axis.at(nines_of(percentile)), label: format!("p{percentile}") })
            .collect();
        axis
    }

    fn linear(low: f64, high: f64, steps: f64, label: impl Fn(f64, f64) -> String) -> Self {
        let step = nice_step((high - low) / steps);
        let mut axis = Self { scale: Scale::Linear, low, high, ticks: Vec::new() };
        let first = (low / step - 1e-9).ceil();
        axis.ticks = (0..12)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|value| *value <= high + step * 1e-9)
            .map(|value| Tick { at: axis.at(value), label: label(value, step) })
            .collect();
        axis
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let mut axis = Self { scale: Scale::Logarithmic, low, high, ticks: Vec::new() };
        let decades = (high / low).log10();
        let mantissas: &[f64] = if decades > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        #[allow(clippy::cast_possible_truncation, reason = "from a microsecond to an hour there are ten decades")]
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        axis.ticks = (first..=last)
            .flat_map(|decade| mantissas.iter().map(move |mantissa| mantissa * 10_f64.powi(decade)))
            .filter(|value| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(value))
            .map(|value| Tick { at: axis.at(value), label: plain_duration(value) })
            .collect();
        axis
    }

    /// The same axis for values that are larger by a factor.
    fn stretched(mut self, factor: f64) -> Self {
        self.low *= factor;
        self.high *= factor;
        self
    }

    /// Where a value lies, from 0 to 1; one beyond an end lies at the end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let fraction = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value.max(self.low).ln() - self.low.ln()) / (self.high.ln() - self.low.ln()),
        };
        if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The value that lies at `fraction`.
    pub(super) fn value(&self, fraction: f64) -> f64 {
        match self.scale {
            Scale::Linear => self.low + fraction * (self.high - self.low),
            Scale::Logarithmic => self.low * (self.high / self.low).powf(fraction),
        }
    }

    /// In words, for the axis's name.
    pub(super) fn is_logarithmic(&self) -> bool {
        self.scale == Scale::Logarithmic
    }
}

/// How many nines a percentile has: 90 has one, 99 two, and 50 a third of one.
fn nines_of(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

/// The percentile that has so many nines.
pub(super) fn percentile_of(nines: f64) -> f64 {
    100.0 * (1.0 - 10_f64.powf(-nines))
}

/// 1, 2 or 5 times a power of ten, not below `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let mantissa = [1.0, 2.0, 5.0].into_iter().find(|mantissa| mantissa * power >= least * (1.0 - 1e-9));
    mantissa.unwrap_or(10.0) * power
}

/// A value with as many decimals as steps of this size need.
fn decimal(value: f64, step: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 9")]
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    if decimals == 0 { number::whole(value) } else { format!("{value:.decimals$}") }
}

/// A power of ten, or twice or five times one, of milliseconds.
fn plain_duration(ms: f64) -> String {
    match ms {
        ms if ms >= 999.0 => format!("{:.0}\u{a0}s", ms / 1e3),
        ms if ms >= 0.999 => format!("{ms:.0}\u{a0}ms"),
        ms => format!("{:.0}\u{a0}µs", ms * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(axis: &Axis) -> Vec<(f64, String)> {
        let round = |at: f64| (at * 1e3).round() / 1e3;
        axis.ticks.iter().map(|tick| (round(tick.at), tick.label.replace('\u{a0}', " "))).collect()
    }

    fn expected(marks: &[(f64, &str)]) -> Vec<(f64, String)> {
        marks.iter().map(|(at, label)| (*at, (*label).to_owned())).collect()
    }

    fn range(low: f64, median: f64, high: f64) -> Range {
        Range { low, median, high }
    }

    #[test]
    fn near_values_get_equal_steps_and_far_ones_decades() {
        assert_eq!(
            marks(&Axis::across(range(20.0, 20.3, 21.0))),
            expected(&[(0.0, "20.0 ms"), (0.5, "20.5 ms"), (1.0, "21.0 ms")])
        );
        assert_eq!(
            marks(&Axis::up(range(400.0, 500.0, 1_000.0))),
            expected(&[
                (0.0, "0 ms"),
                (0.2, "200 ms"),
                (0.4, "400 ms"),
                (0.6, "600 ms"),
                (0.8, "800 ms"),
                (1.0, "1,000 ms")
            ])
        );
        assert_eq!(
            marks(&Axis::across(range(1.0, 10.0, 1_000.0))),
            expected(&[(0.0, "1 ms"), (0.333, "10 ms"), (0.667, "100 ms"), (1.0, "1 s")])
        );
    }

    #[test]
    fn no_decades_are_spent_on_what_is_much_faster_than_the_median() {
        let axis = Axis::up(range(0.0, 20.0, 1_000.0));
        assert_eq!(marks(&axis), expected(&[(0.0, "1 ms"), (0.333, "10 ms"), (0.667, "100 ms"), (1.0, "1 s")]));
        assert!(axis.at(0.0) == 0.0);
        assert!(!Axis::up(range(0.0, 20.0, 100.0)).is_logarithmic());
    }

    #[test]
    fn each_nine_of_a_percentile_has_the_same_room_up_to_what_so_many_values_can_tell() {
        assert_eq!(
            marks(&Axis::percentiles(1_000)),
            expected(&[(0.1, "p50"), (0.333, "p90"), (0.667, "p99"), (1.0, "p99.9")])
        );
        assert_eq!(marks(&Axis::percentiles(3)), expected(&[(0.301, "p50"), (1.0, "p90")]));
        assert!((percentile_of(2.0) - 99.0).abs() < 1e-9);
    }

    #[test]
    fn long_runs_are_marked_in_minutes() {
        let axis = Axis::seconds(600.0);
        assert_eq!(marks(&axis), expected(&[(0.0, "0 min"), (0.5, "5 min"), (1.0, "10 min")]));
        assert!((axis.at(300.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn every_value_lies_on_its_axis_even_where_there_is_but_one() {
        let ranges =
            [(0.0, 0.0, 0.0), (5.0, 5.0, 5.0), (0.0, 0.0, 3.6e6), (0.001, 0.001, 0.0012), (19.99, 20.0, 20.01)];
        for (low, median, high) in ranges {
            for axis in [Axis::across(range(low, median, high)), Axis::up(range(low, median, high))] {
                for value in [low, median, high, -1.0, 1e9] {
                    assert!((0.0..=1.0).contains(&axis.at(value)), "{value} on {axis:?}");
                }
                assert!((1..=12).contains(&axis.ticks.len()), "{axis:?}");
                assert!(axis.ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.at)), "{axis:?}");
                assert!((axis.at(axis.value(0.3)) - 0.3).abs() < 1e-9, "{axis:?}");
            }
        }
    }
}
