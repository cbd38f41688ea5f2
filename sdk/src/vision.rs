//! What models see in pictures.

use crate::backend::{Backend, Picture, host};
use crate::inference::Error;
use crate::media::Image;

pub use crate::bindings::personality::mimus::plugin::vision::{
    ClassScore, Description, Face, Findings, Keypoint, MaskForm, MaskMode, Object, Options, PostProcessing, Prediction,
    RleMask, Task, TextBlock, TextLine, Word,
};

/// Pictures of one call.
pub const IMAGES_MAX: usize = 64;

/// Texts of one call.
pub const TEXTS_MAX: usize = 2048;

/// What a model of pictures is. Loads it if its memory was needed.
pub fn describe(model: &str) -> Result<Description, Error> {
    Backend::describe_vision(&*host(), model)
}

/// Objects or classes in each picture, in order.
///
/// ```
/// use mimus_sdk::inference::Error;
/// use mimus_sdk::media::Image;
/// use mimus_sdk::vision::{self, Findings, Options};
///
/// /// Names of what is surely in the picture.
/// fn names(model: &str, image: Image) -> Result<Vec<String>, Error> {
///     let options = Options { confidence: 0.9, ..Options::default() };
///     let predictions = vision::predict(model, &[image], &options)?;
///     Ok(match &predictions[0].findings {
///         Findings::Objects(objects) => objects.iter().map(|object| object.class_name.clone()).collect(),
///         Findings::Classes(classes) => classes.iter().map(|class| class.name.clone()).collect(),
///     })
/// }
/// ```
pub fn predict(model: &str, images: &[Image], options: &Options) -> Result<Vec<Prediction>, Error> {
    Backend::predict(&*host(), model, &pictures(images), options)
}

/// A vector for each picture, not brought to length 1.
pub fn embed_images(model: &str, images: &[Image]) -> Result<Vec<Vec<f32>>, Error> {
    Backend::embed_images(&*host(), model, &pictures(images))
}

/// A vector for each text in the space of the pictures.
pub fn embed_texts(model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
    Backend::embed_texts(&*host(), model, texts)
}

/// The text in a picture, blocks in reading order.
pub fn read_text(model: &str, image: &Image) -> Result<Vec<TextBlock>, Error> {
    Backend::read_text(&*host(), model, &*image.0)
}

/// Faces and where they look. Without `finds_faces` the whole picture counts as one face.
pub fn gaze(model: &str, image: &Image, finds_faces: bool) -> Result<Vec<Face>, Error> {
    Backend::gaze(&*host(), model, &*image.0, finds_faces)
}

fn pictures(images: &[Image]) -> Vec<&dyn Picture> {
    images.iter().map(|image| &*image.0).collect()
}

/// Everything that is likelier than 0.4, boxes that overlap by less than 0.3, outlines as polygons.
impl Default for Options {
    fn default() -> Self {
        Options {
            confidence: 0.4,
            iou: 0.3,
            detections_max: 300,
            candidates_max: 3000,
            is_class_agnostic: false,
            classes: Vec::new(),
            keypoint_confidence: 0.0,
            post_processing: PostProcessing::Modern,
            mask_mode: MaskMode::Accurate,
            mask_form: MaskForm::Polygon,
            is_mask_reduced: false,
            skip_static_crop: false,
            skip_contrast: false,
            skip_grayscale: false,
        }
    }
}
