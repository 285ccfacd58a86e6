//! The real model: fetched when it is first used, loaded off the async workers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use local_model::{Progress, default_cache_dir, fetch};

use super::Chosen;
use super::download::Download;

/// Why there is no language model.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelUnavailable {
    /// There is nowhere to keep it.
    #[error("there is no home directory to keep it in; set XDG_CACHE_HOME")]
    NoCache,
    /// It cannot be downloaded.
    #[error(transparent)]
    Fetch(#[from] local_model::FetchError),
    /// The file cannot be used.
    #[error(transparent)]
    Load(#[from] local_model::ModelError),
    /// A bug: the thread that loads it has panicked.
    #[error("loading it broke off: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Loads the model at `path`, or the default one.
pub(super) async fn load(path: Option<PathBuf>) -> Result<Chosen, ModelUnavailable> {
    let loading = tokio::task::spawn_blocking(move || {
        let path = match path {
            Some(path) => path,
            None => default_model(&default_cache_dir().ok_or(ModelUnavailable::NoCache)?)?,
        };
        let model = local_model::load(&path)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        Ok(Chosen {
            description: format!("{name} on {}", processor(model.threads())),
            name: model_name(&name),
            generator: Arc::new(model),
        })
    });
    loading.await?
}

fn default_model(cache: &Path) -> Result<PathBuf, ModelUnavailable> {
    let mut download = Download::new();
    let path = fetch(cache, |progress| match progress {
        Progress::Downloading { bytes, total } => download.show(bytes, total),
        // Both take a moment at most.
        Progress::Checking | Progress::Unpacking => {}
    });
    Ok(path?)
}

fn processor(threads: usize) -> String {
    match threads {
        1 => "1 CPU thread".to_owned(),
        several => format!("{several} CPU threads"),
    }
}

/// A file's name as an inference profile can carry it: up to the first dot, in lower case, with
/// hyphens for what an ARN does not allow.
fn model_name(file: &str) -> String {
    let name = file.split('.').next().unwrap_or(file).to_ascii_lowercase();
    name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_is_said() {
        assert_eq!([processor(1), processor(2)], ["1 CPU thread", "2 CPU threads"]);
    }

    #[test]
    fn a_models_name_fits_into_an_arn() {
        for (file, name) in [
            ("SmolLM2-135M-Instruct.Q4_1", "smollm2-135m-instruct"),
            ("my model_v2", "my-model-v2"),
            ("größe", "gr--e"),
        ] {
            assert_eq!(model_name(file), name);
        }
    }
}
