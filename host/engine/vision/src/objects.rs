//! From a network's output for one picture to the objects in it.

use crate::boxes::{Candidate, Head};
use crate::contour;
use crate::error::VisionError;
use crate::keypoints;
use crate::masks::{self, Mask, MaskGrid, Prototypes};
use crate::prediction::{
    Findings, MaskForm, MaskMode, Object, Point, PostProcessing, PredictOptions, Prediction, RleMask,
};
use crate::preprocess::placement::Placement;
use crate::rle;
use crate::suppress::{Suppression, suppress};

/// What a network gives besides boxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Extra {
    Nothing,
    /// Coefficients of masks, and a second output of prototypes.
    Masks,
    /// Points: their names by class.
    Keypoints(Vec<Vec<String>>),
}

/// How a model's output becomes objects.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) head: Head,
    pub(crate) extra: &'a Extra,
    pub(crate) classes: &'a [String],
}

/// A network's outputs for one picture.
#[derive(Clone, Debug)]
pub(crate) struct Outputs {
    /// Shape of the whole output, with the batch, and the numbers of one picture.
    pub(crate) first: (Vec<usize>, Vec<f32>),
    /// The prototypes of masks.
    pub(crate) second: Option<(Vec<usize>, Vec<f32>)>,
}

impl Reader<'_> {
    /// The objects in a picture.
    ///
    /// # Errors
    /// [`VisionError::Failed`] for an output of another shape than the file says, [`VisionError::Invalid`] where masks would take too long.
    pub(crate) fn read(
        &self,
        outputs: &Outputs,
        placement: &Placement,
        options: &PredictOptions,
    ) -> Result<Prediction, VisionError> {
        let boxes = self.head.boxes(&outputs.first.0, &outputs.first.1)?;
        let count = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        let candidates = boxes.candidates(options.confidence, options.post_processing, count(options.candidates_max));
        let mut kept = match self.head.layout {
            crate::boxes::HeadLayout::Suppressed => candidates,
            _ => suppress(
                &candidates,
                &Suppression {
                    rules: options.post_processing,
                    iou: options.iou,
                    is_class_agnostic: options.is_class_agnostic,
                    detections_max: count(options.detections_max),
                },
            ),
        };
        kept.truncate(count(options.detections_max));
        if !options.classes.is_empty() {
            kept.retain(|candidate| options.classes.iter().any(|name| *name == self.classes[candidate.class as usize]));
        }
        let picture = (placement.picture.width as u32, placement.picture.height as u32);
        let object = |candidate: &Candidate, corners: [f32; 4]| self.object(candidate, corners);
        let (size, objects) = match self.extra {
            Extra::Masks => {
                let shaper = Shaper::new(outputs, self.head.extra, placement, options)?;
                masks::check_size(&kept, &shaper.grid, placement)?;
                let shape = |candidate: &Candidate| {
                    let (corners, polygon, rle) = shaper.shape(candidate, &boxes.extra(candidate.index));
                    Object { polygon, rle, ..object(candidate, corners) }
                };
                (shaper.size(), kept.iter().map(shape).collect())
            }
            Extra::Nothing => {
                let place = |candidate: &Candidate| object(candidate, corners(candidate, placement, options));
                (picture, kept.iter().map(place).collect())
            }
            Extra::Keypoints(names) => {
                let place = |candidate: &Candidate| {
                    let values = boxes.extra(candidate.index);
                    let names = names.get(candidate.class as usize).map_or(&[][..], Vec::as_slice);
                    let sureness = options.keypoint_confidence;
                    let keypoints = keypoints::keypoints(&values, names, sureness, placement, options.post_processing);
                    Object { keypoints, ..object(candidate, corners(candidate, placement, options)) }
                };
                (picture, kept.iter().map(place).collect())
            }
        };
        Ok(Prediction { width: size.0, height: size.1, findings: Findings::Objects(objects) })
    }

    /// A box without what may come with it.
    fn object(&self, candidate: &Candidate, [left, top, right, bottom]: [f32; 4]) -> Object {
        Object {
            x: (left + right) / 2.0,
            y: (top + bottom) / 2.0,
            width: right - left,
            height: bottom - top,
            confidence: candidate.confidence,
            class_id: candidate.class,
            class_name: self.classes[candidate.class as usize].clone(),
            polygon: Vec::new(),
            rle: None,
            keypoints: Vec::new(),
        }
    }
}

/// A box's corners in whole pixels of the picture.
fn corners(candidate: &Candidate, placement: &Placement, options: &PredictOptions) -> [f32; 4] {
    match options.post_processing {
        PostProcessing::Legacy if placement.is_legacy_fit() => legacy_corners(candidate, placement),
        _ => {
            let (crop, picture) = (placement.crop, placement.picture);
            let scale = (placement.scale_x, placement.scale_y);
            modern_corners(candidate, placement, scale, (crop.x, crop.y), (picture.width, picture.height))
                .map(f32::round_ties_even)
        }
    }
}

/// Corners on a grid: less the pad, by the scale, moved by where the part begins, cut at the grid's end. In single precision, as there.
fn modern_corners(
    candidate: &Candidate,
    placement: &Placement,
    scale: (f64, f64),
    offset: (usize, usize),
    grid: (usize, usize),
) -> [f32; 4] {
    let x =
        |place: f32| ((place - placement.pad_left as f32) / scale.0 as f32 + offset.0 as f32).clamp(0.0, grid.0 as f32);
    let y =
        |place: f32| ((place - placement.pad_top as f32) / scale.1 as f32 + offset.1 as f32).clamp(0.0, grid.1 as f32);
    let [left, top, right, bottom] = candidate.corners;
    [x(left), y(top), x(right), y(bottom)]
}

/// The same in double precision and another order: cut and rounded before the move.
fn legacy_corners(candidate: &Candidate, placement: &Placement) -> [f32; 4] {
    let frame = &placement.legacy;
    let back = placement.legacy_back(placement.network.width as f64, placement.network.height as f64, true);
    let x = |place: f32| {
        let place = ((f64::from(place) - back.x) * back.scale_x).clamp(0.0, frame.width);
        (place.round_ties_even() + frame.shift_x) as f32
    };
    let y = |place: f32| {
        let place = ((f64::from(place) - back.y) * back.scale_y).clamp(0.0, frame.height);
        (place.round_ties_even() + frame.shift_y) as f32
    };
    let [left, top, right, bottom] = candidate.corners;
    [x(left), y(top), x(right), y(bottom)]
}

/// Makes the masks of one picture.
struct Shaper<'a> {
    prototypes: Prototypes<'a>,
    grid: MaskGrid,
    placement: &'a Placement,
    options: &'a PredictOptions,
    is_legacy: bool,
}

impl<'a> Shaper<'a> {
    fn new(
        outputs: &'a Outputs,
        coefficients: usize,
        placement: &'a Placement,
        options: &'a PredictOptions,
    ) -> Result<Self, VisionError> {
        let prototypes = outputs.second.as_ref().and_then(|(shape, values)| match shape[..] {
            [_, channels, height, width]
                if channels == coefficients
                    && values.len() / channels.max(1) == height * width
                    && height * width > 0 =>
            {
                Some(Prototypes { width, height, values })
            }
            _ => None,
        });
        let Some(prototypes) = prototypes else {
            let reason = format!("the network's second output does not hold {coefficients} prototypes of masks");
            return Err(VisionError::Failed(reason));
        };
        // The legacy server knows no run lengths: they are always those of the modern one.
        let is_legacy = options.post_processing == PostProcessing::Legacy
            && options.mask_form == MaskForm::Polygon
            && placement.is_legacy_fit();
        let factor = match options.mask_mode {
            _ if is_legacy || !options.is_mask_reduced => 1.0,
            MaskMode::Accurate => 1.0,
            MaskMode::Tradeoff(factor) => factor.clamp(0.0, 1.0),
            MaskMode::Fast => 0.0,
        };
        let grid = if is_legacy {
            MaskGrid::legacy(placement, &prototypes, options.mask_mode)
        } else {
            MaskGrid::modern(placement, &prototypes, factor)
        };
        Ok(Self { prototypes, grid, placement, options, is_legacy })
    }

    /// Of the grid that geometry refers to.
    fn size(&self) -> (u32, u32) {
        if self.is_legacy {
            (self.placement.picture.width as u32, self.placement.picture.height as u32)
        } else {
            (self.grid.width as u32, self.grid.height as u32)
        }
    }

    /// Corners, outline and run lengths of a box.
    fn shape(&self, candidate: &Candidate, coefficients: &[f32]) -> ([f32; 4], Vec<Point>, Option<RleMask>) {
        let mask = self.grid.mask(candidate, coefficients, &self.prototypes, self.placement);
        match self.options.mask_form {
            MaskForm::Rle => (self.corners(candidate), Vec::new(), Some(run_lengths(&mask))),
            MaskForm::Polygon => (self.corners(candidate), self.polygon(&mask), None),
        }
    }

    fn corners(&self, candidate: &Candidate) -> [f32; 4] {
        if self.is_legacy {
            return legacy_corners(candidate, self.placement);
        }
        let (grid, crop, picture) = (&self.grid, self.placement.crop, self.placement.picture);
        let scale = (
            self.placement.scale_x * (crop.width as f64 / grid.target_width as f64),
            self.placement.scale_y * (crop.height as f64 / grid.target_height as f64),
        );
        let size = (grid.width, grid.height);
        let corners = modern_corners(candidate, self.placement, scale, (grid.left, grid.top), size);
        // On the picture's own grid corners are whole pixels; a coarser grid keeps fractions.
        if size == (picture.width, picture.height) { corners.map(f32::round_ties_even) } else { corners }
    }

    fn polygon(&self, mask: &Mask) -> Vec<Point> {
        let outline = contour::outline(mask);
        if !self.is_legacy {
            return outline.into_iter().map(|(x, y)| Point { x: x as f32, y: y as f32 }).collect();
        }
        let frame = &self.placement.legacy;
        let back = self.placement.legacy_back(self.grid.width as f64, self.grid.height as f64, false);
        let point = |(x, y): (u32, u32)| Point {
            x: ((f64::from(x) - back.x) * back.scale_x + frame.shift_x) as f32,
            y: ((f64::from(y) - back.y) * back.scale_y + frame.shift_y) as f32,
        };
        outline.into_iter().map(point).collect()
    }
}

/// A mask as run lengths of its whole grid.
fn run_lengths(mask: &Mask) -> RleMask {
    RleMask { height: mask.grid_height as u32, width: mask.grid_width as u32, counts: rle::encode(mask) }
}
