//! `API_KEY_SHA256` and `REQUIRE_API_KEY`: who may spend.
//!
//! Only digests are configured. Keys are drawn at random with 128 bits or more, so that a digest
//! gives nothing away and needs no salt.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{Problem, Vars};

/// The public name of a key, for records; never the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyId(String);

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys that may call: never empty.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    keys: Vec<(ApiKeyId, [u8; 32])>,
}

impl ApiKeys {
    const MUST_BE: &str = "must be id:digest pairs with commas between: each id of letters, digits, - or _, \
        each digest the SHA-256 of a key as 64 hexadecimal digits";

    pub(super) fn from_vars(vars: &Vars<'_>) -> Result<Option<Self>, Vec<Problem>> {
        let mut problems = Vec::new();
        let digests = vars.get("API_KEY_SHA256");
        let keys = digests.as_deref().and_then(|text| {
            Self::parse(text)
                .map_err(|why| problems.push(Problem::new("API_KEY_SHA256", format!("{}; {why}", Self::MUST_BE))))
                .ok()
        });
        match vars.get("REQUIRE_API_KEY").as_deref() {
            None | Some("false") => {}
            Some("true") if digests.is_some() => {}
            Some("true") => problems.push(Problem::new(
                "API_KEY_SHA256",
                "is missing, and REQUIRE_API_KEY says that this function is open to the world and must not start without keys",
            )),
            Some(_) => problems.push(Problem::new("REQUIRE_API_KEY", "must be \"true\" or \"false\"")),
        }
        if problems.is_empty() { Ok(keys) } else { Err(problems) }
    }

    /// The problem says which entry by its place, not by its text, which may be a key pasted by mistake.
    fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<(ApiKeyId, [u8; 32])> = Vec::new();
        for (n, entry) in text.split(',').enumerate() {
            let place = n + 1;
            let (id, hex) = entry.split_once(':').ok_or_else(|| format!("entry {place} has no colon"))?;
            if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
                return Err(format!("entry {place} has no valid id"));
            }
            if keys.iter().any(|(known, _)| known.0 == id) {
                return Err(format!("entry {place} repeats an id"));
            }
            let digest = digest_from_hex(hex).ok_or_else(|| format!("entry {place} has no valid digest"))?;
            // What hashing a variable that is not set gives.
            if digest == digest_of("") {
                return Err(format!("entry {place} is the digest of an empty key"));
            }
            // Whoever takes one of the two out would think that the key is revoked.
            if keys.iter().any(|(_, known)| *known == digest) {
                return Err(format!("entry {place} repeats a digest"));
            }
            keys.push((ApiKeyId(id.to_owned()), digest));
        }
        Ok(Self { keys })
    }

    /// Finds whose key this is. Every digest is compared, each in constant time, whether or not one matched before.
    pub fn identify(&self, key: &str) -> Option<&ApiKeyId> {
        let digest = digest_of(key);
        let mut found = None;
        for (id, known) in &self.keys {
            let same: Choice = known.ct_eq(&digest);
            if bool::from(same) {
                found = Some(id);
            }
        }
        found
    }
}

fn digest_of(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn digest_from_hex(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "one:0000000000000000000000000000000000000000000000000000000000000000";

    fn digest(key: &str) -> String {
        digest_of(key).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn keys(digests: &str, require: &str) -> Result<Option<ApiKeys>, Vec<Problem>> {
        let lookup = |name: &str| {
            Some(if name == "API_KEY_SHA256" { digests } else { require }.to_owned()).filter(|v| !v.is_empty())
        };
        ApiKeys::from_vars(&Vars { lookup: &lookup })
    }

    #[test]
    fn a_key_is_known_by_its_digest() {
        let both = format!("one:{},two:{}", digest("secret-one"), digest("secret-two").to_uppercase());
        let keys = keys(&both, "true").expect("valid").expect("there");
        assert_eq!(keys.identify("secret-one").map(ToString::to_string).as_deref(), Some("one"));
        assert_eq!(keys.identify("secret-two").map(ToString::to_string).as_deref(), Some("two"));
        for wrong in ["", "secret", "secret-one ", &digest("secret-one")] {
            assert_eq!(keys.identify(wrong), None);
        }
    }

    #[test]
    fn what_is_no_digest_stops_the_start() {
        let good = digest("x");
        for bad in [
            &good,
            "one:",
            "one:12",
            &format!(":{good}"),
            &format!("o ne:{good}"),
            &format!("one:{good},"),
            &format!("a:{good},a:{}", digest("y")),
            &format!("a:{good},b:{}", good.to_uppercase()),
            &format!("a:{good},b:{}", digest("")),
            &format!("one:+{}", &good[1..]),
        ] {
            let problems = keys(bad, "").expect_err(bad);
            assert!(
                !format!("{problems:?}").contains(&good[1..]),
                "a key pasted by mistake would be told: {problems:?}"
            );
        }
        assert!(keys(ONE, "").is_ok());
    }

    #[test]
    fn a_door_open_to_the_world_needs_keys() {
        assert!(keys("", "true").is_err());
        assert!(matches!(keys("", "false"), Ok(None)));
        assert!(matches!(keys("", ""), Ok(None)));
        for bad in ["yes", "TRUE", "1", " true"] {
            assert!(keys(ONE, bad).is_err(), "{bad}");
        }
    }
}
