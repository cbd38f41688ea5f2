//! Functions of one number, eight at a time.

// See `lanes`.
#![allow(unsafe_code)]

use super::lanes::{LANES, Lanes, for_machine};

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unary {
    Identity,
    Relu,
    /// Between two bounds.
    Clip(f32, f32),
    /// A slope below zero.
    Leaky(f32),
    Sigmoid,
    /// `x * sigmoid(x)`.
    Silu,
    /// `min(1, max(0, slope * x + offset))`.
    HardSigmoid(f32, f32),
    /// `x * hard_sigmoid(x)`.
    HardSwish(f32, f32),
    Tanh,
    /// `alpha * (exp(x) - 1)` below zero.
    Elu(f32),
    Softplus,
    /// `x * tanh(softplus(x))`.
    Mish,
    Erf,
    /// `x / 2 * (1 + erf(x / sqrt(2)))`.
    Gelu,
    Exp,
    Log,
    Sqrt,
    Reciprocal,
    Neg,
    Abs,
    Floor,
    Ceil,
    Round,
    Pow(f32),
}

impl Unary {
    /// Whether zero and one half go to numbers that are not infinite: the lanes past the last channel of a block hold such numbers.
    pub(crate) fn is_tame(self) -> bool {
        !matches!(self, Self::Log | Self::Reciprocal | Self::Pow(_) | Self::Exp)
    }

    /// The function of eight numbers.
    ///
    /// # Safety
    /// The machine must be the one that `L` is for.
    #[inline(always)]
    pub(super) unsafe fn apply<L: Lanes>(self, x: L) -> L {
        // SAFETY: as the caller promises.
        unsafe {
            match self {
                Self::Identity => x,
                Self::Relu => x.max(L::splat(0.0)),
                Self::Clip(low, high) => x.max(L::splat(low)).min(L::splat(high)),
                Self::Leaky(slope) => {
                    let zero = L::splat(0.0);
                    x.min(zero).mul_add(L::splat(slope), x.max(zero))
                }
                Self::Sigmoid => sigmoid(x),
                Self::Silu => x.div(exp(L::splat(0.0).sub(x)).add(L::splat(1.0))),
                Self::HardSigmoid(slope, offset) => hard_sigmoid(x, slope, offset),
                Self::HardSwish(slope, offset) => x.mul(hard_sigmoid(x, slope, offset)),
                // 2 * sigmoid(2x) - 1 loses digits around zero.
                Self::Tanh => x.map(f32::tanh),
                Self::Elu(alpha) => x.map(|x| if x < 0.0 { alpha * x.exp_m1() } else { x }),
                Self::Softplus => x.map(softplus),
                Self::Mish => x.map(|x| x * softplus(x).tanh()),
                Self::Erf => x.map(erf),
                Self::Gelu => x.map(|x| 0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))),
                Self::Exp => exp(x),
                Self::Log => x.map(f32::ln),
                Self::Sqrt => x.map(f32::sqrt),
                Self::Reciprocal => L::splat(1.0).div(x),
                Self::Neg => L::splat(0.0).sub(x),
                Self::Abs => x.max(L::splat(0.0).sub(x)),
                Self::Floor => x.map(f32::floor),
                Self::Ceil => x.map(f32::ceil),
                Self::Round => x.round(),
                Self::Pow(power) => {
                    if power == 2.0 {
                        x.mul(x)
                    } else {
                        x.map(|x| x.powf(power))
                    }
                }
            }
        }
    }
}

/// `exp` with an error of two units in the last place; ends of the range saturate.
///
/// # Safety
/// As [`Unary::apply`].
#[inline(always)]
pub(super) unsafe fn exp<L: Lanes>(x: L) -> L {
    // SAFETY: as the caller promises.
    unsafe {
        let x = x.max(L::splat(-87.3)).min(L::splat(88.3));
        let power = x.mul(L::splat(std::f32::consts::LOG2_E)).round();
        // ln 2 in two parts, the first of few digits.
        let rest = power.mul_add(L::splat(-0.693_359_4), x);
        let rest = power.mul_add(L::splat(2.121_944_4e-4), rest);
        let mut sum = L::splat(1.987_569_1e-4);
        for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
            sum = sum.mul_add(rest, L::splat(factor));
        }
        let sum = sum.mul_add(rest.mul(rest), rest.add(L::splat(1.0)));
        sum.mul(power.power_of_two())
    }
}

/// `1 / (1 + exp(-x))`.
///
/// # Safety
/// As [`Unary::apply`].
#[inline(always)]
unsafe fn sigmoid<L: Lanes>(x: L) -> L {
    // SAFETY: as the caller promises.
    unsafe { L::splat(1.0).div(exp(L::splat(0.0).sub(x)).add(L::splat(1.0))) }
}

#[inline(always)]
unsafe fn hard_sigmoid<L: Lanes>(x: L, slope: f32, offset: f32) -> L {
    // SAFETY: as the caller promises.
    unsafe { x.mul_add(L::splat(slope), L::splat(offset)).max(L::splat(0.0)).min(L::splat(1.0)) }
}

fn softplus(x: f32) -> f32 {
    if x > 20.0 { x } else { x.exp().ln_1p() }
}

/// The error function, within 2e-7. Source: Abramowitz and Stegun, 7.1.26.
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * f64::from(x.abs()));
    let sum = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592]
        .iter()
        .fold(0.0, |sum: f64, factor| sum * t + factor);
    let x = f64::from(x);
    ((1.0 - sum * t * (-x * x).exp()).copysign(x)) as f32
}

/// Puts `values` through `function`.
pub(crate) fn map(function: Unary, values: &mut [f32]) {
    if function == Unary::Identity {
        return;
    }
    // SAFETY: the body stays inside the slice.
    unsafe { map_slice(function, values) }
}

for_machine!(unsafe fn map_slice(function: Unary, values: &mut [f32]) = map_body);

#[inline(always)]
unsafe fn map_body<L: Lanes>(function: Unary, values: &mut [f32]) {
    // No closures here: they would not be compiled for the machine.
    let whole = values.len() - values.len() % LANES;
    let (start, rest) = values.split_at_mut(whole);
    // SAFETY: chunks and the last array hold eight numbers; the machine is the caller's promise.
    unsafe {
        for chunk in start.chunks_exact_mut(LANES) {
            function.apply(L::load(chunk.as_ptr())).store(chunk.as_mut_ptr());
        }
        let mut last = [0.0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        function.apply(L::load(last.as_ptr())).store(last.as_mut_ptr());
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_exact_to_the_last_digits() {
        for step in -8700..8800 {
            let x = step as f32 / 100.0;
            let mut values = [x; 3];
            map(Unary::Exp, &mut values);
            let expected = f64::from(x).exp();
            for value in values {
                assert!((f64::from(value) - expected).abs() <= 4e-7 * expected, "exp({x}) = {value}");
            }
        }
    }

    #[test]
    fn gates_saturate_at_the_ends() {
        for (function, x, expected) in [
            (Unary::Sigmoid, 1e4, 1.0),
            (Unary::Sigmoid, -1e4, 0.0),
            (Unary::Silu, 1e4, 1e4),
            (Unary::Silu, -1e4, 0.0),
            (Unary::Relu, -1.0, 0.0),
            (Unary::Erf, 0.5, 0.520_499_9),
            (Unary::Gelu, -1.0, -0.158_655_25),
        ] {
            let mut values = [x; 9];
            map(function, &mut values);
            assert!(values.iter().all(|value| (value - expected).abs() < 1e-6), "{function:?} of {x}: {values:?}");
        }
    }
}
