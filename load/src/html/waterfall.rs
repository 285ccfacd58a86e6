//! Where the time to first token went, step by step, as a table whose bars lie where the steps do.

use maud::{Markup, html};

use super::number;
use crate::report::{StepsReport, WaterfallReport};

pub(super) fn draw(waterfall: &WaterfallReport) -> Markup {
    let kinds = [("Warm", waterfall.warm.as_ref()), ("Cold start", waterfall.cold.as_ref())];
    let longest = kinds.iter().filter_map(|(_, steps)| steps.map(|steps| steps.ttft)).fold(0.0, f64::max);
    if longest <= 0.0 {
        return html! {};
    }
    html! {
        section {
            h2 { "Where the time to first token went" }
            p.lead {
                "Means of the replies of which the server told its phases; they add up. The network's share is what the "
                "client saw beyond all that is accounted for: both ways, and the platform in front of the function."
            }
            div.pair {
                @for (name, steps) in kinds { @if let Some(steps) = steps { (table(name, steps, longest)) } }
            }
        }
    }
}

/// Who takes the time of a step, for its colour.
#[derive(Clone, Copy)]
enum Place {
    Client,
    Platform,
    Function,
    Bedrock,
}

impl Place {
    fn class(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Platform => "platform",
            Self::Function => "function",
            Self::Bedrock => "bedrock",
        }
    }
}

fn steps_of(steps: &StepsReport) -> [(&'static str, Place, f64); 10] {
    [
        ("Waiting for its turn", Place::Client, steps.queue),
        ("Connecting", Place::Client, steps.connect),
        ("TLS handshake", Place::Client, steps.tls),
        ("Cold start", Place::Platform, steps.cold_start),
        ("Network and platform", Place::Platform, steps.network),
        ("Reading the request", Place::Function, steps.parse),
        ("Policy", Place::Function, steps.govern),
        ("Bedrock: response head", Place::Bedrock, steps.bedrock_head),
        ("Bedrock: first token", Place::Bedrock, steps.first_delta),
        ("First write", Place::Function, steps.first_write),
    ]
}

fn table(name: &str, steps: &StepsReport, longest: f64) -> Markup {
    let mut from = 0.0;
    let rows = steps_of(steps).map(|(step, place, ms)| {
        let row = row(step, place, ms, from / longest, longest);
        from += ms;
        row
    });
    html! {
        table.waterfall {
            caption { (name) ", " (number::count(steps.count)) " " @if steps.count == 1 { "reply" } @else { "replies" } }
            thead { tr { th scope="col" { "Step" } td aria-hidden="true" {} th scope="col" { "Mean, ms" } } }
            tbody { @for row in &rows { (row) } }
            tfoot { tr { th scope="row" { "Time to first token" } td {} td { (number::millis(steps.ttft)) } } }
        }
    }
}

/// A difference of two clocks can lie a little below zero: its figure is shown as it is, its bar as nothing.
fn row(step: &str, place: Place, ms: f64, from: f64, longest: f64) -> Markup {
    let percent = |fraction: f64| fraction.clamp(0.0, 1.0) * 100.0;
    let place_of_bar = format!("margin-left:{:.2}%;width:{:.2}%", percent(from), percent(ms / longest));
    html! {
        tr.nothing[ms == 0.0] {
            th scope="row" { (step) }
            td.track aria-hidden="true" { @if ms > 0.0 { span.(place.class()) style=(place_of_bar) {} } }
            td { (number::millis(ms)) }
        }
    }
}
