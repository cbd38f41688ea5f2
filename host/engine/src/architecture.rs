//! Which architectures the engine executes: one table for loading, for inspecting, and for whoever asks beforehand.

use crate::config::encoder::Family;

/// What a model does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// It continues text.
    Text,
    /// It turns texts into vectors.
    Embedding,
    /// It scores documents for a query.
    Rerank,
    /// It turns pictures and texts into vectors of one space.
    ImageText,
    /// It finds objects or classes in pictures.
    Vision,
    /// It reads the words in pictures.
    Reading,
    /// It tells where faces look.
    Gaze,
    /// It reads a line of text in a picture.
    ReadLine,
}

/// An architecture as files name it.
pub(crate) struct Architecture {
    /// `model_type` of `config.json`.
    pub(crate) name: &'static str,
    /// What the classes of transformers begin with, as `architectures` of `config.json` has them.
    class: &'static str,
    /// Whether `general.architecture` of a GGUF file may have this name.
    is_in_gguf: bool,
    kind: Kind,
}

/// What is behind a name.
#[derive(Clone, Copy)]
enum Kind {
    /// A decoder of the Llama family.
    Decoder,
    Encoder(Family),
    /// A tower for pictures and one for texts.
    ImageText,
    /// An encoder of pictures and a decoder of a line.
    ReadLine,
}

/// What follows the name in the class of a model that continues text.
const DECODER: &str = "ForCausalLM";
/// What follows it in the class of a model that scores.
const SCORER: &str = "ForSequenceClassification";
/// What follows it in the classes of models that sentence-transformers makes vectors with.
const ENCODERS: [&str; 2] = ["Model", "ForMaskedLM"];
/// What follows it in the class of a model that is whole without a head.
const WHOLE: &str = "Model";

/// The model of pictures and texts.
pub(crate) const CLIP: &str = "clip";
/// The model that reads lines.
pub(crate) const VISION_ENCODER_DECODER: &str = "vision-encoder-decoder";

/// All that can be loaded.
const ARCHITECTURES: [Architecture; 13] = [
    decoder("llama", "Llama", true),
    decoder("mistral", "Mistral", false),
    decoder("qwen2", "Qwen2", true),
    decoder("qwen3", "Qwen3", true),
    encoder("bert", "Bert", Family::Bert),
    encoder("roberta", "Roberta", Family::Roberta),
    encoder("xlm-roberta", "XLMRoberta", Family::Roberta),
    encoder("camembert", "Camembert", Family::Roberta),
    encoder("distilbert", "DistilBert", Family::DistilBert),
    encoder("electra", "Electra", Family::Electra),
    encoder("mpnet", "MPNet", Family::Mpnet),
    Architecture { name: CLIP, class: "CLIP", is_in_gguf: false, kind: Kind::ImageText },
    Architecture {
        name: VISION_ENCODER_DECODER,
        class: "VisionEncoderDecoder",
        is_in_gguf: false,
        kind: Kind::ReadLine,
    },
];

const fn decoder(name: &'static str, class: &'static str, is_in_gguf: bool) -> Architecture {
    Architecture { name, class, is_in_gguf, kind: Kind::Decoder }
}

const fn encoder(name: &'static str, class: &'static str, family: Family) -> Architecture {
    Architecture { name, class, is_in_gguf: false, kind: Kind::Encoder(family) }
}

/// What a model of this architecture does; `None`: it cannot be loaded.
///
/// * `architecture`: an entry of `architectures` or the `model_type` of a `config.json`, such as `Qwen3ForCausalLM` or
///   `bert`, or `general.architecture` of a GGUF file. A `model_type` alone does not tell a reranker from the embedding
///   model of the same encoder and counts as the latter, so ask for the class first where it is known.
pub fn supports(architecture: &str) -> Option<Ability> {
    ARCHITECTURES.iter().find_map(|known| match (architecture.strip_prefix(known.class), known.kind) {
        (Some(DECODER), Kind::Decoder) => Some(Ability::Text),
        (Some(SCORER), Kind::Encoder(_)) => Some(Ability::Rerank),
        (Some(end), Kind::Encoder(_)) if ENCODERS.contains(&end) => Some(Ability::Embedding),
        (Some(WHOLE), Kind::ImageText) => Some(Ability::ImageText),
        (Some(WHOLE), Kind::ReadLine) => Some(Ability::ReadLine),
        _ if architecture != known.name => None,
        (_, Kind::Decoder) => Some(Ability::Text),
        (_, Kind::Encoder(_)) => Some(Ability::Embedding),
        (_, Kind::ImageText) => Some(Ability::ImageText),
        (_, Kind::ReadLine) => Some(Ability::ReadLine),
    })
}

/// Every `model_type` that can be loaded, in no order that matters, and what such a model does at least.
pub fn architectures() -> impl Iterator<Item = (&'static str, Ability)> {
    ARCHITECTURES.iter().filter_map(|known| Some((known.name, supports(known.name)?)))
}

/// The `model_type` of a class that continues text.
pub(crate) fn decoder_of_class(class: &str) -> Option<&'static str> {
    let is_it =
        |known: &&Architecture| matches!(known.kind, Kind::Decoder) && class.strip_prefix(known.class) == Some(DECODER);
    ARCHITECTURES.iter().find(is_it).map(|known| known.name)
}

/// Whether a GGUF file of this architecture continues text.
pub(crate) fn is_gguf_decoder(architecture: &str) -> bool {
    ARCHITECTURES.iter().any(|known| known.is_in_gguf && known.name == architecture)
}

/// The family of an encoder's `model_type`; `None` for what is no encoder.
pub(crate) fn encoder_of_type(model_type: &str) -> Option<Family> {
    ARCHITECTURES.iter().find_map(|known| match known.kind {
        Kind::Encoder(family) if known.name == model_type => Some(family),
        _ => None,
    })
}

/// Whether a class scores texts.
pub(crate) fn is_scorer(class: &str) -> bool {
    class.ends_with(SCORER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_types_and_gguf_names() {
        let check = |name: &str, expect: Option<Ability>| assert_eq!(supports(name), expect, "{name}");
        check("Qwen3ForCausalLM", Some(Ability::Text));
        check("qwen3", Some(Ability::Text));
        check("BertModel", Some(Ability::Embedding));
        check("XLMRobertaForMaskedLM", Some(Ability::Embedding));
        check("xlm-roberta", Some(Ability::Embedding));
        check("DistilBertForSequenceClassification", Some(Ability::Rerank));
        check("BertForQuestionAnswering", None);
        check("LlamaForSequenceClassification", None);
        check("LlamaModel", None);
        check("T5ForConditionalGeneration", None);
        check("DebertaV2ForSequenceClassification", None);
        check("CLIPModel", Some(Ability::ImageText));
        check("clip", Some(Ability::ImageText));
        check("CLIPTextModel", None);
        check("VisionEncoderDecoderModel", Some(Ability::ReadLine));
        check("t5", None);
        check("", None);
        assert_eq!(architectures().count(), ARCHITECTURES.len());
        assert!(is_gguf_decoder("llama") && !is_gguf_decoder("mistral") && !is_gguf_decoder("bert"));
    }
}
