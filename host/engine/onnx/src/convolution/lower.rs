//! Turns the nodes of a graph into the steps of a plan.

use super::array::Array;
use super::fold::fold;
use super::kernel::blocks::Binary;
use super::kernel::lanes::LANES;
use super::kernel::plain::{broadcast, broadcast_strides, row_major};
use super::kernel::unary::Unary;
use super::kernel::windows::{Pool, Window};
use super::network::{Node, ValueId};
use super::operator::{Operator, Reduction};
use super::plan::{Action, Builder, Known, Layout, Origin};
use super::{pictures, shape};
use crate::error::Error;

/// Adds the steps of a node.
pub(crate) fn node(builder: &mut Builder, node: &Node) -> Result<(), Error> {
    if let Operator::Shape { start, end } = node.operator {
        let shape = builder.shape(node.input(0)?)?;
        let rank = shape.len() as i64;
        let counted = |bound: i64| (if bound < 0 { bound.saturating_add(rank) } else { bound }).clamp(0, rank) as usize;
        let sizes: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let part = sizes.get(counted(start)..counted(end)).unwrap_or_default().to_vec();
        builder.write(node.outputs[0], Known::Constant(Array::integers(vec![part.len()], part)));
        return Ok(());
    }
    let arrays: Vec<Option<&Array>> = node.inputs.iter().map(|&value| builder.constant(value)).collect();
    let is_known = node.kernel.is_none()
        && node.inputs.iter().zip(&arrays).all(|(value, array)| value.is_none() || array.is_some());
    if is_known && let Some(outputs) = fold(&node.operator, &arrays)? {
        for (&value, array) in node.outputs.iter().zip(outputs) {
            builder.write(value, Known::Constant(array));
        }
        return Ok(());
    }
    let output = *node.outputs.first().ok_or_else(|| Error::malformed(format!("{} writes nothing", node.name)))?;
    let id = match &node.operator {
        Operator::Conv(sliding) => pictures::convolve(builder, node, sliding)?,
        Operator::ConvTranspose { sliding, output_padding } => {
            pictures::convolve_transposed(builder, node, sliding, *output_padding)?
        }
        Operator::BatchNormalization { .. } => pictures::normalize(builder, node)?,
        Operator::Pool { sliding, is_max, counts_padding, rounds_up } => {
            let id = builder.blocks(node.input(0)?)?;
            let shape = builder.get(id).shape.clone();
            let kernel = sliding.kernel.ok_or_else(|| Error::malformed(format!("{} has no kernel", node.name)))?;
            let (output, padding) = shape::slid(sliding, kernel, [shape[2], shape[3]], *rounds_up)?;
            let kind = match is_max {
                true => Pool::Max,
                false => Pool::Mean { counts_padding: *counts_padding, padding_end: padding[1] },
            };
            let window = Window { kernel, stride: sliding.stride, dilation: sliding.dilation, padding: padding[0] };
            let shape = vec![shape[0], shape[1], output[0], output[1]];
            builder.step(Action::Pool { window, kind }, vec![id], shape, Layout::Blocks)?
        }
        Operator::GlobalPool { is_max } => pictures::pool_all(builder, node.input(0)?, *is_max)?,
        Operator::Resize(resizing) => pictures::resize(builder, node, resizing)?,
        Operator::Unary(function) => unary(builder, node, *function)?,
        Operator::Clip => return Err(depends("Clip")),
        Operator::Binary(operation) => binary(builder, node, *operation)?,
        Operator::Reduce { reduction, axes, keeps } => reduce(builder, node, *reduction, axes, *keeps)?,
        Operator::Softmax { axis, flattens } => {
            let id = builder.plain(node.input(0)?)?;
            let shape = builder.get(id).shape.clone();
            let axis = shape::axis(*axis, shape.len())?;
            let (length, inner) = match flattens {
                true => (shape[axis..].iter().product(), 1),
                false => (shape[axis], shape[axis + 1..].iter().product()),
            };
            builder.step(Action::Softmax { length, inner }, vec![id], shape, Layout::Plain)?
        }
        Operator::MatMul => matmul(builder, node)?,
        Operator::Gemm { alpha, beta, transposes } => gemm(builder, node, [*alpha, *beta], *transposes)?,
        Operator::Concat { axis } => concat(builder, node, *axis)?,
        Operator::Split { .. } | Operator::Slice { .. } if parts(builder, node)? => return Ok(()),
        Operator::Gather { axis } => {
            let id = builder.plain(node.input(0)?)?;
            let indices = builder.constant(Some(node.input(1)?)).cloned().ok_or_else(|| depends("Gather"))?;
            let shape = builder.get(id).shape.clone();
            let axis = shape::axis(*axis, shape.len())?;
            let rows = shape::rows(indices.as_integers().unwrap_or_default(), shape[axis])?;
            let mut to = shape[..axis].to_vec();
            to.extend(&indices.shape);
            to.extend(&shape[axis + 1..]);
            let (outer, inner) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
            builder.step(Action::Gather { outer, size: shape[axis], inner, rows }, vec![id], to, Layout::Plain)?
        }
        Operator::Pad { amounts, value } => pad(builder, node, amounts, *value)?,
        Operator::Identity | Operator::Cast { to_float: true } => builder.any(node.input(0)?)?,
        _ => return moved(builder, node),
    };
    builder.write(output, Known::Tensor(id));
    Ok(())
}

/// Operators that give an input's numbers another shape or order.
fn moved(builder: &mut Builder, node: &Node) -> Result<(), Error> {
    let id = builder.plain(node.input(0)?)?;
    let shape = builder.get(id).shape.clone();
    let arrays: Vec<Option<Array>> = node.inputs.iter().map(|&value| builder.constant(value).cloned()).collect();
    let arrays: Vec<Option<&Array>> = arrays.iter().map(Option::as_ref).collect();
    if let Some(shape) = shape::renamed(&node.operator, &shape, &arrays)? {
        let id = builder.tensor(shape, Layout::Plain, Origin::Part(id, 0))?;
        builder.write(node.outputs[0], Known::Tensor(id));
        return Ok(());
    }
    let parts = shape::strided(&node.operator, &shape, &arrays)?.ok_or_else(|| depends(&node.name))?;
    for (&output, part) in node.outputs.iter().zip(parts) {
        let own = row_major(&part.shape);
        let mut axes = part.shape.iter().zip(own.iter().zip(&part.strides));
        let is_run = axes.all(|(&size, (own, stride))| size <= 1 || own == stride);
        let id = if is_run {
            builder.tensor(part.shape, Layout::Plain, Origin::Part(id, part.start))?
        } else {
            let action = Action::CopyStrided { start: part.start, strides: part.strides };
            builder.step(action, vec![id], part.shape, Layout::Plain)?
        };
        builder.write(output, Known::Tensor(id));
    }
    Ok(())
}

/// Parts of a blocked picture that start and end with a block are left where they are.
fn parts(builder: &mut Builder, node: &Node) -> Result<bool, Error> {
    let id = builder.any(node.input(0)?)?;
    let tensor = builder.get(id);
    if tensor.layout != Layout::Blocks {
        return Ok(false);
    }
    let shape = tensor.shape.clone();
    let arrays: Vec<Option<&Array>> = node.inputs.iter().map(|&value| builder.constant(value)).collect();
    let Some(parts) = shape::strided(&node.operator, &shape, &arrays)? else { return Ok(false) };
    let channel = row_major(&shape)[1];
    let is_whole = parts.iter().all(|part| {
        let first = part.start / channel as usize;
        let others_stay = [0, 2, 3].iter().all(|&axis| part.shape[axis] == shape[axis]);
        let ends_well = part.shape[1].is_multiple_of(LANES) || first + part.shape[1] == shape[1];
        let is_forward = part.strides == row_major(&shape);
        others_stay
            && ends_well
            && is_forward
            && part.shape[1] > 0
            && part.start.is_multiple_of(LANES * channel as usize)
    });
    if !is_whole {
        return Ok(false);
    }
    for (&output, part) in node.outputs.iter().zip(parts) {
        let block = part.start / (LANES * channel as usize);
        let id = builder.tensor(part.shape, Layout::Blocks, Origin::Part(id, block))?;
        builder.write(output, Known::Tensor(id));
    }
    Ok(true)
}

fn unary(builder: &mut Builder, node: &Node, function: Unary) -> Result<usize, Error> {
    let mut id = builder.any(node.input(0)?)?;
    let tensor = builder.get(id);
    let stays = tensor.layout == Layout::Blocks && (tensor.shape[1].is_multiple_of(LANES) || function.is_tame());
    if !stays {
        id = builder.as_plain(id)?;
    }
    let tensor = builder.get(id);
    let (shape, layout) = (tensor.shape.clone(), tensor.layout);
    let action = if layout == Layout::Blocks { Action::Map(function) } else { Action::MapPlain(function) };
    builder.step(action, vec![id], shape, layout)
}

fn binary(builder: &mut Builder, node: &Node, operation: Binary) -> Result<usize, Error> {
    let (a, b) = (node.input(0)?, node.input(1)?);
    if operation == Binary::Pow
        && let Some(power) = builder.constant(Some(b)).and_then(Array::as_float)
    {
        return unary(builder, node, Unary::Pow(power));
    }
    if let Some(id) = binary_of_blocks(builder, a, b, operation)? {
        return Ok(id);
    }
    let (a, b) = (builder.plain(a)?, builder.plain(b)?);
    combine_plain(builder, a, b, operation)
}

/// Combines tensors in row-major order.
pub(crate) fn combine_plain(builder: &mut Builder, a: usize, b: usize, operation: Binary) -> Result<usize, Error> {
    let (a_shape, b_shape) = (&builder.get(a).shape, &builder.get(b).shape);
    let Some(shape) = broadcast(a_shape, b_shape) else {
        return Err(Error::execution(format!("the shapes {a_shape:?} and {b_shape:?} do not fit")));
    };
    let strides = [broadcast_strides(a_shape, &shape), broadcast_strides(b_shape, &shape)];
    builder.step(Action::CombinePlain { operation, strides }, vec![a, b], shape, Layout::Plain)
}

/// Combines pictures in blocks with such of the same size, or with one number for each channel.
fn binary_of_blocks(builder: &mut Builder, a: ValueId, b: ValueId, operation: Binary) -> Result<Option<usize>, Error> {
    let commutes = matches!(operation, Binary::Add | Binary::Mul | Binary::Max | Binary::Min);
    let is_blocks = |builder: &Builder, value: ValueId| matches!(builder.known(value), Ok(&Known::Tensor(id)) if builder.get(id).layout == Layout::Blocks);
    let (a_shape, b_shape) = (builder.shape(a)?, builder.shape(b)?);
    let pairs = [(a, b, &a_shape, &b_shape), (b, a, &b_shape, &a_shape)];
    for (first, second, shape, other) in pairs.into_iter().take(if commutes { 2 } else { 1 }) {
        if !is_blocks(builder, first) {
            continue;
        }
        let is_tame = commutes || operation == Binary::Sub || shape[1].is_multiple_of(LANES);
        if shape == other && is_tame {
            let (first, second) = (builder.blocks(first)?, builder.blocks(second)?);
            let id = builder.step(Action::Combine(operation), vec![first, second], shape.clone(), Layout::Blocks)?;
            return Ok(Some(id));
        }
        let is_pixel = other.len() == 4 && other[..2] == shape[..2] && other[2..] == [1, 1];
        if is_pixel && is_tame && is_blocks(builder, second) {
            let (first, second) = (builder.blocks(first)?, builder.blocks(second)?);
            let id = builder.step(Action::Combine(operation), vec![first, second], shape.clone(), Layout::Blocks)?;
            return Ok(Some(id));
        }
        let Some(array) = builder.constant(Some(second)) else { continue };
        let Some(channels) = per_channel(array, shape) else { continue };
        // Lanes past the last channel stay finite: they are combined with one.
        let blocks = shape[1].div_ceil(LANES) * LANES;
        let mut values = vec![1.0; blocks * shape[0]];
        for picture in values.chunks_exact_mut(blocks) {
            picture[..channels.len()].copy_from_slice(&channels);
        }
        let pixel = vec![shape[0], shape[1], 1, 1];
        let second = builder.constant_tensor(pixel, Layout::Blocks, values.into())?;
        let first = builder.blocks(first)?;
        let id = builder.step(Action::Combine(operation), vec![first, second], shape.clone(), Layout::Blocks)?;
        return Ok(Some(id));
    }
    Ok(None)
}

/// The number for each channel that a constant broadcasts to, if it is the same for all pixels and pictures.
fn per_channel(array: &Array, shape: &[usize]) -> Option<Vec<f32>> {
    let values = array.as_floats()?;
    let own = &array.shape;
    if own.len() > 4 || own.iter().rev().enumerate().any(|(axis, &size)| axis != 2 && size != 1) {
        return None;
    }
    match values {
        &[value] => Some(vec![value; shape[1]]),
        values if values.len() == shape[1] => Some(values.to_vec()),
        _ => None,
    }
}

fn reduce(
    builder: &mut Builder,
    node: &Node,
    reduction: Reduction,
    axes: &Option<Vec<i64>>,
    keeps: bool,
) -> Result<usize, Error> {
    let input = node.input(0)?;
    let shape = builder.shape(input)?;
    let second = builder.constant(node.inputs.get(1).copied().flatten());
    let mut axes = shape::axes(axes, second, shape.len())?.unwrap_or_else(|| (0..shape.len()).collect());
    axes.sort_unstable();
    let kept: Vec<usize> =
        shape.iter().enumerate().map(|(axis, &size)| if axes.contains(&axis) { 1 } else { size }).collect();
    let is_of_pixels = shape.len() == 4 && axes == [2, 3] && matches!(reduction, Reduction::Mean | Reduction::Max);
    let mut id = builder.any(input)?;
    if is_of_pixels && builder.get(id).layout == Layout::Blocks {
        id = pictures::pool_all(builder, input, reduction == Reduction::Max)?;
    } else {
        id = builder.as_plain(id)?;
        let strides = broadcast_strides(&kept, &shape);
        id = builder.step(Action::Reduce { reduction, strides }, vec![id], kept, Layout::Plain)?;
    }
    if keeps {
        return Ok(id);
    }
    let left = (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).collect();
    let id = builder.as_plain(id)?;
    builder.tensor(left, Layout::Plain, Origin::Part(id, 0))
}

fn matmul(builder: &mut Builder, node: &Node) -> Result<usize, Error> {
    let (a, b) = (builder.plain(node.input(0)?)?, builder.plain(node.input(1)?)?);
    let (a_shape, b_shape) = (builder.get(a).shape.clone(), builder.get(b).shape.clone());
    let fail = || Error::execution(format!("the shapes {a_shape:?} and {b_shape:?} do not multiply"));
    let ([a_outer @ .., rows, inner], [b_outer @ .., b_inner, columns]) = (&a_shape[..], &b_shape[..]) else {
        return Err(fail());
    };
    let outer = broadcast(a_outer, b_outer).filter(|_| inner == b_inner).ok_or_else(fail)?;
    let shape: Vec<usize> = outer.iter().chain([rows, columns]).copied().collect();
    Array::elements(&shape).ok_or_else(fail)?;
    let count: usize = outer.iter().product();
    let sizes = [(a_outer, rows * inner), (b_outer, inner * columns)];
    let strides = sizes.map(|(shape, size)| {
        broadcast_strides(shape, &outer).into_iter().map(|stride| stride as usize * size).collect::<Vec<_>>()
    });
    let starts = (0..count).map(|index| {
        let mut rest = index;
        let mut start = [0, 0];
        for axis in (0..outer.len()).rev() {
            let at = rest % outer[axis];
            rest /= outer[axis];
            start = [start[0] + at * strides[0][axis], start[1] + at * strides[1][axis]];
        }
        start
    });
    let action =
        Action::MatMul { sizes: [*rows, *inner, *columns], starts: starts.collect(), b_strides: [*columns, 1] };
    builder.step(action, vec![a, b], shape, Layout::Plain)
}

fn gemm(
    builder: &mut Builder,
    node: &Node,
    [alpha, beta]: [f32; 2],
    [a_turns, b_turns]: [bool; 2],
) -> Result<usize, Error> {
    let (a, b) = (builder.plain(node.input(0)?)?, builder.plain(node.input(1)?)?);
    let (a_shape, b_shape) = (builder.get(a).shape.clone(), builder.get(b).shape.clone());
    let (&[rows, inner], &[b_rows, b_columns]) = (&a_shape[..], &b_shape[..]) else {
        return Err(Error::execution("Gemm multiplies two matrices"));
    };
    let (b_inner, columns, b_strides) =
        if b_turns { (b_columns, b_rows, [1, b_columns]) } else { (b_rows, b_columns, [b_columns, 1]) };
    if a_turns || alpha != 1.0 || (beta != 1.0 && node.inputs.len() > 2) {
        return Err(Error::Unsupported {
            operator: "Gemm".to_owned(),
            reason: "it turns or scales its inputs".to_owned(),
        });
    }
    if inner != b_inner {
        return Err(Error::execution(format!("the shapes {a_shape:?} and {b_shape:?} do not multiply")));
    }
    let action = Action::MatMul { sizes: [rows, inner, columns], starts: vec![[0, 0]], b_strides };
    let product = builder.step(action, vec![a, b], vec![rows, columns], Layout::Plain)?;
    match node.inputs.get(2).copied().flatten() {
        Some(bias) => {
            let bias = builder.plain(bias)?;
            combine_plain(builder, product, bias, Binary::Add)
        }
        None => Ok(product),
    }
}

fn concat(builder: &mut Builder, node: &Node, axis: i64) -> Result<usize, Error> {
    let values = (0..node.inputs.len()).map(|index| node.input(index)).collect::<Result<Vec<_>, _>>()?;
    let ids = values.into_iter().map(|value| builder.any(value)).collect::<Result<Vec<_>, _>>()?;
    let shapes: Vec<Vec<usize>> = ids.iter().map(|&id| builder.get(id).shape.clone()).collect();
    let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
    let (shape, axis) = shape::concat(&shapes, axis)?;
    let (_, before) = shapes.split_last().unwrap_or((&&[][..], &[]));
    let has_blocks = ids.iter().any(|&id| builder.get(id).layout == Layout::Blocks);
    if has_blocks && axis == 1 && before.iter().all(|shape| shape[1].is_multiple_of(LANES)) {
        let mut block = 0;
        let starts = shapes.iter().map(|shape| {
            block += shape[1] / LANES;
            block - shape[1] / LANES
        });
        let starts = starts.collect();
        let ids = ids.into_iter().map(|id| builder.as_blocks(id)).collect::<Result<Vec<_>, _>>()?;
        return builder.step(Action::Join(starts), ids, shape, Layout::Blocks);
    }
    let outer = shape[..axis].iter().product();
    let mut total = 0;
    let parts = shapes.iter().map(|shape| {
        let length: usize = shape[axis..].iter().product();
        total += length;
        Some([total - length, length])
    });
    let parts = parts.collect();
    let ids = ids.into_iter().map(|id| builder.as_plain(id)).collect::<Result<Vec<_>, _>>()?;
    builder.step(Action::JoinPlain { outer, total, parts }, ids, shape, Layout::Plain)
}

fn pad(builder: &mut Builder, node: &Node, amounts: &Option<Vec<i64>>, value: f32) -> Result<usize, Error> {
    let id = builder.plain(node.input(0)?)?;
    let shape = builder.get(id).shape.clone();
    let second = builder.constant(node.inputs.get(1).copied().flatten()).and_then(Array::as_integers);
    let amounts = amounts.as_deref().or(second).ok_or_else(|| depends("Pad"))?;
    let value = match node.inputs.get(2).copied().flatten() {
        Some(given) => builder.constant(Some(given)).and_then(Array::as_float).ok_or_else(|| depends("Pad"))?,
        None => value,
    };
    let counts: Option<Vec<usize>> = amounts.iter().map(|&amount| usize::try_from(amount).ok()).collect();
    let counts =
        counts.filter(|counts| counts.len() == 2 * shape.len() && node.inputs.get(3).is_none_or(Option::is_none));
    let counts = counts.ok_or_else(|| Error::Unsupported {
        operator: "Pad".to_owned(),
        reason: format!("it adds {amounts:?} to {shape:?}"),
    })?;
    let (before, after) = counts.split_at(shape.len());
    let sizes = shape.iter().zip(before.iter().zip(after));
    let to: Option<Vec<usize>> =
        sizes.map(|(size, (before, after))| size.checked_add(*before)?.checked_add(*after)).collect();
    let to = to.filter(|to| Array::elements(to).is_some()).ok_or_else(|| Error::execution("Pad makes too much"))?;
    let strides = row_major(&to);
    let start = before.iter().zip(&strides).map(|(before, &stride)| before * stride as usize).sum();
    builder.step(Action::Pad { start, strides, value }, vec![id], to, Layout::Plain)
}

fn depends(operator: &str) -> Error {
    Error::Unsupported { operator: operator.to_owned(), reason: "its parameters depend on the data".to_owned() }
}
