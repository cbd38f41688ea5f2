//! Engines: programs that run models over there. Here one does, and it goes by all their names as far as their formats are its own.

use mimus_sdk::registry::{Family, Weights};

/// This server's own.
pub(crate) const OWN: &str = "Mimus";

/// An engine, the kinds that it runs, and the host's formats that it reads.
struct Engine {
    name: &'static str,
    kinds: &'static [&'static str],
    formats: &'static [&'static str],
}

/// Formats of tensors.
const TENSORS: &[&str] = &["safetensors", "gptq", "awq", "fp8", "fp4", "bnb"];

const ENGINES: &[Engine] = &[
    Engine { name: "Transformers", kinds: &["text"], formats: TENSORS },
    Engine { name: "vLLM", kinds: &["text", "embedding", "rerank"], formats: TENSORS },
    Engine { name: "SGLang", kinds: &["text"], formats: TENSORS },
    Engine { name: "llama.cpp", kinds: &["text", "embedding", "rerank"], formats: &["gguf"] },
    Engine { name: "MLX", kinds: &["text"], formats: &["mlx"] },
    Engine { name: "sentence_transformers", kinds: &["embedding", "rerank"], formats: TENSORS },
    Engine { name: "flag", kinds: &["embedding"], formats: TENSORS },
];

/// Whether an engine of that name would run weights of a family; any capitals will do.
pub(crate) fn runs(engine: &str, family: &Family, weights: &Weights) -> bool {
    engine.eq_ignore_ascii_case(OWN)
        || ENGINES.iter().any(|known| known.name.eq_ignore_ascii_case(engine) && known.fits(family, weights))
}

/// Names under which weights can be launched, this server's own first. None where it cannot run them.
pub(crate) fn names<'a>(family: &'a Family, weights: &'a Weights) -> impl Iterator<Item = &'static str> + 'a {
    let known = ENGINES.iter().filter(move |engine| engine.fits(family, weights)).map(|engine| engine.name);
    std::iter::once(OWN).chain(known).filter(|_| weights.refusal.is_none())
}

impl Engine {
    fn fits(&self, family: &Family, weights: &Weights) -> bool {
        self.kinds.contains(&family.kind.as_str()) && self.formats.contains(&weights.format.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::scripted;

    #[test]
    fn an_engine_runs_its_formats() {
        let family = scripted::family("text", "m", &["chat"]);
        let tensors = &family.weights[0];
        let gguf = Weights { format: "gguf".into(), ..tensors.clone() };
        let cases = [
            ("Transformers", true, false),
            ("transformers", true, false),
            ("vllm", true, false),
            ("llama.cpp", false, true),
            ("Mimus", true, true),
            ("sentence_transformers", false, false),
            ("TensorRT", false, false),
        ];
        for (engine, of_tensors, of_gguf) in cases {
            assert_eq!(runs(engine, &family, tensors), of_tensors, "{engine}");
            assert_eq!(runs(engine, &family, &gguf), of_gguf, "{engine}");
        }
    }

    #[test]
    fn engines_are_named_for_what_runs() {
        let family = scripted::family("embedding", "m", &["embed"]);
        let names_of = |weights: &Weights| names(&family, weights).collect::<Vec<_>>();
        assert_eq!(names_of(&family.weights[0]), ["Mimus", "vLLM", "sentence_transformers", "flag"]);
        let refused = Weights { refusal: Some("too large".into()), ..family.weights[0].clone() };
        assert!(names_of(&refused).is_empty());
    }
}
