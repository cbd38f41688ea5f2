//! A model of pictures that finds objects or classes, from files to answers.
//!
//! Pictures are prepared and answers read on a small pool that all models share, networks run on a thread and a pool of each model's own:
//! whoever asks only waits.

mod compute;
mod steps;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use mimus_batching::{Activity, GATHER_MAX};

use crate::classify;
use crate::error::{LoadError, VisionError};
use crate::image::Image;
use crate::objects::{Outputs, Reader};
use crate::package::{self, Package, Reading};
use crate::prediction::{Description, Findings, Info, MaskMode, PredictOptions, Prediction};
use crate::preprocess::placement::Placement;
use crate::preprocess::prepare;
use crate::service::{self, Service};
use crate::source::Source;
use compute::Compute;

/// Most pictures of one request.
pub const IMAGES_MAX: usize = 64;

/// How a model is loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Threads of the network; none for one on each core.
    pub threads: Option<usize>,
    /// Requests that wait; more are refused.
    pub queue_requests_max: usize,
    /// How long a request waits; then it is refused.
    pub queue_wait_max: Duration,
    /// How long a batch that is not full waits while requests of this model are being prepared; 0: not at all.
    pub gather_max: Duration,
}

impl Default for LoadOptions {
    fn default() -> Self {
        let queue_wait_max = Duration::from_secs(30);
        Self { threads: None, queue_requests_max: 256, queue_wait_max, gather_max: GATHER_MAX }
    }
}

/// A loaded model. Requests may overlap; they are computed together.
///
/// ```no_run
/// # async fn example(image: mimus_vision::Image) -> Result<(), Box<dyn std::error::Error>> {
/// use mimus_vision::{LoadOptions, PredictOptions, Source, VisionModel};
///
/// let model = VisionModel::load(&Source::File("yolov8n.onnx".into()), &LoadOptions::default())?;
/// let predictions = model.predict(vec![image], PredictOptions::default()).await?;
/// assert_eq!(predictions.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct VisionModel {
    package: Arc<Package>,
    description: Description,
    info: Info,
    service: Service<Compute>,
}

impl VisionModel {
    /// Loads a model from its files.
    ///
    /// # Errors
    /// [`LoadError`], which names the file.
    pub fn load(source: &Source, options: &LoadOptions) -> Result<Self, LoadError> {
        let (package, graph) = package::read(source)?;
        let info = Info {
            architecture: package.architecture.clone(),
            format: "onnx",
            parameters: graph.parameters(),
            weight_bytes: graph.weight_bytes(),
        };
        let description = describe(&package);
        let package = Arc::new(package);
        let failed = |reason: String| LoadError::Threads { file: info.architecture.clone(), reason };
        steps::start().map_err(failed)?;
        let compute = Compute { graph, package: Arc::clone(&package) };
        let items_max = |threads| compute::items_max(&package.input, threads);
        let service = service::start("vision", compute, items_max, options)?;
        Ok(Self { package, description, info, service })
    }

    /// What the model is, for those who ask it.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// What the model is, for those who run the server.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// What is in each picture, in order; 1 to [`IMAGES_MAX`] pictures.
    ///
    /// # Errors
    /// [`VisionError`]; those of other requests do not matter.
    pub async fn predict(&self, images: Vec<Image>, options: PredictOptions) -> Result<Vec<Prediction>, VisionError> {
        check(&images, &options)?;
        let preparation = self.service.prepare()?;
        let (package, options) = (Arc::clone(&self.package), Arc::new(options));
        let (steps, wanted) = (Arc::clone(&package), Arc::clone(&options));
        let prepared =
            steps::each(images, move |image| prepare(&image, &steps.preprocessing, steps.input.size, &wanted)).await?;
        let placements: Vec<Placement> = prepared.iter().map(|prepared| prepared.placement.clone()).collect();
        let outputs = preparation.submit(prepared)?.wait().await?;
        let answers: Vec<(Outputs, Placement)> = outputs.into_iter().zip(placements).collect();
        steps::each(answers, move |(outputs, placement)| read(&package, &outputs, &placement, &options)).await
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

/// What a package tells those who ask.
fn describe(package: &Package) -> Description {
    let count = |number: usize| u32::try_from(number).ok();
    Description {
        task: package.task,
        input_width: count(package.input.size.width),
        input_height: count(package.input.size.height),
        batch: package.input.batch.and_then(count),
        classes: package.classes.clone(),
        colors: package.colors.clone(),
        is_oriented: package.is_oriented,
    }
}

/// Refuses requests that cannot be answered.
fn check(images: &[Image], options: &PredictOptions) -> Result<(), VisionError> {
    if !(1..=IMAGES_MAX).contains(&images.len()) {
        let reason = format!("{} pictures, not 1 to {IMAGES_MAX}", images.len());
        return Err(VisionError::Invalid { field: "images", reason });
    }
    match options.mask_mode {
        MaskMode::Tradeoff(factor) if !(0.0..=1.0).contains(&factor) => {
            let reason = format!("a tradeoff of {factor} is not between 0 and 1");
            Err(VisionError::Invalid { field: "mask-mode", reason })
        }
        _ => Ok(()),
    }
}

/// Makes an answer of what the network gave for a picture.
fn read(
    package: &Package,
    outputs: &Outputs,
    placement: &Placement,
    options: &PredictOptions,
) -> Result<Prediction, VisionError> {
    match &package.reading {
        Reading::Objects { head, extra, .. } => {
            Reader { head: *head, extra, classes: &package.classes }.read(outputs, placement, options)
        }
        Reading::Classes(activation) => Ok(Prediction {
            width: placement.picture.width as u32,
            height: placement.picture.height as u32,
            findings: Findings::Classes(classify::scores(&outputs.first.1, &package.classes, *activation)?),
        }),
    }
}
