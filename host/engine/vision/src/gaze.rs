//! Faces and where they look: a network finds faces, another one reads two angles from each.
//!
//! The faces are those of MediaPipe's short-range detector (BlazeFace), the angles those of L2CS-Net in 90 bins. Which file is which is
//! known by its input, so names do not matter.

mod angles;
mod faces;
mod pipeline;

#[cfg(test)]
mod tests;

use mimus_batching::Activity;

use crate::error::{LoadError, VisionError};
use crate::prediction::{Info, Point};
use crate::service::{self, Service};
use crate::source::Source;
use crate::{Image, LoadOptions};
use pipeline::{Look, Pipeline};

/// Pictures whose faces are looked at together.
const PICTURES_MAX: usize = 8;

/// A face and where it looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Centre of the box, in pixels from the left.
    pub x: f32,
    /// Centre of the box, in pixels from the top.
    pub y: f32,
    /// Of the box, in pixels.
    pub width: f32,
    /// Of the box, in pixels.
    pub height: f32,
    /// 0 to 1.
    pub confidence: f32,
    /// Right eye, left eye, tip of the nose, mouth, right ear, left ear: whole pixels inside the picture. Empty where no faces were looked
    /// for.
    pub landmarks: Vec<Point>,
    /// In radians; 0 is straight ahead.
    pub yaw: f32,
    /// In radians; 0 is straight ahead.
    pub pitch: f32,
}

/// A loaded model of gazes. Requests may overlap; faces of all of them are computed together.
///
/// ```no_run
/// # async fn example(image: mimus_vision::Image) -> Result<(), Box<dyn std::error::Error>> {
/// use mimus_vision::{GazeModel, LoadOptions, Source};
///
/// let model = GazeModel::load(&Source::Folder("models/l2cs".into()), &LoadOptions::default())?;
/// for face in model.gaze(image, true).await? {
///     println!("{:.0} degrees to the side", face.yaw.to_degrees());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct GazeModel {
    info: Info,
    finds_faces: bool,
    service: Service<Pipeline>,
}

impl GazeModel {
    /// Whether a folder may hold such a model: a file whose name speaks of gaze or L2CS.
    pub fn sniff(source: &Source) -> bool {
        source.files_ending(".onnx").iter().any(|name| {
            let name = name.to_lowercase();
            name.contains("gaze") || name.contains("l2cs")
        })
    }

    /// Loads the network of angles, and that of faces where it is there.
    ///
    /// # Errors
    /// [`LoadError`], which names the file.
    pub fn load(source: &Source, options: &LoadOptions) -> Result<Self, LoadError> {
        let pipeline = Pipeline::load(source)?;
        let (parameters, weight_bytes) = pipeline.size();
        let info = Info { architecture: "l2cs".to_owned(), format: "onnx", parameters, weight_bytes };
        let finds_faces = pipeline.finds_faces();
        let service = service::start("gaze", pipeline, |_| PICTURES_MAX, options)?;
        Ok(Self { info, finds_faces, service })
    }

    /// What the model is, for those who run the server.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Faces and where they look, best first. Without `finds_faces` the whole picture counts as one face.
    ///
    /// # Errors
    /// [`VisionError::Unsupported`] for `finds_faces` where there is no network of faces; [`VisionError`] else.
    pub async fn gaze(&self, image: Image, finds_faces: bool) -> Result<Vec<Face>, VisionError> {
        if finds_faces && !self.finds_faces {
            return Err(VisionError::Unsupported(
                "this model finds no faces: beside its network of gazes there is no face_detection_short_range.onnx, MediaPipe's detector \
                 with an input of 128 x 128 pixels; add it, or send pictures of single faces without face detection"
                    .to_owned(),
            ));
        }
        let mut answers = self.service.submit(vec![Look { image, finds_faces }])?.wait().await?;
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
