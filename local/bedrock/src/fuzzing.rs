//! What the readers of requests and of faults promise. The bodies of fuzz targets under `fuzz/`, and tests that replay
//! the corpora saved there. Compiled for tests and for `cargo fuzz` only.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a broken promise is a panic")]

use crate::{Fault, NetworkFault, Prompt, Role};

/// A body is refused as Bedrock refuses it, or it is a conversation that keeps Bedrock's rules.
pub fn converse_request(body: &[u8]) {
    let Ok(prompt) = Prompt::parse(body) else { return };
    let messages = prompt.messages();
    assert!(messages.len() % 2 == 1, "the last message is not from the user");
    for (n, message) in messages.iter().enumerate() {
        assert_eq!(message.role(), if n % 2 == 0 { Role::User } else { Role::Assistant });
    }
    assert!(prompt.max_tokens().is_none_or(|tokens| tokens > 0));
    assert!(prompt.stop_sequences().iter().all(|sequence| !sequence.is_empty()));
}

/// A fault that can be read is the same once it is written and read again.
pub fn fault_name(name: &[u8]) {
    let Ok(name) = std::str::from_utf8(name) else { return };
    if let Ok(fault) = name.parse::<Fault>() {
        assert_eq!(fault.to_string().parse(), Ok(fault));
    }
    if let Ok(fault) = name.parse::<NetworkFault>() {
        assert_eq!(fault.to_string().parse(), Ok(fault));
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn every_saved_request_keeps_the_rules_or_is_refused() {
        replay("converse_request", super::converse_request);
    }

    #[test]
    fn every_saved_fault_is_read_back_from_its_name() {
        replay("fault_name", super::fault_name);
    }
}
