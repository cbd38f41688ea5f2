//! Eight numbers side by side, in whatever registers the machine has.
//!
//! Kernels are written once, over [`Lanes`], and inlined into a function for each kind of machine by [`for_machine!`].

// Vector instructions that not every machine has are unsafe to call. They are called in functions that are inlined into those that
// `for_machine!` makes, which ask the machine first.
#![allow(unsafe_code)]

/// Numbers in a [`Lanes`], and channels in a block.
pub(crate) const LANES: usize = 8;

/// Eight numbers.
///
/// # Safety
/// All functions need the machine that the type is for; pointers must be good for eight numbers.
pub(crate) trait Lanes: Copy {
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(value: f32) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    /// `self * factor + sum`.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;
    /// The nearest integers.
    unsafe fn round(self) -> Self;
    /// Two to the power of integers from -126 to 127.
    unsafe fn power_of_two(self) -> Self;
    /// Turns eight rows into eight columns.
    unsafe fn transpose(rows: [Self; LANES]) -> [Self; LANES];

    /// Puts each number through a function.
    #[inline(always)]
    unsafe fn map(self, function: impl Fn(f32) -> f32) -> Self {
        let mut values = [0.0; LANES];
        // SAFETY: the array holds eight numbers; the machine is the caller's promise.
        unsafe {
            self.store(values.as_mut_ptr());
            for value in &mut values {
                *value = function(*value);
            }
            Self::load(values.as_ptr())
        }
    }
}

/// Plain numbers; the compiler uses what all machines of the target have.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, function: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| function(self.0[lane], other.0[lane])))
    }
}

// SAFETY of the blocks below: the pointers are good for eight numbers, which the caller promises.
impl Lanes for Portable {
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] * factor.0[lane] + sum.0[lane]))
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        Self(self.0.map(f32::round_ties_even))
    }
    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        Self(self.0.map(|value| f32::from_bits(((value as i32 + 127) as u32) << 23)))
    }
    #[inline(always)]
    unsafe fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
        std::array::from_fn(|row| Self(std::array::from_fn(|column| rows[column].0[row])))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{LANES, Lanes};

    /// A register of a machine with AVX2 and FMA.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256);

    // SAFETY of the blocks below: the machine has AVX2 and FMA, and the pointers are good for eight numbers; both promises of the caller.
    impl Lanes for Avx2 {
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { _mm256_loadu_ps(from) })
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(value) })
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(unsafe { _mm256_div_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            Self(unsafe { _mm256_min_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, sum.0) })
        }
        #[inline(always)]
        unsafe fn round(self) -> Self {
            Self(unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0) })
        }
        #[inline(always)]
        unsafe fn power_of_two(self) -> Self {
            unsafe {
                let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(self.0), _mm256_set1_epi32(127));
                Self(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
            }
        }
        #[inline(always)]
        unsafe fn transpose(rows: [Self; LANES]) -> [Self; LANES] {
            unsafe {
                let [a, b, c, d, e, f, g, h] = rows.map(|row| row.0);
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let (ef_low, ef_high) = (_mm256_unpacklo_ps(e, f), _mm256_unpackhi_ps(e, f));
                let (gh_low, gh_high) = (_mm256_unpacklo_ps(g, h), _mm256_unpackhi_ps(g, h));
                let first = [
                    _mm256_shuffle_ps::<0x44>(ab_low, cd_low),
                    _mm256_shuffle_ps::<0xee>(ab_low, cd_low),
                    _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                    _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
                ];
                let second = [
                    _mm256_shuffle_ps::<0x44>(ef_low, gh_low),
                    _mm256_shuffle_ps::<0xee>(ef_low, gh_low),
                    _mm256_shuffle_ps::<0x44>(ef_high, gh_high),
                    _mm256_shuffle_ps::<0xee>(ef_high, gh_high),
                ];
                std::array::from_fn(|row| {
                    let (first, second) = (first[row % 4], second[row % 4]);
                    if row < 4 {
                        Self(_mm256_permute2f128_ps::<0x20>(first, second))
                    } else {
                        Self(_mm256_permute2f128_ps::<0x31>(first, second))
                    }
                })
            }
        }
    }
}

/// Whether the machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

/// Makes `$name` call `$body`, a function over [`Lanes`], with the widest registers that the machine has.
macro_rules! for_machine {
    ($(#[$meta:meta])* $visibility:vis unsafe fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $body:ident) => {
        $(#[$meta])*
        $visibility unsafe fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                unsafe fn with_avx2($($argument: $type),*) {
                    // SAFETY: as the caller promises; the machine has the registers.
                    unsafe { $body::<$crate::convolution::kernel::lanes::Avx2>($($argument),*) }
                }
                if $crate::convolution::kernel::lanes::has_avx2() {
                    // SAFETY: as the caller promises; the machine was asked.
                    return unsafe { with_avx2($($argument),*) };
                }
            }
            // SAFETY: as the caller promises.
            unsafe { $body::<$crate::convolution::kernel::lanes::Portable>($($argument),*) }
        }
    };
}
pub(crate) use for_machine;

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// Every operation on two rows of numbers; a kernel is made of nothing else.
    ///
    /// # Safety
    /// As [`Lanes`].
    #[inline(always)]
    unsafe fn operations<L: Lanes>(a: &[f32; LANES], b: &[f32; LANES]) -> Vec<[f32; LANES]> {
        // SAFETY: the arrays hold eight numbers; the machine is the caller's promise.
        unsafe {
            let (a, b) = (L::load(a.as_ptr()), L::load(b.as_ptr()));
            let mut results =
                vec![a.add(b), a.sub(b), a.mul(b), a.div(b), a.max(b), a.min(b), a.round(), b.round().power_of_two()];
            results.push(a.map(|value| value * 3.0));
            results.push(L::splat(1.5));
            let rows = std::array::from_fn(|row| if row % 3 == 0 { a } else { b.mul(L::splat(row as f32)) });
            results.extend(L::transpose(rows));
            let stored = results.into_iter().map(|result| {
                let mut values = [0.0; LANES];
                result.store(values.as_mut_ptr());
                values
            });
            stored.collect()
        }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn operations_avx2(a: &[f32; LANES], b: &[f32; LANES]) -> Vec<[f32; LANES]> {
        // SAFETY: the machine has the registers.
        unsafe { operations::<Avx2>(a, b) }
    }

    #[test]
    fn machines_agree() {
        if !has_avx2() {
            println!("skipped: the machine has no AVX2");
            return;
        }
        let a = [0.5, 1.5, -2.5, 3.25, -0.0, 1e-20, 7e8, -11.75];
        let b = [2.0, -3.5, 4.25, 0.1, 5.0, -126.0, 127.0, 1.0];
        // SAFETY: plain numbers need no certain machine; the machine has AVX2.
        unsafe {
            assert_eq!(operations::<Portable>(&a, &b), operations_avx2(&a, &b));
            let mut sums = [[0.0; LANES]; 2];
            let portable = Portable::load(a.as_ptr());
            portable.mul_add(Portable::load(b.as_ptr()), portable).store(sums[0].as_mut_ptr());
            let fused = std::array::from_fn(|lane| f32::mul_add(a[lane], b[lane], a[lane]));
            sums[1] = fused;
            for (plain, fused) in sums[0].iter().zip(sums[1]) {
                assert!((plain - fused).abs() <= 1e-6 * fused.abs(), "{plain} and {fused}");
            }
        }
    }
}
