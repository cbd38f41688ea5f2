//! Models of pictures and texts: what is asked, what comes back, and the handle in between.

mod forward;
mod onnx;

use forward::Item;
pub(crate) use forward::{ImageTextForward, Network};
use mimus_vision::Image;
pub(crate) use onnx::OnnxPair;
use rayon::ThreadPool;

use crate::encoding::{self, Pending, Service};
use crate::error::{EngineError, LoadError};
use crate::limits;
use crate::load::LoadOptions;
use crate::pictures::Preparation;
use crate::text_model::Activity;
use crate::tokenizer::Tokenizer;

/// A model that turns pictures and texts into vectors of one space.
///
/// Requests of all callers are computed together by one thread and its pool. Dropping the last handle lets accepted
/// requests finish, then ends the thread and frees the memory.
pub struct ImageTextModel {
    info: ImageTextInfo,
    tokenizer: Tokenizer,
    rules: Rules,
    /// Rows that go through the network for a picture.
    picture_rows: usize,
    service: Service<ImageTextForward>,
}

/// What a model of pictures and texts is: read from its files, constant while it is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageTextInfo {
    /// Family: `clip`.
    pub architecture: String,
    /// Where the weights came from: `safetensors` or `onnx`.
    pub format: String,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes the weights take in memory.
    pub weight_bytes: u64,
    /// Tokens of the longest text, the two around every text included.
    pub context_tokens: u32,
    /// Token ids run from 0 to this, exclusive.
    pub vocab_tokens: u32,
    /// Numbers of a vector.
    pub dimensions: u32,
    /// Width and height that pictures are brought to, in pixels.
    pub image_size: u32,
}

/// How inputs become what the network takes.
pub(crate) struct Rules {
    pub(crate) preparation: Preparation,
    /// The token whose first place gives a text's vector; `None`: the one of the highest id.
    pub(crate) end: Option<u32>,
}

impl ImageTextModel {
    /// Starts the thread of a model.
    ///
    /// # Errors
    /// [`LoadError::Resource`] when the system gives no thread.
    pub(crate) fn start(
        forward: ImageTextForward,
        tokenizer: Tokenizer,
        rules: Rules,
        info: ImageTextInfo,
        options: &LoadOptions,
        pool: ThreadPool,
    ) -> Result<Self, LoadError> {
        let picture_rows = forward.picture_rows();
        let options = LoadOptions { slots: options.slots.min(limits::IMAGE_SLOTS_MAX), ..options.clone() };
        Ok(Self { info, tokenizer, rules, picture_rows, service: encoding::start(forward, &options, pool)? })
    }

    /// What the model is.
    pub fn info(&self) -> &ImageTextInfo {
        &self.info
    }

    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokenizes the texts on this thread and queues them; returns as soon as they wait. Vectors are not brought to length 1.
    ///
    /// * `texts`: 1 to [`limits::EMBED_INPUTS_MAX`].
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a bad request, [`EngineError::PromptTooLong`] for a longer text than the model takes,
    /// [`EngineError::Overloaded`] when the queue is full, [`EngineError::ShuttingDown`] after [`Self::close`].
    pub fn embed_texts(&self, texts: Vec<String>) -> Result<Pending<Vec<f32>>, EngineError> {
        check_count("texts", texts.len(), limits::EMBED_INPUTS_MAX)?;
        let items = texts.iter().map(|text| self.text(text)).collect::<Result<_, _>>()?;
        Ok(self.service.submit(items)?)
    }

    /// Brings the pictures to the network's size on this thread and queues them; returns as soon as they wait. Vectors are not brought to length 1.
    ///
    /// * `images`: 1 to [`limits::IMAGES_MAX`].
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a bad request, [`EngineError::Overloaded`] when the queue is full,
    /// [`EngineError::ShuttingDown`] after [`Self::close`].
    pub fn embed_images(&self, images: Vec<Image>) -> Result<Pending<Vec<f32>>, EngineError> {
        check_count("images", images.len(), limits::IMAGES_MAX)?;
        let item = |image: &Image| Item::Picture { image: self.rules.preparation.fit(image), rows: self.picture_rows };
        Ok(self.service.submit(images.iter().map(item).collect())?)
    }

    /// What the model does now, for metrics.
    pub fn activity(&self) -> Activity {
        encoding::activity(&self.service)
    }

    /// Refuses new requests from here on; those accepted finish.
    pub fn close(&self) {
        self.service.close();
    }

    /// The tokens of a text up to the one that gives its vector; what follows it changes nothing.
    fn text(&self, text: &str) -> Result<Item, EngineError> {
        let mut ids = self.tokenizer.encode(text, true)?;
        if ids.len() > self.info.context_tokens as usize {
            let prompt = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            return Err(EngineError::PromptTooLong { limit: self.info.context_tokens, prompt, wanted: 0 });
        }
        // A tokenizer may know more ids than the network has rows.
        if let Some(id) = ids.iter().find(|id| **id >= self.info.vocab_tokens) {
            return Err(EngineError::invalid("texts", format!("token {id} is not below {}", self.info.vocab_tokens)));
        }
        let end = match self.rules.end {
            Some(end) => ids.iter().position(|&id| id == end),
            None => ids.iter().max().and_then(|highest| ids.iter().position(|id| id == highest)),
        };
        ids.truncate(end.unwrap_or(0) + 1);
        if ids.is_empty() {
            return Err(EngineError::invalid("texts", "a text has no token"));
        }
        Ok(Item::Text(ids))
    }
}

/// Refuses a request of too many inputs, or none.
fn check_count(field: &'static str, count: usize, max: usize) -> Result<(), EngineError> {
    if (1..=max).contains(&count) {
        return Ok(());
    }
    Err(EngineError::invalid(field, format!("must be 1 to {max}, not {count}")))
}

impl std::fmt::Debug for ImageTextModel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ImageTextModel").field("info", &self.info).finish_non_exhaustive()
    }
}
