//! What was computed before: the network's state behind system prompts and earlier turns, kept for the next request.

use std::collections::VecDeque;

/// How many tokens are kept in all. For SmolLM2-135M a token's keys and values are 45 KiB.
const MAX_TOKENS: usize = 4096;

/// States of a network (`N`) by the tokens that led to them, least recently used first.
pub(crate) struct Prefixes<N> {
    kept: VecDeque<(Vec<u32>, N)>,
}

impl<N: Clone> Prefixes<N> {
    pub(crate) fn new() -> Self {
        Self { kept: VecDeque::new() }
    }

    /// The state behind the longest kept beginning of `tokens`. Never behind all of them: the last token must be fed
    /// for there to be logits.
    pub(crate) fn longest(&mut self, tokens: &[u32]) -> Option<N> {
        let fitting = self
            .kept
            .iter()
            .enumerate()
            .filter(|(_, (prefix, _))| prefix.len() < tokens.len() && tokens.starts_with(prefix));
        let (index, _) = fitting.max_by_key(|(_, (prefix, _))| prefix.len())?;
        let (prefix, state) = self.kept.remove(index)?;
        self.kept.push_back((prefix, state.clone()));
        Some(state)
    }

    /// Keeps `state`, which `tokens` led to, at the cost of those that were not used for longest.
    pub(crate) fn keep(&mut self, tokens: Vec<u32>, state: N) {
        self.kept.retain(|(prefix, _)| *prefix != tokens);
        self.kept.push_back((tokens, state));
        while self.kept.iter().map(|(prefix, _)| prefix.len()).sum::<usize>() > MAX_TOKENS {
            self.kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_is_found_but_never_the_whole() {
        let mut prefixes = Prefixes::new();
        prefixes.keep(vec![1, 2], "system");
        prefixes.keep(vec![1, 2, 3, 4], "first turn");
        assert_eq!(prefixes.longest(&[1, 2, 3, 4, 5]), Some("first turn"));
        assert_eq!(prefixes.longest(&[1, 2, 3, 4]), Some("system"));
        assert_eq!(prefixes.longest(&[1, 2, 9]), Some("system"));
        assert_eq!(prefixes.longest(&[2, 1]), None);
    }

    #[test]
    fn what_was_used_last_stays_when_room_is_needed() {
        let mut prefixes = Prefixes::new();
        let half = |first: u32| vec![first; MAX_TOKENS / 2];
        let asked = |first: u32| vec![first; MAX_TOKENS / 2 + 1];
        prefixes.keep(half(1), 1);
        prefixes.keep(half(2), 2);
        assert_eq!(prefixes.longest(&asked(1)), Some(1));
        prefixes.keep(half(3), 3);
        assert_eq!([1, 2, 3].map(|first| prefixes.longest(&asked(first))), [Some(1), None, Some(3)]);
    }

    #[test]
    fn the_same_tokens_are_kept_once() {
        let mut prefixes = Prefixes::new();
        for state in 0..10 {
            prefixes.keep(vec![7; MAX_TOKENS], state);
        }
        prefixes.keep(vec![7; MAX_TOKENS], 10);
        assert_eq!(prefixes.longest(&vec![7; MAX_TOKENS + 1]), Some(10));
    }
}
