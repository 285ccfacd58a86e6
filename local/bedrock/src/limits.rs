//! `maxTokens` and `stopSequences`, enforced on any generator's pieces however they are cut.

use crate::{Piece, Prompt, StopReason};

/// What is left of a reply's limits.
pub(crate) struct Limits {
    max_tokens: Option<u32>,
    stop_sequences: Vec<String>,
    output_tokens: u32,
    /// Text not yet let through, because a stop sequence may have begun in it.
    held: String,
}

/// What of a piece may be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// Text to send now, possibly empty.
    pub(crate) text: String,
    /// Set where the reply ends with this text.
    pub(crate) end: Option<StopReason>,
}

impl Limits {
    pub(crate) fn of(prompt: &Prompt) -> Self {
        Self {
            max_tokens: prompt.max_tokens(),
            stop_sequences: prompt.stop_sequences().to_vec(),
            output_tokens: 0,
            held: String::new(),
        }
    }

    /// The most tokens that are let through.
    pub(crate) fn max_tokens(&self) -> Option<u32> {
        self.max_tokens
    }

    /// Tokens admitted so far, those of held and of cut-off text included: the model did generate them.
    pub(crate) fn output_tokens(&self) -> u32 {
        self.output_tokens
    }

    /// Lets through what of `piece` the limits allow.
    pub(crate) fn admit(&mut self, piece: &Piece) -> Admitted {
        let tokens = self.output_tokens.saturating_add(piece.tokens);
        if let Some(max) = self.max_tokens.filter(|max| tokens > *max) {
            self.output_tokens = max;
            return Admitted { text: self.release(), end: Some(StopReason::MaxTokens) };
        }
        self.output_tokens = tokens;
        self.held.push_str(&piece.text);
        if let Some(start) = self.stop_start() {
            self.held.truncate(start);
            return Admitted { text: self.release(), end: Some(StopReason::StopSequence) };
        }
        if self.max_tokens == Some(tokens) {
            return Admitted { text: self.release(), end: Some(StopReason::MaxTokens) };
        }
        let rest = self.held.split_off(self.held.len() - self.possible_stop_len());
        Admitted { text: std::mem::replace(&mut self.held, rest), end: None }
    }

    /// The text still held, for a reply that ends here by itself.
    pub(crate) fn release(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the stop sequence begins that is complete first (of several, the longest), as if read character by
    /// character: the answer must not depend on how the text was cut.
    fn stop_start(&self) -> Option<usize> {
        let found = self.stop_sequences.iter().filter_map(|stop| self.held.find(stop).map(|at| (at + stop.len(), at)));
        found.min().map(|(_end, start)| start)
    }

    /// Length in bytes of the longest end of the held text with which a stop sequence begins.
    fn possible_stop_len(&self) -> usize {
        let starts = self.stop_sequences.iter().flat_map(|stop| stop.char_indices().map(|(end, _)| stop.get(..end)));
        starts.flatten().filter(|start| self.held.ends_with(start)).map(str::len).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(max_tokens: Option<u32>, stop_sequences: &[&str]) -> Limits {
        let stop_sequences = stop_sequences.iter().map(ToString::to_string).collect();
        Limits { max_tokens, stop_sequences, output_tokens: 0, held: String::new() }
    }

    /// The whole reply for `pieces` of one token each, and why it ended.
    fn reply<'a>(mut limits: Limits, pieces: impl IntoIterator<Item = &'a str>) -> (String, StopReason) {
        let mut text = String::new();
        for piece in pieces {
            let admitted = limits.admit(&Piece::token(piece));
            text.push_str(&admitted.text);
            if let Some(end) = admitted.end {
                return (text, end);
            }
        }
        (text + &limits.release(), StopReason::EndTurn)
    }

    #[test]
    fn a_stop_sequence_is_cut_off_even_when_it_straddles_pieces() {
        let cases: [(&[&str], &[&str], &str, StopReason); 6] = [
            (&["Yo", " bro", "END", " more"], &["END"], "Yo bro", StopReason::StopSequence),
            (&["Yo E", "N", "D more"], &["END"], "Yo ", StopReason::StopSequence),
            (&["Yo E", "N"], &["END"], "Yo EN", StopReason::EndTurn),
            (&["EENEND"], &["END"], "EEN", StopReason::StopSequence),
            (&["abcd"], &["abcd", "bc"], "a", StopReason::StopSequence),
            (&["né", "e!"], &["ée"], "n", StopReason::StopSequence),
        ];
        for (pieces, stops, text, end) in cases {
            assert_eq!(reply(limits(None, stops), pieces.iter().copied()), (text.to_owned(), end), "{pieces:?}");
        }
    }

    #[test]
    fn the_last_allowed_token_ends_the_reply() {
        assert_eq!(reply(limits(Some(2), &[]), ["a", "b", "c"]), ("ab".to_owned(), StopReason::MaxTokens));
        // What was held for a stop sequence that never came is part of the reply.
        assert_eq!(reply(limits(Some(2), &["bc"]), ["a", "b", "c"]), ("ab".to_owned(), StopReason::MaxTokens));
    }

    #[test]
    fn a_piece_of_more_tokens_than_are_left_is_not_sent() {
        let mut limits = limits(Some(3), &[]);
        limits.admit(&Piece { text: "a".to_owned(), tokens: 2 });
        let admitted = limits.admit(&Piece { text: "🙂".to_owned(), tokens: 2 });
        assert_eq!(admitted, Admitted { text: String::new(), end: Some(StopReason::MaxTokens) });
        assert_eq!(limits.output_tokens(), 3);
    }

    proptest! {
        #[test]
        fn the_reply_does_not_depend_on_how_the_text_is_cut(
            text in "[abé]{0,24}",
            stops in prop::collection::vec("[abé]{1,4}", 0..3),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let characters: Vec<String> = text.chars().map(String::from).collect();
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
            ends.extend([0, characters.len()]);
            ends.sort_unstable();
            let pieces: Vec<String> = ends.windows(2).map(|pair| characters[pair[0]..pair[1]].concat()).collect();
            let cut = reply(limits(None, &stops), pieces.iter().map(String::as_str));
            let by_character = reply(limits(None, &stops), characters.iter().map(String::as_str));
            prop_assert_eq!(&cut, &by_character);
            prop_assert!(text.starts_with(&cut.0));
            prop_assert!(stops.iter().all(|stop| !cut.0.contains(stop)));
        }
    }
}
