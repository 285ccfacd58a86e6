//! The model as a generator: its slots, and what is refused before anything is computed.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    io,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
};

use futures::stream;
use local_bedrock::{Generation, Generator, Prompt, Refusal};
use tokio::sync::{Semaphore, mpsc::unbounded_channel};

use crate::{
    network::{self, CONTEXT_TOKENS, ModelFile},
    reply::Job,
    vocabulary::{Vocabulary, VocabularyError},
    worker,
};

/// Replies at once. More would each be slower than one reads.
const SLOTS: usize = 4;

/// A model in memory, with a thread of its own that computes. The thread ends with the last reply after the drop.
pub struct Model {
    vocabulary: Arc<Vocabulary>,
    jobs: mpsc::Sender<Job>,
    slots: Arc<Semaphore>,
    seed: Option<u64>,
}

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is missing, no GGUF file, damaged, or of another architecture.
    #[error("{path} cannot be loaded: {source}; it must be a GGUF file of the llama architecture")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What candle says of it.
        source: candle_core::Error,
    },
    /// Its tokenizer is of no use.
    #[error("{path} cannot be used: {reason}")]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The operating system gave no thread to compute on.
    #[error("no thread for the model: {0}")]
    Thread(#[from] io::Error),
}

/// Loads a GGUF file of the llama architecture with a ChatML vocabulary. Blocks, for about a second.
///
/// # Errors
/// [`ModelError`], which names the file and says what is wrong with it.
pub fn load(path: &Path) -> Result<Model, ModelError> {
    let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
    let file = ModelFile::open(path).map_err(unreadable)?;
    let vocabulary = Vocabulary::of(&file.header)
        .map_err(|error| ModelError::Vocabulary { path: path.to_owned(), reason: error.to_string() })?;
    let vocabulary = Arc::new(vocabulary);
    let network = file.load().map_err(unreadable)?;
    let jobs = worker::start(Arc::clone(&vocabulary), network)?;
    Ok(Model { vocabulary, jobs, slots: Arc::new(Semaphore::new(SLOTS)), seed: None })
}

impl Model {
    /// Samples every reply from the same seed: the same prompt then has the same reply. Without it each reply has a
    /// seed of its own.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How many threads compute: as many as `CANDLE_NUM_THREADS` says, or without it as many as there are cores.
    pub fn threads(&self) -> usize {
        network::threads()
    }
}

impl Generator for Model {
    fn generate(&self, prompt: Prompt) -> Result<Generation, Refusal> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| Refusal::Throttled)?;
        let tokens =
            self.vocabulary.encode(&prompt).map_err(|error: VocabularyError| Refusal::Failed(error.to_string()))?;
        if tokens.all.len() >= CONTEXT_TOKENS {
            return Err(Refusal::Unsuitable("Input is too long for requested model.".to_owned()));
        }
        let input_tokens = u32::try_from(tokens.all.len()).unwrap_or(u32::MAX);
        let (steps, mut reply) = unbounded_channel();
        let job = Job {
            prompt: tokens,
            max_tokens: prompt.max_tokens(),
            temperature: prompt.temperature(),
            top_p: prompt.top_p(),
            seed: self.seed.unwrap_or_else(|| RandomState::new().hash_one(0)),
            steps,
        };
        self.jobs.send(job).map_err(|_| Refusal::Failed("The model's thread has died; restart it.".to_owned()))?;
        let steps = stream::poll_fn(move |context| {
            // Held for as long as there is a reader, and free the moment there is none.
            let _held = &slot;
            reply.poll_recv(context)
        });
        Ok(Generation::new(input_tokens, steps))
    }
}
