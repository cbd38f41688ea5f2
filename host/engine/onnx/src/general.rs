//! Executes any graph, through rten: transformers, recurrent networks, control flow.
//!
//! rten knows 32-bit floats, 32-bit integers and bytes. What the file declares as 64-bit integers or truth values goes in and comes out as
//! 32-bit integers and is converted here.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use rten::{LoadErrorKind, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::Layout;

use crate::error::Error;
use crate::tensor::{Data, Kind, Port, Tensor};

/// A graph that rten executes.
pub(crate) struct General {
    model: Model,
    inputs: Vec<NodeId>,
    outputs: Vec<NodeId>,
}

impl fmt::Debug for General {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("General").field("model", &self.model).finish_non_exhaustive()
    }
}

impl General {
    /// Loads a graph. The bytes have passed [`file::read`](crate::file::read).
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an operator that rten does not have, [`Error::Malformed`] for what else it refuses.
    pub(crate) fn load(bytes: &[u8], inputs: &[Port], outputs: &[Port]) -> Result<Self, Error> {
        let model = guarded(|| ModelOptions::with_all_ops().prepack_weights(true).load(bytes.to_vec()))?;
        let model = model.map_err(|error| match error.kind() {
            LoadErrorKind::OperatorInvalid => Error::Unsupported {
                operator: error.node().unwrap_or("without a name").to_owned(),
                reason: error.to_string(),
            },
            _ => Error::malformed(error),
        })?;
        let find = |port: &Port| model.node_id(&port.name).map_err(Error::malformed);
        let inputs = inputs.iter().map(find).collect::<Result<_, _>>()?;
        let outputs = outputs.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self { model, inputs, outputs })
    }

    /// Runs the graph; `inputs` are in the order of the ports and fit them.
    pub(crate) fn run(&self, inputs: Vec<Tensor>, outputs: &[Port]) -> Result<Vec<Tensor>, Error> {
        let values =
            self.inputs.iter().zip(inputs).map(|(&id, tensor)| Ok((id, ValueOrView::Value(to_value(tensor)?))));
        let values = values.collect::<Result<Vec<_>, Error>>()?;
        let mut options = RunOptions::default();
        options.thread_pool = Some(threads());
        let values = guarded(|| self.model.run(values, &self.outputs, Some(options)))?.map_err(Error::execution)?;
        values.into_iter().zip(outputs).map(|(value, port)| from_value(value, port)).collect()
    }
}

/// The threads that rten uses: as many as the pool of the first caller has.
fn threads() -> Arc<ThreadPool> {
    static THREADS: OnceLock<Arc<ThreadPool>> = OnceLock::new();
    THREADS.get_or_init(|| Arc::new(ThreadPool::with_num_threads(rayon::current_num_threads()))).clone()
}

/// Runs `work`; a panic in it becomes an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Error::execution(format!("the executor gave up: {}", text.unwrap_or("without a reason")))
    })
}

/// A tensor as rten takes it.
fn to_value(tensor: Tensor) -> Result<Value, Error> {
    let Tensor { shape, data } = tensor;
    match data {
        Data::F32(values) => Value::from_shape(&shape, values).map_err(Error::execution),
        Data::I32(values) => Value::from_shape(&shape, values).map_err(Error::execution),
        Data::I8(values) => Value::from_shape(&shape, values).map_err(Error::execution),
        Data::U8(values) => Value::from_shape(&shape, values).map_err(Error::execution),
        // Numbers past 32 bits stand for "to the end" in what files do with them.
        Data::I64(values) => {
            let values: Vec<i32> =
                values.into_iter().map(|value| value.clamp(i32::MIN.into(), i32::MAX.into()) as i32).collect();
            Value::from_shape(&shape, values).map_err(Error::execution)
        }
        Data::Bool(values) => {
            let values: Vec<i32> = values.into_iter().map(i32::from).collect();
            Value::from_shape(&shape, values).map_err(Error::execution)
        }
    }
}

/// A value of rten as its port declares it.
fn from_value(value: Value, port: &Port) -> Result<Tensor, Error> {
    let (shape, data) = match value {
        Value::FloatTensor(tensor) => (tensor.shape().to_vec(), Data::F32(tensor.into_data())),
        Value::Int8Tensor(tensor) => (tensor.shape().to_vec(), Data::I8(tensor.into_data())),
        Value::UInt8Tensor(tensor) => (tensor.shape().to_vec(), Data::U8(tensor.into_data())),
        Value::Int32Tensor(tensor) => {
            let shape = tensor.shape().to_vec();
            let values = tensor.into_data();
            let data = match port.kind {
                Kind::I64 => Data::I64(values.into_iter().map(i64::from).collect()),
                Kind::Bool => Data::Bool(values.into_iter().map(|value| value != 0).collect()),
                _ => Data::I32(values),
            };
            (shape, data)
        }
        _ => return Err(Error::execution(format!("the output {:?} is no tensor", port.name))),
    };
    Ok(Tensor { shape, data })
}
