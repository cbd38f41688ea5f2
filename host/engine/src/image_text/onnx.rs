//! A pair of ONNX graphs: one for pictures and one for texts.
//!
//! Pictures go in as `[batch, 3, height, width]` of normalised numbers, texts as `[batch, context]` of token ids, filled up
//! with zeros. The first output of each is `[batch, dimensions]`.

use mimus_onnx::{Data, Dimension, Error, FILE_BYTES_MAX, Graph, Kind, Port, Tensor};
use mimus_vision::Image;

use crate::error::{EngineError, LoadError};
use crate::limits;
use crate::pictures::Normalisation;
use crate::source::Files;

/// The files' names.
const VISUAL: &str = "visual.onnx";
/// See [`VISUAL`].
const TEXTUAL: &str = "textual.onnx";

/// Width and height of pictures where the graph takes any, in pixels.
const SIDE: usize = 224;
/// Tokens of a text where the graph takes any number.
const CONTEXT_TOKENS: usize = 77;
/// Most tokens of a text that a graph may want.
const CONTEXT_TOKENS_MAX: usize = 4_096;

/// Inputs that go through a graph together where it takes any number.
const BATCH: usize = 8;

/// Both graphs.
pub(crate) struct OnnxPair {
    visual: Graph,
    textual: Graph,
    /// Width and height of pictures in pixels.
    pub(crate) side: usize,
    /// Tokens of the longest text.
    pub(crate) context_tokens: usize,
}

impl OnnxPair {
    /// Whether a folder holds such a pair, and no other weights.
    pub(crate) fn is_there(files: &Files) -> bool {
        files.has(VISUAL) && files.has(TEXTUAL) && !files.has("model.safetensors")
    }

    /// Reads both graphs.
    ///
    /// # Errors
    /// [`LoadError`] naming the file.
    pub(crate) fn load(files: &Files) -> Result<Self, LoadError> {
        let (visual, textual) = (graph(files, VISUAL)?, graph(files, TEXTUAL)?);
        let picture = input(&visual, VISUAL, 4)?;
        let text = input(&textual, TEXTUAL, 2)?;
        let [_, channels, height, width] = [0, 1, 2, 3].map(|index| fixed(picture, index));
        let side = width.unwrap_or(SIDE);
        let is_square = height.unwrap_or(SIDE) == side && (1..=limits::IMAGE_SIDE_MAX).contains(&side);
        if picture.kind != Kind::F32 || channels.is_some_and(|channels| channels != 3) || !is_square {
            return Err(LoadError::malformed(VISUAL, "it takes no pictures of three colours and equal sides"));
        }
        let context_tokens = fixed(text, 1).unwrap_or(CONTEXT_TOKENS);
        let is_token = matches!(text.kind, Kind::I32 | Kind::I64);
        if !is_token || !(3..=CONTEXT_TOKENS_MAX).contains(&context_tokens) {
            return Err(LoadError::malformed(TEXTUAL, "it takes no token ids"));
        }
        Ok(Self { visual, textual, side, context_tokens })
    }

    /// Numbers in the weights, and bytes they take in the files.
    pub(crate) fn size(&self) -> (u64, u64) {
        let (visual, textual) = (&self.visual, &self.textual);
        (visual.parameters() + textual.parameters(), visual.weight_bytes() + textual.weight_bytes())
    }

    /// Rows of a picture, as far as they can be estimated: patches of 16 pixels.
    pub(super) fn picture_rows(&self) -> usize {
        (self.side / 16).pow(2) + 1
    }

    /// Numbers of a vector: what comes of a text without words.
    ///
    /// # Errors
    /// [`LoadError`] when a graph fails, or the vectors of both have different lengths.
    pub(crate) fn dimensions(&self, normalisation: &Normalisation) -> Result<usize, LoadError> {
        let black = Image::new(self.side as u32, self.side as u32, vec![0; self.side * self.side * 3]);
        let black = black.ok_or_else(|| LoadError::malformed(VISUAL, "it takes no pictures"))?;
        let length = |file: &str, vectors: Result<Vec<Vec<f32>>, EngineError>| match vectors {
            Ok(vectors) => Ok(vectors.first().map_or(0, Vec::len)),
            Err(error) => Err(LoadError::malformed(file, error)),
        };
        let picture = length(VISUAL, self.pictures(&[&black], normalisation))?;
        let text = length(TEXTUAL, self.texts(&[&[1]]))?;
        if picture != text || picture == 0 {
            return Err(LoadError::malformed(TEXTUAL, format!("its vectors have {text} numbers, pictures' {picture}")));
        }
        Ok(picture)
    }

    /// The vectors of pictures, in their order.
    ///
    /// * `images`: of the width and height that the graph takes.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the graph fails.
    pub(super) fn pictures(
        &self,
        images: &[&Image],
        normalisation: &Normalisation,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let shape = [3, self.side, self.side];
        batches(&self.visual, images, &shape, |images, room| {
            let mut numbers = Vec::with_capacity(room);
            for image in images {
                for (channel, values) in normalisation.0.iter().enumerate() {
                    let bytes = image.pixels()[channel..].iter().step_by(3);
                    numbers.extend(bytes.map(|&byte| values[byte as usize]));
                }
            }
            numbers.resize(room, 0.0);
            Data::F32(numbers)
        })
    }

    /// The vectors of texts, in their order.
    ///
    /// * `texts`: token ids, each text's at most [`Self::context_tokens`].
    ///
    /// # Errors
    /// [`EngineError::Failed`] when the graph fails.
    pub(super) fn texts(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, EngineError> {
        let context = self.context_tokens;
        let is_wide = self.textual.inputs().first().is_some_and(|port| port.kind == Kind::I64);
        batches(&self.textual, texts, &[context], |texts, room| {
            let mut ids = vec![0; room];
            for (row, text) in ids.chunks_exact_mut(context).zip(texts) {
                row[..text.len()].copy_from_slice(text);
            }
            if is_wide {
                Data::I64(ids.into_iter().map(i64::from).collect())
            } else {
                Data::I32(ids.into_iter().map(|id| id.cast_signed()).collect())
            }
        })
    }
}

/// Puts inputs through a graph, as many at once as it takes.
///
/// * `shape`: of one input.
/// * `data`: the numbers of some inputs, filled up to so many.
fn batches<T>(
    graph: &Graph,
    inputs: &[T],
    shape: &[usize],
    data: impl Fn(&[T], usize) -> Data,
) -> Result<Vec<Vec<f32>>, EngineError> {
    let port = graph.inputs().first().ok_or_else(|| EngineError::Failed("the graph has no input".to_owned()))?;
    let fixed = fixed(port, 0);
    let mut vectors = Vec::with_capacity(inputs.len());
    for inputs in inputs.chunks(fixed.unwrap_or(BATCH).max(1)) {
        let rows = fixed.unwrap_or(inputs.len());
        match batch(graph, port, rows, inputs.len(), shape, data(inputs, rows * shape.iter().product::<usize>())) {
            Ok(found) => vectors.extend(found),
            // Some exports declare a free batch and have a single one built in.
            Err(_) if fixed.is_none() && inputs.len() > 1 => {
                for input in inputs.chunks(1) {
                    vectors.extend(batch(graph, port, 1, 1, shape, data(input, shape.iter().product()))?);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(vectors)
}

/// Puts one batch of `rows` through a graph and gives the first `wanted` vectors.
fn batch(
    graph: &Graph,
    port: &Port,
    rows: usize,
    wanted: usize,
    shape: &[usize],
    data: Data,
) -> Result<Vec<Vec<f32>>, EngineError> {
    let shape = [&[rows], shape].concat();
    let outputs = graph.run(vec![(&port.name, Tensor { shape, data })]);
    let outputs = outputs.map_err(|error| EngineError::Failed(error.to_string()))?;
    match outputs.into_iter().next() {
        Some(Tensor { shape, data: Data::F32(numbers) }) if shape.len() == 2 && shape[0] == rows => {
            let width = shape[1].max(1);
            Ok(numbers.chunks_exact(width).take(wanted).map(<[f32]>::to_vec).collect())
        }
        _ => Err(EngineError::Failed("the graph gives no vectors".to_owned())),
    }
}

/// Reads a graph.
fn graph(files: &Files, name: &str) -> Result<Graph, LoadError> {
    let file = files.open(name)?;
    if file.bytes > FILE_BYTES_MAX as u64 {
        return Err(LoadError::malformed(name, format!("{} bytes pass {FILE_BYTES_MAX}", file.bytes)));
    }
    Graph::load(&file.read_at(0, file.bytes)?).map_err(|error| match error {
        Error::Unsupported { operator, reason } => {
            LoadError::Unsupported(format!("operator {operator} of {name}: {reason}"))
        }
        other => LoadError::malformed(name, other),
    })
}

/// The only input of a graph, of so many dimensions.
fn input<'a>(graph: &'a Graph, file: &str, rank: usize) -> Result<&'a Port, LoadError> {
    // Room for a whole batch is taken for each run.
    let is_batch = |count| (1..=limits::IMAGES_MAX).contains(&count);
    match graph.inputs() {
        [port] if port.shape.len() == rank && fixed(port, 0).is_none_or(is_batch) => Ok(port),
        _ => Err(LoadError::malformed(file, format!("it must take one input of {rank} dimensions"))),
    }
}

/// A dimension that is always the same.
fn fixed(port: &Port, index: usize) -> Option<usize> {
    match port.shape.get(index) {
        Some(Dimension::Fixed(size)) => Some(*size),
        _ => None,
    }
}
