//! The shape of a model of pictures and texts, from `config.json` or from its tensors.

use mimus_vision::antialias::Filter;
use serde::Deserialize;

use super::hugging_face::{CONFIG, parse};
use super::{activation, check_count, is_positive, open_clip, pictures};
use crate::architecture::CLIP;
use crate::error::LoadError;
use crate::limits;
use crate::model::clip::{ClipConfig, VisionConfig};
use crate::model::tower::{Naming, TowerConfig};
use crate::model::vit::VitConfig;
use crate::pictures::{Fit, Preparation};
use crate::source::Files;

/// What OpenAI trained with.
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const DEVIATION: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// What the files say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImageTextConfig {
    pub(crate) clip: ClipConfig,
    pub(crate) preparation: Preparation,
    /// The token whose first place gives a text's vector; `None`: the one of the highest id.
    pub(crate) end: Option<u32>,
}

/// `config.json`, as far as it matters. What is missing is as in the model's first version.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    text_config: Tower,
    #[serde(default)]
    vision_config: Tower,
    projection_dim: Option<usize>,
}

/// One of its towers.
#[derive(Default, Deserialize)]
struct Tower {
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    hidden_act: Option<String>,
    layer_norm_eps: Option<f32>,
    vocab_size: Option<usize>,
    max_position_embeddings: Option<usize>,
    eos_token_id: Option<u32>,
    image_size: Option<usize>,
    patch_size: Option<usize>,
    num_channels: Option<usize>,
}

/// What tells a model of this kind from others.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    model_type: String,
}

/// Reads the shape of a model of pictures and texts; `None` where the folder is another's.
///
/// # Errors
/// [`LoadError`] naming the file.
pub(crate) fn describe(files: &Files) -> Result<Option<ImageTextConfig>, LoadError> {
    let Some(json) = files.read_optional(CONFIG)? else { return open_clip::describe(files) };
    if parse::<Kind>(CONFIG, &json)?.model_type != CLIP {
        return Ok(None);
    }
    let config: Config = parse(CONFIG, &json)?;
    let (text, vision) = (&config.text_config, &config.vision_config);
    if vision.num_channels.is_some_and(|channels| channels != 3) {
        return Err(LoadError::Unsupported("pictures of other than three colours".to_owned()));
    }
    let clip = ClipConfig {
        vision: VisionConfig::Vit(VitConfig {
            side: vision.image_size.unwrap_or(224),
            patch: vision.patch_size.unwrap_or(32),
            tower: vision.shape([768, 3_072, 12, 12], false)?,
        }),
        text: text.shape([512, 2_048, 12, 8], true)?,
        vocab: text.vocab_size.unwrap_or(49_408),
        context_tokens: text.max_position_embeddings.unwrap_or(77),
        dimensions: config.projection_dim.unwrap_or(512),
        naming: Naming::Clip,
    };
    // Files from before the token's id was right have 2, and the highest id is the end.
    let end = Some(text.eos_token_id.unwrap_or(49_407)).filter(|&end| end != 2);
    checked(files, CONFIG, clip, end, MEAN, DEVIATION).map(Some)
}

impl Tower {
    /// The shape of its layers.
    ///
    /// * `usual`: hidden size, intermediate size, layers and heads where the file does not say.
    fn shape(&self, usual: [usize; 4], is_causal: bool) -> Result<TowerConfig, LoadError> {
        Ok(TowerConfig {
            hidden: self.hidden_size.unwrap_or(usual[0]),
            intermediate: self.intermediate_size.unwrap_or(usual[1]),
            layers: self.num_hidden_layers.unwrap_or(usual[2]),
            heads: self.num_attention_heads.unwrap_or(usual[3]),
            norm_epsilon: self.layer_norm_eps.unwrap_or(1e-5),
            activation: activation(self.hidden_act.as_deref().unwrap_or("quick_gelu"))?,
            is_causal,
            has_mix_bias: true,
        })
    }
}

/// Checks a shape as a whole and adds what happens to pictures.
///
/// * `file`: where the shape came from, for messages.
/// * `mean`, `deviation`: of each channel, where no other file says.
pub(super) fn checked(
    files: &Files,
    file: &str,
    clip: ClipConfig,
    end: Option<u32>,
    mean: [f32; 3],
    deviation: [f32; 3],
) -> Result<ImageTextConfig, LoadError> {
    if let VisionConfig::Vit(vision) = &clip.vision {
        check_vit(file, vision)?;
    }
    check_tower(file, &clip.text)?;
    check_count(file, "picture's side", clip.vision.side(), limits::IMAGE_SIDE_MAX)?;
    check_count(file, "vocabulary", clip.vocab, limits::VOCAB_MAX)?;
    check_count(file, "number of positions", clip.context_tokens, limits::CONTEXT_TOKENS_MAX)?;
    check_count(file, "projection's size", clip.dimensions, limits::WIDTH_MAX)?;
    let side = clip.vision.side() as u32;
    let preparation = pictures::describe(files, side, usual(side, mean, deviation))?;
    Ok(ImageTextConfig { clip, preparation, end })
}

/// What happens to pictures as OpenAI's models take them, where the files say nothing else.
///
/// * `side`: width and height that the network takes, in pixels.
///
/// # Errors
/// [`LoadError`] when what comes out would not fit the network.
pub(crate) fn usual_preparation(files: &Files, side: u32) -> Result<Preparation, LoadError> {
    pictures::describe(files, side, usual(side, MEAN, DEVIATION))
}

fn usual(side: u32, mean: [f32; 3], deviation: [f32; 3]) -> Preparation {
    Preparation { fit: Fit::Crop { short: side, side }, filter: Filter::Bicubic, mean, deviation }
}

/// What OpenAI's pictures are brought to: mean and deviation of each channel.
pub(super) fn usual_range() -> ([f32; 3], [f32; 3]) {
    (MEAN, DEVIATION)
}

/// Refuses patches that do not fill a picture.
pub(super) fn check_vit(file: &str, vit: &VitConfig) -> Result<(), LoadError> {
    check_count(file, "picture's side", vit.side, limits::IMAGE_SIDE_MAX)?;
    check_count(file, "patch's side", vit.patch, vit.side)?;
    if !vit.side.is_multiple_of(vit.patch) {
        let reason = format!("a side of {} pixels does not divide into patches of {}", vit.side, vit.patch);
        return Err(LoadError::malformed(file, reason));
    }
    check_tower(file, &vit.tower)
}

/// Refuses shapes that cannot be, or that pass a bound.
fn check_tower(file: &str, tower: &TowerConfig) -> Result<(), LoadError> {
    check_count(file, "hidden size", tower.hidden, limits::WIDTH_MAX)?;
    check_count(file, "intermediate size", tower.intermediate, limits::WIDTH_MAX)?;
    check_count(file, "number of layers", tower.layers, limits::LAYERS_MAX)?;
    check_count(file, "number of heads", tower.heads, tower.hidden)?;
    if !tower.hidden.is_multiple_of(tower.heads) {
        let reason = format!("hidden size {} does not divide into {} heads", tower.hidden, tower.heads);
        return Err(LoadError::malformed(file, reason));
    }
    if !is_positive(tower.norm_epsilon) {
        return Err(LoadError::malformed(file, format!("norm epsilon {} is not above 0", tower.norm_epsilon)));
    }
    Ok(())
}
