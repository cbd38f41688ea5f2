//! Operators on constants: the arithmetic on shapes that stands between convolutions.

use super::array::{Array, Values};
use super::kernel::blocks::Binary;
use super::kernel::plain::{broadcast, broadcast_strides, combine, copy_strided, gather_up, reduce};
use super::kernel::unary::{Unary, map};
use super::operator::{Comparison, Operator, Reduction};
use super::shape::{self, Strided};
use crate::error::Error;

/// Largest number of elements of a folded constant: anchors of the largest pictures need fewer.
const ELEMENTS_MAX: usize = 1 << 24;

/// Number of elements of a folded constant.
///
/// # Errors
/// [`Error::Malformed`] for more than are folded: a few nodes, each doubling its input, would else fill the memory.
fn elements(shape: &[usize]) -> Result<usize, Error> {
    let elements = Array::elements(shape).filter(|&elements| elements <= ELEMENTS_MAX);
    elements.ok_or_else(|| Error::malformed(format!("it asks for a constant of shape {shape:?}")))
}

/// Computes an operator whose inputs are all known; `None` where that has to be left to a run.
///
/// # Errors
/// [`Error::Execution`] for inputs that do not fit each other.
pub(crate) fn fold(operator: &Operator, inputs: &[Option<&Array>]) -> Result<Option<Vec<Array>>, Error> {
    let input = |index: usize| inputs.get(index).copied().flatten();
    let first = input(0);
    let array = match operator {
        Operator::Identity => first.cloned(),
        Operator::ConstantOfShape(value) => match first.and_then(Array::as_integers) {
            Some(sizes) => Some(filled(value, sizes)?),
            None => None,
        },
        Operator::Range => match (input(0), input(1), input(2)) {
            (Some(start), Some(limit), Some(delta)) => Some(range(start, limit, delta)?),
            _ => None,
        },
        Operator::Cast { to_float } => first.map(|array| cast(array, *to_float)),
        Operator::Unary(function) => first.and_then(|array| unary(*function, array)),
        Operator::Binary(function) => match (input(0), input(1)) {
            (Some(a), Some(b)) => Some(binary(*function, a, b)?),
            _ => None,
        },
        Operator::Compare(comparison) => match (input(0), input(1)) {
            (Some(a), Some(b)) => Some(compare(*comparison, a, b)?),
            _ => None,
        },
        Operator::Where => match (input(0), input(1), input(2)) {
            (Some(condition), Some(yes), Some(no)) => Some(choose(condition, yes, no)?),
            _ => None,
        },
        Operator::Reduce { reduction, axes, keeps } => match first {
            Some(array) => reduced(array, *reduction, axes, input(1), *keeps)?,
            None => None,
        },
        Operator::Concat { axis } => Some(concat(inputs, *axis)?),
        Operator::Gather { axis } => match (input(0), input(1).and_then(Array::as_integers)) {
            (Some(array), Some(indices)) => {
                let shape = &input(1).map(|indices| indices.shape.clone()).unwrap_or_default();
                Some(gather(array, indices, shape, *axis)?)
            }
            _ => None,
        },
        _ => match first {
            Some(array) => return moved(operator, array, inputs),
            None => None,
        },
    };
    Ok(array.map(|array| vec![array]))
}

/// Operators that move numbers about.
fn moved(operator: &Operator, array: &Array, inputs: &[Option<&Array>]) -> Result<Option<Vec<Array>>, Error> {
    if let Some(shape) = shape::renamed(operator, &array.shape, inputs)? {
        return Ok(Some(vec![Array { shape, values: array.values.clone() }]));
    }
    let parts = shape::strided(operator, &array.shape, inputs)?;
    for part in parts.iter().flatten() {
        elements(&part.shape)?;
    }
    Ok(parts.map(|parts| parts.iter().map(|part| read_strided(array, part)).collect()))
}

fn read_strided(array: &Array, part: &Strided) -> Array {
    fn read<T: Copy + Default>(from: &[T], part: &Strided) -> Vec<T> {
        let mut values = vec![T::default(); part.shape.iter().product()];
        copy_strided(from, part.start, &part.strides, &part.shape, &mut values);
        values
    }
    match &array.values {
        Values::Floats(values) => Array::floats(part.shape.clone(), read(values, part)),
        Values::Integers(values) => Array::integers(part.shape.clone(), read(values, part)),
    }
}

fn filled(value: &Array, sizes: &[i64]) -> Result<Array, Error> {
    let shape: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
    let shape = shape.ok_or_else(|| Error::execution(format!("no tensor has shape {sizes:?}")))?;
    let elements = elements(&shape)?;
    match &value.values {
        Values::Floats(values) if values.len() == 1 => Ok(Array::floats(shape, vec![values[0]; elements])),
        Values::Integers(values) if values.len() == 1 => Ok(Array::integers(shape, vec![values[0]; elements])),
        _ => Err(Error::execution("ConstantOfShape has one value")),
    }
}

fn range(start: &Array, limit: &Array, delta: &Array) -> Result<Array, Error> {
    let count = |count: f64| elements(&[count.ceil().max(0.0) as usize]);
    match (&start.values, &limit.values, &delta.values) {
        (Values::Integers(start), Values::Integers(limit), Values::Integers(delta)) => {
            let (&[start], &[limit], &[delta]) = (&start[..], &limit[..], &delta[..]) else {
                return Err(Error::execution("a range goes from one number to one"));
            };
            if delta == 0 {
                return Err(Error::execution("the range has no step"));
            }
            let count = count((limit as f64 - start as f64) / delta as f64)?;
            let values = (0..count as i64).map(|index| start.wrapping_add(index.wrapping_mul(delta))).collect();
            Ok(Array::integers(vec![count], values))
        }
        (Values::Floats(start), Values::Floats(limit), Values::Floats(delta)) => {
            let (&[start], &[limit], &[delta]) = (&start[..], &limit[..], &delta[..]) else {
                return Err(Error::execution("a range goes from one number to one"));
            };
            let steps = (f64::from(limit) - f64::from(start)) / f64::from(delta);
            if !steps.is_finite() {
                return Err(Error::execution("the range has no step"));
            }
            let count = count(steps)?;
            Ok(Array::floats(vec![count], (0..count).map(|index| start + index as f32 * delta).collect()))
        }
        _ => Err(Error::execution("a range is of one element type")),
    }
}

fn cast(array: &Array, to_float: bool) -> Array {
    match &array.values {
        Values::Integers(values) if to_float => {
            Array::floats(array.shape.clone(), values.iter().map(|&value| value as f32).collect())
        }
        Values::Floats(values) if !to_float => {
            Array::integers(array.shape.clone(), values.iter().map(|&value| value as i64).collect())
        }
        _ => array.clone(),
    }
}

fn unary(function: Unary, array: &Array) -> Option<Array> {
    match &array.values {
        Values::Floats(values) => {
            let mut values = values.to_vec();
            map(function, &mut values);
            Some(Array::floats(array.shape.clone(), values))
        }
        Values::Integers(values) => {
            let function = match function {
                Unary::Neg => i64::wrapping_neg,
                Unary::Abs => i64::wrapping_abs,
                _ => return None,
            };
            Some(Array::integers(array.shape.clone(), values.iter().map(|&value| function(value)).collect()))
        }
    }
}

/// Combines two arrays of one element type.
fn zip<T: Copy>(
    [a, b]: [&Array; 2],
    [a_values, b_values]: [&[T]; 2],
    function: impl Fn(T, T) -> T,
) -> Result<(Vec<usize>, Vec<T>), Error> {
    let Some(shape) = broadcast(&a.shape, &b.shape) else {
        return Err(Error::execution(format!("the shapes {:?} and {:?} do not fit", a.shape, b.shape)));
    };
    let elements = elements(&shape)?;
    let Some(&zero) = a_values.first() else { return Ok((shape, Vec::new())) };
    let mut values = vec![zero; elements];
    let strides = [broadcast_strides(&a.shape, &shape), broadcast_strides(&b.shape, &shape)];
    combine([a_values, b_values], [&strides[0], &strides[1]], &shape, &mut values, function);
    Ok((shape, values))
}

fn binary(function: Binary, a: &Array, b: &Array) -> Result<Array, Error> {
    match (&a.values, &b.values) {
        (Values::Floats(x), Values::Floats(y)) => {
            let (shape, values) = zip([a, b], [x, y], |x, y| function.of(x, y))?;
            Ok(Array::floats(shape, values))
        }
        (Values::Integers(x), Values::Integers(y)) => {
            let function = |x: i64, y: i64| match function {
                Binary::Add => x.wrapping_add(y),
                Binary::Sub => x.wrapping_sub(y),
                Binary::Mul => x.wrapping_mul(y),
                // A division by zero has no value; it is found where its result is used as a size.
                Binary::Div => x.checked_div(y).unwrap_or(i64::MIN),
                Binary::Max => x.max(y),
                Binary::Min => x.min(y),
                Binary::Pow => u32::try_from(y).map_or(0, |y| x.wrapping_pow(y)),
            };
            let (shape, values) = zip([a, b], [x, y], function)?;
            Ok(Array::integers(shape, values))
        }
        _ => binary(function, &cast(a, true), &cast(b, true)),
    }
}

fn compare(comparison: Comparison, a: &Array, b: &Array) -> Result<Array, Error> {
    match (&a.values, &b.values) {
        (Values::Integers(x), Values::Integers(y)) => {
            let ask = |x: i64, y: i64| match comparison {
                Comparison::Equal => x == y,
                Comparison::Less => x < y,
                Comparison::Greater => x > y,
            };
            let (shape, values) = zip([a, b], [x, y], |x, y| i64::from(ask(x, y)))?;
            Ok(Array::integers(shape, values))
        }
        (Values::Floats(x), Values::Floats(y)) => {
            let ask = |x: f32, y: f32| match comparison {
                Comparison::Equal => x == y,
                Comparison::Less => x < y,
                Comparison::Greater => x > y,
            };
            let (shape, values) = zip([a, b], [x, y], |x, y| f32::from(u8::from(ask(x, y))))?;
            Ok(cast(&Array::floats(shape, values), false))
        }
        _ => compare(comparison, &cast(a, true), &cast(b, true)),
    }
}

/// `condition ? yes : no`, as sums of products so that one loop does it.
fn choose(condition: &Array, yes: &Array, no: &Array) -> Result<Array, Error> {
    let condition = cast(condition, false);
    let Some(is_true) = condition.as_integers() else { return Err(Error::execution("a condition is a truth value")) };
    let fit = || Error::execution("the shapes of a choice do not fit");
    let shape =
        broadcast(&yes.shape, &no.shape).and_then(|shape| broadcast(&shape, &condition.shape)).ok_or_else(fit)?;
    let elements = elements(&shape)?;
    fn pick<T: Copy + Default>(
        is_true: (&[i64], &[usize]),
        yes: (&[T], &[usize]),
        no: (&[T], &[usize]),
        shape: &[usize],
        elements: usize,
    ) -> Vec<T> {
        let spread = |(values, own): (&[T], &[usize])| {
            let mut spread = vec![T::default(); elements];
            copy_strided(values, 0, &broadcast_strides(own, shape), shape, &mut spread);
            spread
        };
        let mut condition = vec![0; elements];
        copy_strided(is_true.0, 0, &broadcast_strides(is_true.1, shape), shape, &mut condition);
        let pairs = spread(yes).into_iter().zip(spread(no));
        condition.into_iter().zip(pairs).map(|(is_true, (yes, no))| if is_true != 0 { yes } else { no }).collect()
    }
    let condition = (is_true, &condition.shape[..]);
    match (&yes.values, &no.values) {
        (Values::Integers(a), Values::Integers(b)) => {
            Ok(Array::integers(shape.clone(), pick(condition, (a, &yes.shape), (b, &no.shape), &shape, elements)))
        }
        (Values::Floats(a), Values::Floats(b)) => {
            Ok(Array::floats(shape.clone(), pick(condition, (a, &yes.shape), (b, &no.shape), &shape, elements)))
        }
        _ => Err(Error::execution("a choice is between numbers of one element type")),
    }
}

/// Values gathered along some axes; `None` for a mean of integers.
fn reduced(
    array: &Array,
    reduction: Reduction,
    axes: &Option<Vec<i64>>,
    given: Option<&Array>,
    keeps: bool,
) -> Result<Option<Array>, Error> {
    let rank = array.shape.len();
    let axes = shape::axes(axes, given, rank)?.unwrap_or_else(|| (0..rank).collect());
    let is_kept = |axis: &usize| !axes.contains(axis);
    let kept: Vec<usize> = (0..rank).map(|axis| if is_kept(&axis) { array.shape[axis] } else { 1 }).collect();
    let strides = broadcast_strides(&kept, &array.shape);
    let elements = kept.iter().product();
    let values = match &array.values {
        Values::Floats(values) => {
            let mut reduced = vec![0.0; elements];
            reduce(values, &array.shape, &strides, &mut reduced, reduction);
            Values::Floats(reduced.into())
        }
        Values::Integers(values) => {
            let (start, combine): (i64, fn(i64, i64) -> i64) = match reduction {
                Reduction::Sum => (0, i64::wrapping_add),
                Reduction::Product => (1, i64::wrapping_mul),
                Reduction::Max => (i64::MIN, i64::max),
                Reduction::Min => (i64::MAX, i64::min),
                Reduction::Mean => return Ok(None),
            };
            let mut reduced = vec![start; elements];
            gather_up(values, &array.shape, &strides, &mut reduced, combine);
            Values::Integers(reduced.into())
        }
    };
    let shape = if keeps { kept } else { (0..rank).filter(is_kept).map(|axis| array.shape[axis]).collect() };
    Ok(Some(Array { shape, values }))
}

fn concat(inputs: &[Option<&Array>], axis: i64) -> Result<Array, Error> {
    let arrays: Vec<&Array> = inputs.iter().copied().flatten().collect();
    let shapes: Vec<&[usize]> = arrays.iter().map(|array| array.shape.as_slice()).collect();
    let (shape, axis) = shape::concat(&shapes, axis)?;
    elements(&shape)?;
    fn join<T: Copy>(parts: &[(&[T], &[usize])], axis: usize) -> Vec<T> {
        let outer: usize = parts.first().map_or(0, |(_, shape)| shape[..axis].iter().product());
        let rows = (0..outer).flat_map(|row| {
            parts.iter().map(move |(values, shape)| {
                let length: usize = shape[axis..].iter().product();
                &values[row * length..(row + 1) * length]
            })
        });
        rows.flatten().copied().collect()
    }
    let integers: Option<Vec<_>> =
        arrays.iter().map(|array| Some((array.as_integers()?, array.shape.as_slice()))).collect();
    let floats: Option<Vec<_>> =
        arrays.iter().map(|array| Some((array.as_floats()?, array.shape.as_slice()))).collect();
    match (integers, floats) {
        (Some(parts), _) => Ok(Array::integers(shape, join(&parts, axis))),
        (_, Some(parts)) => Ok(Array::floats(shape, join(&parts, axis))),
        _ => Err(Error::execution("Concat joins tensors of one element type")),
    }
}

fn gather(array: &Array, indices: &[i64], indices_shape: &[usize], axis: i64) -> Result<Array, Error> {
    let axis = shape::axis(axis, array.shape.len())?;
    let rows = shape::rows(indices, array.shape[axis])?;
    let mut shape = array.shape[..axis].to_vec();
    shape.extend(indices_shape);
    shape.extend(&array.shape[axis + 1..]);
    elements(&shape)?;
    let outer: usize = array.shape[..axis].iter().product();
    let inner: usize = array.shape[axis + 1..].iter().product();
    let size = array.shape[axis];
    let starts = (0..outer).flat_map(|outer| rows.iter().map(move |row| (outer * size + row) * inner));
    Ok(match &array.values {
        Values::Floats(values) => {
            Array::floats(shape, starts.flat_map(|start| values[start..start + inner].iter().copied()).collect())
        }
        Values::Integers(values) => {
            Array::integers(shape, starts.flat_map(|start| values[start..start + inner].iter().copied()).collect())
        }
    })
}
