//! Types of models.

use mimus_sdk::models::Model;

use crate::refusal::Refusal;

/// Each type as clients write it, and the host's kind. `flexible` and `world` have no engine anywhere; their lists are empty.
const TYPES: &[(&str, &str)] = &[
    (LLM, "text"),
    ("embedding", "embedding"),
    ("rerank", "rerank"),
    ("image", "image"),
    ("audio", "audio"),
    ("video", "video"),
    ("flexible", "flexible"),
    ("world", "world"),
];

/// The type that clients mean when they name none.
pub(crate) const LLM: &str = "LLM";

/// The host's kind for a type.
pub(crate) fn parse(model_type: &str) -> Result<&'static str, Refusal> {
    let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(model_type));
    known.map(|(_, kind)| *kind).ok_or_else(|| Refusal::bad(format!("Unsupported model type: {model_type}.")))
}

/// The type for a kind of the host's; a kind of its own keeps its name.
pub(crate) fn type_of(kind: &str) -> &str {
    TYPES.iter().find(|(_, known)| *known == kind).map_or(kind, |(name, _)| name)
}

/// The host's kind of a running model. One whose abilities are not known yet is taken for a language model.
pub(crate) fn of_model(model: &Model) -> &'static str {
    let of_ability = |ability: &str| match ability {
        "chat" | "generate" => Some("text"),
        "embed" => Some("embedding"),
        "rerank" => Some("rerank"),
        "text2image" | "image2image" | "inpainting" | "ocr" => Some("image"),
        "audio2text" | "text2audio" => Some("audio"),
        "text2video" | "image2video" => Some("video"),
        _ => None,
    };
    model.abilities.iter().find_map(|ability| of_ability(ability)).unwrap_or("text")
}

/// What a type's models are called in a sentence: `LLM`, `Embedding`.
pub(crate) fn title(kind: &str) -> String {
    let name = type_of(kind);
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::scripted;

    #[test]
    fn types_are_known_by_both_names() {
        for (model_type, kind) in [("LLM", "text"), ("llm", "text"), ("embedding", "embedding"), ("world", "world")] {
            assert_eq!(parse(model_type), Ok(kind));
        }
        assert_eq!(type_of("text"), "LLM");
        assert_eq!(type_of("boat"), "boat");
        assert_eq!(parse("multimodal").map_err(|refusal| refusal.status), Err(400));
        assert_eq!((title("text").as_str(), title("embedding").as_str()), ("LLM", "Embedding"));
    }

    #[test]
    fn a_model_is_what_it_can_do() {
        assert_eq!(of_model(&scripted::model("m")), "text");
        assert_eq!(of_model(&scripted::embedding_model("m")), "embedding");
        assert_eq!(of_model(&scripted::rerank_model("m")), "rerank");
    }
}
