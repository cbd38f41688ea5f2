//! Executes plans.

// Steps read and write parts of one block of memory, which the plan keeps apart.
#![allow(unsafe_code)]

use super::kernel::blocks::{Other, Plain, combine, copy, map, to_blocks, to_plain};
use super::kernel::picture::{Source, Target};
use super::kernel::plain;
use super::kernel::tile::{Addend, Epilogue};
use super::kernel::unary::{self, Unary};
use super::kernel::windows::{Window, pool, resize};
use super::memory::root;
use super::plan::{Action, Layout, Origin, Plan, Step, TensorId};
use super::weights::{Form, Kernel};

/// Memory of a run.
#[derive(Debug)]
pub(crate) struct Memory(Vec<Line>);

/// A line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

impl Memory {
    /// Memory for so many numbers.
    pub(crate) fn new(values: usize) -> Self {
        Self(vec![Line([0.0; 16]); values.div_ceil(16)])
    }
}

/// Runs a plan on inputs of the shapes that it was made for, and returns the outputs' numbers.
pub(crate) fn run(plan: &Plan, memory: &mut Memory, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    assert!(memory.0.len() * 16 >= plan.memory, "the memory is as large as the plan asks for");
    let is_written_there =
        |index: usize, output: TensorId| plan.tensors[root(&plan.tensors, output).0].origin == Origin::Output(index);
    let sizes = plan.outputs.iter().enumerate().map(|(index, &output)| {
        if is_written_there(index, output) { vec![0.0; plan.tensors[output].size()] } else { Vec::new() }
    });
    let mut outputs: Vec<Vec<f32>> = sizes.collect();
    let starts = outputs.iter_mut().map(|output| output.as_mut_ptr()).collect();
    let run = Run { plan, memory: memory.0.as_mut_ptr().cast(), inputs, outputs: starts };
    for step in &plan.steps {
        run.step(step);
    }
    let copies =
        plan.outputs.iter().enumerate().map(|(index, &output)| {
            if is_written_there(index, output) { None } else { Some(run.read(output).to_vec()) }
        });
    let copies: Vec<Option<Vec<f32>>> = copies.collect();
    outputs.into_iter().zip(copies).map(|(output, copy)| copy.unwrap_or(output)).collect()
}

/// A run on its way.
struct Run<'a> {
    plan: &'a Plan,
    memory: *mut f32,
    inputs: &'a [Vec<f32>],
    /// The outputs that steps write where they are returned.
    outputs: Vec<*mut f32>,
}

impl Run<'_> {
    /// Where a tensor starts.
    ///
    /// What it points to is there: `memory::place` counts every tensor into the plan's memory, and inputs, outputs and constants have
    /// the size of their tensors.
    fn start(&self, id: TensorId) -> *mut f32 {
        let (root, _) = root(&self.plan.tensors, id);
        let base = match self.plan.tensors[root].origin {
            Origin::Input(index) => self.inputs[index].as_ptr().cast_mut(),
            Origin::Constant(index) => self.plan.constants[index].as_ptr().cast_mut(),
            Origin::Output(index) => self.outputs[index],
            Origin::Own | Origin::Part(..) => self.memory,
        };
        // SAFETY: the start is inside, as said above.
        unsafe { base.add(self.plan.starts[id]) }
    }

    /// A tensor in row-major order.
    fn read(&self, id: TensorId) -> &[f32] {
        // SAFETY: the numbers are there, and nobody writes them while the step is on that asks for them: `memory::place` keeps tensors that
        // are in use in one step apart.
        unsafe { std::slice::from_raw_parts(self.start(id), self.plan.tensors[id].size()) }
    }

    /// The output of a step in row-major order.
    #[allow(clippy::mut_from_ref)]
    fn write(&self, id: TensorId) -> &mut [f32] {
        // SAFETY: as for `read`; a step asks once for its one output.
        unsafe { std::slice::from_raw_parts_mut(self.start(id), self.plan.tensors[id].size()) }
    }

    /// Pictures in blocks, or input pictures as they are.
    fn source(&self, id: TensorId) -> Source {
        let tensor = &self.plan.tensors[id];
        let batch_stride = match tensor.layout {
            Layout::Plain => tensor.shape[1..].iter().product(),
            Layout::Blocks => self.plan.tensors[root(&self.plan.tensors, id).0].picture(),
        };
        Source { data: self.start(id), batch_stride, height: tensor.shape[2], width: tensor.shape[3] }
    }

    fn target(&self, id: TensorId) -> Target {
        let Source { data, batch_stride, height, width } = self.source(id);
        Target { data: data.cast_mut(), batch_stride, height, width }
    }

    fn step(&self, step: &Step) {
        let Step { action, inputs, output } = step;
        let (input, output) = (inputs[0], *output);
        let tensor = &self.plan.tensors[output];
        let is_blocked = tensor.layout == Layout::Blocks;
        let (batch, blocks) = if is_blocked { (tensor.shape[0], tensor.blocks()) } else { (0, 0) };
        // SAFETY of the calls below: shapes and places are the plan's, which made them for each other; `memory::place` keeps a step's
        // tensors apart, but for parts of one join, whose blocks of channels do not meet.
        match action {
            Action::Convolve { kernel, window, function, is_before_function } => {
                let addend = inputs.get(1).map(|&addend| self.source(addend));
                let (data, addend_stride) = addend.map_or((None, 0), |addend| (Some(addend.data), addend.batch_stride));
                let addend = match data {
                    None => Addend::None,
                    Some(data) if *is_before_function => Addend::BeforeFunction(data),
                    Some(data) => Addend::AfterFunction(data),
                };
                let epilogue = Epilogue { function: *function, addend, addend_stride };
                unsafe { self.convolve(kernel, window, input, output, epilogue) }
            }
            Action::Pool { window, kind } => unsafe {
                pool(batch, blocks, self.source(input), self.target(output), *window, *kind);
            },
            Action::Resize { rows, columns } => unsafe {
                resize(batch, blocks, self.source(input), self.target(output), rows, columns);
            },
            Action::Map(function) => unsafe {
                map(batch, blocks, self.source(input), self.target(output), *function);
            },
            Action::Combine(operation) => {
                let other = self.source(inputs[1]);
                let is_pixel = self.plan.tensors[inputs[1]].shape != tensor.shape;
                let other = if is_pixel { Other::Channels(other) } else { Other::Picture(other) };
                unsafe { combine(batch, blocks, self.source(input), other, self.target(output), *operation) }
            }
            Action::Join(starts) => {
                for (&input, &start) in inputs.iter().zip(starts) {
                    let mut target = self.target(output);
                    // SAFETY: the join has these blocks.
                    target.data = unsafe { target.data.add(start * target.block_stride()) };
                    let source = self.source(input);
                    if source.data != target.data.cast_const() {
                        unsafe { copy(batch, self.plan.tensors[input].blocks(), source, target) }
                    }
                }
            }
            Action::ToBlocks => {
                let pixels = tensor.shape[2] * tensor.shape[3];
                let from =
                    Plain { data: self.start(input), batch_stride: tensor.shape[1] * pixels, row_stride: pixels };
                unsafe { to_blocks(batch, tensor.shape[1], from, self.target(output)) }
            }
            Action::ToPlain { start, row_stride } => {
                let from = &self.plan.tensors[input].shape;
                let row_stride = row_stride.unwrap_or(from[2] * from[3]);
                // SAFETY: the rows lie in the output.
                let data = unsafe { self.start(output).add(*start) };
                let to = Plain { data, batch_stride: from[1] * row_stride, row_stride };
                unsafe { to_plain(from[0], from[1], self.source(input), to) }
            }
            _ => self.plain_step(step),
        }
    }

    /// A step on tensors in row-major order.
    fn plain_step(&self, step: &Step) {
        let Step { action, inputs, output } = step;
        let shape = &self.plan.tensors[*output].shape;
        if let Action::JoinPlain { outer, total, parts } = action {
            return self.join_rows(step, *outer, *total, parts);
        }
        let from = self.read(inputs[0]);
        let to = self.write(*output);
        match action {
            Action::MapPlain(function) => map_plain(*function, from, to),
            Action::CombinePlain { operation, strides: [a, b] } => {
                let operation = *operation;
                plain::combine([from, self.read(inputs[1])], [a, b], shape, to, |a, b| operation.of(a, b));
            }
            Action::CopyStrided { start, strides } => plain::copy_strided(from, *start, strides, shape, to),
            Action::Gather { outer, size, inner, rows } => {
                let starts = (0..*outer).flat_map(|outer| rows.iter().map(move |row| (outer * size + row) * inner));
                for (to, start) in to.chunks_exact_mut((*inner).max(1)).zip(starts) {
                    to.copy_from_slice(&from[start..start + inner]);
                }
            }
            Action::Pad { start, strides, value } => {
                to.fill(*value);
                plain::copy_into(from, &self.plan.tensors[inputs[0]].shape, *start, strides, to);
            }
            Action::Softmax { length, inner } => plain::softmax(from, *length, *inner, to),
            Action::Reduce { reduction, strides } => {
                plain::reduce(from, &self.plan.tensors[inputs[0]].shape, strides, to, *reduction);
            }
            Action::MatMul { sizes, starts, b_strides } => {
                let size = (sizes[0] * sizes[2]).max(1);
                let b = self.read(inputs[1]);
                for (to, start) in to.chunks_exact_mut(size).zip(starts) {
                    plain::matmul(&from[start[0]..], &b[start[1]..], *b_strides, *sizes, to);
                }
            }
            _ => unreachable!("the other actions are on blocks"),
        }
    }

    /// Copies the rows that do not lie in the output yet.
    fn join_rows(&self, step: &Step, outer: usize, total: usize, parts: &[Option<[usize; 2]>]) {
        let to = self.start(step.output);
        for (&input, part) in step.inputs.iter().zip(parts) {
            let Some([start, length]) = *part else { continue };
            let from = self.start(input).cast_const();
            for row in 0..outer {
                // SAFETY: rows of the input and the output; where they are not the same memory, `memory::place` keeps them apart.
                unsafe {
                    let (from, to) = (from.add(row * length), to.add(row * total + start));
                    if from != to.cast_const() {
                        from.copy_to_nonoverlapping(to, length);
                    }
                }
            }
        }
    }

    /// # Safety
    /// As [`Direct::run`](super::kernel::direct::Direct::run).
    unsafe fn convolve(&self, kernel: &Kernel, window: &Window, input: TensorId, output: TensorId, epilogue: Epilogue) {
        let (source, target) = (self.source(input), self.target(output));
        let batch = self.plan.tensors[output].shape[0];
        let grid = [target.height, target.width];
        // SAFETY: as the caller promises.
        unsafe {
            match &kernel.form {
                Form::Winograd(winograd) => {
                    winograd.run(batch, source, target, window.padding, epilogue);
                }
                Form::Direct { direct, .. } => {
                    direct.run(batch, source, target, grid, window.padding, epilogue);
                }
                Form::Depthwise(depthwise) => {
                    depthwise.run(batch, source, target, window.padding, epilogue);
                }
                Form::Phases(phases) => {
                    for phase in phases {
                        let count =
                            |axis: usize| grid[axis].saturating_sub(phase.start[axis]).div_ceil(window.stride[axis]);
                        let grid = [count(0), count(1)];
                        if grid[0] > 0 && grid[1] > 0 {
                            phase.direct.run(batch, source, target, grid, [0, 0], epilogue);
                        }
                    }
                }
            }
        }
    }
}

/// Puts each number through a function.
fn map_plain(function: Unary, from: &[f32], to: &mut [f32]) {
    use rayon::prelude::*;
    /// Numbers worth a task of their own.
    const PART: usize = 1 << 16;
    to.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(to, from)| {
        to.copy_from_slice(from);
        unary::map(function, to);
    });
}
