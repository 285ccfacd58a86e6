//! Figures as people read them: three significant digits, with their units.

/// Milliseconds without their unit, for a column of them: `1,234`, `123`, `12.3`, `1.23`, `0.123`.
pub(super) fn millis(ms: f64) -> String {
    match ms.abs() {
        size if size >= 99.95 => whole(ms),
        size if size >= 9.995 => format!("{ms:.1}"),
        size if size >= 0.9995 => format!("{ms:.2}"),
        _ => format!("{ms:.3}"),
    }
}

/// A duration's figure and its unit: `1.23` and `s`, `123` and `ms`, `45` and `µs`.
pub(super) fn duration(ms: f64) -> (String, &'static str) {
    match ms.abs() {
        size if size >= 999.5 => (three_digits(ms / 1e3), "s"),
        size if size >= 0.9995 => (three_digits(ms), "ms"),
        _ => (format!("{:.0}", ms * 1e3), "µs"),
    }
}

/// A duration in one piece: `1.23 s`.
pub(super) fn span(ms: f64) -> String {
    let (figure, unit) = duration(ms);
    format!("{figure}\u{a0}{unit}")
}

/// A rate or another figure that is no duration: `1,234`, `123`, `12.3`, `1.23`.
pub(super) fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => whole(value),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A figure without decimals: `1,235`.
pub(super) fn whole(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

/// `1,234,567`
pub(super) fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// `1 request`, `2 requests`, for nouns that take an s.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(number))
}

/// A part in percent. What is not all is never rounded to it, and what is something never to nothing.
pub(super) fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0\u{a0}%".to_owned();
    }
    if part >= whole {
        return "100\u{a0}%".to_owned();
    }
    match part as f64 * 100.0 / whole as f64 {
        percent if percent < 0.01 => "<\u{a0}0.01\u{a0}%".to_owned(),
        percent if percent > 99.99 => ">\u{a0}99.99\u{a0}%".to_owned(),
        percent if !(1.0..=99.0).contains(&percent) => format!("{percent:.2}\u{a0}%"),
        percent => format!("{percent:.1}\u{a0}%"),
    }
}

/// Digits before a decimal point in groups of three.
fn grouped(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_the_unit_that_fits() {
        let cases = [
            (0.0, "0\u{a0}µs"),
            (0.045, "45\u{a0}µs"),
            (0.9996, "1.00\u{a0}ms"),
            (20.04, "20.0\u{a0}ms"),
            (123.4, "123\u{a0}ms"),
            (999.6, "1.00\u{a0}s"),
            (61_234.0, "61.2\u{a0}s"),
        ];
        for (ms, text) in cases {
            assert_eq!(span(ms), text);
        }
        assert_eq!(
            [0.0004, 0.1234, 1.234, 9.996, 99.96, 1234.5].map(millis),
            ["0.000", "0.123", "1.23", "10.0", "100", "1,234"]
        );
        assert_eq!(millis(-0.0123), "-0.012");
    }

    #[test]
    fn thousands_are_grouped() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
        assert_eq!(three_digits(-1234.0), "-1,234");
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        let cases = [
            (0, 10, "0\u{a0}%"),
            (1, 1_000_000, "<\u{a0}0.01\u{a0}%"),
            (1, 1_000, "0.10\u{a0}%"),
            (1, 3, "33.3\u{a0}%"),
            (999, 1_000, "99.90\u{a0}%"),
            (999_999, 1_000_000, ">\u{a0}99.99\u{a0}%"),
            (7, 7, "100\u{a0}%"),
            (0, 0, "0\u{a0}%"),
        ];
        for (part, whole, text) in cases {
            assert_eq!(share(part, whole), text);
        }
    }
}
