//! A network that takes pictures: one input of floats, `[batch, …]`, any number of outputs.

use mimus_onnx::{Data, Dimension, Graph, Kind, Tensor};

use crate::error::{LoadError, VisionError};
use crate::source::Source;

/// A shape, and the numbers of it.
pub(crate) type Part = (Vec<usize>, Vec<f32>);

/// Most pictures that a network takes at once when it takes any number.
const BATCH_MAX: usize = 32;

/// A loaded network.
pub(crate) struct Network {
    graph: Graph,
    file: String,
    input: String,
    /// Of one picture.
    shape: [usize; 3],
    /// Pictures of each run; none where any number will do.
    batch: Option<usize>,
}

impl Network {
    /// Reads and loads a file. `shape` is that of one picture, without the batch.
    ///
    /// # Errors
    /// Those of the file; [`LoadError::Invalid`] when its input is another one.
    pub(crate) fn load(source: &Source, file: &str, shape: [usize; 3]) -> Result<Self, LoadError> {
        let graph =
            Graph::load(&source.read_weights(file)?).map_err(|error| LoadError::invalid(file, error.to_string()))?;
        Self::of(graph, file, shape)
    }

    /// A graph that is loaded.
    pub(crate) fn of(graph: Graph, file: &str, shape: [usize; 3]) -> Result<Self, LoadError> {
        let [port] = graph.inputs() else {
            let count = graph.inputs().len();
            return Err(LoadError::invalid(file, format!("it has {count} inputs; one of pictures is expected")));
        };
        let fits = |(declared, wanted): (&Dimension, &usize)| match declared {
            Dimension::Fixed(size) => size == wanted,
            Dimension::Symbolic(_) => true,
        };
        let is_fitting = port.shape.len() == 4 && port.shape[1..].iter().zip(&shape).all(fits);
        if port.kind != Kind::F32 || !is_fitting {
            let declared: Vec<String> = port.shape.iter().map(ToString::to_string).collect();
            let reason = format!(
                "its input is {} [{}]; f32 [batch, {}, {}, {}] is expected, as the configuration says",
                port.kind,
                declared.join(", "),
                shape[0],
                shape[1],
                shape[2]
            );
            return Err(LoadError::invalid(file, reason));
        }
        let batch = match port.shape[0] {
            Dimension::Fixed(batch @ 1..=BATCH_MAX) => Some(batch),
            Dimension::Fixed(batch) => {
                return Err(LoadError::invalid(
                    file,
                    format!("it takes {batch} pictures at once; 1 to {BATCH_MAX} are run"),
                ));
            }
            Dimension::Symbolic(_) => None,
        };
        let input = port.name.clone();
        Ok(Self { graph, file: file.to_owned(), input, shape, batch })
    }

    /// The file's name, for messages.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Numbers in the weights and their bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        (self.graph.parameters(), self.graph.weight_bytes())
    }

    /// Pictures that are best given at once.
    pub(crate) fn batch(&self) -> usize {
        self.batch.unwrap_or(BATCH_MAX)
    }

    /// Runs at most [`Self::batch`] pictures: `[count, …shape]`.
    ///
    /// Each output is a shape without the batch and `count` times as many numbers.
    ///
    /// # Errors
    /// [`VisionError::Failed`].
    pub(crate) fn run(&self, count: usize, mut pictures: Vec<f32>) -> Result<Vec<Part>, VisionError> {
        let failed = |reason: String| VisionError::Failed(format!("{}: {reason}", self.file));
        let batch = self.batch.unwrap_or(count);
        let each: usize = self.shape.iter().product();
        if count == 0 || count > batch || pictures.len() != count * each {
            return Err(failed(format!("{} numbers for {count} pictures", pictures.len())));
        }
        pictures.resize(batch * each, 0.0);
        let shape = [[batch].as_slice(), &self.shape].concat();
        let tensor = Tensor { shape, data: Data::F32(pictures) };
        let outputs = self.graph.run(vec![(&self.input, tensor)]).map_err(|error| failed(error.to_string()))?;
        let outputs = outputs.into_iter().map(|output| {
            let Data::F32(mut values) = output.data else {
                return Err(failed("an output holds no floats".to_owned()));
            };
            let elements: usize = output.shape.iter().product();
            if output.shape.first() != Some(&batch) || elements != values.len() {
                return Err(failed(format!("an output of shape {:?} for {batch} pictures", output.shape)));
            }
            values.truncate(elements / batch * count);
            Ok((output.shape[1..].to_vec(), values))
        });
        outputs.collect()
    }
}
