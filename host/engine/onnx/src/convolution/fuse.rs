//! Joins nodes that can be done in one pass over the numbers.

use std::collections::HashMap;

use super::array::Array;
use super::kernel::blocks::Binary;
use super::kernel::unary::Unary;
use super::network::{Addition, Network, Node, ValueId};
use super::operator::Operator;

/// Rewrites a graph; what it computes stays the same.
pub(crate) fn fuse(network: &mut Network) {
    constants(network);
    clips(network);
    normalizations(network);
    softmaxes(network);
    gates(network);
    epilogues(network);
}

/// Who writes and how many read each value.
struct Uses {
    writer: HashMap<ValueId, usize>,
    readers: Vec<usize>,
}

impl Uses {
    fn of(network: &Network) -> Self {
        let mut writer = HashMap::new();
        let mut readers = vec![0; network.values];
        for (index, node) in network.nodes.iter().enumerate() {
            writer.extend(node.outputs.iter().map(|&output| (output, index)));
            for &input in node.inputs.iter().flatten() {
                readers[input] += 1;
            }
            readers[node.addend.map_or(0, |addend| addend.value)] += usize::from(node.addend.is_some());
        }
        for &output in &network.outputs {
            readers[output] += 1;
        }
        Self { writer, readers }
    }

    /// The node that writes `value`, if nobody else than the asker reads it.
    fn sole(&self, value: Option<ValueId>) -> Option<usize> {
        let value = value.filter(|&value| self.readers[value] == 1)?;
        self.writer.get(&value).copied()
    }
}

/// Leaves out the nodes of these numbers.
fn remove(network: &mut Network, mut indices: Vec<usize>) {
    indices.sort_unstable();
    let mut index = 0;
    network.nodes.retain(|_| {
        index += 1;
        indices.binary_search(&(index - 1)).is_err()
    });
}

/// What passes a constant on is that constant: weights that are stored in 16 bits, which [`Array::read`] has widened already, stand
/// behind a Cast, and equal ones that are stored once behind an Identity.
fn constants(network: &mut Network) {
    let mut passed = Vec::new();
    for index in 0..network.nodes.len() {
        let node = &network.nodes[index];
        let array = match node.operator {
            Operator::Identity => network.constant(node, 0),
            Operator::Cast { to_float: true } => network.constant(node, 0).filter(|array| array.as_floats().is_some()),
            _ => None,
        };
        if let (Some(array), &[output]) = (array.cloned(), &node.outputs[..]) {
            network.constants.insert(output, array);
            passed.push(index);
        }
    }
    remove(network, passed);
}

/// Clip with constant bounds is a function of one number.
fn clips(network: &mut Network) {
    for index in 0..network.nodes.len() {
        let node = &network.nodes[index];
        if node.operator != Operator::Clip {
            continue;
        }
        let bound = |position: usize, default: f32| match node.inputs.get(position).copied().flatten() {
            None => Some(default),
            Some(_) => network.constant(node, position).and_then(Array::as_float),
        };
        if let (Some(low), Some(high)) = (bound(1, f32::MIN), bound(2, f32::MAX)) {
            let node = &mut network.nodes[index];
            node.operator = Operator::Unary(Unary::Clip(low, high));
            node.inputs.truncate(1);
        }
    }
}

/// Folds a normalization into the convolution before it.
fn normalizations(network: &mut Network) {
    let uses = Uses::of(network);
    let mut removed = Vec::new();
    for index in 0..network.nodes.len() {
        let Operator::BatchNormalization { epsilon } = network.nodes[index].operator else { continue };
        let Some(before) = uses.sole(network.nodes[index].inputs.first().copied().flatten()) else { continue };
        if !matches!(network.nodes[before].operator, Operator::Conv(_)) {
            continue;
        }
        let Some((scale, shift)) = normalization(network, &network.nodes[index], epsilon) else { continue };
        let Some((weights, bias)) = scaled(network, &network.nodes[before], &scale, &shift) else { continue };
        let (weights_id, bias_id) = (network.values, network.values + 1);
        network.values += 2;
        network.constants.insert(weights_id, weights);
        network.constants.insert(bias_id, bias);
        let outputs = network.nodes[index].outputs.clone();
        let conv = &mut network.nodes[before];
        conv.inputs.truncate(1);
        conv.inputs.extend([Some(weights_id), Some(bias_id)]);
        conv.outputs = outputs;
        removed.push(index);
    }
    remove(network, removed);
}

/// What a normalization multiplies each channel with and adds to it.
pub(crate) fn normalization(network: &Network, node: &Node, epsilon: f32) -> Option<(Vec<f32>, Vec<f32>)> {
    let [scale, shift, mean, variance] =
        [1, 2, 3, 4].map(|index| network.constant(node, index).and_then(Array::as_floats));
    let (scale, shift, mean, variance) = (scale?, shift?, mean?, variance?);
    if [shift, mean, variance].iter().any(|values| values.len() != scale.len()) {
        return None;
    }
    let factors: Vec<f32> =
        scale.iter().zip(variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
    let shifts = shift.iter().zip(mean.iter().zip(&factors)).map(|(shift, (mean, factor))| shift - mean * factor);
    let shifts = shifts.collect();
    Some((factors, shifts))
}

/// Weights and bias of a convolution whose outputs are then scaled and shifted.
fn scaled(network: &Network, conv: &Node, scale: &[f32], shift: &[f32]) -> Option<(Array, Array)> {
    let weights = network.constant(conv, 1)?;
    let values = weights.as_floats()?;
    let channels = *weights.shape.first()?;
    if channels != scale.len() || values.is_empty() {
        return None;
    }
    let bias = match conv.inputs.get(2).copied().flatten() {
        Some(_) => network.constant(conv, 2)?.as_floats()?.to_vec(),
        None => vec![0.0; channels],
    };
    if bias.len() != channels {
        return None;
    }
    let size = values.len() / channels;
    let values = values.iter().enumerate().map(|(index, value)| value * scale[index / size]).collect();
    let bias = bias.iter().zip(scale.iter().zip(shift)).map(|(bias, (scale, shift))| bias * scale + shift).collect();
    Some((Array::floats(weights.shape.clone(), values), Array::floats(vec![channels], bias)))
}

/// Exporters of old versions of the standard bring the axis of a softmax to the end and back again.
fn softmaxes(network: &mut Network) {
    let uses = Uses::of(network);
    let mut removed = Vec::new();
    for index in 0..network.nodes.len() {
        let Operator::Transpose { order: Some(back) } = &network.nodes[index].operator else { continue };
        let Some(middle) = uses.sole(network.nodes[index].inputs.first().copied().flatten()) else { continue };
        let Operator::Softmax { axis, .. } = network.nodes[middle].operator else { continue };
        let Some(first) = uses.sole(network.nodes[middle].inputs.first().copied().flatten()) else { continue };
        let Operator::Transpose { order: Some(order) } = &network.nodes[first].operator else { continue };
        let rank = order.len();
        let is_last = axis == -1 || axis == rank as i64 - 1;
        let is_back = back.len() == rank
            && (0..rank).all(|at| usize::try_from(back[at]).is_ok_and(|from| order.get(from) == Some(&(at as i64))));
        let (true, true, Some(&axis)) = (is_last, is_back, order.last()) else { continue };
        let input = network.nodes[first].inputs.clone();
        let node = &mut network.nodes[index];
        node.operator = Operator::Softmax { axis, flattens: false };
        node.inputs = input;
        removed.extend([first, middle]);
    }
    remove(network, removed);
}

/// `x * sigmoid(x)` and its kin are one function.
fn gates(network: &mut Network) {
    let mut removed = Vec::new();
    let uses = Uses::of(network);
    for index in 0..network.nodes.len() {
        let node = &network.nodes[index];
        if node.operator != Operator::Binary(Binary::Mul) {
            continue;
        }
        let &[Some(a), Some(b)] = &node.inputs[..] else { continue };
        for (value, gate) in [(a, b), (b, a)] {
            let Some(gate_index) = uses.sole(Some(gate)) else { continue };
            let gate_node = &network.nodes[gate_index];
            let is_of_value = gate_node.inputs.first() == Some(&Some(value));
            let (function, inner) = match gate_node.operator {
                Operator::Unary(Unary::Sigmoid) if is_of_value => (Unary::Silu, None),
                Operator::Unary(Unary::HardSigmoid(slope, offset)) if is_of_value => {
                    (Unary::HardSwish(slope, offset), None)
                }
                Operator::Unary(Unary::Tanh) => {
                    let Some(inner) = uses.sole(gate_node.inputs.first().copied().flatten()) else { continue };
                    let softplus = &network.nodes[inner];
                    if softplus.operator != Operator::Unary(Unary::Softplus)
                        || softplus.inputs.first() != Some(&Some(value))
                    {
                        continue;
                    }
                    (Unary::Mish, Some(inner))
                }
                _ => continue,
            };
            removed.push(gate_index);
            removed.extend(inner);
            let node = &mut network.nodes[index];
            node.operator = Operator::Unary(function);
            node.inputs = vec![Some(value)];
            break;
        }
    }
    remove(network, removed);
}

/// A function or a sum after a convolution is done while its output is at hand.
fn epilogues(network: &mut Network) {
    let mut removed = Vec::new();
    let mut uses = Uses::of(network);
    for index in 0..network.nodes.len() {
        let fused = match network.nodes[index].operator {
            Operator::Unary(function) => with_function(network, &uses, index, function),
            Operator::Binary(Binary::Add) => with_addend(network, &uses, index),
            _ => None,
        };
        let Some((before, conv)) = fused else { continue };
        // The convolution moves to where the sum was: what it adds is there by then.
        uses.writer.extend(conv.outputs.iter().map(|&output| (output, index)));
        network.nodes[index] = conv;
        removed.push(before);
    }
    remove(network, removed);
}

/// The convolution before a function, with the function.
fn with_function(network: &Network, uses: &Uses, index: usize, function: Unary) -> Option<(usize, Node)> {
    let node = &network.nodes[index];
    let before = uses.sole(node.inputs.first().copied().flatten())?;
    let conv = &network.nodes[before];
    let is_open = conv.function == Unary::Identity && conv.addend.is_none_or(|addend| addend.is_before_function);
    let is_convolution = matches!(conv.operator, Operator::Conv(_) | Operator::ConvTranspose { .. });
    (is_convolution && is_open).then(|| (before, Node { function, outputs: node.outputs.clone(), ..conv.clone() }))
}

/// The convolution before a sum, with the sum.
fn with_addend(network: &Network, uses: &Uses, index: usize) -> Option<(usize, Node)> {
    let node = &network.nodes[index];
    let &[Some(a), Some(b)] = &node.inputs[..] else { return None };
    // Of two convolutions, the one that is done last: the other's output is there by then.
    let mut pairs = [(a, b), (b, a)].map(|(sum, value)| (uses.sole(Some(sum)), value));
    pairs.sort_unstable_by_key(|&(before, _)| std::cmp::Reverse(before));
    pairs.into_iter().find_map(|(before, value)| {
        let before = before?;
        let conv = &network.nodes[before];
        let is_open = matches!(conv.operator, Operator::Conv(_)) && conv.addend.is_none();
        if !is_open || network.constants.contains_key(&value) {
            return None;
        }
        let addend = Some(Addition { value, is_before_function: conv.function == Unary::Identity });
        Some((before, Node { addend, outputs: node.outputs.clone(), ..conv.clone() }))
    })
}
