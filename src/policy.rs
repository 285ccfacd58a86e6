//! Governance: the limits, the boundary and the modes that every reply is made under.
//!
//! The text is `policy.toml`, part of the binary. It is parsed once, hashed, and sent to the model as
//! system blocks of its own; nothing a user writes ever becomes part of it. [`MAX_TOKENS_CEILING`] and
//! [`TEMPERATURE`] are held here in code, so that no edit of the text and no request raises them.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most output tokens that any policy may ask for.
pub const MAX_TOKENS_CEILING: u32 = 150;

/// The only sampling temperature that a policy may ask for.
pub const TEMPERATURE: f32 = 0.3;

/// The policy that is built in.
const BUILT_IN: &str = include_str!("policy.toml");

/// A policy that keeps the ceiling. It holds at least one mode, and its default is one of them.
#[derive(Debug, Clone)]
pub struct Policy {
    version: String,
    sha256: String,
    limits: Limits,
    boundary: String,
    modes: Vec<Mode>,
    default_mode: usize,
}

/// What bounds a reply.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    max_tokens: u32,
    temperature: f32,
}

/// A tone to reply in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    id: String,
    label: String,
    description: String,
    tone: String,
}

/// Why a policy does not start.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or not the shape of a policy.
    #[error("the policy is not valid: {0}")]
    Syntax(#[from] toml::de::Error),
    /// More tokens than the ceiling, or none.
    #[error("the policy asks for {0} output tokens; it must ask for 1 to {MAX_TOKENS_CEILING}")]
    MaxTokens(u32),
    /// Another temperature than the one allowed.
    #[error("the policy asks for temperature {0}; it must ask for {TEMPERATURE}")]
    Temperature(f32),
    /// A text that must say something is blank.
    #[error("the policy's {0} is blank")]
    Blank(&'static str),
    /// Two modes with the same id.
    #[error("the policy has two modes {0:?}")]
    DuplicateMode(String),
    /// The default is none of the modes.
    #[error("the policy's default mode {0:?} is none of its modes")]
    UnknownDefault(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyText {
    version: String,
    default_mode: String,
    limits: Limits,
    boundary: BoundaryText,
    modes: Vec<Mode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundaryText {
    text: String,
}

impl Policy {
    /// The policy that this binary was built with.
    ///
    /// # Errors
    /// See [`Policy::parse`].
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::parse(BUILT_IN)
    }

    /// Parses a policy and holds it to the ceiling.
    ///
    /// # Errors
    /// [`PolicyError`] with the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let PolicyText { version, default_mode, limits, boundary, modes } = toml::from_str(text)?;
        if !(1..=MAX_TOKENS_CEILING).contains(&limits.max_tokens) {
            return Err(PolicyError::MaxTokens(limits.max_tokens));
        }
        if limits.temperature.to_bits() != TEMPERATURE.to_bits() {
            return Err(PolicyError::Temperature(limits.temperature));
        }
        for (name, value) in [("version", &version), ("boundary", &boundary.text)] {
            if value.trim().is_empty() {
                return Err(PolicyError::Blank(name));
            }
        }
        for (n, mode) in modes.iter().enumerate() {
            if mode.id.trim().is_empty() || mode.tone.trim().is_empty() {
                return Err(PolicyError::Blank("mode"));
            }
            if modes.iter().skip(n + 1).any(|other| other.id == mode.id) {
                return Err(PolicyError::DuplicateMode(mode.id.clone()));
            }
        }
        let default_mode =
            modes.iter().position(|mode| mode.id == default_mode).ok_or(PolicyError::UnknownDefault(default_mode))?;
        Ok(Self {
            version,
            sha256: hex(&Sha256::digest(text.as_bytes())),
            limits,
            boundary: boundary.text.trim().to_owned(),
            modes,
            default_mode,
        })
    }

    /// The version that the text gives itself.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The SHA-256 of the whole text, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The limits on a reply.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The boundary, the first system block of each turn.
    pub fn boundary(&self) -> &str {
        &self.boundary
    }

    /// All modes, in the order in which they are shown.
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// The mode with this id.
    pub fn mode(&self, id: &str) -> Option<&Mode> {
        self.modes.iter().find(|mode| mode.id == id)
    }

    /// The mode of a request that names none.
    #[expect(clippy::indexing_slicing, reason = "parse() found the index in this very list")]
    pub fn default_mode(&self) -> &Mode {
        &self.modes[self.default_mode]
    }
}

impl Limits {
    /// The most output tokens of a reply.
    pub fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    /// The sampling temperature.
    pub fn temperature(&self) -> f32 {
        self.temperature
    }
}

impl Mode {
    /// The name in requests and records.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name that people see.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What to expect of it, in a few words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The second system block of each turn.
    pub fn tone(&self) -> &str {
        &self.tone
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_policy_starts_with_its_modes() {
        let policy = Policy::built_in().expect("starts");
        assert_eq!(policy.limits(), Limits { max_tokens: 150, temperature: 0.3 });
        assert_eq!(policy.default_mode().id(), "bro");
        assert!(policy.modes().len() >= 4);
        assert_eq!(policy.sha256().len(), 64);
        let boundary = policy.boundary().to_lowercase();
        for word in ["medical", "legal", "professional", "doctor", "lawyer"] {
            assert!(boundary.contains(word), "the boundary does not speak of {word}");
        }
    }

    #[test]
    fn boundary_and_tone_stay_apart() {
        let policy = Policy::built_in().expect("starts");
        for mode in policy.modes() {
            assert!(!mode.tone().contains(policy.boundary()), "{}", mode.id());
            assert!(!policy.boundary().contains(mode.tone()), "{}", mode.id());
        }
    }

    #[test]
    fn a_changed_text_is_another_hash() {
        let changed = BUILT_IN.replace("a few sentences", "a few words");
        assert_ne!(changed, BUILT_IN);
        assert_ne!(Policy::parse(&changed).expect("starts").sha256(), Policy::built_in().expect("starts").sha256());
    }

    #[test]
    fn a_policy_that_breaks_a_rule_does_not_start() {
        let table = [
            ("max_tokens = 150", "max_tokens = 151", "must ask for 1 to 150"),
            ("max_tokens = 150", "max_tokens = 0", "must ask for 1 to 150"),
            ("max_tokens = 150", "max_tokens = -1", "not valid"),
            ("temperature = 0.3", "temperature = 0.31", "must ask for 0.3"),
            ("temperature = 0.3", "temperature = 0.0", "must ask for 0.3"),
            ("temperature = 0.3", "temperature = nan", "must ask for 0.3"),
            ("temperature = 0.3", "temperature = 0.3\ntop_k = 1", "unknown field"),
            ("default_mode = \"bro\"", "default_mode = \"dude\"", "none of its modes"),
            ("id = \"zen\"", "id = \"coach\"", "two modes"),
            ("version = \"", "version = \"\" # ", "blank"),
            ("[limits]", "[limit]", "not valid"),
        ];
        for (from, to, why) in table {
            let text = BUILT_IN.replacen(from, to, 1);
            assert_ne!(text, BUILT_IN, "{from}");
            let error = Policy::parse(&text).expect_err(to).to_string();
            assert!(error.contains(why), "{to}: {error}");
        }
    }
}
