//! What a family is: one model by name, with weights of several sizes and formats. Checked when it comes in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::size;
use crate::limits;
use crate::model::check_name;

/// What stands for the quantization in a file's name.
const QUANTIZATION: &str = "{quantization}";

/// What stands for the part in the name of a file in parts: `00001-of-00003`.
const PART: &str = "{part}";

/// What models of a family are for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// They continue text.
    Text,
    /// They turn texts into vectors.
    Embedding,
    /// They say how relevant texts are to a query.
    Rerank,
    /// They make pictures.
    Image,
    /// They hear or speak.
    Audio,
    /// They make films.
    Video,
    /// Anything else: 1 to 32 of `a-z`, `0-9` and `-`, a letter first.
    Other(String),
}

/// One model as people name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name that people type. Unique for its kind, whatever its case.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// One sentence for people.
    pub description: String,
    /// Codes such as `en`, or `multilingual`.
    pub languages: Vec<String>,
    /// What it can do; an open list. The built-in families have `chat`, `generate`, `tools`, `vision`, `audio`, `reasoning`, `omni`
    /// (text), `embed`, `rerank`, `text2image`, `image2image`, `inpainting`, `ocr` (image), `audio2text` and `text2audio` (audio).
    pub abilities: Vec<String>,
    /// Tokens of prompt and answer together; 0 when not known.
    pub context_tokens: u32,
    /// Numbers in a vector, for one that embeds.
    pub dimensions: Option<u32>,
    /// `model_type` of its configuration, with a word in front where its own code changes what that type means; the kind of
    /// pipeline for one that makes pictures. Empty when not known.
    pub architecture: String,
    /// The prompt format for weights that bring none of their own.
    pub template: Option<String>,
    /// Short name of its licence.
    pub licence: Option<String>,
    /// Whether it comes with the server and cannot be removed.
    pub is_builtin: bool,
    /// Its weights; at least one.
    pub weights: Vec<Weights>,
    /// JSON text that whoever registered it wants back; empty for none.
    pub notes: String,
}

/// Weights of one size in one format.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Billions of parameters as people write them: `7`, `0.5`.
    pub size: Option<String>,
    /// `safetensors`, `gguf`, `gptq`, `awq`, `fp8` or another word in lower case.
    pub format: String,
    /// Their architecture where it is not the family's, as for the sparse sizes of families that also have dense ones.
    pub architecture: Option<String>,
    /// As published; `none` for weights that are not quantized. At least one.
    pub quantizations: Vec<String>,
    /// Where they come from.
    pub origin: Origin,
    /// Their size when they are not quantized, or in their only quantization.
    pub bytes: Option<u64>,
}

/// Where weights come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// They come with the server, as the built-in model of this name.
    Builtin(String),
    /// A repository of the hub.
    Hub {
        /// `owner/name`.
        id: String,
        /// A commit, branch or tag; none takes the main branch.
        revision: Option<String>,
        /// The one file, for formats of one file, with `{quantization}`; none takes the repository as a whole.
        file: Option<String>,
        /// The files of quantizations that are in parts, with `{quantization}` and `{part}`.
        split_file: Option<String>,
        /// How many parts such quantizations have.
        parts: BTreeMap<String, u32>,
    },
    /// A folder or file on the server's machine.
    Path(PathBuf),
}

/// A field of a family that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong, with the value and the bound.
    pub reason: String,
}

impl Kind {
    /// The word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::Text => "text",
            Kind::Embedding => "embedding",
            Kind::Rerank => "rerank",
            Kind::Image => "image",
            Kind::Audio => "audio",
            Kind::Video => "video",
            Kind::Other(word) => word,
        }
    }

    /// The kind of that word; none for what cannot be one.
    pub fn parse(word: &str) -> Option<Kind> {
        Some(match word {
            "text" => Kind::Text,
            "embedding" => Kind::Embedding,
            "rerank" => Kind::Rerank,
            "image" => Kind::Image,
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            word if word.starts_with(|c: char| c.is_ascii_lowercase()) && is_word(word, "-", 32) => {
                Kind::Other(word.to_owned())
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Weights {
    /// The files of a quantization, as paths in the repository; none where the repository is taken as a whole.
    pub fn files(&self, quantization: &str) -> Option<Vec<String>> {
        let Origin::Hub { file, split_file, parts, .. } = &self.origin else {
            return None;
        };
        let published = self.quantizations.iter().find(|other| size::same_quantization(other, quantization));
        let quantization = published.map_or(quantization, String::as_str);
        match (parts.get(quantization), split_file) {
            (Some(count), Some(name)) => {
                let name = name.replace(QUANTIZATION, quantization);
                Some((1..=*count).map(|part| name.replace(PART, &format!("{part:05}-of-{count:05}"))).collect())
            }
            _ => file.as_ref().map(|name| vec![name.replace(QUANTIZATION, quantization)]),
        }
    }
}

impl Family {
    /// The architecture of some of its weights.
    pub fn architecture_of<'a>(&'a self, weights: &'a Weights) -> &'a str {
        weights.architecture.as_deref().unwrap_or(&self.architecture)
    }

    /// Checks every field against its bound.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(&self) -> Result<(), Invalid> {
        check_name(&self.name).map_err(|reason| Invalid { field: "name", reason })?;
        text("description", &self.description, limits::FAMILY_TEXT_BYTES_MAX)?;
        words("languages", &self.languages, "-_")?;
        words("abilities", &self.abilities, "-_")?;
        let is_empty = self.architecture.is_empty();
        ensure("architecture", is_empty || is_architecture(&self.architecture), &self.architecture)?;
        let template = self.template.as_deref();
        ensure("template", template.is_none_or(|name| is_word(name, "-_.", 64)), template.unwrap_or_default())?;
        text("licence", self.licence.as_deref().unwrap_or_default(), limits::MODEL_NAME_BYTES_MAX)?;
        if self.weights.is_empty() || self.weights.len() > limits::FAMILY_WEIGHTS_MAX {
            let reason = format!("{} entries, not 1 to {}", self.weights.len(), limits::FAMILY_WEIGHTS_MAX);
            return Err(Invalid { field: "weights", reason });
        }
        self.weights.iter().try_for_each(Weights::check)?;
        if self.notes.len() > limits::FAMILY_NOTES_BYTES_MAX {
            let reason = format!("{} bytes, at most {}", self.notes.len(), limits::FAMILY_NOTES_BYTES_MAX);
            return Err(Invalid { field: "notes", reason });
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(&self.notes) {
            Err(error) if !self.notes.is_empty() => {
                Err(Invalid { field: "notes", reason: format!("not JSON text: {error}") })
            }
            _ => Ok(()),
        }
    }
}

impl Weights {
    fn check(&self) -> Result<(), Invalid> {
        let size = self.size.as_deref();
        ensure("size", size.is_none_or(|size| size::parse(size).is_some()), size.unwrap_or_default())?;
        let architecture = self.architecture.as_deref();
        let is_good = architecture.is_none_or(is_architecture);
        ensure("architecture", is_good, architecture.unwrap_or_default())?;
        ensure("format", is_word(&self.format, "-_.", 32), &self.format)?;
        if self.quantizations.is_empty() || self.quantizations.len() > limits::FAMILY_QUANTIZATIONS_MAX {
            let count = self.quantizations.len();
            let reason = format!("{count} entries, not 1 to {}", limits::FAMILY_QUANTIZATIONS_MAX);
            return Err(Invalid { field: "quantizations", reason });
        }
        for quantization in &self.quantizations {
            ensure("quantizations", is_word(&quantization.to_ascii_lowercase(), "-_.", 64), quantization)?;
        }
        let Origin::Hub { id, revision, file, split_file, parts } = &self.origin else {
            return Ok(());
        };
        ensure("hub_id", is_hub_id(id), id)?;
        let revision = revision.as_deref();
        ensure("revision", revision.is_none_or(is_path), revision.unwrap_or_default())?;
        let file = file.as_deref();
        ensure("file", file.is_none_or(is_path), file.unwrap_or_default())?;
        let split = split_file.as_deref();
        ensure("split_file", split.is_none_or(|name| is_path(name) && name.contains(PART)), split.unwrap_or_default())?;
        for (quantization, count) in parts {
            let is_good = self.quantizations.contains(quantization)
                && (1..=limits::FAMILY_PARTS_MAX).contains(count)
                && split.is_some();
            ensure("parts", is_good, &format!("{quantization} = {count}"))?;
        }
        Ok(())
    }
}

fn ensure(field: &'static str, is_good: bool, value: &str) -> Result<(), Invalid> {
    let shown: String = value.chars().take(limits::MODEL_NAME_SHOWN_CHARS).collect();
    if is_good { Ok(()) } else { Err(Invalid { field, reason: format!("`{}` cannot be one", shown.escape_debug()) }) }
}

fn text(field: &'static str, value: &str, bytes_max: usize) -> Result<(), Invalid> {
    if value.len() > bytes_max {
        return Err(Invalid { field, reason: format!("{} bytes, at most {bytes_max}", value.len()) });
    }
    ensure(field, !value.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), value)
}

fn words(field: &'static str, values: &[String], punctuation: &str) -> Result<(), Invalid> {
    if values.len() > limits::FAMILY_WORDS_MAX {
        return Err(Invalid {
            field,
            reason: format!("{} entries, at most {}", values.len(), limits::FAMILY_WORDS_MAX),
        });
    }
    let is_good = |value: &&String| is_word(&value.to_ascii_lowercase(), punctuation, 64);
    values.iter().try_for_each(|value| ensure(field, is_good(&value), value))
}

/// 1 to `bytes_max` lower-case letters, digits and some punctuation, no punctuation first.
fn is_word(word: &str, punctuation: &str, bytes_max: usize) -> bool {
    word.len() <= bytes_max
        && word.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || punctuation.contains(c))
}

fn is_architecture(word: &str) -> bool {
    is_word(word, "-_.", 64)
}

/// `owner/name` as the hub allows them.
fn is_hub_id(id: &str) -> bool {
    let is_part = |part: &str| is_word(&part.to_ascii_lowercase(), "-_.", 96) && !part.contains("..");
    id.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

/// A relative path that stays below where it starts.
fn is_path(path: &str) -> bool {
    path.len() <= limits::MODEL_NAME_BYTES_MAX && check_name(path).is_ok()
}
