//! One report of several.

use super::{InvalidReport, Report};
use crate::tally::Tally;

impl Report {
    /// The report that one machine would have written that had made all requests: histograms and seconds add up, and
    /// every figure is taken from the sums. Thresholds are judged anew, and so none is taken over.
    ///
    /// # Errors
    /// When a document is none of this program's.
    pub fn merged<'a>(reports: impl IntoIterator<Item = &'a Self>) -> Result<Self, InvalidReport> {
        let mut tally = Tally::default();
        let mut runs = Vec::new();
        for report in reports {
            tally.merge(&Tally::try_from(report)?);
            runs.extend(report.runs.iter().cloned());
        }
        Ok(Self::new(&tally, runs))
    }
}
