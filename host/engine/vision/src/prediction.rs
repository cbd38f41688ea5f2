//! What is asked of a model of pictures and what it answers, field by field as `wit/vision.wit` has it.

/// What comes out of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Boxes.
    ObjectDetection,
    /// Boxes with masks.
    InstanceSegmentation,
    /// Boxes with points.
    KeypointDetection,
    /// One class a picture.
    Classification,
    /// Any number of classes a picture.
    MultiLabelClassification,
    /// Pictures and texts as vectors of one space.
    ImageText,
    /// Words.
    TextReading,
    /// Faces and where they look.
    GazeDetection,
}

/// What a model is, for those who ask it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What comes out.
    pub task: Task,
    /// Of the network's input in pixels.
    pub input_width: Option<u32>,
    /// Of the network's input in pixels.
    pub input_height: Option<u32>,
    /// Pictures that the network takes at once; none where any number will do.
    pub batch: Option<u32>,
    /// By class id.
    pub classes: Vec<String>,
    /// `#RRGGBB` of each class, where the model's files give colours; else empty.
    pub colors: Vec<String>,
    /// Whether pictures are to be turned by their EXIF orientation first.
    pub is_oriented: bool,
}

/// What a model is, for those who run the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// As its files call it: `yolov8`, `yolov11`, …
    pub architecture: String,
    /// `onnx`.
    pub format: &'static str,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes that the weights take in memory.
    pub weight_bytes: u64,
}

/// Whose rules make objects of a network's boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PostProcessing {
    /// Confidence above the bound; true intersection over union; masks brought to the picture's size.
    #[default]
    Modern,
    /// Confidence at or above the bound; intersection over the weaker box's own area; masks on the network's input.
    Legacy,
}

/// How finely masks are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MaskMode {
    /// The finest grid.
    #[default]
    Accurate,
    /// Between [`MaskMode::Fast`] (0) and [`MaskMode::Accurate`] (1).
    Tradeoff(f32),
    /// The network's own grid.
    Fast,
}

/// What a mask is given as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaskForm {
    /// The outline.
    #[default]
    Polygon,
    /// Run lengths.
    Rle,
}

/// How to look. Fields that do not concern the model's task have no effect.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictOptions {
    /// Least confidence, 0 to 1.
    pub confidence: f32,
    /// Overlap from which on the weaker of two boxes goes, 0 to 1.
    pub iou: f32,
    /// Objects in all, best first.
    pub detections_max: u32,
    /// Boxes that enter the suppression, best first.
    pub candidates_max: u32,
    /// Boxes of different classes suppress each other too.
    pub is_class_agnostic: bool,
    /// Names of the classes that are reported, after everything else; empty for all.
    pub classes: Vec<String>,
    /// Least confidence of a keypoint that is reported, 0 to 1.
    pub keypoint_confidence: f32,
    /// Whose rules.
    pub post_processing: PostProcessing,
    /// How finely masks are computed.
    pub mask_mode: MaskMode,
    /// What masks are given as.
    pub mask_form: MaskForm,
    /// Geometry stays on the mask's own grid where the mode makes that coarser; modern post-processing only.
    pub is_mask_reduced: bool,
    /// Leave out the static crop that the model's files ask for.
    pub skip_static_crop: bool,
    /// Leave out the contrast that the model's files ask for.
    pub skip_contrast: bool,
    /// Leave out the grey that the model's files ask for.
    pub skip_grayscale: bool,
}

impl Default for PredictOptions {
    /// What the servers of these models take when nothing is said.
    fn default() -> Self {
        Self {
            confidence: 0.4,
            iou: 0.3,
            detections_max: 300,
            candidates_max: 3000,
            is_class_agnostic: false,
            classes: Vec::new(),
            keypoint_confidence: 0.0,
            post_processing: PostProcessing::default(),
            mask_mode: MaskMode::default(),
            mask_form: MaskForm::default(),
            is_mask_reduced: false,
            skip_static_crop: false,
            skip_contrast: false,
            skip_grayscale: false,
        }
    }
}

/// A place in a picture, in pixels from its top left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// A named place of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Keypoint {
    /// In pixels.
    pub x: f32,
    /// In pixels.
    pub y: f32,
    /// 0 to 1.
    pub confidence: f32,
    /// Its place in the class's list.
    pub id: u32,
    /// Its name.
    pub name: String,
}

/// A mask as run lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RleMask {
    /// Of the grid.
    pub height: u32,
    /// Of the grid.
    pub width: u32,
    /// Run lengths as COCO writes them: down the columns, packed into text.
    pub counts: String,
}

/// A thing in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Centre of the box.
    pub x: f32,
    /// Centre of the box.
    pub y: f32,
    /// Of the box.
    pub width: f32,
    /// Of the box.
    pub height: f32,
    /// 0 to 1.
    pub confidence: f32,
    /// Its class.
    pub class_id: u32,
    /// Its class's name.
    pub class_name: String,
    /// The outline of the largest part; empty without a mask.
    pub polygon: Vec<Point>,
    /// The mask, where run lengths were asked for.
    pub rle: Option<RleMask>,
    /// Its points.
    pub keypoints: Vec<Keypoint>,
}

/// How well a class fits a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScore {
    /// The class.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// 0 to 1.
    pub confidence: f32,
}

/// What was found in a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Findings {
    /// Best first.
    Objects(Vec<Object>),
    /// Every class once, in the order of their ids.
    Classes(Vec<ClassScore>),
}

/// The answer for one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Of the grid that coordinates refer to: the picture, or the mask's grid where that was asked for.
    pub width: u32,
    /// Of the same grid.
    pub height: u32,
    /// What was found.
    pub findings: Findings,
}
