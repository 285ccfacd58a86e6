//! The page, embedded by the build script.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::answer::Answer;

/// What the page may load: only what this origin serves. There is no inline script or style.
const CONTENT_SECURITY_POLICY_VALUE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// One file of the page.
pub(super) struct Asset {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

// `static ASSETS: &[Asset]`, sorted by path.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file at this path; `/` is the page itself.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok().and_then(|n| ASSETS.get(n))
}

impl Asset {
    pub(super) fn path(&self) -> &'static str {
        self.path
    }

    pub(super) fn answer(&self) -> Answer {
        let answer = Answer::full(StatusCode::OK, self.content_type, Bytes::from_static(self.bytes))
            .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.path == "/" {
            answer
                .header(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
                .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY_VALUE))
                .header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
                .header(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"))
        } else {
            // The name of each file under /assets/ holds a hash of what is in it.
            answer.header(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_keeps_its_own_content_security_policy() {
        let page = std::str::from_utf8(find("/").expect("a page").bytes).expect("UTF-8");
        for tag in page.split('<').filter(|tag| tag.starts_with("script")) {
            assert!(tag.contains(" src=\"/assets/"), "an inline script: <{tag}");
        }
        assert!(!page.contains("<style") && !page.contains(" style="), "an inline style");
    }

    #[test]
    fn every_other_file_lies_under_assets_with_a_hash_in_its_name() {
        assert!(ASSETS.len() > 1);
        for asset in ASSETS.iter().filter(|asset| asset.path != "/") {
            let stem = asset.path.strip_prefix("/assets/").and_then(|name| name.rsplit_once('.')).expect(asset.path).0;
            // Eight characters of base64url, a hyphen among them now and then.
            let (name, hash) = stem.split_at_checked(stem.len().saturating_sub(8)).expect(asset.path);
            assert!(name.len() > 1 && name.ends_with('-') && hash.is_ascii(), "{}", asset.path);
        }
    }

    #[test]
    fn every_file_the_page_names_is_there() {
        let page = std::str::from_utf8(find("/").expect("a page").bytes).expect("UTF-8");
        let named: Vec<_> = page.split('"').filter(|text| text.starts_with("/assets/")).collect();
        assert!(!named.is_empty());
        for path in named {
            assert!(find(path).is_some(), "{path}");
        }
    }
}
