//! Errors as log lines tell them.

use std::error::Error;

/// An error's words and those of its causes, and nothing else: `Debug` output of an HTTP client's or an SDK's
/// errors holds headers and raw frames, and so replies.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
