//! Runs a network over prepared pictures.
//!
//! A processor is used best when each core computes a picture of its own; only where there are fewer pictures than cores do the cores
//! share them.

use std::sync::Arc;

use mimus_onnx::{Data, Graph, Tensor};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::VisionError;
use crate::network::Part;
use crate::objects::Outputs;
use crate::package::{Package, Reading};
use crate::preprocess::Prepared;

/// Pictures at once for networks that take any number: enough for every use, few enough for their memory.
const PICTURES_MAX: usize = 16;

/// A network and the threads that it runs on.
pub(super) struct Compute {
    graph: Graph,
    package: Arc<Package>,
    pool: ThreadPool,
}

impl Compute {
    /// A network on `threads` threads, or one for each core.
    ///
    /// # Errors
    /// What the system says when it gives no threads.
    pub(super) fn new(graph: Graph, package: Arc<Package>, threads: Option<usize>) -> Result<Self, String> {
        let name = |index| format!("vision-network-{index}");
        let pool = ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).thread_name(name).build();
        Ok(Self { graph, package, pool: pool.map_err(|error| error.to_string())? })
    }

    /// Pictures that are worth computing at once.
    pub(super) fn items_max(&self) -> usize {
        let threads = self.pool.current_num_threads();
        match (self.package.input.batch, self.package.input.batch_max) {
            (Some(1), _) => threads,
            (Some(batch), _) => batch,
            (None, given) => given.unwrap_or(PICTURES_MAX).min(PICTURES_MAX).max(threads),
        }
    }

    /// The network's numbers for each picture.
    ///
    /// # Errors
    /// [`VisionError::Failed`] when the network fails for any of them.
    pub(super) fn run(&self, items: &[&Prepared]) -> Result<Vec<Outputs>, VisionError> {
        let threads = self.pool.current_num_threads();
        let group = match self.package.input.batch {
            Some(batch) => batch,
            None if items.len() >= threads => 1,
            None => items.len(),
        };
        let outputs: Result<Vec<Vec<Outputs>>, VisionError> =
            self.pool.install(|| items.par_chunks(group.max(1)).map(|group| self.run_group(group)).collect());
        Ok(outputs?.into_iter().flatten().collect())
    }

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
