//! Runs a network over prepared pictures.
//!
//! A processor is used best when each core computes a picture of its own; only where there are fewer pictures than cores do the cores
//! share them.

use std::sync::Arc;

use mimus_onnx::{Data, Graph, Tensor};
use rayon::prelude::*;

use crate::error::VisionError;
use crate::network::Part;
use crate::objects::Outputs;
use crate::package::{Input, Package, Reading};
use crate::preprocess::Prepared;

/// Pictures at once for networks that take any number: enough for every use, few enough for their memory.
const PICTURES_MAX: usize = 16;

/// A network and what is known of it.
pub(super) struct Compute {
    pub(super) graph: Graph,
    pub(super) package: Arc<Package>,
}

/// Pictures that are worth computing at once on so many threads.
pub(super) fn items_max(input: &Input, threads: usize) -> usize {
    match (input.batch, input.batch_max) {
        (Some(1), _) => threads,
        (Some(batch), _) => batch,
        (None, given) => given.unwrap_or(PICTURES_MAX).min(PICTURES_MAX).max(threads),
    }
}

impl mimus_batching::Compute for Compute {
    type Input = Prepared;
    type Output = Outputs;
    type Error = VisionError;

    /// The network's numbers for each picture.
    fn compute(&mut self, items: &[&Prepared]) -> Result<Vec<Outputs>, VisionError> {
        let group = match self.package.input.batch {
            Some(batch) => batch,
            None if items.len() >= rayon::current_num_threads() => 1,
            None => items.len(),
        };
        let groups = items.par_chunks(group.max(1));
        let outputs: Vec<Vec<Outputs>> = groups.map(|group| self.run_group(group)).collect::<Result<_, _>>()?;
        Ok(outputs.into_iter().flatten().collect())
    }
}

impl Compute {
    /// Runs pictures in one go; a network of a fixed number gets black ones for those that are missing.
    fn run_group(&self, items: &[&Prepared]) -> Result<Vec<Outputs>, VisionError> {
        let input = &self.package.input;
        let batch = input.batch.unwrap_or(items.len());
        let numbers = 3 * input.size.width * input.size.height;
        let mut values = vec![0.0; batch * numbers];
        let fill = |(tensor, item): (&mut [f32], &&Prepared)| {
            self.package.preprocessing.values.write(&item.canvas, tensor);
        };
        if items.len() > 1 {
            values.par_chunks_exact_mut(numbers).zip(items).for_each(fill);
        } else {
            values.chunks_exact_mut(numbers).zip(items).for_each(fill);
        }
        let shape = vec![batch, 3, input.size.height, input.size.width];
        let tensor = Tensor { shape, data: Data::F32(values) };
        let outputs = self.graph.run(vec![(&input.name, tensor)]);
        let mut outputs = outputs.map_err(|error| VisionError::Failed(error.to_string()))?;
        let (first, second) = match self.package.reading {
            Reading::Objects { boxes, prototypes, .. } => (boxes, prototypes),
            Reading::Classes(_) => (0, None),
        };
        let second = second.map(|index| parts(&mut outputs, index, batch)).transpose()?;
        let first = parts(&mut outputs, first, batch)?;
        let mut second = second.map(Vec::into_iter);
        let join = |first| Outputs { first, second: second.as_mut().and_then(Iterator::next) };
        Ok(first.into_iter().take(items.len()).map(join).collect())
    }
}

/// An output's shape, and its numbers for each picture.
fn parts(outputs: &mut [Tensor], index: usize, batch: usize) -> Result<Vec<Part>, VisionError> {
    let tensor =
        outputs.get_mut(index).ok_or_else(|| VisionError::Failed(format!("the network has no output {index}")))?;
    let shape = std::mem::take(&mut tensor.shape);
    let Data::F32(values) = std::mem::replace(&mut tensor.data, Data::F32(Vec::new())) else {
        return Err(VisionError::Failed(format!("the network's output {index} holds no floating-point numbers")));
    };
    if shape.first() != Some(&batch) || values.is_empty() {
        return Err(VisionError::Failed(format!("the network answers {batch} pictures with a shape of {shape:?}")));
    }
    if batch == 1 {
        return Ok(vec![(shape, values)]);
    }
    Ok(values.chunks_exact(values.len() / batch).map(|values| (shape.clone(), values.to_vec())).collect())
}
