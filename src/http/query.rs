//! The query string of `GET /api/chat`: strict where `application/x-www-form-urlencoded` parsers are lenient.

use percent_encoding::percent_decode_str;

use super::error::Refusal;

/// The value of each expected parameter, in the order of `names`.
///
/// # Errors
/// A parameter that is not expected, that comes twice, or that is not UTF-8 once decoded.
pub(super) fn parse<const N: usize>(query: &str, names: [&str; N]) -> Result<[Option<String>; N], Refusal> {
    let mut values = [const { None }; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(|| invalid(None, "a parameter's name is not UTF-8"))?;
        let Some(slot) = names.iter().position(|known| *known == name).and_then(|n| values.get_mut(n)) else {
            return Err(invalid(None, &format!("unknown parameter {name:?}; there are {}", names.join(", "))));
        };
        let value = decode(value).ok_or_else(|| invalid(Some(&name), "is not UTF-8 once percent-decoded"))?;
        if slot.replace(value).is_some() {
            return Err(invalid(Some(&name), "must not come twice"));
        }
    }
    Ok(values)
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn invalid(name: Option<&str>, detail: &str) -> Refusal {
    Refusal::InvalidRequest { pointer: name.map(|name| format!("/{name}")), detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> Result<[Option<String>; 2], Refusal> {
        parse(query, ["message", "mode"])
    }

    #[test]
    fn values_are_decoded() {
        let values = parsed("mode=zen&message=Yo%2C+name+3+colours%3F%20%F0%9F%8E%A8").expect("parsed");
        assert_eq!(values, [Some("Yo, name 3 colours? 🎨".into()), Some("zen".into())]);
        assert_eq!(parsed(""), Ok([None, None]));
        assert_eq!(parsed("message"), Ok([Some(String::new()), None]));
        assert_eq!(parsed("message=a=b&"), Ok([Some("a=b".into()), None]));
        assert_eq!(parsed("message=100%"), Ok([Some("100%".into()), None]));
    }

    #[test]
    fn what_is_not_expected_is_refused() {
        for bad in ["message=a&message=b", "message=a&tone=b", "message=%FF", "%FF=a"] {
            assert!(matches!(parsed(bad), Err(Refusal::InvalidRequest { .. })), "{bad}");
        }
    }
}
