//! What the thread of a model of pictures and texts computes.

use mimus_batching::Compute;
use mimus_vision::Image;

use super::onnx::OnnxPair;
use crate::encoding::{check_finite, in_groups};
use crate::error::EngineError;
use crate::model::clip::{Clip, ClipScratch};
use crate::pictures::Normalisation;

/// A picture or a text as the network takes it.
pub(crate) enum Item {
    /// Of the network's width and height.
    Picture { image: Image, rows: usize },
    /// Token ids, at least one.
    Text(Vec<u32>),
}

/// The network and what pictures are brought to before it.
pub(crate) struct ImageTextForward {
    pub(crate) network: Network,
    pub(crate) normalisation: Normalisation,
}

/// What computes vectors.
pub(crate) enum Network {
    Clip(Box<Clip>),
    Onnx(Box<OnnxPair>),
}

impl ImageTextForward {
    /// Rows of a picture.
    pub(super) fn picture_rows(&self) -> usize {
        match &self.network {
            Network::Clip(clip) => clip.picture_rows(),
            Network::Onnx(pair) => pair.picture_rows(),
        }
    }
}

impl Compute for ImageTextForward {
    type Input = Item;
    type Output = Vec<f32>;
    type Error = EngineError;

    fn compute(&mut self, items: &[&Item]) -> Result<Vec<Vec<f32>>, EngineError> {
        let (mut images, mut texts): (Vec<&Image>, Vec<&[u32]>) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Item::Picture { image, .. } => images.push(image),
                Item::Text(ids) => texts.push(ids),
            }
        }
        let (pictures, texts) = match &self.network {
            Network::Onnx(pair) => (pair.pictures(&images, &self.normalisation)?, pair.texts(&texts)?),
            Network::Clip(clip) => (pictures(clip, &images, &self.normalisation), self::texts(clip, &texts)),
        };
        let (mut pictures, mut texts) = (pictures.into_iter(), texts.into_iter());
        let vectors = items.iter().filter_map(|item| match item {
            Item::Picture { .. } => pictures.next(),
            Item::Text(_) => texts.next(),
        });
        vectors.map(|vector| check_finite(&vector).map(|()| vector)).collect()
    }

    fn cost(item: &Item) -> usize {
        match item {
            Item::Picture { rows, .. } => *rows,
            Item::Text(ids) => ids.len(),
        }
    }

    fn weight(item: &Item) -> usize {
        match item {
            Item::Picture { image, .. } => image.pixels().len().div_ceil(4),
            Item::Text(ids) => ids.len(),
        }
    }
}

/// The vectors of pictures, computed in groups.
fn pictures(clip: &Clip, images: &[&Image], normalisation: &Normalisation) -> Vec<Vec<f32>> {
    in_groups(&vec![clip.picture_rows(); images.len()], |scratch: &mut ClipScratch, group, by| {
        let images: Vec<&Image> = group.iter().map(|&index| images[index]).collect();
        clip.pictures(&images, normalisation, by, scratch)
    })
}

/// The vectors of texts, computed in groups.
fn texts(clip: &Clip, texts: &[&[u32]]) -> Vec<Vec<f32>> {
    let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
    in_groups(&lengths, |scratch: &mut ClipScratch, group, by| {
        let texts: Vec<&[u32]> = group.iter().map(|&index| texts[index]).collect();
        clip.texts(&texts, by, scratch)
    })
}
