//! The steps of nodes that work on pictures.

use super::array::Array;
use super::kernel::blocks::Binary;
use super::kernel::unary::Unary;
use super::kernel::windows::{Between, Pool, Window};
use super::network::{Node, ValueId};
use super::operator::{Coordinates, Nearest, Padding, Resizing, Sliding};
use super::plan::{Action, Builder, Layout};
use super::shape;
use super::weights::{Form, Kernel};
use crate::error::Error;
use std::sync::Arc;

fn kernel(node: &Node) -> Result<Arc<Kernel>, Error> {
    node.kernel.clone().ok_or_else(|| Error::malformed(format!("{} has no weights", node.name)))
}

/// The input of a convolution, in the layout that its weights are packed for, and its size.
fn source(builder: &mut Builder, node: &Node, kernel: &Kernel) -> Result<(usize, [usize; 3]), Error> {
    let is_plain = matches!(kernel.form, Form::Direct { is_plain: true, .. });
    let id = builder.any(node.input(0)?)?;
    let id = if is_plain { builder.as_plain(id)? } else { builder.as_blocks(id)? };
    match builder.get(id).shape[..] {
        [batch, channels, height, width] if channels == kernel.input_channels => Ok((id, [batch, height, width])),
        ref shape => {
            Err(Error::execution(format!("its input has shape {shape:?}, not {} channels", kernel.input_channels)))
        }
    }
}

pub(crate) fn convolve(builder: &mut Builder, node: &Node, sliding: &Sliding) -> Result<usize, Error> {
    let kernel = kernel(node)?;
    let (id, [batch, height, width]) = source(builder, node, &kernel)?;
    let (output, padding) = shape::slid(sliding, kernel.size, [height, width], false)?;
    let shape = vec![batch, kernel.channels, output[0], output[1]];
    let window =
        Window { kernel: kernel.size, stride: sliding.stride, dilation: sliding.dilation, padding: padding[0] };
    let addend = node.addend;
    let is_before_function = addend.is_some_and(|addend| addend.is_before_function);
    let Some(addend) = addend else {
        let action = Action::Convolve { kernel, window, function: node.function, is_before_function };
        return builder.step(action, vec![id], shape, Layout::Blocks);
    };
    if builder.shape(addend.value)? == shape {
        let addend = builder.blocks(addend.value)?;
        let action = Action::Convolve { kernel, window, function: node.function, is_before_function };
        return builder.step(action, vec![id, addend], shape, Layout::Blocks);
    }
    // What is added has another shape: it is added on its own.
    let function = if is_before_function { Unary::Identity } else { node.function };
    let action = Action::Convolve { kernel, window, function, is_before_function };
    let sum = builder.step(action, vec![id], shape, Layout::Blocks)?;
    let (sum, other) = (builder.as_plain(sum)?, builder.plain(addend.value)?);
    let id = super::lower::combine_plain(builder, sum, other, Binary::Add)?;
    if !is_before_function || node.function == Unary::Identity {
        return Ok(id);
    }
    let shape = builder.get(id).shape.clone();
    builder.step(Action::MapPlain(node.function), vec![id], shape, Layout::Plain)
}

pub(crate) fn convolve_transposed(
    builder: &mut Builder,
    node: &Node,
    sliding: &Sliding,
    output_padding: [usize; 2],
) -> Result<usize, Error> {
    let kernel = kernel(node)?;
    let (id, [batch, height, width]) = source(builder, node, &kernel)?;
    let Padding::Given(before, after) = sliding.padding else {
        return Err(Error::execution("its padding depends on the picture"));
    };
    let size = [height, width];
    let mut output = [0; 2];
    for axis in 0..2 {
        let reach = (kernel.size[axis] - 1) * sliding.dilation[axis] + 1;
        let whole = size[axis].saturating_sub(1) * sliding.stride[axis] + reach + output_padding[axis];
        let cut = whole.checked_sub(before[axis] + after[axis]).filter(|&size| size > 0);
        output[axis] = cut.ok_or_else(|| Error::execution("its padding leaves no output"))?;
    }
    let shape = vec![batch, kernel.channels, output[0], output[1]];
    let window = Window { kernel: kernel.size, stride: sliding.stride, dilation: sliding.dilation, padding: [0, 0] };
    let action = Action::Convolve { kernel, window, function: node.function, is_before_function: false };
    builder.step(action, vec![id], shape, Layout::Blocks)
}

pub(crate) fn normalize(builder: &mut Builder, node: &Node) -> Result<usize, Error> {
    let kernel = kernel(node)?;
    let (id, [batch, height, width]) = source(builder, node, &kernel)?;
    let window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
    let shape = vec![batch, kernel.channels, height, width];
    let action = Action::Convolve { kernel, window, function: node.function, is_before_function: false };
    builder.step(action, vec![id], shape, Layout::Blocks)
}

pub(crate) fn pool_all(builder: &mut Builder, input: ValueId, is_max: bool) -> Result<usize, Error> {
    let id = builder.blocks(input)?;
    let shape = builder.get(id).shape.clone();
    let window = Window { kernel: [shape[2], shape[3]], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
    let kind = if is_max { Pool::Max } else { Pool::Mean { counts_padding: false, padding_end: [0, 0] } };
    builder.step(Action::Pool { window, kind }, vec![id], vec![shape[0], shape[1], 1, 1], Layout::Blocks)
}

pub(crate) fn resize(builder: &mut Builder, node: &Node, resizing: &Resizing) -> Result<usize, Error> {
    let id = builder.blocks(node.input(0)?)?;
    let shape = builder.get(id).shape.clone();
    let at = resizing.scales_input;
    let scales =
        builder.constant(node.inputs.get(at).copied().flatten()).and_then(Array::as_floats).unwrap_or_default();
    let sizes = builder.constant(node.inputs.get(at + 1).copied().flatten()).and_then(Array::as_integers);
    let fail = || Error::Unsupported { operator: "Resize".to_owned(), reason: "its sizes are not known".to_owned() };
    // Of an axis: the output's size, and the factor to it.
    let target = |axis: usize| match (scales, sizes) {
        (scales @ [_, _, _, _], _) => {
            let scale = scales[axis];
            let size = (shape[axis] as f32 * scale).floor();
            let is_sound = scale > 0.0 && size >= 1.0 && size <= crate::limits::TENSOR_ELEMENTS_MAX as f32;
            is_sound.then_some((size as usize, scale)).ok_or_else(fail)
        }
        (_, Some(sizes @ [_, _, _, _])) => {
            let size =
                usize::try_from(sizes[axis]).ok().filter(|&size| size > 0 && shape[axis] > 0).ok_or_else(fail)?;
            Ok((size, size as f32 / shape[axis] as f32))
        }
        _ => Err(fail()),
    };
    let targets = [target(0)?, target(1)?, target(2)?, target(3)?];
    let to = targets.map(|(size, _)| size).to_vec();
    if to[..2] != shape[..2] {
        return Err(Error::Unsupported { operator: "Resize".to_owned(), reason: "it resizes channels".to_owned() });
    }
    Array::elements(&to).ok_or_else(|| Error::execution(format!("a picture of shape {to:?} is too large")))?;
    let rows = between(resizing, shape[2], targets[2]);
    let columns = between(resizing, shape[3], targets[3]);
    builder.step(Action::Resize { rows, columns }, vec![id], to, Layout::Blocks)
}

/// Where the outputs along an axis of `from` inputs come from.
fn between(resizing: &Resizing, from: usize, (to, scale): (usize, f32)) -> Vec<Between> {
    let last = from - 1;
    let place = |index: usize| {
        let at = index as f32;
        let place = match resizing.coordinates {
            Coordinates::PytorchHalfPixel if to == 1 => 0.0,
            Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => (at + 0.5) / scale - 0.5,
            Coordinates::AlignCorners if to == 1 => 0.0,
            Coordinates::AlignCorners => at * last as f32 / (to - 1) as f32,
            Coordinates::Asymmetric => at / scale,
        };
        if resizing.is_linear {
            let place = place.clamp(0.0, last as f32);
            let first = place.floor() as usize;
            return Between { first, second: (first + 1).min(last), share: place - first as f32 };
        }
        let nearest = match resizing.nearest {
            Nearest::RoundPreferFloor => (place - 0.5).ceil(),
            Nearest::RoundPreferCeil => (place + 0.5).floor(),
            Nearest::Floor => place.floor(),
            Nearest::Ceil => place.ceil(),
        };
        let first = (nearest.max(0.0) as usize).min(last);
        Between { first, second: first, share: 0.0 }
    };
    (0..to).map(place).collect()
}
