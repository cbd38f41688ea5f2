//! The text in pictures: a network finds words, another one reads them, and where they stand makes lines and blocks of them.
//!
//! The pair of networks is docTR's, and so is every step around them: DBNet and CRNN as docTR exports them, or others of the same form.

mod ctc;
mod layout;
mod pieces;
mod pipeline;
mod regions;
mod settings;

#[cfg(test)]
mod tests;

use mimus_batching::Activity;

use crate::error::{LoadError, VisionError};
use crate::prediction::Info;
use crate::service::{self, Service};
use crate::source::Source;
use crate::{Image, LoadOptions};
use pipeline::Pipeline;

/// Pictures that are read together: their words fill the recogniser's batches.
const PICTURES_MAX: usize = 8;

/// Lines that belong together, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// At least one.
    pub lines: Vec<Line>,
}

impl Block {
    /// What a model tells that reads a whole picture as one line; none where it read nothing.
    ///
    /// * `width`, `height`: of the picture.
    pub fn of_one_line(text: String, confidence: f32, width: u32, height: u32) -> Vec<Block> {
        if text.is_empty() {
            return Vec::new();
        }
        let (width, height) = (width as f32, height as f32);
        let word = Word { text, confidence, x: width / 2.0, y: height / 2.0, width, height };
        vec![Block { lines: vec![Line { words: vec![word] }] }]
    }
}

/// Words from left to right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// At least one.
    pub words: Vec<Word>,
}

/// A word and where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    /// At least one character.
    pub text: String,
    /// Of the least sure step of the recogniser, 0 to 1; the mean of those where a word was read in pieces.
    pub confidence: f32,
    /// Centre of the box, in pixels from the left.
    pub x: f32,
    /// Centre of the box, in pixels from the top.
    pub y: f32,
    /// Of the box, in pixels.
    pub width: f32,
    /// Of the box, in pixels.
    pub height: f32,
}

/// A loaded pair of networks that reads. Requests may overlap; words of all of them are read together.
///
/// ```no_run
/// # async fn example(image: mimus_vision::Image) -> Result<(), Box<dyn std::error::Error>> {
/// use mimus_vision::{LoadOptions, Source, TextReader};
///
/// let reader = TextReader::load(&Source::Folder("models/doctr".into()), &LoadOptions::default())?;
/// for line in reader.read(image).await?.iter().flat_map(|block| &block.lines) {
///     let words: Vec<&str> = line.words.iter().map(|word| word.text.as_str()).collect();
///     println!("{}", words.join(" "));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TextReader {
    info: Info,
    input_size: (u32, u32),
    service: Service<Pipeline>,
}

impl TextReader {
    /// Whether a folder holds a pair of networks that reads: `detection.onnx` or docTR's `db_….onnx`, and `recognition.onnx` or docTR's
    /// `crnn_….onnx`.
    pub fn sniff(source: &Source) -> bool {
        matches!(settings::networks(source), (Some(_), Some(_)))
    }

    /// Loads both networks and what is to be known about them.
    ///
    /// # Errors
    /// [`LoadError`], which names the file.
    pub fn load(source: &Source, options: &LoadOptions) -> Result<Self, LoadError> {
        let pipeline = Pipeline::load(source)?;
        let (parameters, weight_bytes) = pipeline.size();
        let info = Info { architecture: "doctr".to_owned(), format: "onnx", parameters, weight_bytes };
        let input_size = pipeline.input_size();
        let service = service::start("reading", pipeline, |_| PICTURES_MAX, options)?;
        Ok(Self { info, input_size, service })
    }

    /// What the model is, for those who run the server.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Width and height of the input of the network that finds words, in pixels.
    pub fn input_size(&self) -> (u32, u32) {
        self.input_size
    }

    /// The text in a picture, blocks in reading order; none where there is no text. At most 1,024 words.
    ///
    /// # Errors
    /// [`VisionError`]; those of other requests do not matter.
    pub async fn read(&self, image: Image) -> Result<Vec<Block>, VisionError> {
        let mut answers = self.service.submit(vec![image])?.wait().await?;
        answers.pop().unwrap_or(Err(VisionError::ShuttingDown))
    }

    /// Requests at the model.
    pub fn activity(&self) -> Activity {
        self.service.activity()
    }

    /// Refuses requests from here on; those that were accepted are still answered.
    pub fn close(&self) {
        self.service.close();
    }
}
