//! The network: weights, and what a conversation has computed with them. The only file that names candle's models.

use std::{
    fs::File,
    io::{BufReader, Cursor},
    path::Path,
};

use candle_core::{
    Device, Result, Tensor,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{self, Content},
    },
    utils::barrier_pool,
};
use candle_transformers::models::quantized_llama::{MAX_SEQ_LEN, ModelWeights};

/// The most tokens that a prompt and its reply may have together.
pub(crate) const CONTEXT_TOKENS: usize = MAX_SEQ_LEN;

/// How many threads compute, this one included. candle decides once, when it is first asked.
pub(crate) fn threads() -> usize {
    barrier_pool().n_workers() + 1
}

/// Quantisations for which candle has no AVX2 kernel. For `Q8_0` it has one, chosen at run time: in that form the same
/// model is more than twice as fast, and eight bits hold what four or five did.
const SLOW: [GgmlDType; 3] = [GgmlDType::Q4_1, GgmlDType::Q5_0, GgmlDType::Q5_1];

/// A GGUF file whose header has been read.
pub(crate) struct ModelFile {
    pub(crate) header: Content,
    reader: BufReader<File>,
}

impl ModelFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut reader = BufReader::new(File::open(path)?);
        Ok(Self { header: Content::read(&mut reader)?, reader })
    }

    /// Reads the weights.
    pub(crate) fn load(mut self) -> Result<Network> {
        let slow = self.header.tensor_infos.values().any(|tensor| SLOW.contains(&tensor.ggml_dtype));
        let weights = if slow {
            let mut image = self.requantised()?;
            ModelWeights::from_gguf(Content::read(&mut image)?, &mut image, &Device::Cpu)?
        } else {
            ModelWeights::from_gguf(self.header, &mut self.reader, &Device::Cpu)?
        };
        Ok(Network { weights, fed: 0 })
    }

    /// The same file in memory, with its slow tensors as `Q8_0`: candle's model takes nothing but a file.
    fn requantised(&mut self) -> Result<Cursor<Vec<u8>>> {
        let mut tensors = Vec::with_capacity(self.header.tensor_infos.len());
        for name in self.header.tensor_infos.keys() {
            let tensor = self.header.tensor(&mut self.reader, name, &Device::Cpu)?;
            let tensor = match tensor.dtype() {
                slow if SLOW.contains(&slow) => QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)?,
                _ => tensor,
            };
            tensors.push((name.as_str(), tensor));
        }
        let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
        // The vocabulary is large, and the network does not read it.
        let wanted = self.header.metadata.iter().filter(|(name, _)| !name.starts_with("tokenizer."));
        let metadata: Vec<_> = wanted.map(|(name, value)| (name.as_str(), value)).collect();
        let mut image = Cursor::new(Vec::new());
        gguf_file::write(&mut image, &metadata, &tensors)?;
        image.set_position(0);
        Ok(image)
    }
}

/// The weights together with one conversation's keys and values.
///
/// A clone is cheap: it shares the weights, and the keys and values up to here, which are never changed in place.
#[derive(Clone)]
pub(crate) struct Network {
    weights: ModelWeights,
    fed: usize,
}

impl Network {
    /// How many tokens it has been fed.
    pub(crate) fn fed(&self) -> usize {
        self.fed
    }

    /// Feeds the tokens that come next, at least one, and returns the logits of the one after them (shape: vocabulary).
    pub(crate) fn feed(&mut self, tokens: &[u32]) -> Result<Tensor> {
        let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let logits = self.weights.forward(&input, self.fed)?.squeeze(0)?;
        self.fed += tokens.len();
        Ok(logits)
    }
}
