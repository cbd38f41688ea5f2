//! The graph as callers hold it.

use std::collections::HashSet;

use crate::convolution::Convolution;
use crate::error::Error;
use crate::file;
use crate::general::{General, guarded};
use crate::tensor::{Port, Tensor};

/// A loaded graph. Immutable; runs may overlap.
///
/// ```no_run
/// use mimus_onnx::{Data, Graph, Tensor};
///
/// let graph = Graph::load(&std::fs::read("yolov8n.onnx")?)?;
/// let picture = Tensor { shape: vec![1, 3, 640, 640], data: Data::F32(vec![0.5; 3 * 640 * 640]) };
/// let outputs = graph.run(vec![(&graph.inputs()[0].name, picture)])?;
/// assert_eq!(outputs.len(), graph.outputs().len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Graph {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    metadata: Vec<(String, String)>,
    parameters: u64,
    weight_bytes: u64,
    executor: Executor,
}

/// What executes a graph.
#[derive(Debug)]
enum Executor {
    /// Convolutional networks.
    Convolution(Convolution),
    /// Every graph whose operators rten has.
    General(Box<General>),
}

impl Graph {
    /// Loads a graph from the bytes of an ONNX file.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a file that cannot be read, [`Error::Unsupported`] for one with an operator that is not known here.
    pub fn load(bytes: &[u8]) -> Result<Self, Error> {
        let mut model = file::read(bytes)?;
        let notes = std::mem::take(&mut model.metadata_props);
        let metadata = notes.into_iter().map(|note| (note.key, note.value)).collect();
        let graph = model.graph.as_ref().ok_or_else(|| Error::malformed("it holds no graph"))?;
        let inputs = file::inputs(graph)?;
        let outputs = file::outputs(graph)?;
        let (parameters, weight_bytes) = file::weights(graph);
        let executor = match guarded(|| Convolution::load(&model, graph, &inputs, &outputs)).flatten() {
            Ok(convolution) => Executor::Convolution(convolution),
            Err(error @ Error::Malformed(_)) => return Err(error),
            Err(_) => Executor::General(Box::new(General::load(bytes, &inputs, &outputs)?)),
        };
        Ok(Self { inputs, outputs, metadata, parameters, weight_bytes, executor })
    }

    /// What a run must give.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What a run returns.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// What the file says about itself, in its order: names of classes, say.
    pub fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    /// Number of weights in the file: floating-point values that no run changes.
    pub fn parameters(&self) -> u64 {
        self.parameters
    }

    /// Size of the weights in the file, in bytes.
    pub fn weight_bytes(&self) -> u64 {
        self.weight_bytes
    }

    /// Name of what executes the graph: `convolution` for our own kernels, `rten` for the others.
    pub fn executor(&self) -> &'static str {
        match &self.executor {
            Executor::Convolution(_) => "convolution",
            Executor::General(_) => "rten",
        }
    }

    /// Runs the graph on one tensor for each of [`inputs`](Self::inputs), in any order, and returns the [`outputs`](Self::outputs).
    ///
    /// Blocks until it is done; uses the threads of the rayon pool it is called in.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::InputShape`] or [`Error::InputKind`] for inputs that are not as declared; [`Error::Execution`] where a
    /// node fails.
    pub fn run(&self, inputs: Vec<(&str, Tensor)>) -> Result<Vec<Tensor>, Error> {
        let inputs = self.check(inputs)?;
        match &self.executor {
            Executor::Convolution(convolution) => guarded(|| convolution.run(inputs))?,
            Executor::General(general) => general.run(inputs, &self.outputs),
        }
    }

    /// Puts the inputs into the order of the ports.
    fn check(&self, inputs: Vec<(&str, Tensor)>) -> Result<Vec<Tensor>, Error> {
        let mut slots: Vec<Option<Tensor>> = self.inputs.iter().map(|_| None).collect();
        let mut names = HashSet::new();
        for (name, tensor) in inputs {
            let Some(index) = self.inputs.iter().position(|port| port.name == name) else {
                let known: Vec<&str> = self.inputs.iter().map(|port| port.name.as_str()).collect();
                return Err(Error::input(name, format!("the graph has no such input; it has {}", known.join(", "))));
            };
            if !names.insert(name) {
                return Err(Error::input(name, "given twice"));
            }
            check_tensor(&self.inputs[index], &tensor)?;
            slots[index] = Some(tensor);
        }
        let filled = slots.into_iter().zip(&self.inputs);
        filled.map(|(slot, port)| slot.ok_or_else(|| Error::input(&port.name, "not given"))).collect()
    }
}

/// Checks one input against its port.
fn check_tensor(port: &Port, tensor: &Tensor) -> Result<(), Error> {
    let given = tensor.data.kind();
    if given != port.kind {
        return Err(Error::InputKind { name: port.name.clone(), expected: port.kind, given });
    }
    if !port.takes(&tensor.shape) {
        return Err(Error::InputShape {
            name: port.name.clone(),
            expected: port.describe_shape(),
            given: tensor.shape.clone(),
        });
    }
    let elements = tensor.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    if elements != Some(tensor.data.len()) {
        let reason = format!("{} elements do not fill the shape {:?}", tensor.data.len(), tensor.shape);
        return Err(Error::input(&port.name, reason));
    }
    Ok(())
}

/// Threads share a graph.
const fn is_shared<T: Send + Sync>() {}
const _: () = is_shared::<Graph>();

#[cfg(test)]
mod tests;
