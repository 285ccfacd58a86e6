//! A distribution by value: which part of what was counted took how long.

use maud::{Markup, html};

use super::Words;
use super::axis::{Axis, Range};
use super::chart::{Chart, Marker, x, y};
use super::number;
use crate::distribution::Distribution;

/// More bars than this are no longer told apart on a telephone.
const MOST_BARS: u64 = 48;
/// A bar narrower than so many of the histogram's own steps would be empty or full by rounding alone.
const STEPS_PER_BAR: u64 = 3;

pub(super) fn draw(id: &str, words: &Words, distribution: &Distribution) -> Markup {
    let (Some(low), Some(high)) = (distribution.min(), distribution.max()) else { return html! {} };
    let (Some(p50), Some(p99)) = (distribution.percentile(50.0), distribution.percentile(99.0)) else {
        return html! {};
    };
    let axis = Axis::across(Range { low, median: p50, high });
    let bars = bars(distribution, &axis, low, high);
    let shares = Axis::from_zero(bars.iter().map(|bar| bar.percent).fold(0.0, f64::max), "\u{a0}%");
    let shapes = html! {
        @for bar in &bars {
            @let top = y(shares.at(bar.percent));
            rect.bar x=(format!("{:.2}", x(bar.from))) y=(format!("{top:.1}"))
                width=(format!("{:.2}", x(bar.to - bar.from))) height=(format!("{:.1}", 1_000.0 - top)) {
                title { (number::span(axis.value(bar.from))) " to " (number::span(axis.value(bar.to))) ": " (number::count(bar.count)) }
            }
        }
    };
    let chart = Chart {
        id: format!("{id}-by-value"),
        title: "How often",
        summary: format!(
            "{} {} from {} to {}; half took at most {}.",
            number::count(distribution.count()),
            words.things,
            number::span(low),
            number::span(high),
            number::span(p50)
        ),
        x: &axis,
        y: &shares,
        x_name: words.heading,
        y_name: &format!("share of {}", words.things),
    };
    let markers = [("p50", p50), ("p99", p99)]
        .map(|(name, ms)| Marker { at: axis.at(ms), label: format!("{name} {}", number::span(ms)) });
    chart.draw(&[], &markers, &shapes)
}

struct Bar {
    /// From 0 to 1 along the axis.
    from: f64,
    to: f64,
    count: u64,
    percent: f64,
}

fn bars(distribution: &Distribution, axis: &Axis, low: f64, high: f64) -> Vec<Bar> {
    let histogram = distribution.histogram();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from zero to an hour in microseconds")]
    let (span, resolution) = (((high - low) * 1e3) as u64, histogram.equivalent_range((high * 1e3) as u64));
    let number = (span / (STEPS_PER_BAR * resolution.max(1))).clamp(1, MOST_BARS);
    let mut counts = vec![0; usize::try_from(number).unwrap_or(1)];
    for recorded in histogram.iter_recorded() {
        let ms = histogram.median_equivalent(recorded.value_iterated_to()) as f64 / 1e3;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the number of bars")]
        let index = (axis.at(ms) * number as f64) as usize;
        let last = counts.len() - 1;
        if let Some(count) = counts.get_mut(index.min(last)) {
            *count += recorded.count_since_last_iteration();
        }
    }
    let bar = |(index, count): (usize, u64)| Bar {
        from: index as f64 / number as f64,
        to: (index + 1) as f64 / number as f64,
        count,
        percent: count as f64 * 100.0 / distribution.count() as f64,
    };
    counts.into_iter().enumerate().map(bar).filter(|bar| bar.count > 0).collect()
}
