//! How many bytes weights take, by the bits of their quantization.

use super::size;
use super::{Family, Weights};

/// Thousandths of a bit for one weight in the quantizations of GGUF files, scales included, as a model of eight billion parameters has
/// them on average: some of its tensors keep more bits than the name says.
///
/// Source: llama.cpp, `tools/quantize/README.md`, for those that it lists; the others are estimates beside them.
const GGUF: [(&str, u64); 21] = [
    ("q2_k", 3_159),
    ("q2_k_l", 3_300),
    ("q3_k_s", 3_643),
    ("q3_k_m", 3_996),
    ("q3_k", 3_996),
    ("q3_k_l", 4_298),
    ("iq4_xs", 4_460),
    ("iq4_nl", 4_682),
    ("q4_0", 4_663),
    ("q4_1", 5_122),
    ("q4_k_s", 4_667),
    ("q4_k_m", 4_894),
    ("q4_k", 4_894),
    ("q5_0", 5_570),
    ("q5_1", 6_017),
    ("q5_k_s", 5_570),
    ("q5_k_m", 5_704),
    ("q5_k", 5_704),
    ("q6_k", 6_563),
    ("q8_0", 8_501),
    ("fp8", 8_000),
];

/// Thousandths of a bit for one weight of a quantization. One that is not known counts by the first digit in its name, with half a bit
/// for its scales; a name without digits as 16 bits.
pub fn milli_bits(quantization: &str) -> u64 {
    let name = quantization.to_ascii_lowercase();
    if let Some((_, bits)) = GGUF.iter().find(|(known, _)| *known == name) {
        return *bits;
    }
    match name.as_str() {
        "f32" | "fp32" => return 32_000,
        "f16" | "fp16" | "bf16" | "none" => return 16_000,
        _ => {}
    }
    let digit = name.chars().find_map(|c| c.to_digit(10)).filter(|digit| (1..=8).contains(digit));
    digit.map_or(16_000, |digit| u64::from(digit) * 1_000 + 500)
}

/// Bytes of weights in a quantization: as stated, else from their size; none when neither is known.
pub fn estimate_bytes(weights: &Weights, quantization: &str) -> Option<u64> {
    let is_stated = size::is_none(quantization) || weights.quantizations.len() == 1;
    if let Some(bytes) = weights.bytes.filter(|_| is_stated) {
        return Some(bytes);
    }
    let billions = weights.size.as_deref().and_then(size::parse)?;
    // At most a million billions, times 32 thousandths: far below what an f64 counts exactly.
    let bytes = billions * 1e9 * milli_bits(quantization) as f64 / 8_000.0;
    Some(bytes as u64)
}

/// Billions of parameters: as stated, else by the bytes of weights that are not quantized.
pub fn billions(family: &Family, weights: &Weights) -> Option<f64> {
    let stated = weights.size.as_deref().and_then(size::parse);
    let plain =
        || family.weights.iter().find(|other| other.size == weights.size && size::is_none(&other.quantizations[0]));
    stated.or_else(|| plain().and_then(|plain| plain.bytes).map(|bytes| bytes as f64 / 2e9))
}

#[cfg(test)]
mod tests {
    use super::super::Origin;
    use super::*;

    fn weights(size: Option<&str>, quantizations: &[&str], bytes: Option<u64>) -> Weights {
        Weights {
            size: size.map(str::to_owned),
            format: "gguf".into(),
            architecture: None,
            quantizations: quantizations.iter().map(|name| (*name).to_owned()).collect(),
            origin: Origin::Path("/model".into()),
            bytes,
        }
    }

    #[test]
    fn bits_follow_the_name() {
        for (quantization, bits) in [
            ("q8_0", 8_501),
            ("Q4_K_M", 4_894),
            ("none", 16_000),
            ("BF16", 16_000),
            ("fp32", 32_000),
            ("Int4", 4_500),
            ("8-bit", 8_500),
            ("mxfp4", 4_500),
            ("odd", 16_000),
        ] {
            assert_eq!(milli_bits(quantization), bits, "{quantization}");
        }
    }

    #[test]
    fn bytes_are_stated_or_follow_from_the_size() {
        assert_eq!(estimate_bytes(&weights(Some("7"), &["q8_0", "none"], None), "none"), Some(14_000_000_000));
        assert_eq!(estimate_bytes(&weights(Some("0_5"), &["none"], None), "none"), Some(1_000_000_000));
        assert_eq!(estimate_bytes(&weights(Some("8"), &["q8_0", "q4_0"], Some(5)), "q8_0"), Some(8_501_000_000));
        assert_eq!(estimate_bytes(&weights(Some("8"), &["q8_0"], Some(5)), "q8_0"), Some(5));
        assert_eq!(estimate_bytes(&weights(None, &["none"], Some(5)), "none"), Some(5));
        assert_eq!(estimate_bytes(&weights(None, &["none"], None), "none"), None);
    }
}
