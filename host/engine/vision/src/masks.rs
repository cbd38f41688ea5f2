//! Masks of objects: prototypes of the network, mixed by each box's coefficients and brought to a finer grid.
//!
//! Only the part of the grid that a box can reach is ever computed.

use crate::boxes::Candidate;
use crate::error::VisionError;
use crate::prediction::{MaskMode, PostProcessing};
use crate::preprocess::placement::{Area, Placement};

/// Places of the finer grid that all masks of one picture may take together.
/// Three hundred boxes that each cover a picture of seven megapixels.
pub(crate) const MASK_PIXELS_MAX: usize = 1 << 31;

/// A mask: a part of a grid; outside the part is nothing.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub(crate) grid_width: usize,
    pub(crate) grid_height: usize,
    pub(crate) part: Area,
    /// `[part.height, part.width]`, 1 inside.
    pub(crate) inside: Vec<u8>,
}

/// The network's second output for one picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prototypes<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// `[coefficients, height, width]`.
    pub(crate) values: &'a [f32],
}

/// Where masks of one picture end up.
#[derive(Clone, Debug)]
pub(crate) struct MaskGrid {
    /// Of the whole picture.
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Where what is looked at begins there, and how large it is.
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) target_width: usize,
    pub(crate) target_height: usize,
    across: Axis,
    down: Axis,
    rules: PostProcessing,
}

/// One side: places of the finer grid as mixtures of the prototypes'.
#[derive(Clone, Debug)]
struct Axis {
    /// The prototypes' place for the first of the grid; below 0 outside.
    shift: i64,
    /// First place, and its weights.
    taps: Vec<(usize, Vec<f32>)>,
}

impl MaskGrid {
    /// The grid of the modern server: the picture's, or coarser by `factor` (0: the prototypes', 1: the picture's).
    pub(crate) fn modern(placement: &Placement, prototypes: &Prototypes, factor: f32) -> Self {
        let (network, crop, picture) = (placement.network, placement.crop, placement.picture);
        let side = |places: usize, network: usize, before: i64, after: i64, crop: usize| {
            let pad = |pixels: i64| (places as f64 / network as f64 * pixels as f64).round_ties_even() as i64;
            let own = (places as i64 - pad(before) - pad(after)).max(1) as usize;
            let mixed = own as f64 * f64::from(1.0 - factor) + crop as f64 * f64::from(factor);
            let target = if factor >= 1.0 { crop } else { (mixed.round_ties_even() as usize).max(1) };
            (target, Axis { shift: pad(before), taps: taps(own, target) })
        };
        let (target_width, across) =
            side(prototypes.width, network.width, placement.pad_left, placement.pad_right, crop.width);
        let (target_height, down) =
            side(prototypes.height, network.height, placement.pad_top, placement.pad_bottom, crop.height);
        let canvas = |target: usize, crop_at: usize, crop: usize, picture: usize| {
            let scale = target as f64 / crop as f64;
            let offset = (crop_at as f64 * scale).round_ties_even() as usize;
            (offset, ((picture as f64 * scale).round_ties_even() as usize).max(offset + target))
        };
        let (left, width) = canvas(target_width, crop.x, crop.width, picture.width);
        let (top, height) = canvas(target_height, crop.y, crop.height, picture.height);
        let rules = PostProcessing::Modern;
        Self { width, height, left, top, target_width, target_height, across, down, rules }
    }

    /// The grid of the legacy server: the network's input, or coarser.
    pub(crate) fn legacy(placement: &Placement, prototypes: &Prototypes, mode: MaskMode) -> Self {
        let side = |places: usize, network: usize| match mode {
            MaskMode::Accurate => network,
            MaskMode::Fast => places,
            MaskMode::Tradeoff(factor) => {
                let factor = f64::from(factor.clamp(0.0, 1.0));
                ((places as f64 * (1.0 - factor) + network as f64 * factor) as usize).max(1)
            }
        };
        let width = side(prototypes.width, placement.network.width);
        let height = side(prototypes.height, placement.network.height);
        let axis = |places: usize, target: usize| Axis { shift: 0, taps: taps(places, target) };
        let (across, down) = (axis(prototypes.width, width), axis(prototypes.height, height));
        let rules = PostProcessing::Legacy;
        Self { width, height, left: 0, top: 0, target_width: width, target_height: height, across, down, rules }
    }

    /// The mask of a box.
    ///
    /// * `coefficients`: one for each prototype.
    pub(crate) fn mask(
        &self,
        candidate: &Candidate,
        coefficients: &[f32],
        prototypes: &Prototypes,
        placement: &Placement,
    ) -> Mask {
        // Places of the prototypes that count, and of the target that may be inside.
        let (cells_x, target_x) = self.reach(&self.across, candidate, 0, prototypes.width, placement.network.width);
        let (cells_y, target_y) = self.reach(&self.down, candidate, 1, prototypes.height, placement.network.height);
        let part = Area {
            x: self.left + target_x.0,
            y: self.top + target_y.0,
            width: target_x.1 - target_x.0,
            height: target_y.1 - target_y.0,
        };
        let nothing = || Mask { grid_width: self.width, grid_height: self.height, part, inside: Vec::new() };
        if part.width == 0 || part.height == 0 {
            let part = Area { width: 0, height: 0, ..part };
            return Mask { part, ..nothing() };
        }
        let patch = Patch::new(prototypes, coefficients, cells_x, cells_y);
        let across = (self.across.shift, &self.across.taps[target_x.0..target_x.1]);
        let down = (self.down.shift, &self.down.taps[target_y.0..target_y.1]);
        let inside = patch.project(across, down, self.rules);
        Mask { inside, ..nothing() }
    }

    /// Along one side: the prototypes' places that a box's mask is made of, and the target's that it can reach.
    fn reach(
        &self,
        axis: &Axis,
        candidate: &Candidate,
        side: usize,
        places: usize,
        network: usize,
    ) -> ((usize, usize), (usize, usize)) {
        let (low, high) = (candidate.corners[side], candidate.corners[side + 2]);
        let within = |place: f64, most: usize| place.clamp(0.0, most as f64) as usize;
        match self.rules {
            // The box cuts the prototypes, and what is left spreads by a place at most.
            PostProcessing::Modern => {
                let scale = places as f64 / network as f64;
                let cell = |place: f32| within((f64::from(place) * scale).round_ties_even(), places);
                let (first, last) = (cell(low), cell(high));
                if first >= last {
                    return ((0, 0), (0, 0));
                }
                let own = |cell: usize| cell as i64 - axis.shift;
                let starts =
                    axis.taps.partition_point(|(start, weights)| ((start + weights.len()) as i64) <= own(first));
                let ends = axis.taps.partition_point(|(start, _)| (*start as i64) < own(last));
                ((first, last), (starts, ends.max(starts)))
            }
            // The box cuts the finished mask.
            PostProcessing::Legacy => {
                let scale = axis.taps.len() as f64 / network as f64;
                let edge = |place: f32| within((f64::from(place) * scale).ceil(), axis.taps.len());
                let (first, last) = (edge(low), edge(high));
                if first >= last {
                    return ((0, 0), (0, 0));
                }
                let (end, weights) = &axis.taps[last - 1];
                ((axis.taps[first].0, end + weights.len()), (first, last))
            }
        }
    }
}

/// A part of a box's mask on the prototypes' grid.
struct Patch {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    /// `[height, width]`, 0 to 1.
    values: Vec<f32>,
}

impl Patch {
    /// Mixes the prototypes of a part of their grid.
    fn new(prototypes: &Prototypes, coefficients: &[f32], across: (usize, usize), down: (usize, usize)) -> Self {
        let (width, height) = (across.1 - across.0, down.1 - down.0);
        let mut values = vec![0.0; width * height];
        let plane = prototypes.width * prototypes.height;
        for (&coefficient, prototype) in coefficients.iter().zip(prototypes.values.chunks_exact(plane)) {
            for (row, y) in values.chunks_exact_mut(width).zip(down.0..) {
                let source = &prototype[y * prototypes.width + across.0..y * prototypes.width + across.1];
                row.iter_mut().zip(source).for_each(|(sum, &value)| *sum += coefficient * value);
            }
        }
        values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
        Self { x: across.0, y: down.0, width, height, values }
    }

    /// Brings the patch to the target's places and says which are inside; around the patch is nothing.
    fn project(
        &self,
        across: (i64, &[(usize, Vec<f32>)]),
        down: (i64, &[(usize, Vec<f32>)]),
        rules: PostProcessing,
    ) -> Vec<u8> {
        let width = across.1.len();
        let mut wide = vec![0.0; width * self.height];
        for (row, source) in wide.chunks_exact_mut(width).zip(self.values.chunks_exact(self.width)) {
            for (value, (start, weights)) in row.iter_mut().zip(across.1) {
                let first = *start as i64 + across.0 - self.x as i64;
                *value = known(weights, first, self.width).map(|(weight, place)| weight * source[place]).sum();
            }
        }
        let mut inside = vec![0; width * down.1.len()];
        let mut sums = vec![0.0f32; width];
        for (row, (start, weights)) in inside.chunks_exact_mut(width).zip(down.1) {
            sums.fill(0.0);
            let first = *start as i64 + down.0 - self.y as i64;
            for (weight, place) in known(weights, first, self.height) {
                let source = &wide[place * width..(place + 1) * width];
                sums.iter_mut().zip(source).for_each(|(sum, &value)| *sum += weight * value);
            }
            match rules {
                PostProcessing::Modern => {
                    row.iter_mut().zip(&sums).for_each(|(cell, &sum)| *cell = u8::from(sum > 0.5))
                }
                PostProcessing::Legacy => {
                    row.iter_mut().zip(&sums).for_each(|(cell, &sum)| *cell = u8::from(sum >= 0.5))
                }
            }
        }
        inside
    }
}

/// Weights and the places they belong to, from `first` on, as far as these are among the first `places`.
fn known(weights: &[f32], first: i64, places: usize) -> impl Iterator<Item = (f32, usize)> {
    weights.iter().zip(first..).filter_map(move |(&weight, place)| {
        usize::try_from(place).ok().filter(|&place| place < places).map(|place| (weight, place))
    })
}

/// Bilinear weights, wider where places are left out: those of torch's antialiased interpolation.
fn taps(source: usize, target: usize) -> Vec<(usize, Vec<f32>)> {
    let scale = source as f32 / target as f32;
    let support = scale.max(1.0);
    let tap = |index: usize| {
        let center = scale * (index as f32 + 0.5);
        let first = ((center - support + 0.5) as i64).max(0) as usize;
        let last = ((center + support + 0.5) as usize).min(source);
        let weight = |place: usize| (1.0 - ((place as f32 - center + 0.5) / support).abs()).max(0.0);
        let weights: Vec<f32> = (first..last).map(weight).collect();
        let sum: f32 = weights.iter().sum();
        (first, weights.iter().map(|weight| weight / sum).collect())
    };
    (0..target).map(tap).collect()
}

/// Refuses masks that would take too long together.
///
/// # Errors
/// [`VisionError::Invalid`].
pub(crate) fn check_size(candidates: &[Candidate], grid: &MaskGrid, placement: &Placement) -> Result<(), VisionError> {
    let network = placement.network;
    let share = |candidate: &Candidate| {
        let side = |low: f32, high: f32, most: usize| {
            f64::from(high.clamp(0.0, most as f32) - low.clamp(0.0, most as f32)) / most as f64
        };
        let [left, top, right, bottom] = candidate.corners;
        side(left, right, network.width) * side(top, bottom, network.height)
    };
    let pixels = candidates.iter().map(share).sum::<f64>() * grid.target_width as f64 * grid.target_height as f64;
    if pixels <= MASK_PIXELS_MAX as f64 {
        return Ok(());
    }
    let reason = format!(
        "{} masks have {pixels:.0} pixels together; at most {MASK_PIXELS_MAX} are computed: ask for fewer objects, surer ones or \
         coarser masks",
        candidates.len()
    );
    Err(VisionError::Invalid { field: "detections_max", reason })
}
