//! Both networks and the steps around them, for several pictures at once.

use mimus_batching::Compute;
use mimus_onnx::{Dimension, Graph};
use rayon::prelude::*;

use super::{Face, angles, faces};
use crate::Image;
use crate::error::{LoadError, VisionError};
use crate::fitting::{Excess, Input, Padding, place};
use crate::network::Network;
use crate::prediction::Point;
use crate::preprocess::pixels::Pixels;
use crate::source::Source;

/// Files of a folder that are looked at.
const FILES_MAX: usize = 8;

/// Faces that are computed at once.
const FACES_AT_ONCE: usize = 8;

/// The input of the network of faces: values of -1 to 1.
const FACES_INPUT: Input = Input { width: faces::SIDE, height: faces::SIDE, mean: [0.5; 3], std: [0.5; 3] };

/// What is asked of a picture.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) image: Image,
    pub(super) finds_faces: bool,
}

/// The loaded networks.
pub(super) struct Pipeline {
    faces: Option<FaceNetwork>,
    angles: Network,
    /// Which output is which.
    yaw: usize,
    pitch: usize,
}

/// The network of faces.
struct FaceNetwork {
    network: Network,
    /// Whether its input is `[batch, height, width, 3]`.
    is_channels_last: bool,
}

/// A face that was found; the box is in whole pixels of the picture and not empty.
struct Found {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    confidence: f32,
    landmarks: Vec<Point>,
}

impl Compute for Pipeline {
    type Input = Look;
    type Output = Result<Vec<Face>, VisionError>;
    type Error = VisionError;

    fn compute(&mut self, looks: &[&Look]) -> Result<Vec<Self::Output>, VisionError> {
        Ok(self.gaze(looks))
    }
}

impl Pipeline {
    /// Loads what is there, known by the inputs.
    ///
    /// # Errors
    /// [`LoadError::Missing`] without a network of angles, [`LoadError::Invalid`] when one has other outputs.
    pub(super) fn load(source: &Source) -> Result<Self, LoadError> {
        let (mut found_faces, mut found_angles) = (None, None);
        for file in source.files_ending(".onnx").into_iter().take(FILES_MAX) {
            let graph = Graph::load(&source.read_weights(&file)?);
            let graph = graph.map_err(|error| LoadError::invalid(&file, error.to_string()))?;
            match picture_shape(&graph) {
                Some(shape @ ([3, faces::SIDE, faces::SIDE] | [faces::SIDE, faces::SIDE, 3]))
                    if found_faces.is_none() =>
                {
                    let network = Network::of(graph, &file, shape)?;
                    found_faces = Some(FaceNetwork::checked(network, shape[2] == 3)?);
                }
                Some(shape @ [3, angles::SIDE, angles::SIDE]) if found_angles.is_none() => {
                    let outputs = outputs(&graph, &file)?;
                    found_angles = Some((Network::of(graph, &file, shape)?, outputs));
                }
                _ => {}
            }
        }
        let (angles, (yaw, pitch)) = found_angles.ok_or_else(|| LoadError::Missing {
            file: "L2CSNet_gaze360_resnet50_90bins.onnx".to_owned(),
            hint: "no file has an input of [batch, 3, 448, 448], the network of gazes".to_owned(),
        })?;
        Ok(Self { faces: found_faces, angles, yaw, pitch })
    }

    /// Whether there is a network of faces.
    pub(super) fn finds_faces(&self) -> bool {
        self.faces.is_some()
    }

    /// Numbers in the weights and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        let faces = self.faces.as_ref().map(|faces| faces.network.size()).unwrap_or_default();
        let angles = self.angles.size();
        (faces.0 + angles.0, faces.1 + angles.1)
    }

    /// Looks at pictures: one answer each, in order. Faces of all of them are computed together.
    pub(super) fn gaze(&self, looks: &[&Look]) -> Vec<Result<Vec<Face>, VisionError>> {
        let found: Vec<Result<Vec<Found>, VisionError>> = looks.par_iter().map(|look| self.find(look)).collect();
        let pages = found.iter().enumerate();
        let wanted: Vec<(usize, &Found)> =
            pages.flat_map(|(page, found)| found.iter().flatten().map(move |face| (page, face))).collect();
        // Each core takes its share, up to what is computed at once.
        let most = self.angles.batch().min(FACES_AT_ONCE);
        let share = wanted.len().div_ceil(rayon::current_num_threads()).clamp(1, most);
        let turned: Vec<Vec<Result<(f32, f32), VisionError>>> =
            wanted.par_chunks(share).map(|chunk| self.turn(looks, chunk)).collect();
        let mut turned = turned.into_iter().flatten();
        let answer = |found: Result<Vec<Found>, VisionError>| {
            let found = found?;
            // All of a picture's angles are taken, also behind one that failed.
            let turned: Vec<_> = turned.by_ref().take(found.len()).collect();
            let faces = found.into_iter().zip(turned).map(|(face, turned)| Ok(face.turned(turned?)));
            faces.collect()
        };
        found.into_iter().map(answer).collect()
    }

    /// The faces of a picture.
    fn find(&self, look: &Look) -> Result<Vec<Found>, VisionError> {
        let (width, height) = (look.image.width(), look.image.height());
        if !look.finds_faces {
            return Ok(vec![Found { left: 0, top: 0, width, height, confidence: 1.0, landmarks: Vec::new() }]);
        }
        let faces =
            self.faces.as_ref().ok_or_else(|| VisionError::Unsupported("this model finds no faces".to_owned()))?;
        let excess = Excess::of(&FACES_INPUT, width, height);
        Ok(faces.detect(&look.image)?.iter().filter_map(|face| Found::of(face, excess, width, height)).collect())
    }

    /// Yaw and pitch of faces, at most as many as the network takes at once.
    fn turn(&self, looks: &[&Look], chunk: &[(usize, &Found)]) -> Vec<Result<(f32, f32), VisionError>> {
        let mut batch = Vec::new();
        for &(page, face) in chunk {
            let [left, top, width, height] = [face.left, face.top, face.width, face.height].map(|side| side as usize);
            angles::place(&Pixels::of(&looks[page].image).crop(left, top, width, height), &mut batch);
        }
        let failed = || VisionError::Failed(format!("{}: an output holds no angle", self.angles.file()));
        let turned = self.angles.run(chunk.len(), batch).map(|outputs| {
            let numbers = |output: usize, face: usize| {
                let values = &outputs[output].1;
                let each = values.len() / chunk.len();
                angles::angle(&values[face * each..][..each]).ok_or_else(failed)
            };
            (0..chunk.len()).map(|face| Ok((numbers(self.yaw, face)?, numbers(self.pitch, face)?))).collect()
        });
        turned.unwrap_or_else(|error| vec![Err(error); chunk.len()])
    }
}

impl FaceNetwork {
    /// A network that was tried on black.
    fn checked(network: Network, is_channels_last: bool) -> Result<Self, LoadError> {
        let file = network.file().to_owned();
        let faces = Self { network, is_channels_last };
        let black = Image::new(1, 1, vec![0; 3]).expect("one pixel");
        faces.detect(&black).map_err(|error| LoadError::Invalid { file, reason: error.to_string() })?;
        Ok(faces)
    }

    /// Faces in the network's input.
    fn detect(&self, image: &Image) -> Result<Vec<faces::Detection>, VisionError> {
        let mut input = Vec::new();
        place(image, &FACES_INPUT, Padding::Around, &mut input);
        if self.is_channels_last {
            let plane = input.len() / 3;
            input = (0..input.len()).map(|index| input[index % 3 * plane + index / 3]).collect();
        }
        let outputs = self.network.run(1, input)?;
        let find = |each: usize| {
            let is_it = |(shape, _): &&(Vec<usize>, Vec<f32>)| shape[..] == [faces::ANCHORS, each];
            outputs.iter().find(is_it).map(|(_, values)| values.as_slice())
        };
        match (find(faces::COORDINATES), find(1)) {
            (Some(regressors), Some(scores)) => Ok(faces::faces(regressors, scores)),
            _ => {
                let file = self.network.file();
                let shapes: Vec<&[usize]> = outputs.iter().map(|(shape, _)| shape.as_slice()).collect();
                Err(VisionError::Failed(format!("{file}: outputs of {shapes:?}; [896, 16] and [896, 1] are expected")))
            }
        }
    }
}

impl Found {
    /// A face as pixels of the picture; none where nothing of it is inside.
    fn of(face: &faces::Detection, excess: Excess, width: u32, height: u32) -> Option<Self> {
        let inside = |part: f64, side: u32| (part * f64::from(side)).round().clamp(0.0, f64::from(side)) as u32;
        let (left, right) = (inside(excess.x(face.left), width), inside(excess.x(face.right), width));
        let (top, bottom) = (inside(excess.y(face.top), height), inside(excess.y(face.bottom), height));
        let pixel = |part: f64, side: u32| (part * f64::from(side)).trunc().clamp(0.0, f64::from(side - 1)) as f32;
        let point = |at: &[f64]| Point { x: pixel(excess.x(at[0]), width), y: pixel(excess.y(at[1]), height) };
        (left < right && top < bottom).then(|| Self {
            left,
            top,
            width: right - left,
            height: bottom - top,
            confidence: face.score,
            landmarks: face.points.chunks_exact(2).map(point).collect(),
        })
    }

    /// The face that looks somewhere.
    fn turned(self, (yaw, pitch): (f32, f32)) -> Face {
        let (width, height) = (self.width as f32, self.height as f32);
        Face {
            x: self.left as f32 + width / 2.0,
            y: self.top as f32 + height / 2.0,
            width,
            height,
            confidence: self.confidence,
            landmarks: self.landmarks,
            yaw,
            pitch,
        }
    }
}

/// The shape of one picture that a graph takes, without the batch.
fn picture_shape(graph: &Graph) -> Option<[usize; 3]> {
    let [port] = graph.inputs() else { return None };
    match port.shape[..] {
        [_, Dimension::Fixed(a), Dimension::Fixed(b), Dimension::Fixed(c)] => Some([a, b, c]),
        _ => None,
    }
}

/// The outputs of yaw and pitch: by their names, or the first and the second.
fn outputs(graph: &Graph, file: &str) -> Result<(usize, usize), LoadError> {
    let ports = graph.outputs();
    if ports.len() < 2 {
        return Err(LoadError::invalid(file, "it has one output; two of 90 classes are expected, yaw and pitch"));
    }
    let find = |word: &str| ports.iter().position(|port| port.name.to_lowercase().contains(word));
    Ok(match (find("yaw"), find("pitch")) {
        (Some(yaw), Some(pitch)) if yaw != pitch => (yaw, pitch),
        _ => (0, 1),
    })
}
