//! An access key as it is written on a command line.

use aws_credential_types::Credentials;

/// Why some text is no access key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it as ID:SECRET, or as ID:SECRET:TOKEN")]
pub struct MalformedAccessKey;

/// Credentials from `ID:SECRET`, or from `ID:SECRET:TOKEN` where they are temporary. A token may have colons.
///
/// A secret on a command line is seen by the whole machine: these are for made-up ones.
///
/// # Errors
/// Where a part is missing or empty.
pub fn parse_access_key(text: &str) -> Result<Credentials, MalformedAccessKey> {
    let mut parts = text.splitn(3, ':').map(|part| (!part.is_empty()).then(|| part.to_owned()));
    match (parts.next().flatten(), parts.next().flatten(), parts.next()) {
        (Some(id), Some(secret), None) => Ok(Credentials::new(id, secret, None, None, "command line")),
        (Some(id), Some(secret), Some(Some(token))) => {
            Ok(Credentials::new(id, secret, Some(token), None, "command line"))
        }
        _ => Err(MalformedAccessKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_has_an_id_a_secret_and_perhaps_a_token() {
        for (text, token) in [("AKID:secret", None), ("AKID:secret:a:b", Some("a:b"))] {
            let credentials = parse_access_key(text).unwrap();
            assert_eq!((credentials.access_key_id(), credentials.secret_access_key()), ("AKID", "secret"), "{text}");
            assert_eq!(credentials.session_token(), token, "{text}");
        }
        for text in ["", "AKID", "AKID:", ":secret", "AKID::token", "AKID:secret:"] {
            assert_eq!(parse_access_key(text), Err(MalformedAccessKey), "{text}");
        }
    }
}
