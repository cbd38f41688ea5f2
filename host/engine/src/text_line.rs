//! Models that read a line of text in a picture: what is asked, what comes back, and the handle in between.

mod forward;

use std::sync::Arc;

use forward::LinePicture;
pub(crate) use forward::TextLineForward;
use mimus_vision::Image;
use rayon::ThreadPool;

use crate::encoding::{self, Pending, Service};
use crate::error::{EngineError, LoadError};
use crate::limits;
use crate::load::LoadOptions;
use crate::pictures::Preparation;
use crate::text_model::Activity;
use crate::tokenizer::Tokenizer;

/// A model that reads a line of text in a picture.
///
/// Requests of all callers are computed together by one thread and its pool. Dropping the last handle lets accepted
/// requests finish, then ends the thread and frees the memory.
pub struct OcrModel {
    info: OcrInfo,
    tokenizer: Arc<Tokenizer>,
    preparation: Preparation,
    /// Rows that go through the network for a picture.
    picture_rows: usize,
    service: Service<TextLineForward>,
}

/// What a model that reads lines is: read from its files, constant while it is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct OcrInfo {
    /// Family: `vision-encoder-decoder`.
    pub architecture: String,
    /// Where the weights came from: `safetensors`.
    pub format: String,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes the weights take in memory.
    pub weight_bytes: u64,
    /// Tokens of the longest line; the rest of a longer one is not read.
    pub context_tokens: u32,
    /// Token ids run from 0 to this, exclusive.
    pub vocab_tokens: u32,
    /// Width and height that pictures are brought to, in pixels.
    pub image_size: u32,
}

/// What is in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadLine {
    /// The text, without space at its ends.
    pub text: String,
    /// The geometric mean of the tokens' probabilities, 0 to 1.
    pub confidence: f32,
    /// The tokens, the one that ends the line included.
    pub tokens: Vec<u32>,
}

impl OcrModel {
    /// Starts the thread of a model.
    ///
    /// # Errors
    /// [`LoadError::Resource`] when the system gives no thread.
    pub(crate) fn start(
        forward: TextLineForward,
        preparation: Preparation,
        info: OcrInfo,
        options: &LoadOptions,
        pool: ThreadPool,
    ) -> Result<Self, LoadError> {
        let picture_rows = forward.picture_rows();
        let options = LoadOptions { slots: options.slots.min(limits::IMAGE_SLOTS_MAX), ..options.clone() };
        let tokenizer = Arc::clone(&forward.tokenizer);
        Ok(Self { info, tokenizer, preparation, picture_rows, service: encoding::start(forward, &options, pool)? })
    }

    /// What the model is.
    pub fn info(&self) -> &OcrInfo {
        &self.info
    }

    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Brings the pictures to the network's size on this thread and queues them; returns as soon as they wait.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full, [`EngineError::ShuttingDown`] after [`Self::close`].
    pub fn read(&self, images: &[Image]) -> Result<Pending<ReadLine>, EngineError> {
        let picture = |image| LinePicture { image: self.preparation.fit(image), rows: self.picture_rows };
        Ok(self.service.submit(images.iter().map(picture).collect())?)
    }

    /// What the model does now, for metrics.
    pub fn activity(&self) -> Activity {
        encoding::activity(&self.service)
    }

    /// Refuses new requests from here on; those accepted finish.
    pub fn close(&self) {
        self.service.close();
    }
}

impl std::fmt::Debug for OcrModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OcrModel").field("info", &self.info).finish_non_exhaustive()
    }
}
