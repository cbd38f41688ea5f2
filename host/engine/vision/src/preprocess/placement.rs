//! Where a picture lies on a network's input, and the way back from there.

use super::resize::Window;
use super::{Fit, StaticCrop};
use crate::prediction::PostProcessing;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Area {
    /// All of a picture.
    pub(crate) fn whole(size: Size) -> Self {
        Self { x: 0, y: 0, width: size.width, height: size.height }
    }
}

/// Where a picture lies on a network's input.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    /// The whole picture.
    pub(crate) picture: Size,
    /// The part that is looked at.
    pub(crate) crop: Area,
    /// The network's input.
    pub(crate) network: Size,
    /// The part after resizing.
    pub(crate) content: Size,
    /// Pixels of the input around it; below 0 where it is cut.
    pub(crate) pad_left: i64,
    pub(crate) pad_top: i64,
    pub(crate) pad_right: i64,
    pub(crate) pad_bottom: i64,
    /// Pixels of the input for one of the picture.
    pub(crate) scale_x: f64,
    pub(crate) scale_y: f64,
    /// The same as the legacy server works it out.
    pub(crate) legacy: LegacyFrame,
}

/// The legacy server's view of the part that is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegacyFrame {
    /// What is added to every place.
    pub(crate) shift_x: f64,
    pub(crate) shift_y: f64,
    /// Of the part.
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Whether the ratio of the sides was kept.
    pub(crate) is_letterboxed: bool,
}

impl Placement {
    /// Works out where the part `crop` of a picture lies.
    pub(super) fn new(
        picture: Size,
        crop: Area,
        static_crop: Option<StaticCrop>,
        network: Size,
        fit: Fit,
        rules: PostProcessing,
    ) -> Self {
        let (content, scale_x, scale_y) = content(crop, network, fit, rules);
        // Halves are cut off, on the side of the picture where it is smaller and on that of the input where it is larger.
        let before = |outer: usize, inner: usize| {
            let (outer, inner) = (outer as i64, inner as i64);
            if outer >= inner { (outer - inner) / 2 } else { -((inner - outer) / 2) }
        };
        let (pad_left, pad_top) = (before(network.width, content.width), before(network.height, content.height));
        Self {
            picture,
            crop,
            network,
            content,
            pad_left,
            pad_top,
            pad_right: network.width as i64 - content.width as i64 - pad_left,
            pad_bottom: network.height as i64 - content.height as i64 - pad_top,
            scale_x,
            scale_y,
            legacy: LegacyFrame::new(picture, static_crop, matches!(fit, Fit::Letterbox(_))),
        }
    }

    /// The part of the crop that ends up in `window` when content begins `left` and `top` pixels outside.
    pub(super) fn seen(&self, left: usize, top: usize, window: Window) -> Area {
        let along = |start: usize, length: usize, content: usize, side: usize| {
            let at = |place: usize| (place * side + content / 2) / content;
            let first = at(start).min(side - 1);
            (first, at(start + length).clamp(first + 1, side) - first)
        };
        let (x, width) = along(left, window.width, self.content.width, self.crop.width);
        let (y, height) = along(top, window.height, self.content.height, self.crop.height);
        Area { x, y, width, height }
    }

    /// Whether the legacy server's way back applies: it knows stretching and letterboxes.
    pub(crate) fn is_legacy_fit(&self) -> bool {
        self.legacy.is_letterboxed || (self.content == self.network && self.pad_left == 0 && self.pad_top == 0)
    }

    /// The picture that geometry of the legacy server refers to, on a grid of `width` by `height`: shift and scale.
    ///
    /// A place of the grid, less the shift and times the scale, is one of the part that is looked at.
    pub(crate) fn legacy_back(&self, width: f64, height: f64, is_rounded: bool) -> Back {
        let frame = &self.legacy;
        if !frame.is_letterboxed {
            return Back { x: 0.0, y: 0.0, scale_x: frame.width / width, scale_y: frame.height / height };
        }
        let scale = (height / frame.height).min(width / frame.width);
        let inner = |side: f64| if is_rounded { (side * scale).round_ties_even() } else { (side * scale).trunc() };
        Back {
            x: (width - inner(frame.width)) / 2.0,
            y: (height - inner(frame.height)) / 2.0,
            scale_x: 1.0 / scale,
            scale_y: 1.0 / scale,
        }
    }
}

/// A way back: less the shift, times the scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Back {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) scale_x: f64,
    pub(crate) scale_y: f64,
}

/// The size of a part on the network's input, and the scale there.
fn content(crop: Area, network: Size, fit: Fit, rules: PostProcessing) -> (Size, f64, f64) {
    let (width, height) = (crop.width as f64, crop.height as f64);
    let (network_width, network_height) = (network.width as f64, network.height as f64);
    let whole = |side: f64| (side as usize).max(1);
    match (fit, rules) {
        (Fit::Stretch, _) => (network, network_width / width, network_height / height),
        (Fit::Letterbox(_), PostProcessing::Modern) => {
            let scale = (network_width / width).min(network_height / height);
            (Size { width: whole(width * scale), height: whole(height * scale) }, scale, scale)
        }
        (Fit::Letterbox(_), PostProcessing::Legacy) => {
            let scale = (network_width / width).min(network_height / height);
            let ratio = width / height;
            let size = if ratio >= network_width / network_height {
                Size { width: network.width, height: whole(network_width / ratio) }
            } else {
                Size { width: whole(network_height * ratio), height: network.height }
            };
            (size, scale, scale)
        }
        (Fit::CenterCrop, _) => (Size { width: crop.width, height: crop.height }, 1.0, 1.0),
        (Fit::Cover, _) => {
            let scale = (network_width / width).max(network_height / height);
            let side = |side: f64, least: usize| whole((side * scale).round()).max(least);
            (Size { width: side(width, network.width), height: side(height, network.height) }, scale, scale)
        }
    }
}

impl LegacyFrame {
    /// Shares of the picture, rounded to whole pixels.
    fn new(picture: Size, crop: Option<StaticCrop>, is_letterboxed: bool) -> Self {
        let (width, height) = (picture.width as f64, picture.height as f64);
        let Some(crop) = crop else { return Self { shift_x: 0.0, shift_y: 0.0, width, height, is_letterboxed } };
        let share = |percent: f64| percent / 100.0;
        Self {
            shift_x: (share(crop.x_min) * width).round_ties_even(),
            shift_y: (share(crop.y_min) * height).round_ties_even(),
            width: (width * (share(crop.x_max) - share(crop.x_min))).round_ties_even().max(1.0),
            height: (height * (share(crop.y_max) - share(crop.y_min))).round_ties_even().max(1.0),
            is_letterboxed,
        }
    }
}
