//! The beginning of a streamed answer: a JSON document with status, headers and cookies, then
//! eight NUL bytes, then the payload.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::Deserialize;

use super::NoResponse;
use crate::failure::Failure;
use crate::runtime_api::StreamedBody;

/// The prelude and its delimiter lie within the first 16 KB of the answer.
const MAX_PRELUDE: usize = 16 * 1024;
const DELIMITER: [u8; 8] = [0; 8];

/// What a function says about its HTTP response before the payload.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Prelude {
    #[serde(default = "ok")]
    pub(super) status_code: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, HeaderValues>,
    #[serde(default)]
    pub(super) cookies: Vec<String>,
}

/// A header's value, or several: so `lambda_runtime` writes a header that is set twice. What AWS makes of that is
/// not documented; here each is a header of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum HeaderValues {
    One(String),
    Several(Vec<String>),
}

impl HeaderValues {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

fn ok() -> u16 {
    200
}

/// Reads the prelude off the body, which then begins with the payload.
pub(super) async fn take(body: &mut StreamedBody) -> Result<Prelude, NoResponse> {
    let mut parser = Parser::default();
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else { continue };
        if let Some((prelude, payload)) = parser.push(&chunk)? {
            body.unread(payload);
            return Ok(prelude);
        }
    }
    Err(Failure::invalid_response("the response ended before its prelude's eight NUL bytes").into())
}

/// Finds the delimiter across any division into chunks.
#[derive(Debug, Default)]
pub(super) struct Parser {
    seen: BytesMut,
}

impl Parser {
    /// Takes the next chunk. Once the delimiter is complete, returns the prelude and what of the
    /// chunk is payload.
    pub(super) fn push(&mut self, chunk: &Bytes) -> Result<Option<(Prelude, Bytes)>, Failure> {
        let searched = self.seen.len().saturating_sub(DELIMITER.len() - 1);
        let before = self.seen.len();
        let room = MAX_PRELUDE - before;
        let (head, _) = chunk.split_at(chunk.len().min(room));
        self.seen.extend_from_slice(head);

        let unsearched = self.seen.get(searched..).unwrap_or_default();
        let Some(found) = memchr::memmem::find(unsearched, &DELIMITER) else {
            return if self.seen.len() < MAX_PRELUDE {
                Ok(None)
            } else {
                Err(Failure::invalid_response(format!(
                    "no prelude's eight NUL bytes within the first {MAX_PRELUDE} bytes"
                )))
            };
        };
        let end = searched + found;
        let document = self.seen.get(..end).unwrap_or_default();
        let prelude = serde_json::from_slice(document)
            .map_err(|error| Failure::invalid_response(format!("the prelude cannot be read: {error}")))?;
        let payload = chunk.slice(end + DELIMITER.len() - before..);
        Ok(Some((prelude, payload)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &str = r#"{"statusCode":201,"headers":{"content-type":"text/plain"},"cookies":["a=1"]}"#;

    fn answer(document: &str, payload: &[u8]) -> Bytes {
        [document.as_bytes(), &DELIMITER, payload].concat().into()
    }

    /// Feeds the answer in chunks that end at the given places; returns what follows the prelude.
    fn split_at(answer: &Bytes, ends: &[usize]) -> Result<Option<(Prelude, Vec<u8>)>, Failure> {
        let mut parser = Parser::default();
        let mut parsed: Option<(Prelude, Vec<u8>)> = None;
        let mut start = 0;
        for end in ends.iter().copied().chain([answer.len()]) {
            let chunk = answer.slice(start..end);
            start = end;
            match &mut parsed {
                Some((_, payload)) => payload.extend_from_slice(&chunk),
                None => parsed = parser.push(&chunk)?.map(|(prelude, rest)| (prelude, rest.to_vec())),
            }
        }
        Ok(parsed)
    }

    #[test]
    fn the_prelude_is_found_wherever_the_answer_is_split_in_two() {
        let answer = answer(DOCUMENT, b"pay\0load");
        for end in 0..=answer.len() {
            let (prelude, payload) = split_at(&answer, &[end]).expect("a prelude").expect("a prelude");
            assert_eq!(prelude.status_code, 201, "split at {end}");
            assert_eq!(prelude.headers["content-type"].all(), ["text/plain"], "split at {end}");
            assert_eq!(prelude.cookies, ["a=1"], "split at {end}");
            assert_eq!(payload, b"pay\0load", "split at {end}");
        }
    }

    proptest! {
        #[test]
        fn the_prelude_is_found_across_any_division_into_chunks(
            payload in proptest::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..64),
            ends in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
        ) {
            let answer = answer(DOCUMENT, &payload);
            let mut ends: Vec<_> = ends.iter().map(|end| end.index(answer.len() + 1)).collect();
            ends.sort_unstable();
            let (_, rest) = split_at(&answer, &ends).expect("a prelude").expect("a prelude");
            prop_assert_eq!(rest, payload);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(
            chunks in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..40), 0..8)
        ) {
            let mut parser = Parser::default();
            for chunk in chunks {
                if !matches!(parser.push(&chunk.into()), Ok(None)) {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_prelude_may_fill_its_sixteen_kilobytes_and_no_more() {
        let of_length = |length: usize| {
            let padding = "x".repeat(length - DELIMITER.len() - r#"{"pad":""}"#.len());
            answer(&format!(r#"{{"pad":"{padding}"}}"#), b"payload")
        };
        let (_, payload) = split_at(&of_length(MAX_PRELUDE), &[]).expect("a prelude").expect("a prelude");
        assert_eq!(payload, b"payload");
        for ends in [&[][..], &[1][..], &[MAX_PRELUDE][..]] {
            split_at(&of_length(MAX_PRELUDE + 1), ends).expect_err("too long");
        }
    }

    #[test]
    fn an_answer_without_a_delimiter_has_no_prelude() {
        assert_eq!(split_at(&Bytes::from_static(b"{}\0\0\0\0\0\0\0"), &[3]), Ok(None));
    }
}
