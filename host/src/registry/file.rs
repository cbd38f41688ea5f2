//! Families as they are written in TOML files.
//!
//! A file is `kind = "text"` and any number of `[[family]]`, each with `[[family.weights]]`. Keys that do not exist are refused.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::family::{Family, Invalid, Kind, Origin, Weights};
use super::size;
use crate::limits;

/// What is wrong with a file of families.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct FileError {
    /// `my.toml:12`, or a path.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    /// What all families of this file are for; `text` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Spanned<String>>,
    #[serde(default)]
    family: Vec<FamilyText>,
}

/// `[[family]]`. [`Family`] says what each key is.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FamilyText {
    name: Spanned<String>,
    #[serde(default)]
    description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    languages: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    abilities: Vec<String>,
    #[serde(default)]
    context_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    architecture: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    notes: String,
    #[serde(default)]
    weights: Vec<WeightsText>,
}

/// `[[family.weights]]`: one of `builtin`, `hub_id` and `path`.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WeightsText {
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    architecture: Option<String>,
    /// `["none"]` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantizations: Option<Vec<String>>,
    /// They come with the server, under the family's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    builtin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hub_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// A folder or file; a relative one starts at the file's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parts: BTreeMap<String, u32>,
}

/// A file's name, for messages.
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Reads a file of bounded size.
pub fn read(path: &Path) -> Result<Vec<Family>, FileError> {
    let wrong = |reason: String| FileError { place: path.display().to_string(), reason };
    let file = std::fs::File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut text = String::new();
    file.take(limits::REGISTRY_FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if text.len() as u64 > limits::REGISTRY_FILE_BYTES_MAX {
        return Err(wrong(format!("larger than {} bytes", limits::REGISTRY_FILE_BYTES_MAX)));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    parse(&text, &name_of(path), &folder)
}

/// The families of a text. `name` is the file's, for messages; relative paths in it start at `folder`.
pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Vec<Family>, FileError> {
    let place = |at: usize| format!("{name}:{}", line_of(text, at));
    let content: FileText = toml::from_str(text).map_err(|error| FileError {
        place: error.span().map_or_else(|| name.to_owned(), |span| place(span.start)),
        reason: error.message().lines().collect::<Vec<_>>().join("; "),
    })?;
    let kind = match &content.kind {
        None => Kind::Text,
        Some(word) => Kind::parse(word.get_ref()).ok_or_else(|| FileError {
            place: place(word.span().start),
            reason: format!("`{}` is no kind such as text, embedding, rerank or image", word.get_ref().escape_debug()),
        })?,
    };
    let mut families: Vec<Family> = Vec::with_capacity(content.family.len());
    let mut seen = std::collections::HashSet::new();
    for entry in content.family {
        let (name, at) = (entry.name.get_ref().clone(), place(entry.name.span().start));
        let wrong = |reason: String| FileError { place: at.clone(), reason: format!("family `{name}`: {reason}") };
        let family = entry.into_family(&kind, folder).map_err(wrong)?;
        family.check().map_err(|Invalid { field, reason }| wrong(format!("{field}: {reason}")))?;
        if !seen.insert(family.name.to_lowercase()) {
            return Err(wrong("is there twice".into()));
        }
        families.push(family);
    }
    Ok(families)
}

/// A file that holds one family.
pub fn write(family: &Family) -> Result<String, String> {
    let weights = family.weights.iter().map(WeightsText::of).collect::<Result<_, _>>()?;
    let entry = FamilyText {
        name: Spanned::new(0..0, family.name.clone()),
        description: family.description.clone(),
        languages: family.languages.clone(),
        abilities: family.abilities.clone(),
        context_tokens: family.context_tokens,
        dimensions: family.dimensions,
        architecture: family.architecture.clone(),
        template: family.template.clone(),
        licence: family.licence.clone(),
        notes: family.notes.clone(),
        weights,
    };
    let kind = Some(Spanned::new(0..0, family.kind.as_str().to_owned()));
    toml::to_string(&FileText { kind, family: vec![entry] }).map_err(|error| error.to_string())
}

impl FamilyText {
    fn into_family(self, kind: &Kind, folder: &Path) -> Result<Family, String> {
        let name = self.name.into_inner();
        let weights =
            self.weights.into_iter().map(|weights| weights.into_weights(&name, folder)).collect::<Result<_, _>>()?;
        Ok(Family {
            kind: kind.clone(),
            description: self.description,
            languages: self.languages,
            abilities: self.abilities,
            context_tokens: self.context_tokens,
            dimensions: self.dimensions,
            architecture: self.architecture,
            template: self.template,
            licence: self.licence,
            is_builtin: false,
            weights,
            notes: self.notes,
            name,
        })
    }
}

impl WeightsText {
    fn into_weights(self, family: &str, folder: &Path) -> Result<Weights, String> {
        let origin = match (self.builtin, self.hub_id, self.path) {
            (true, None, None) => Origin::Builtin(family.to_owned()),
            (false, Some(id), None) => Origin::Hub {
                id,
                revision: self.revision,
                file: self.file,
                split_file: self.split_file,
                parts: self.parts,
            },
            (false, None, Some(path)) => Origin::Path(folder.join(path)),
            _ => return Err("weights come from one of hub_id, path and builtin".into()),
        };
        let quantizations = self.quantizations.unwrap_or_else(|| vec!["none".to_owned()]);
        Ok(Weights {
            size: self.size,
            format: self.format,
            architecture: self.architecture,
            quantizations,
            origin,
            bytes: self.bytes,
        })
    }

    fn of(weights: &Weights) -> Result<WeightsText, String> {
        let is_plain = matches!(&weights.quantizations[..], [one] if size::is_none(one));
        let mut text = WeightsText {
            size: weights.size.clone(),
            format: weights.format.clone(),
            architecture: weights.architecture.clone(),
            quantizations: (!is_plain).then(|| weights.quantizations.clone()),
            bytes: weights.bytes,
            ..WeightsText::default()
        };
        match &weights.origin {
            Origin::Builtin(_) => text.builtin = true,
            Origin::Hub { id, revision, file, split_file, parts } => {
                text.hub_id = Some(id.clone());
                text.revision.clone_from(revision);
                text.file.clone_from(file);
                text.split_file.clone_from(split_file);
                text.parts.clone_from(parts);
            }
            Origin::Path(path) => text.path = Some(utf8(path)?),
        }
        Ok(text)
    }
}

fn utf8(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| "a path is not Unicode text and cannot be written down".to_owned())
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
