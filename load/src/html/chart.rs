//! The frame of every chart: axes, grid and labels around shapes that are drawn on a square of 1000 by 1000.
//!
//! The SVG is stretched to its frame (`preserveAspectRatio="none"`), so it holds shapes only; strokes keep their
//! width. All labels are HTML, placed in percent of the frame.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::axis::Axis;

/// The length of an SVG's sides in its own units.
const SIDE: f64 = 1_000.0;

/// What a chart shows, apart from its shapes.
pub(super) struct Chart<'a> {
    /// Unique on the page.
    pub(super) id: String,
    pub(super) title: &'a str,
    /// In a sentence what there is to see, for those who do not see it; shown under the title too.
    pub(super) summary: String,
    pub(super) x: &'a Axis,
    pub(super) y: &'a Axis,
    /// What the axes count.
    pub(super) x_name: &'a str,
    pub(super) y_name: &'a str,
}

/// A vertical line with a label.
pub(super) struct Marker {
    /// From 0 to 1.
    pub(super) at: f64,
    pub(super) label: String,
}

/// An entry of a legend: the class of the shapes, and their name.
pub(super) type Key = (&'static str, &'static str);

impl Chart<'_> {
    /// The figure, with SVG elements as its shapes.
    pub(super) fn draw(&self, legend: &[Key], markers: &[Marker], shapes: &Markup) -> Markup {
        let (title, summary) = (format!("{}-title", self.id), format!("{}-summary", self.id));
        html! {
            figure.chart {
                figcaption {
                    h3 id=(title) { (self.title) }
                    p id=(summary) { (self.summary) }
                    @if legend.len() > 1 {
                        ul.legend { @for (class, name) in legend { li.(class) { (name) } } }
                    }
                }
                p.y-name { (self.y_name) @if self.y.is_logarithmic() { " (logarithmic)" } }
                div.frame {
                    div.y aria-hidden="true" {
                        @for tick in &self.y.ticks { span style=(format!("bottom:{:.2}%", tick.at * 100.0)) { (tick.label) } }
                    }
                    div.plot {
                        svg role="img" aria-labelledby=(title) aria-describedby=(summary) viewBox="0 0 1000 1000"
                            preserveAspectRatio="none" {
                            path.grid d=(self.grid()) {}
                            (shapes)
                            @for marker in markers { path.marker d=(format!("M{0:.1} 0V1000", x(marker.at))) {} }
                        }
                        @for (row, marker) in markers.iter().enumerate() {
                            span.marker aria-hidden="true" style=(marker.place(row)) { (marker.label) }
                        }
                    }
                    div.x aria-hidden="true" {
                        @for tick in &self.x.ticks { span.(side(tick.at)) style=(format!("left:{:.2}%", tick.at * 100.0)) { (tick.label) } }
                    }
                }
                p.x-name { (self.x_name) @if self.x.is_logarithmic() { " (logarithmic)" } }
            }
        }
    }

    fn grid(&self) -> String {
        let mut path = String::new();
        for tick in &self.y.ticks {
            // Writing to a string cannot fail.
            let _ = write!(path, "M0 {:.1}H1000", y(tick.at));
        }
        for tick in &self.x.ticks {
            let _ = write!(path, "M{:.1} 0V1000", x(tick.at));
        }
        path
    }
}

impl Marker {
    /// A row for each, so that labels of near lines do not lie on each other.
    fn place(&self, row: usize) -> String {
        let shift = if self.at > 0.6 { "translateX(calc(-100% - .3em))" } else { "translateX(.3em)" };
        format!("left:{:.2}%;top:{:.1}em;transform:{shift}", self.at * 100.0, 0.2 + 1.4 * row as f64)
    }
}

/// Labels at the ends of an axis stay within it.
fn side(at: f64) -> &'static str {
    match at {
        at if at < 0.02 => "low",
        at if at > 0.98 => "high",
        _ => "middle",
    }
}

/// From 0 to 1, as an abscissa of the SVG.
pub(super) fn x(fraction: f64) -> f64 {
    fraction * SIDE
}

/// From 0 to 1 upwards, as an ordinate of the SVG.
pub(super) fn y(fraction: f64) -> f64 {
    SIDE - fraction * SIDE
}

/// A line through points that are given from 0 to 1.
pub(super) fn line(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (at_x, at_y) in points {
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", x(at_x), y(at_y));
    }
    path
}
