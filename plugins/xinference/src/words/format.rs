//! Formats of weights.

/// Each format as clients write it, and the host's.
const FORMATS: &[(&str, &str)] = &[("pytorch", "safetensors"), ("ggufv2", "gguf")];

/// The host's format. `ggmlv3` is the older container of the same weights, and who asks for it wants what runs there.
pub(crate) fn parse(model_format: &str) -> String {
    let lower = model_format.to_lowercase();
    if lower == "ggmlv3" {
        return "gguf".into();
    }
    FORMATS.iter().find(|(name, _)| *name == lower).map_or(lower, |(_, format)| (*format).into())
}

/// The name that clients know.
pub(crate) fn name(format: &str) -> &str {
    FORMATS.iter().find(|(_, known)| *known == format).map_or(format, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_two_names() {
        for (ours, theirs) in [("pytorch", "safetensors"), ("ggufv2", "gguf"), ("awq", "awq"), ("mlx", "mlx")] {
            assert_eq!(parse(ours), theirs);
            assert_eq!(name(theirs), ours);
        }
        assert_eq!(parse("ggmlv3"), "gguf");
    }
}
