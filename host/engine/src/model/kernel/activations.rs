//! Exponentials over plain slices: softmax and what feed-forward layers put between their matrices.

// As in `lanes`: a function compiled for more than every machine has is called after a check.
#![allow(unsafe_code)]

/// `gate = gate / (1 + exp(-gate)) * up`, value by value.
pub(crate) fn silu_times(gate: &mut [f32], up: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has both features that the function is compiled for.
        return unsafe { silu_times_avx2(gate, up) };
    }
    silu_times_body(gate, up);
}

/// [`silu_times_body`] with 8 lanes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn silu_times_avx2(gate: &mut [f32], up: &[f32]) {
    silu_times_body(gate, up);
}

/// The gate of a feed-forward layer.
#[inline(always)]
fn silu_times_body(gate: &mut [f32], up: &[f32]) {
    for (gate, &up) in gate.iter_mut().zip(up) {
        *gate = *gate / (1.0 + exp(-*gate)) * up;
    }
}

/// What a feed-forward layer without a gate puts between its matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Nothing.
    Identity,
    /// `x / 2 * (1 + erf(x / sqrt(2)))`.
    Gelu,
    /// The same with a tangent in place of the error function.
    GeluTanh,
    /// `x / (1 + exp(-1.702 * x))`, an approximation of the first.
    QuickGelu,
    /// Nothing below zero.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
}

/// Puts every value through `activation`.
pub(crate) fn activate(activation: Activation, values: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has both features that the function is compiled for.
        return unsafe { activate_avx2(activation, values) };
    }
    activate_body(activation, values);
}

/// [`activate_body`] with 8 lanes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn activate_avx2(activation: Activation, values: &mut [f32]) {
    activate_body(activation, values);
}

/// The loops, one for each activation, so that each can be done eight at once.
#[inline(always)]
fn activate_body(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Identity => {}
        Activation::Gelu => {
            for value in values {
                *value = *value * 0.5 * (1.0 + erf(*value * std::f32::consts::FRAC_1_SQRT_2));
            }
        }
        Activation::GeluTanh => {
            // The square root of 2 / pi.
            const SCALE: f32 = 0.797_884_6;
            for value in values {
                let x = *value;
                *value = x * 0.5 * (1.0 + tanh(SCALE * (x + 0.044_715 * x * x * x)));
            }
        }
        Activation::QuickGelu => {
            for value in values {
                *value /= 1.0 + exp(-1.702 * *value);
            }
        }
        Activation::Relu => {
            for value in values {
                // A number that is none stays so.
                *value = if *value < 0.0 { 0.0 } else { *value };
            }
        }
        Activation::Tanh => {
            for value in values {
                *value = tanh(*value);
            }
        }
    }
}

/// The error function, to 2e-7.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let mut series = 1.061_405_4;
    series = series * t - 1.453_152;
    series = series * t + 1.421_413_7;
    series = series * t - 0.284_496_74;
    series = series * t + 0.254_829_6;
    let value = 1.0 - series * t * exp(-size * size);
    value.copysign(x)
}

/// The hyperbolic tangent, to 2e-7.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    let value = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    value.copysign(x)
}

/// Turns scores into probabilities, in place.
pub(crate) fn softmax(scores: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the machine has both features that the function is compiled for.
        return unsafe { softmax_avx2(scores) };
    }
    softmax_body(scores);
}

/// [`softmax_body`] with 8 lanes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn softmax_avx2(scores: &mut [f32]) {
    softmax_body(scores);
}

/// The softmax of a row. A score that is no number makes the whole row so.
#[inline(always)]
fn softmax_body(scores: &mut [f32]) {
    let mut best = [f32::NEG_INFINITY; 8];
    let (chunks, rest) = scores.as_chunks::<8>();
    for chunk in chunks {
        for (best, &score) in best.iter_mut().zip(chunk) {
            *best = if score > *best { score } else { *best };
        }
    }
    let best = best.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    for score in scores.iter_mut() {
        *score = exp(*score - best);
    }
    let factor = 1.0 / sum(scores);
    for score in scores.iter_mut() {
        *score *= factor;
    }
}

/// Sum in eight lanes.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().chain(rest).sum()
}

/// `e` to the power of `x`, to about 1e-7 of the value; written so that the compiler can do eight at once.
///
/// Below -87 the result is what it is at -87, 1e-38, and above 88 what it is at 88. NaN stays NaN.
///
/// Source: Cephes, `expf.c`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves no bits for a fraction, so the number is rounded to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, the first of which has few bits.
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let mut series = 1.987_569_1e-4;
    series = series * rest + 1.398_199_9e-3;
    series = series * rest + 8.333_452e-3;
    series = series * rest + 4.166_579_6e-2;
    series = series * rest + 1.666_666_6e-1;
    series = series * rest + 0.5;
    let fraction = series * rest * rest + rest + 1.0;
    // 2 to the power of the integer, whose bits are the lowest of `shifted`.
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    fraction * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_close() {
        for step in -860..880 {
            let x = step as f32 / 10.0;
            let expect = f64::from(x).exp();
            assert!((f64::from(exp(x)) / expect - 1.0).abs() < 3e-7, "{x}");
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn activations_are_close() {
        let check = |activation: Activation, x: f32, expect: f32| {
            let mut values = [x; 9];
            activate(activation, &mut values);
            assert!(values.iter().all(|value| (value - expect).abs() < 1e-6), "{activation:?} {x}: {values:?}");
        };
        // As torch computes them.
        check(Activation::Gelu, 1.0, 0.841_344_7);
        check(Activation::Gelu, -1.0, -0.158_655_26);
        check(Activation::Gelu, 0.1, 0.053_982_8);
        check(Activation::Gelu, -6.0, -0.0);
        check(Activation::GeluTanh, 1.0, 0.841_192);
        check(Activation::GeluTanh, -2.5, -0.015_084_26);
        check(Activation::QuickGelu, 1.0, 0.845_795_75);
        check(Activation::QuickGelu, -2.5, -0.034_986_17);
        check(Activation::Tanh, 0.5, 0.462_117_2);
        check(Activation::Tanh, -100.0, -1.0);
        check(Activation::Relu, -1.0, 0.0);
        check(Activation::Identity, -1.5, -1.5);
        for activation in
            [Activation::Gelu, Activation::GeluTanh, Activation::QuickGelu, Activation::Tanh, Activation::Relu]
        {
            let mut broken = [f32::NAN];
            activate(activation, &mut broken);
            assert!(broken[0].is_nan(), "{activation:?}");
        }
    }

    #[test]
    fn softmax_sums_to_one() {
        let mut scores: Vec<f32> = (0..21).map(|step| (step * 7 % 21) as f32 / 3.0).collect();
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let mut broken = vec![0.0, f32::NAN, 1.0];
        softmax(&mut broken);
        assert!(broken.iter().all(|value| value.is_nan()));
    }
}
