//! The shape of a model as OpenAI and open_clip lay it out: its tensors tell, and `open_clip_config.json` where it is there.
//!
//! Source: openai/CLIP, `build_model`; open_clip 2.32, `CLIP`.

use serde::Deserialize;

use super::check_count;
use super::hugging_face::parse;
use super::image_text::{ImageTextConfig, checked, usual_range};
use crate::error::LoadError;
use crate::limits;
use crate::model::clip::{ClipConfig, VisionConfig};
use crate::model::kernel::activations::Activation;
use crate::model::resnet::ResNetConfig;
use crate::model::tower::{Naming, TowerConfig};
use crate::model::vit::VitConfig;
use crate::source::Files;
use crate::weights::safetensors::Safetensors;

const CONFIG: &str = "open_clip_config.json";
/// What is wrong with tensors is said of this file.
const TENSORS: &str = "model.safetensors";

/// The first tensor of every such model.
const FIRST: &str = "visual.conv1.weight";

/// Width of a head where no file says.
const HEAD_DIM: usize = 64;

/// The file, as far as it matters.
#[derive(Deserialize)]
struct Config {
    model_cfg: Model,
    #[serde(default)]
    preprocess_cfg: Preprocess,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    quick_gelu: bool,
    #[serde(default)]
    vision_cfg: Vision,
    #[serde(default)]
    text_cfg: Text,
}

#[derive(Default, Deserialize)]
struct Vision {
    head_width: Option<usize>,
    timm_model_name: Option<String>,
    #[serde(default)]
    attentional_pool: bool,
    #[serde(default)]
    global_average_pool: bool,
}

#[derive(Default, Deserialize)]
struct Text {
    heads: Option<usize>,
    hf_model_name: Option<String>,
    pool_type: Option<String>,
    #[serde(default)]
    no_causal_mask: bool,
    #[serde(default)]
    embed_cls: bool,
}

#[derive(Default, Deserialize)]
struct Preprocess {
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
}

/// Reads the shape of a model without `config.json`; `None` where the folder is another's.
///
/// # Errors
/// [`LoadError`] naming the file.
pub(super) fn describe(files: &Files) -> Result<Option<ImageTextConfig>, LoadError> {
    if !files.has(TENSORS) && !files.has("open_clip_model.safetensors") {
        return Ok(None);
    }
    let store = Safetensors::open(files)?;
    if !store.has(FIRST) {
        return Ok(None);
    }
    let config = files.read_optional(CONFIG)?.map(|json| parse::<Config>(CONFIG, &json)).transpose()?;
    if let Some(config) = &config {
        check_known(&config.model_cfg)?;
    }
    // Without a file the weights are OpenAI's own.
    let is_quick = config.as_ref().is_none_or(|config| config.model_cfg.quick_gelu);
    let model = config.as_ref().map(|config| &config.model_cfg);
    let head_dim = model.and_then(|model| model.vision_cfg.head_width).unwrap_or(HEAD_DIM);
    check_count(CONFIG, "head's width", head_dim, limits::WIDTH_MAX)?;
    let shapes = Shapes { store: &store, activation: if is_quick { Activation::QuickGelu } else { Activation::Gelu } };
    let [vocab, text_width] = shapes.of("token_embedding.weight")?;
    let [context_tokens, _] = shapes.of("positional_embedding")?;
    let [_, dimensions] = shapes.of("text_projection")?;
    let text_heads = model.and_then(|model| model.text_cfg.heads).unwrap_or(text_width / HEAD_DIM);
    let vision = match store.has("visual.layer1.0.conv1.weight") {
        true => VisionConfig::ResNet(shapes.resnet(head_dim)?),
        false => VisionConfig::Vit(shapes.vit(head_dim)?),
    };
    let clip = ClipConfig {
        vision,
        text: shapes.tower("transformer.resblocks", text_width, text_heads, true)?,
        vocab,
        context_tokens,
        dimensions,
        naming: Naming::OpenClip,
    };
    let (mean, deviation) = usual_range();
    let preprocess = config.map(|config| config.preprocess_cfg).unwrap_or_default();
    let (mean, deviation) = (preprocess.mean.unwrap_or(mean), preprocess.std.unwrap_or(deviation));
    checked(files, TENSORS, clip, None, mean, deviation).map(Some)
}

/// Refuses what is not OpenAI's architecture.
fn check_known(model: &Model) -> Result<(), LoadError> {
    let (vision, text) = (&model.vision_cfg, &model.text_cfg);
    let is_own = vision.timm_model_name.is_none()
        && !vision.attentional_pool
        && !vision.global_average_pool
        && text.hf_model_name.is_none()
        && text.pool_type.as_deref().is_none_or(|kind| kind == "argmax")
        && !text.no_causal_mask
        && !text.embed_cls;
    if is_own { Ok(()) } else { Err(LoadError::Unsupported("a model of open_clip unlike OpenAI's".to_owned())) }
}

/// What the tensors tell.
struct Shapes<'a> {
    store: &'a Safetensors,
    activation: Activation,
}

impl Shapes<'_> {
    /// The dimensions of a tensor, each at most the widest layer or longest context.
    fn of<const N: usize>(&self, name: &str) -> Result<[usize; N], LoadError> {
        let shape = self.store.shape(name).ok_or_else(|| LoadError::tensor(name, "absent"))?;
        let shape: [usize; N] = shape
            .try_into()
            .map_err(|_| LoadError::tensor(name, format!("has shape {shape:?}, not {N} dimensions")))?;
        shape.iter().try_for_each(|&size| check_count(TENSORS, name, size, limits::CONTEXT_TOKENS_MAX))?;
        Ok(shape)
    }

    /// How many of these there are, from 0 on.
    fn count(&self, name: impl Fn(usize) -> String) -> usize {
        (0..=limits::LAYERS_MAX).take_while(|&index| self.store.has(&name(index))).count()
    }

    fn tower(&self, place: &str, hidden: usize, heads: usize, is_causal: bool) -> Result<TowerConfig, LoadError> {
        let [intermediate, _] = self.of(&format!("{place}.0.mlp.c_fc.weight"))?;
        Ok(TowerConfig {
            hidden,
            intermediate,
            layers: self.count(|index| format!("{place}.{index}.ln_1.weight")),
            heads,
            norm_epsilon: 1e-5,
            activation: self.activation,
            is_causal,
            has_mix_bias: true,
        })
    }

    fn vit(&self, head_dim: usize) -> Result<VitConfig, LoadError> {
        let [hidden, _, patch, _] = self.of(FIRST)?;
        let [rows, _] = self.of("visual.positional_embedding")?;
        let side = (rows - 1).isqrt().saturating_mul(patch);
        let heads = hidden / head_dim;
        Ok(VitConfig { side, patch, tower: self.tower("visual.transformer.resblocks", hidden, heads, false)? })
    }

    fn resnet(&self, head_dim: usize) -> Result<ResNetConfig, LoadError> {
        let [width, ..] = self.of::<4>("visual.layer1.0.conv1.weight")?;
        let [rows, channels] = self.of("visual.attnpool.positional_embedding")?;
        let blocks: [usize; 4] =
            std::array::from_fn(|layer| self.count(|index| format!("visual.layer{}.{index}.conv1.weight", layer + 1)));
        let heads = channels / head_dim;
        let config = ResNetConfig { blocks, width, grid: (rows - 1).isqrt(), heads };
        check_count(TENSORS, "number of heads", heads, channels)?;
        check_count(TENSORS, "width", width, limits::WIDTH_MAX / 32)?;
        if !width.is_multiple_of(2) || channels != config.channels() || !channels.is_multiple_of(heads) {
            let reason = format!("width {width}, {channels} channels and {heads} heads do not go together");
            return Err(LoadError::malformed(TENSORS, reason));
        }
        blocks.iter().try_for_each(|&count| check_count(TENSORS, "number of blocks", count, limits::LAYERS_MAX))?;
        Ok(config)
    }
}
