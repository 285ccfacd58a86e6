//! A distribution by percentile, with the same room for each nine, so that the tail is seen.

use maud::{Markup, html};

use super::Words;
use super::axis::{Axis, Range, percentile_of};
use super::chart::{Chart, Key, line};
use super::number;
use crate::distribution::Distribution;

/// How many points make a curve.
const POINTS: u32 = 160;

/// One line of the chart.
pub(super) struct Curve {
    pub(super) name: &'static str,
    /// Its class in the style sheet.
    pub(super) class: &'static str,
    pub(super) distribution: Distribution,
}

pub(super) fn draw(id: &str, words: &Words, curves: &[Curve]) -> Markup {
    let least = |values: &dyn Fn(&Distribution) -> Option<f64>| {
        curves.iter().filter_map(|curve| values(&curve.distribution)).fold(f64::INFINITY, f64::min)
    };
    let range = Range {
        low: least(&Distribution::min),
        median: least(&|distribution| distribution.percentile(50.0)),
        high: curves.iter().filter_map(|curve| curve.distribution.max()).fold(0.0, f64::max),
    };
    let count = curves.iter().map(|curve| curve.distribution.count()).max().unwrap_or(0);
    if count == 0 {
        return html! {};
    }
    let (percentiles, durations) = (Axis::percentiles(count), Axis::up(range));
    let shapes = html! {
        @for curve in curves {
            path.(format!("line {}", curve.class)) d=(path(&curve.distribution, &percentiles, &durations)) {
                title { (curve.name) }
            }
        }
    };
    let chart = Chart {
        id: format!("{id}-by-percentile"),
        title: "How long at most",
        summary: curves.iter().map(|curve| sentence(curve, curves.len() > 1)).collect::<Vec<_>>().join(" "),
        x: &percentiles,
        y: &durations,
        x_name: &format!("percentile of {} (each nine has the same room)", words.things),
        y_name: words.heading,
    };
    let legend: Vec<Key> = curves.iter().map(|curve| (curve.class, curve.name)).collect();
    chart.draw(&legend, &[], &shapes)
}

/// The curve, as far as so many values can tell a percentile.
fn path(distribution: &Distribution, percentiles: &Axis, durations: &Axis) -> String {
    let nines = (distribution.count() as f64).log10().max(f64::MIN_POSITIVE);
    let points = (0..=POINTS).filter_map(|index| {
        let at = nines * f64::from(index) / f64::from(POINTS);
        let ms = if index == POINTS { distribution.max() } else { distribution.percentile(percentile_of(at)) };
        Some((percentiles.at(at), durations.at(ms?)))
    });
    line(points)
}

fn sentence(curve: &Curve, named: bool) -> String {
    let at = |percent| curve.distribution.percentile(percent).map(number::span).unwrap_or_default();
    let name = if named { format!("{}: ", curve.name) } else { String::new() };
    let longest = curve.distribution.max().map(number::span).unwrap_or_default();
    format!("{name}90\u{a0}% within {}, 99\u{a0}% within {}, the longest {longest}.", at(90.0), at(99.0))
}
