//! How people write sizes, formats and quantizations, and which of them mean the same.

/// Billions of parameters in what people write: `7`, `7.0`, `0.5`, `0_5`, `7B`. None for what is no size.
pub fn parse(size: &str) -> Option<f64> {
    let size = size.trim();
    let size = size.strip_suffix(['b', 'B']).unwrap_or(size).replace('_', ".");
    let is_number =
        size.starts_with(|c: char| c.is_ascii_digit()) && size.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    size.parse().ok().filter(|size: &f64| is_number && *size > 0.0 && *size < 1e6)
}

/// Whether two sizes are the same number.
pub fn same_size(one: &str, other: &str) -> bool {
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-6,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Whether two quantizations are the same: `Q4_K_M` and `q4_k_m`, `4-bit` and `4bit`.
pub fn same_quantization(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.trim().to_ascii_lowercase().replace('-', "_").replace("_bit", "bit");
    plain(one) == plain(other)
}

/// What a wished format is called here; none for no wish.
pub fn wished_format(format: &str) -> Option<String> {
    let format = format.trim().to_ascii_lowercase();
    match format.as_str() {
        "" | "none" | "null" => None,
        "pytorch" => Some("safetensors".into()),
        "ggufv2" | "ggmlv3" | "ggml" => Some("gguf".into()),
        _ => Some(format),
    }
}

/// Whether a quantization stands for weights that are not quantized.
pub fn is_none(quantization: &str) -> bool {
    quantization.eq_ignore_ascii_case("none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_compare_as_numbers() {
        for (one, other) in [("7", "7.0"), ("0_5", "0.5"), ("1_8", "1.8"), ("7b", "7"), (" 7 ", "7B"), ("46_7", "46.7")]
        {
            assert!(same_size(one, other), "{one} {other}");
        }
        for (one, other) in [("7", "70"), ("0.5", "5"), ("1", "1.1"), ("7", "seven"), ("", "0")] {
            assert!(!same_size(one, other), "{one} {other}");
        }
        for wrong in ["", "b", "-1", "1e3", "inf", "NaN", "0", "1.2.3", "1000000", "+7"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn quantizations_compare_without_case() {
        assert!(same_quantization("Q4_K_M", "q4_k_m") && same_quantization("None", "none"));
        assert!(same_quantization("4-bit", "4bit") && same_quantization("q4-k-m", "Q4_K_M"));
        assert!(!same_quantization("q4_0", "q4_1") && !same_quantization("q4_k_m", "q4_k"));
    }

    #[test]
    fn older_names_of_formats_are_wishes_for_the_present_ones() {
        for (wish, format) in [
            ("pytorch", Some("safetensors")),
            ("ggufv2", Some("gguf")),
            ("ggmlv3", Some("gguf")),
            ("GGML", Some("gguf")),
            ("gptq", Some("gptq")),
            ("none", None),
            ("", None),
        ] {
            assert_eq!(wished_format(wish).as_deref(), format, "{wish}");
        }
    }
}
