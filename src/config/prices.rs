//! `PRICE_INPUT_PER_MTOK` and `PRICE_OUTPUT_PER_MTOK`: what a token costs, for an estimate per request.

use super::{Problem, Vars};

/// An amount in US dollars.
pub type UsDollars = f64;

/// Prices in US dollars per million tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    input_per_mtok: UsDollars,
    output_per_mtok: UsDollars,
}

impl Prices {
    pub(super) fn from_vars(vars: &Vars<'_>) -> Result<Option<Self>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut price = |name: &'static str, other: &'static str| match vars.get(name) {
            Some(text) => parse(&text).or_else(|| {
                problems.push(Problem::new(name, "must be a price in US dollars per million tokens, like 0.25"));
                None
            }),
            None if vars.get(other).is_some() => {
                problems.push(Problem::new(name, format!("is missing; {other} needs it")));
                None
            }
            None => None,
        };
        let input = price("PRICE_INPUT_PER_MTOK", "PRICE_OUTPUT_PER_MTOK");
        let output = price("PRICE_OUTPUT_PER_MTOK", "PRICE_INPUT_PER_MTOK");
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(input.zip(output).map(|(input_per_mtok, output_per_mtok)| Self { input_per_mtok, output_per_mtok }))
    }

    #[cfg(test)]
    pub(crate) fn per_mtok(input_per_mtok: UsDollars, output_per_mtok: UsDollars) -> Self {
        Self { input_per_mtok, output_per_mtok }
    }

    /// The estimated cost of a request, in US dollars.
    pub fn cost(&self, input_tokens: u32, output_tokens: u32) -> UsDollars {
        (f64::from(input_tokens) * self.input_per_mtok + f64::from(output_tokens) * self.output_per_mtok) / 1e6
    }
}

fn parse(text: &str) -> Option<UsDollars> {
    // f64's own parser also takes "inf", "nan" and exponents; a price is digits with at most one point.
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|price: &f64| plain && price.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(input: &str, output: &str) -> Result<Option<Prices>, Vec<Problem>> {
        let lookup =
            |name: &str| Some(if name.contains("INPUT") { input } else { output }.to_owned()).filter(|v| !v.is_empty());
        Prices::from_vars(&Vars { lookup: &lookup })
    }

    #[test]
    fn a_request_costs_its_tokens_at_their_prices() {
        let prices = prices("0.25", "1.25").expect("valid").expect("there");
        assert!((prices.cost(1_000, 150) - 0.000_437_5).abs() < 1e-12);
    }

    #[test]
    fn both_prices_or_neither() {
        assert_eq!(prices("", ""), Ok(None));
        assert!(prices("1", "").is_err() && prices("", "1").is_err());
        for bad in ["-1", "1e3", "NaN", "inf", "1,5", " 1", "1.2.3", "."] {
            assert!(prices(bad, "1").is_err(), "{bad}");
        }
    }
}
