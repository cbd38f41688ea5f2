//! From pictures to what models see in them. Used by every way into the server.
//!
//! Knows no HTTP and no guest, as `inference.rs` does.

use mimus_engine::vision::{Block, Description, Face, Image, PredictOptions, Prediction};
use mimus_engine::{EngineError, ReadLine};

use crate::inference::{Inference, InferenceError, admit};
use crate::limits;

impl Inference {
    /// What a model of pictures is.
    ///
    /// # Errors
    /// `Unsupported` for a model that is none.
    pub async fn describe_vision(&self, model: &str) -> Result<Description, InferenceError> {
        self.loaded(model).await?.description().ok_or_else(|| unsupported("pictures by this model"))
    }

    /// Objects or classes in each picture, in order. Dropping the future frees the engine before its next step.
    ///
    /// # Errors
    /// `Unsupported` for a model that does neither; the engine's word for bad options.
    pub async fn predict(
        &self,
        model: &str,
        images: Vec<Image>,
        options: PredictOptions,
    ) -> Result<Vec<Prediction>, InferenceError> {
        check_count("images", images.len(), limits::PICTURES_MAX)?;
        let missing = || unsupported("finding objects or classes by this model");
        let loaded = self.loaded(model).await?.vision().ok_or_else(missing)?;
        let _admission = admit(&loaded)?;
        Ok(loaded.model.predict(images, options).await.map_err(EngineError::from)?)
    }

    /// A vector for each picture.
    ///
    /// # Errors
    /// `Unsupported` for a model that makes none.
    pub async fn embed_images(&self, model: &str, images: Vec<Image>) -> Result<Vec<Vec<f32>>, InferenceError> {
        check_count("images", images.len(), limits::PICTURES_MAX)?;
        let missing = || unsupported("embedding pictures by this model");
        let loaded = self.loaded(model).await?.image_text().ok_or_else(missing)?;
        let _admission = admit(&loaded)?;
        let model = loaded.model.clone();
        let queued = tokio::task::spawn_blocking(move || model.embed_images(images)).await;
        Ok(queued.map_err(|_| EngineError::Failed("preparing the pictures failed".into()))??.wait().await?)
    }

    /// A vector for each text in the space of the pictures.
    ///
    /// # Errors
    /// `Unsupported` for a model that makes none; a text that is too long.
    pub async fn embed_picture_texts(&self, model: &str, texts: Vec<String>) -> Result<Vec<Vec<f32>>, InferenceError> {
        check_count("texts", texts.len(), limits::PICTURE_TEXTS_MAX)?;
        let missing = || unsupported("embedding texts beside pictures by this model");
        let loaded = self.loaded(model).await?.image_text().ok_or_else(missing)?;
        let _admission = admit(&loaded)?;
        let bytes: usize = texts.iter().map(String::len).sum();
        let pending = if bytes <= limits::TOKENIZE_INLINE_BYTES_MAX {
            loaded.model.embed_texts(texts)?
        } else {
            // Tokenizing much text would hold up other requests on this thread.
            let model = loaded.model.clone();
            let queued = tokio::task::spawn_blocking(move || model.embed_texts(texts)).await;
            queued.map_err(|_| EngineError::Failed("tokenizing failed".into()))??
        };
        Ok(pending.wait().await?)
    }

    /// The text in a picture, in reading order.
    ///
    /// # Errors
    /// `Unsupported` for a model that reads none.
    pub async fn read_text(&self, model: &str, image: Image) -> Result<Vec<Block>, InferenceError> {
        let loaded = self.loaded(model).await?;
        if let Some(reader) = loaded.text_reader() {
            let _admission = admit(&reader)?;
            return Ok(reader.model.read(image).await.map_err(EngineError::from)?);
        }
        let reader = loaded.line_reader().ok_or_else(|| unsupported("reading text by this model"))?;
        let _admission = admit(&reader)?;
        let (width, height) = (image.width(), image.height());
        let model = reader.model.clone();
        let queued = tokio::task::spawn_blocking(move || model.read(&[image])).await;
        let lines = queued.map_err(|_| EngineError::Failed("preparing the picture failed".into()))??.wait().await?;
        let blocks = |line: ReadLine| Block::of_one_line(line.text, line.confidence, width, height);
        Ok(lines.into_iter().flat_map(blocks).collect())
    }

    /// Faces and where they look.
    ///
    /// # Errors
    /// `Unsupported` for a model that does not tell.
    pub async fn gaze(&self, model: &str, image: Image, finds_faces: bool) -> Result<Vec<Face>, InferenceError> {
        let missing = || unsupported("telling gazes by this model");
        let loaded = self.loaded(model).await?.gaze().ok_or_else(missing)?;
        let _admission = admit(&loaded)?;
        Ok(loaded.model.gaze(image, finds_faces).await.map_err(EngineError::from)?)
    }
}

fn check_count(field: &'static str, count: usize, max: usize) -> Result<(), InferenceError> {
    if (1..=max).contains(&count) {
        return Ok(());
    }
    Err(EngineError::Invalid { field, reason: format!("must be 1 to {max}, not {count}") }.into())
}

fn unsupported(what: &str) -> InferenceError {
    InferenceError::Unsupported(what.into())
}
