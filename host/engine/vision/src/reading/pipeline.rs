//! Both networks and the steps around them, for several pictures at once.

use mimus_batching::Compute;
use rayon::prelude::*;

use super::pieces::Pieces;
use super::regions::{Map, Region, WORDS_MAX, regions};
use super::settings::{Detection, Output, Recognition, Settings};
use super::{Block, Line, Word, ctc, layout};
use crate::Image;
use crate::error::{LoadError, VisionError};
use crate::fitting::{Excess, Input, Padding, place};
use crate::network::Network;
use crate::source::Source;

/// Pieces of a picture that are read, whole words and parts of wide ones.
const PIECES_MAX: usize = 2 * WORDS_MAX;

/// What was read, and how sure it is.
type Text = Result<(String, f32), VisionError>;

/// A loaded pair of networks.
pub(super) struct Pipeline {
    detector: Network,
    recogniser: Network,
    detection: Detection,
    recognition: Recognition,
}

/// Pixels of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Crop {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// A word that was found and is not read yet.
struct Found {
    region: Region,
    crop: Crop,
    pieces: Pieces,
}

impl Compute for Pipeline {
    type Input = Image;
    type Output = Result<Vec<Block>, VisionError>;
    type Error = VisionError;

    fn compute(&mut self, images: &[&Image]) -> Result<Vec<Self::Output>, VisionError> {
        Ok(self.read(images))
    }
}

impl Pipeline {
    /// Loads both networks, and tries the recogniser on black.
    ///
    /// # Errors
    /// Those of the files; [`LoadError::Invalid`] when their outputs are not those of DBNet and CRNN.
    pub(super) fn load(source: &Source) -> Result<Self, LoadError> {
        let Settings { detection, recognition } = Settings::read(source)?;
        let shape = |input: &Input| [3, input.height, input.width];
        let detector = Network::load(source, &detection.file, shape(&detection.input))?;
        let recogniser = Network::load(source, &recognition.file, shape(&recognition.input))?;
        let pipeline = Self { detector, recogniser, detection, recognition };
        let count = pipeline.recogniser.batch().min(2);
        let black = vec![0.0; count * 3 * pipeline.recognition.input.height * pipeline.recognition.input.width];
        pipeline.decode(count, black).map_err(|error| LoadError::Invalid {
            file: pipeline.recognition.file.clone(),
            reason: error.to_string(),
        })?;
        Ok(pipeline)
    }

    /// Numbers in the weights and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        let (detector, recogniser) = (self.detector.size(), self.recogniser.size());
        (detector.0 + recogniser.0, detector.1 + recogniser.1)
    }

    /// Width and height of the detector's input.
    pub(super) fn input_size(&self) -> (u32, u32) {
        (self.detection.input.width as u32, self.detection.input.height as u32)
    }

    /// Reads pictures: one answer each, in order. Words of all of them are read together.
    pub(super) fn read(&self, images: &[&Image]) -> Vec<Result<Vec<Block>, VisionError>> {
        let pages: Vec<Result<Vec<Found>, VisionError>> = images.par_iter().map(|image| self.find(image)).collect();
        let parts = |(page, found): (usize, &Result<Vec<Found>, VisionError>)| {
            found.iter().flatten().flat_map(Found::parts).map(move |crop| (page, crop)).collect::<Vec<_>>()
        };
        let wanted: Vec<(usize, Crop)> = pages.iter().enumerate().flat_map(parts).collect();
        // Each core takes its share, up to what the recogniser takes at once.
        let share = wanted.len().div_ceil(rayon::current_num_threads()).clamp(1, self.recogniser.batch());
        let texts: Vec<Vec<Text>> = wanted.par_chunks(share).map(|chunk| self.read_chunk(images, chunk)).collect();
        let mut texts = wanted.iter().map(|&(page, _)| page).zip(texts.into_iter().flatten()).peekable();
        let blocks = |(page, found): (usize, Result<Vec<Found>, VisionError>)| {
            let own: Vec<Text> =
                std::iter::from_fn(|| texts.next_if(|&(of, _)| of == page)).map(|(_, text)| text).collect();
            let own: Vec<(String, f32)> = own.into_iter().collect::<Result<_, _>>()?;
            Ok(blocks(images[page], found?, &own))
        };
        pages.into_iter().enumerate().map(blocks).collect()
    }

    /// Reads crops of pictures, at most as many as the recogniser takes at once.
    fn read_chunk(&self, images: &[&Image], chunk: &[(usize, Crop)]) -> Vec<Text> {
        let mut batch = Vec::new();
        for &(page, crop) in chunk {
            place(&crop.cut(images[page]), &self.recognition.input, Padding::Behind, &mut batch);
        }
        match self.decode(chunk.len(), batch) {
            Ok(texts) => texts.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); chunk.len()],
        }
    }

    /// Finds the words of a picture.
    fn find(&self, image: &Image) -> Result<Vec<Found>, VisionError> {
        let mut batch = Vec::new();
        place(image, &self.detection.input, Padding::Around, &mut batch);
        let map = self.map(self.detector.run(1, batch)?)?;
        let excess = Excess::of(&self.detection.input, image.width(), image.height());
        let mut found = Vec::new();
        let mut pieces_left = PIECES_MAX - WORDS_MAX;
        for region in regions(&map, &self.detection.thresholds) {
            let region = region.inside(excess);
            let Some(crop) = Crop::of(&region, image) else { continue };
            let pieces_max = if self.recognition.splits_wide_words { pieces_left + 1 } else { 1 };
            let pieces = Pieces::of(crop.width, crop.height, pieces_max);
            pieces_left -= pieces.columns.len() - 1;
            found.push(Found { region, crop, pieces });
        }
        Ok(found)
    }

    /// The detector's first output as probabilities.
    fn map(&self, outputs: Vec<(Vec<usize>, Vec<f32>)>) -> Result<Map, VisionError> {
        let failed = |reason: String| VisionError::Failed(format!("{}: {reason}", self.detector.file()));
        let (shape, mut values) = outputs.into_iter().next().ok_or_else(|| failed("no output".to_owned()))?;
        let (&[1, height, width] | &[height, width]) = shape.as_slice() else {
            return Err(failed(format!("an output of shape {shape:?}; one map [1, height, width] is expected")));
        };
        let is_probability = |value: &f32| value.is_nan() || (0.0..=1.0).contains(value);
        let output = self
            .detection
            .output
            .unwrap_or_else(|| if values.iter().all(is_probability) { Output::Probabilities } else { Output::Logits });
        for value in &mut values {
            *value = match output {
                _ if value.is_nan() => 0.0,
                Output::Logits => 1.0 / (1.0 + (-*value).exp()),
                Output::Probabilities => value.clamp(0.0, 1.0),
            };
        }
        Ok(Map { width, height, values })
    }

    /// Runs the recogniser and takes text from its first output.
    fn decode(&self, count: usize, batch: Vec<f32>) -> Result<Vec<(String, f32)>, VisionError> {
        let failed = |reason: String| VisionError::Failed(format!("{}: {reason}", self.recogniser.file()));
        let outputs = self.recogniser.run(count, batch)?;
        let (shape, values) = outputs.into_iter().next().ok_or_else(|| failed("no output".to_owned()))?;
        let classes = self.recognition.vocab.len() + 1;
        match shape[..] {
            [steps, given] if given == classes && steps > 0 => {
                let words = values.chunks_exact(steps * classes);
                Ok(words.map(|word| ctc::decode(word, &self.recognition.vocab)).collect())
            }
            _ => Err(failed(format!(
                "an output of shape {shape:?} for each word; [steps, {classes}] is expected: the {} characters of the vocabulary and \
                 the blank",
                classes - 1
            ))),
        }
    }
}

impl Crop {
    /// The pixels of a region: both ends belong to it. None where it holds none.
    fn of(region: &Region, image: &Image) -> Option<Self> {
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        let pixel = |part: f64, whole: f64| (part * whole).round_ties_even() as u32;
        let (left, top) = (pixel(region.left, width), pixel(region.top, height));
        let right = (pixel(region.right, width) + 1).min(image.width());
        let bottom = (pixel(region.bottom, height) + 1).min(image.height());
        let is_there = region.left < region.right && region.top < region.bottom && left < right && top < bottom;
        is_there.then(|| Self { left, top, width: right - left, height: bottom - top })
    }

    /// The pixels, as a picture.
    fn cut(self, image: &Image) -> Image {
        let stride = image.width() as usize * 3;
        let rows = image.pixels().chunks_exact(stride).skip(self.top as usize).take(self.height as usize);
        let (left, bytes) = (self.left as usize * 3, self.width as usize * 3);
        let pixels = rows.flat_map(|row| &row[left..left + bytes]).copied().collect();
        Image::new(self.width, self.height, pixels).expect("a crop holds pixels of its picture")
    }
}

impl Found {
    /// What the recogniser is given.
    fn parts(&self) -> impl Iterator<Item = Crop> {
        let part = |columns: &std::ops::Range<u32>| Crop {
            left: self.crop.left + columns.start,
            width: columns.end - columns.start,
            ..self.crop
        };
        self.pieces.columns.iter().map(part)
    }
}

/// The words of a picture with the texts of their pieces, in reading order. Words without a letter are left out.
fn blocks(image: &Image, found: Vec<Found>, texts: &[(String, f32)]) -> Vec<Block> {
    let mut rest = texts;
    let mut places = Vec::new();
    let mut words = Vec::new();
    for found in found {
        let (own, others) = rest.split_at(found.pieces.columns.len());
        rest = others;
        let (text, confidence) = found.pieces.merge(own);
        if text.is_empty() {
            continue;
        }
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        let Region { left, top, right, bottom, .. } = found.region;
        words.push(Some(Word {
            text,
            confidence,
            x: ((left + right) / 2.0 * width) as f32,
            y: ((top + bottom) / 2.0 * height) as f32,
            width: ((right - left) * width) as f32,
            height: ((bottom - top) * height) as f32,
        }));
        places.push(found.region);
    }
    let aspect = f64::from(image.height()) / f64::from(image.width());
    let mut line =
        |indices: Vec<usize>| Line { words: indices.into_iter().filter_map(|index| words[index].take()).collect() };
    let mut block = |lines: Vec<Vec<usize>>| Block { lines: lines.into_iter().map(&mut line).collect() };
    layout::arrange(&places, aspect).into_iter().map(&mut block).collect()
}
