//! Weights of convolutions, packed for the kernel that serves them best.

use std::sync::Arc;

use super::array::Array;
use super::fuse::normalization;
use super::kernel::direct::{Channels, Direct, Geometry};
use super::kernel::lanes::LANES;
use super::kernel::windows::{Depthwise, Window};
use super::kernel::winograd::Winograd;
use super::network::{Network, Node};
use super::operator::{Operator, Padding, Sliding};
use crate::error::Error;

/// A convolution's packed weights.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) form: Form,
    /// Of the whole output.
    pub(crate) channels: usize,
    /// Of the whole input.
    pub(crate) input_channels: usize,
    /// Height and width.
    pub(crate) size: [usize; 2],
}

/// How a convolution is done.
#[derive(Debug)]
pub(crate) enum Form {
    Winograd(Winograd),
    /// From blocks, or from the channels of an input picture as they are.
    Direct {
        direct: Direct,
        is_plain: bool,
    },
    Depthwise(Depthwise),
    /// One convolution for each place of the output between two input pixels.
    Phases(Vec<Phase>),
}

/// The outputs of a transposed convolution that lie at one place between two input pixels.
#[derive(Debug)]
pub(crate) struct Phase {
    /// The first of them.
    pub(crate) start: [usize; 2],
    pub(crate) direct: Direct,
}

/// Packs all weights of a graph, which are then dropped from its constants.
///
/// # Errors
/// [`Error::Unsupported`] for convolutions whose weights are not constant or not of two dimensions.
pub(crate) fn pack(network: &mut Network) -> Result<(), Error> {
    let kernels = network.nodes.iter().map(|node| kernel(network, node)).collect::<Result<Vec<_>, _>>()?;
    for (node, kernel) in network.nodes.iter_mut().zip(kernels) {
        if let Some(kernel) = kernel {
            node.kernel = Some(Arc::new(kernel));
            node.inputs.truncate(1);
        }
    }
    let mut is_read = vec![false; network.values];
    for &value in network.nodes.iter().flat_map(|node| node.inputs.iter().flatten()).chain(&network.outputs) {
        is_read[value] = true;
    }
    for addend in network.nodes.iter().filter_map(|node| node.addend) {
        is_read[addend.value] = true;
    }
    network.constants.retain(|&value, _| is_read[value]);
    Ok(())
}

fn kernel(network: &Network, node: &Node) -> Result<Option<Kernel>, Error> {
    let unsupported = |reason: &str| Error::Unsupported { operator: node.name.clone(), reason: reason.to_owned() };
    if let Operator::BatchNormalization { epsilon } = node.operator {
        let (scale, shift) =
            normalization(network, node, epsilon).ok_or_else(|| unsupported("its weights are not constant"))?;
        let window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
        let channels = scale.len();
        let form = Form::Depthwise(Depthwise::pack(window, channels, &scale, Some(&shift)));
        return Ok(Some(Kernel { form, channels, input_channels: channels, size: [1, 1] }));
    }
    let (sliding, is_transposed) = match &node.operator {
        Operator::Conv(sliding) => (sliding, false),
        Operator::ConvTranspose { sliding, .. } => (sliding, true),
        _ => return Ok(None),
    };
    let weights = network.constant(node, 1).ok_or_else(|| unsupported("its weights are not constant"))?;
    let bias = match node.inputs.get(2).copied().flatten() {
        Some(_) => Some(
            network
                .constant(node, 2)
                .and_then(Array::as_floats)
                .ok_or_else(|| unsupported("its bias is not constant"))?,
        ),
        None => None,
    };
    let (Some(values), &[first, second, height, width]) = (weights.as_floats(), &weights.shape[..]) else {
        return Err(unsupported("its weights are not of two dimensions"));
    };
    let groups = sliding.groups;
    let (input, output) = if is_transposed { (first, second * groups) } else { (second * groups, first) };
    let is_whole = input > 0 && output > 0 && height > 0 && width > 0 && input % groups == 0 && output % groups == 0;
    let fits = sliding.kernel.is_none_or(|kernel| kernel == [height, width]);
    if !is_whole || !fits || bias.is_some_and(|bias| bias.len() != output) || height.max(width) > 64 {
        return Err(unsupported("its weights do not fit its attributes"));
    }
    let sizes = Sizes { values, bias, groups, input, output, kernel: [height, width] };
    if is_transposed && !matches!(sliding.padding, Padding::Given(..)) {
        return Err(unsupported("its padding depends on the picture"));
    }
    let form = match is_transposed {
        true => Form::Phases(phases(sliding, &sizes)),
        false => {
            let is_picture =
                node.inputs.first().copied().flatten().is_some_and(|value| network.inputs.contains(&value));
            convolution(sliding, &sizes, is_picture)
        }
    };
    Ok(Some(Kernel { form, channels: output, input_channels: input, size: [height, width] }))
}

/// A convolution's weights as stored.
struct Sizes<'a> {
    values: &'a [f32],
    bias: Option<&'a [f32]>,
    groups: usize,
    /// Of all groups.
    input: usize,
    /// Of all groups.
    output: usize,
    kernel: [usize; 2],
}

impl Sizes<'_> {
    /// Groups that are done together so that their channels fill blocks.
    fn merged(&self) -> Channels {
        let (input, output) = (self.input / self.groups, self.output / self.groups);
        let fills = |count: usize| {
            self.groups.is_multiple_of(count)
                && (count * input).is_multiple_of(LANES)
                && (count * output).is_multiple_of(LANES)
        };
        let count = match self.groups {
            1 => 1,
            groups => (1..groups).find(|&count| fills(count)).unwrap_or(groups),
        };
        Channels { groups: self.groups / count, input: count * input, output: count * output }
    }

    /// The group and the channel in it, of an input channel of merged groups, if it is of the output channel's group.
    fn channel(&self, merged: Channels, output: usize, channel: usize) -> Option<(usize, usize)> {
        let input = output / merged.output * merged.input + channel;
        let group = output / (self.output / self.groups);
        let first = group * (self.input / self.groups);
        (first..first + self.input / self.groups).contains(&input).then(|| (group, input - first))
    }
}

fn convolution(sliding: &Sliding, sizes: &Sizes<'_>, is_picture: bool) -> Form {
    let [height, width] = sizes.kernel;
    let simple = (sliding.stride, sliding.dilation, sizes.kernel) == ([1, 1], [1, 1], [3, 3]);
    if simple && sizes.groups == 1 && sizes.input >= LANES && sizes.output >= LANES {
        return Form::Winograd(Winograd::pack(sizes.input, sizes.output, sizes.values, sizes.bias));
    }
    if sizes.groups == sizes.input && sizes.groups == sizes.output && sizes.groups > 1 {
        let window =
            Window { kernel: sizes.kernel, stride: sliding.stride, dilation: sliding.dilation, padding: [0, 0] };
        return Form::Depthwise(Depthwise::pack(window, sizes.output, sizes.values, sizes.bias));
    }
    let taps = (0..height * width)
        .map(|tap| [(tap / width * sliding.dilation[0]) as isize, (tap % width * sliding.dilation[1]) as isize]);
    let geometry = Geometry { taps: taps.collect(), stride: sliding.stride, output_step: [1, 1], output_start: [0, 0] };
    let merged = sizes.merged();
    let own = sizes.input / sizes.groups;
    let weight = |output: usize, channel: usize, tap: usize| {
        let found = sizes.channel(merged, output, channel);
        found.map_or(0.0, |(_, channel)| sizes.values[(output * own + channel) * height * width + tap])
    };
    let is_plain = is_picture && merged.groups == 1 && sizes.input < LANES;
    Form::Direct { direct: Direct::pack(geometry, merged, is_plain, weight, sizes.bias), is_plain }
}

fn phases(sliding: &Sliding, sizes: &Sizes<'_>) -> Vec<Phase> {
    let Padding::Given(padding, _) = sliding.padding else { return Vec::new() };
    let merged = sizes.merged();
    let [height, width] = sizes.kernel;
    let own = sizes.output / sizes.groups;
    let starts = (0..sliding.stride[0]).flat_map(|row| (0..sliding.stride[1]).map(move |column| [row, column]));
    let phase = |start: [usize; 2]| {
        // Of an axis: the kernel's taps that reach these outputs, and the inputs that they read.
        let reached = |axis: usize| {
            let stride = sliding.stride[axis] as isize;
            (0..sizes.kernel[axis]).filter_map(move |tap| {
                let at = (start[axis] + padding[axis]) as isize - (tap * sliding.dilation[axis]) as isize;
                (at.rem_euclid(stride) == 0).then(|| (tap, at.div_euclid(stride)))
            })
        };
        let taps: Vec<_> = reached(0).flat_map(|row| reached(1).map(move |column| (row, column))).collect();
        let geometry = Geometry {
            taps: taps.iter().map(|&((_, row), (_, column))| [row, column]).collect(),
            stride: [1, 1],
            output_step: sliding.stride,
            output_start: start,
        };
        let weight = |output: usize, channel: usize, tap: usize| {
            let ((row, _), (column, _)) = taps[tap];
            let Some((group, channel)) = sizes.channel(merged, output, channel) else { return 0.0 };
            let input = group * (sizes.input / sizes.groups) + channel;
            sizes.values[((input * own + output % own) * height + row) * width + column]
        };
        Phase { start, direct: Direct::pack(geometry, merged, false, weight, sizes.bias) }
    };
    starts.map(phase).collect()
}
