//! Gives every tensor of a plan its place in memory.

use super::plan::{Action, Layout, Origin, Step, Tensor, TensorId};
use crate::error::Error;
use crate::limits::TENSOR_ELEMENTS_MAX;

/// Numbers of a line of the cache: tensors start at one.
const LINE: usize = 16;

/// The tensor whose memory `id` lies in, and from which block of its channels, or number of it, on.
pub(crate) fn root(tensors: &[Tensor], id: TensorId) -> (TensorId, usize) {
    let (mut id, mut offset) = (id, 0);
    while let Origin::Part(parent, from) = tensors[id].origin {
        id = parent;
        offset += from;
    }
    (id, offset)
}

/// Lets the inputs of joins be written where the join would copy them to, and outputs of the run where the run returns them.
pub(crate) fn join(tensors: &mut [Tensor], steps: &mut [Step], outputs: &[TensorId]) {
    for index in 0..steps.len() {
        match &steps[index].action {
            Action::Join(starts) => {
                let sizes = steps[index].inputs.iter().map(|&input| tensors[input].blocks()).collect::<Vec<_>>();
                join_parts(tensors, &steps[index], &starts.clone(), &sizes);
            }
            Action::JoinPlain { outer: 1, parts, .. } => {
                let parts: Vec<[usize; 2]> = parts.iter().copied().flatten().collect();
                let starts: Vec<usize> = parts.iter().map(|&[start, _]| start).collect();
                let sizes: Vec<usize> = parts.iter().map(|&[_, size]| size).collect();
                join_parts(tensors, &steps[index], &starts, &sizes);
            }
            Action::JoinPlain { .. } => join_rows(tensors, steps, index, outputs),
            _ => {}
        }
    }
    for (index, &output) in outputs.iter().enumerate() {
        let (root, offset) = root(tensors, output);
        if tensors[root].origin == Origin::Own && offset == 0 && tensors[root].size() == tensors[output].size() {
            tensors[root].origin = Origin::Output(index);
        }
    }
}

/// Lets the inputs of a join lie in its output, each from its start on.
fn join_parts(tensors: &mut [Tensor], step: &Step, starts: &[usize], sizes: &[usize]) {
    let size = |tensor: &Tensor| if tensor.layout == Layout::Blocks { tensor.blocks() } else { tensor.size() };
    for (&input, &input_start) in step.inputs.iter().zip(starts) {
        let (root_id, from) = root(tensors, input);
        let is_free = tensors[root_id].origin == Origin::Own && root_id != step.output;
        let Some(start) = input_start.checked_sub(from).filter(|_| is_free) else { continue };
        let end = start + size(&tensors[root_id]);
        // All that the join has there must be the same memory at the same distance, or it would be overwritten.
        let agrees = step.inputs.iter().zip(starts.iter().zip(sizes)).all(|(&other, (&other_start, &other_size))| {
            let (other_root, other_from) = root(tensors, other);
            let is_apart = other_start + other_size <= start || other_start >= end;
            is_apart || (other_root, start + other_from) == (root_id, other_start)
        });
        let is_alike = tensors[root_id].layout == tensors[step.output].layout;
        if agrees && is_alike && end <= size(&tensors[step.output]) {
            tensors[root_id].origin = Origin::Part(step.output, start);
        }
    }
}

/// Lets pictures that are turned into rows for a join of rows alone be written there.
fn join_rows(tensors: &[Tensor], steps: &mut [Step], index: usize, outputs: &[TensorId]) {
    let Action::JoinPlain { outer, total, parts } = &steps[index].action else { return };
    let (outer, total, mut parts) = (*outer, *total, parts.clone());
    let (inputs, output) = (steps[index].inputs.clone(), steps[index].output);
    for (&input, part) in inputs.iter().zip(&mut parts) {
        let Some([start, length]) = *part else { continue };
        let (root_id, _) = root(tensors, input);
        let lies_in = |id: TensorId| root(tensors, id).0 == root_id;
        let readers = steps.iter().flat_map(|step| &step.inputs).chain(outputs).filter(|&&id| lies_in(id)).count();
        let tensor = &tensors[root_id];
        let is_whole = tensor.origin == Origin::Own && tensors[input].size() == tensor.size();
        let is_rows = matches!(tensor.shape[..], [batch, channels, height, width]
            if batch * channels == outer && height * width == length);
        if readers != 1 || !is_whole || !is_rows {
            continue;
        }
        let Some(writer) = steps.iter_mut().find(|step| step.output == root_id) else { continue };
        if matches!(writer.action, Action::ToPlain { row_stride: None, .. }) {
            writer.action = Action::ToPlain { start, row_stride: Some(total) };
            writer.output = output;
            *part = None;
        }
    }
    steps[index].action = Action::JoinPlain { outer, total, parts };
}

/// Where each tensor starts, and how much memory they need.
///
/// # Errors
/// [`Error::Execution`] for more than a run may take.
pub(crate) fn place(tensors: &[Tensor], steps: &[Step], outputs: &[TensorId]) -> Result<(Vec<usize>, usize), Error> {
    // The first and the last step at which each memory is in use.
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; tensors.len()];
    let mut touch = |id: TensorId, step: usize| {
        let (root, _) = root(tensors, id);
        let life = lives[root].get_or_insert((step, step));
        *life = (life.0.min(step), life.1.max(step));
    };
    for (index, step) in steps.iter().enumerate() {
        touch(step.output, index);
        for &input in &step.inputs {
            touch(input, index);
        }
    }
    for &output in outputs {
        touch(output, steps.len());
    }
    let mut order: Vec<TensorId> =
        (0..tensors.len()).filter(|&id| tensors[id].origin == Origin::Own && lives[id].is_some()).collect();
    order.sort_by_key(|&id| std::cmp::Reverse(tensors[id].size()));
    let mut placed: Vec<(usize, usize, (usize, usize))> = Vec::new();
    let mut starts = vec![0; tensors.len()];
    let mut memory = 0;
    for id in order {
        let Some(life) = lives[id] else { continue };
        let size = tensors[id].size().next_multiple_of(LINE);
        let mut start = 0;
        for &(other_start, other_end, other_life) in &placed {
            let meets = life.0 <= other_life.1 && other_life.0 <= life.1;
            if meets && start < other_end && other_start < start + size {
                start = other_end;
            }
        }
        let at = placed.partition_point(|&(other_start, ..)| other_start < start);
        placed.insert(at, (start, start + size, life));
        starts[id] = start;
        memory = memory.max(start + size);
        if memory > TENSOR_ELEMENTS_MAX {
            return Err(Error::execution("the graph needs more memory than a run may take"));
        }
    }
    for id in 0..tensors.len() {
        let (root_id, offset) = root(tensors, id);
        if root_id != id {
            let is_blocks = tensors[root_id].layout == Layout::Blocks && offset > 0;
            let unit = if is_blocks { tensors[root_id].picture() / tensors[root_id].blocks() } else { 1 };
            starts[id] = starts[root_id] + offset * unit;
        }
    }
    Ok((starts, memory))
}
