//! The figures as JSON, with what follows from them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::arm::Arm;
use crate::figures::{Added, Figures};
use crate::targets::{Target, targets};

/// What the field `schema` says. A change that breaks readers changes the number.
const SCHEMA: &str = "bro-buddy-comparison/2";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    figures: &'a Figures,
    added: BTreeMap<Arm, Added>,
    targets: Vec<Target>,
}

/// Writes it to a file.
pub(crate) fn write(file: &Path, figures: &Figures) -> io::Result<()> {
    let added = Arm::ALL.into_iter().filter_map(|arm| Some((arm, figures.added(arm)?))).collect();
    let document = Document { schema: SCHEMA, figures, added, targets: targets(figures) };
    std::fs::write(file, serde_json::to_vec_pretty(&document)?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::figures::tests::figures;

    #[test]
    fn it_holds_the_figures_by_arm_and_what_follows_from_them() {
        let file = std::env::temp_dir().join(format!("comparison-{}.json", std::process::id()));
        write(&file, &figures()).expect("a file");
        let document: Value = serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("JSON");
        std::fs::remove_file(&file).expect("the file");
        assert_eq!(document["latency"]["bro-buddy"]["ttft_ms"]["p99"], json!(9.5));
        assert_eq!(document["load"]["direct"][1]["usage"], Value::Null);
        assert_eq!(document["latency"]["bro-buddy"]["rounds"][0]["ttft_ms"]["p99"], Value::Null, "of too few");
        assert_eq!(document["added"]["floor"]["ttft_p99_ms"], json!(0.8));
        assert_eq!(document["targets"].as_array().map(Vec::len), Some(11));
    }
}
