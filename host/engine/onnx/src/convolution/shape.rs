//! Shapes of outputs, from shapes of inputs.

use super::array::Array;
use super::kernel::plain::{broadcast, broadcast_strides, row_major};
use super::operator::{Operator, Padding, Sliding};
use crate::error::Error;

/// A tensor that is read from another with these distances between neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strided {
    pub(crate) shape: Vec<usize>,
    pub(crate) start: usize,
    pub(crate) strides: Vec<isize>,
}

/// An axis counted from the front.
pub(crate) fn axis(axis: i64, rank: usize) -> Result<usize, Error> {
    let counted = if axis < 0 { axis + rank as i64 } else { axis };
    let found = usize::try_from(counted).ok().filter(|&axis| axis < rank);
    found.ok_or_else(|| Error::execution(format!("a tensor of {rank} dimensions has no axis {axis}")))
}

/// Rows counted from the front.
pub(crate) fn rows(indices: &[i64], size: usize) -> Result<Vec<usize>, Error> {
    let row = |&index: &i64| {
        let counted = if index < 0 { index.checked_add(size as i64) } else { Some(index) };
        let row = counted.and_then(|index| usize::try_from(index).ok()).filter(|&index| index < size);
        row.ok_or_else(|| Error::execution(format!("there is no row {index} of {size}")))
    };
    indices.iter().map(row).collect()
}

/// The shape of joined tensors, and the axis they are joined along.
pub(crate) fn concat(shapes: &[&[usize]], along: i64) -> Result<(Vec<usize>, usize), Error> {
    let Some(first) = shapes.first() else { return Err(Error::execution("Concat has no inputs")) };
    let along = axis(along, first.len())?;
    let mut joined = first.to_vec();
    for shape in &shapes[1..] {
        let fits =
            shape.len() == first.len() && (0..first.len()).all(|axis| axis == along || shape[axis] == first[axis]);
        if !fits {
            return Err(Error::execution(format!("the shapes {first:?} and {shape:?} do not join along axis {along}")));
        }
        joined[along] += shape[along];
    }
    Ok((joined, along))
}

/// Axes from an attribute or an input.
pub(crate) fn axes(
    attribute: &Option<Vec<i64>>,
    input: Option<&Array>,
    rank: usize,
) -> Result<Option<Vec<usize>>, Error> {
    let axes = attribute.as_deref().or_else(|| input.and_then(Array::as_integers));
    axes.map(|axes| axes.iter().map(|&along| axis(along, rank)).collect()).transpose()
}

/// The shape of an output that has the input's numbers in the input's order; `None` for other operators.
pub(crate) fn renamed(
    operator: &Operator,
    shape: &[usize],
    inputs: &[Option<&Array>],
) -> Result<Option<Vec<usize>>, Error> {
    let second = inputs.get(1).copied().flatten();
    let renamed = match operator {
        Operator::Identity => shape.to_vec(),
        Operator::Reshape { keeps_zero } => {
            let wanted = second.and_then(Array::as_integers).ok_or_else(|| unknown("Reshape"))?;
            reshape(shape, wanted, *keeps_zero)?
        }
        Operator::Flatten { axis: along } => {
            let along = if *along == shape.len() as i64 { shape.len() } else { axis(*along, shape.len())? };
            vec![shape[..along].iter().product(), shape[along..].iter().product()]
        }
        Operator::Squeeze { axes: attribute } => match axes(attribute, second, shape.len())? {
            None => shape.iter().copied().filter(|&size| size != 1).collect(),
            Some(axes) => {
                if axes.iter().any(|&axis| shape[axis] != 1) {
                    return Err(Error::execution(format!("Squeeze cannot drop the axes {axes:?} of {shape:?}")));
                }
                (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).collect()
            }
        },
        Operator::Unsqueeze { axes: attribute } => {
            let count = attribute.as_deref().or_else(|| second.and_then(Array::as_integers)).map_or(0, <[i64]>::len);
            let rank = shape.len() + count;
            let axes = axes(attribute, second, rank)?.ok_or_else(|| unknown("Unsqueeze"))?;
            let mut sizes = shape.iter().copied();
            let sizes = (0..rank).map(|axis| if axes.contains(&axis) { Some(1) } else { sizes.next() });
            let found: Option<Vec<usize>> = sizes.collect();
            found.ok_or_else(|| Error::execution("Unsqueeze names an axis twice"))?
        }
        _ => return Ok(None),
    };
    Ok(Some(renamed))
}

/// The outputs of an operator that reads its input in another order; `None` for other operators.
pub(crate) fn strided(
    operator: &Operator,
    shape: &[usize],
    inputs: &[Option<&Array>],
) -> Result<Option<Vec<Strided>>, Error> {
    let strides = row_major(shape);
    let input = |index: usize| inputs.get(index).copied().flatten().and_then(Array::as_integers);
    let parts = match operator {
        Operator::Transpose { order } => {
            let order: Vec<usize> = match order {
                Some(order) => order.iter().map(|&along| axis(along, shape.len())).collect::<Result<_, _>>()?,
                None => (0..shape.len()).rev().collect(),
            };
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..shape.len()) {
                return Err(Error::execution(format!("Transpose cannot order {shape:?} by {order:?}")));
            }
            let shape = order.iter().map(|&axis| shape[axis]).collect();
            vec![Strided { shape, start: 0, strides: order.iter().map(|&axis| strides[axis]).collect() }]
        }
        Operator::Expand => {
            let wanted = input(1).ok_or_else(|| unknown("Expand"))?;
            let wanted: Option<Vec<usize>> = wanted.iter().map(|&size| usize::try_from(size).ok()).collect();
            let to = wanted.and_then(|wanted| broadcast(shape, &wanted)).filter(|to| Array::elements(to).is_some());
            let to = to.ok_or_else(|| Error::execution(format!("Expand cannot widen {shape:?}")))?;
            vec![Strided { start: 0, strides: broadcast_strides(shape, &to), shape: to }]
        }
        Operator::Split { axis: along, sizes, parts } => {
            let along = axis(*along, shape.len())?;
            let size = shape[along].div_ceil((*parts).max(1));
            let equal: Vec<i64> =
                (0..*parts).map(|part| size.min(shape[along].saturating_sub(part * size)) as i64).collect();
            let sizes = sizes.as_deref().or_else(|| input(1)).unwrap_or(&equal);
            let sizes: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
            let sizes = sizes.filter(|sizes| {
                sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size)) == Some(shape[along])
            });
            let sizes = sizes.ok_or_else(|| Error::execution(format!("Split does not add up to {shape:?}")))?;
            let mut at = 0;
            let part = |&size: &usize| {
                let start = at * strides[along] as usize;
                at += size;
                let mut shape = shape.to_vec();
                shape[along] = size;
                Strided { shape, start, strides: strides.clone() }
            };
            sizes.iter().map(part).collect()
        }
        Operator::Slice { bounds } => {
            let known = bounds.as_ref().map(|[starts, ends, axes]| (&starts[..], &ends[..], Some(&axes[..]), None));
            let given = || Some((input(1)?, input(2)?, input(3), input(4)));
            let (starts, ends, axes, steps) = known.or_else(given).ok_or_else(|| unknown("Slice"))?;
            vec![slice(shape, &strides, starts, ends, axes, steps)?]
        }
        _ => return Ok(None),
    };
    Ok(Some(parts))
}

fn slice(
    shape: &[usize],
    strides: &[isize],
    starts: &[i64],
    ends: &[i64],
    axes: Option<&[i64]>,
    steps: Option<&[i64]>,
) -> Result<Strided, Error> {
    let mut part = Strided { shape: shape.to_vec(), start: 0, strides: strides.to_vec() };
    let fits = starts.len() == ends.len()
        && axes.is_none_or(|axes| axes.len() == starts.len())
        && steps.is_none_or(|steps| steps.len() == starts.len())
        && starts.len() <= shape.len();
    if !fits {
        return Err(Error::execution("Slice has bounds of different lengths"));
    }
    let mut start: isize = 0;
    for (index, (&from, &to)) in starts.iter().zip(ends).enumerate() {
        let along = axis(axes.map_or(index as i64, |axes| axes[index]), shape.len())?;
        let size = shape[along] as i64;
        let step = steps.map_or(1, |steps| steps[index]);
        let counted = |bound: i64| if bound < 0 { bound.saturating_add(size) } else { bound };
        let (first, count) = match step {
            0 => return Err(Error::execution("Slice has a step of zero")),
            1.. => {
                let (first, end) = (counted(from).clamp(0, size), counted(to).clamp(0, size));
                (first, (end - first).max(0).div_euclid(step) + i64::from((end - first).max(0) % step != 0))
            }
            _ => {
                let (first, end) = (counted(from).clamp(0, size - 1), counted(to).clamp(-1, size - 1));
                let back = step.saturating_neg();
                (first, (first - end).max(0).div_euclid(back) + i64::from((first - end).max(0) % back != 0))
            }
        };
        part.shape[along] = count as usize;
        if count > 0 {
            start += first as isize * strides[along];
            // With one element, the step is never taken, and may be huge.
            part.strides[along] = if count > 1 { strides[along] * step as isize } else { strides[along] };
        }
    }
    part.start = start.max(0) as usize;
    Ok(part)
}

fn reshape(shape: &[usize], wanted: &[i64], keeps_zero: bool) -> Result<Vec<usize>, Error> {
    let fail = || Error::execution(format!("Reshape cannot make {wanted:?} of {shape:?}"));
    let elements: usize = shape.iter().product();
    let mut open = None;
    let mut sizes = Vec::with_capacity(wanted.len());
    for (axis, &size) in wanted.iter().enumerate() {
        sizes.push(match size {
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            0 if !keeps_zero => *shape.get(axis).ok_or_else(fail)?,
            _ => usize::try_from(size).map_err(|_| fail())?,
        });
    }
    let known = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size)).ok_or_else(fail)?;
    if let Some(axis) = open {
        if known == 0 || !elements.is_multiple_of(known) {
            return Err(fail());
        }
        sizes[axis] = elements / known;
    } else if known != elements {
        return Err(fail());
    }
    Ok(sizes)
}

/// Outputs of a window along rows and columns, and the padding above and left, below and right of the picture.
pub(crate) fn slid(
    sliding: &Sliding,
    kernel: [usize; 2],
    size: [usize; 2],
    rounds_up: bool,
) -> Result<([usize; 2], [[usize; 2]; 2]), Error> {
    let mut output = [0; 2];
    let mut padding = [[0; 2]; 2];
    for axis in 0..2 {
        let reach = (kernel[axis] - 1) * sliding.dilation[axis] + 1;
        let stride = sliding.stride[axis];
        let (before, after) = match sliding.padding {
            Padding::Given(before, after) => (before[axis], after[axis]),
            Padding::Same { odd_is_first } => {
                let needed = ((size[axis].div_ceil(stride) - 1) * stride + reach).saturating_sub(size[axis]);
                if odd_is_first { (needed.div_ceil(2), needed / 2) } else { (needed / 2, needed.div_ceil(2)) }
            }
        };
        let Some(room) = (size[axis] + before + after).checked_sub(reach) else {
            return Err(Error::execution(format!("a window of {kernel:?} does not fit a picture of {size:?}")));
        };
        output[axis] = room / stride + 1;
        if rounds_up && room % stride != 0 {
            // A window must start in the picture or the padding before it.
            output[axis] += usize::from((output[axis]) * stride < size[axis] + before);
        }
        padding[0][axis] = before;
        padding[1][axis] = after;
    }
    Ok((output, padding))
}

fn unknown(operator: &str) -> Error {
    Error::Unsupported { operator: operator.to_owned(), reason: "its shape depends on the data".to_owned() }
}
