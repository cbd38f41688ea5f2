//! Sixteen numbers side by side, in whatever registers the machine has.

// Vector instructions that not every machine has are unsafe to call. They are called in functions that are
// inlined into `Avx2Machine::run` only, which exists where the machine was asked.
#![allow(unsafe_code)]

/// Columns of a panel.
pub(crate) const LANES: usize = 16;

/// A stored weight.
pub(crate) trait Weight: Copy + Default + Send + Sync + 'static {
    /// Weights of a column that share a scale, where there are scales.
    const BLOCK: Option<usize> = None;

    /// Its value.
    fn widen(self) -> f32;

    /// Loads sixteen of them.
    ///
    /// # Safety
    /// The machine must have AVX2.
    #[cfg(target_arch = "x86_64")]
    unsafe fn load_avx2(weights: &[Self; LANES]) -> Avx2;
}

/// The upper half of an f32.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Bf16(pub(crate) u16);

/// An integer that its block's scale makes a weight.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Scaled8(pub(crate) i8);

/// Sixteen numbers.
pub(super) trait Lanes: Copy {
    /// Loads numbers.
    fn load(values: &[f32; LANES]) -> Self;

    /// Loads weights.
    fn load_weights<W: Weight>(weights: &[W; LANES]) -> Self;

    /// `self + input * weights`.
    fn add_product(self, input: f32, weights: Self) -> Self;

    /// `self * others`.
    fn times(self, others: Self) -> Self;

    /// The numbers.
    fn values(self) -> [f32; LANES];
}

/// Plain numbers; the compiler uses what all machines of the target have.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; LANES]);

impl Lanes for Portable {
    #[inline(always)]
    fn load(values: &[f32; LANES]) -> Self {
        Self(*values)
    }

    #[inline(always)]
    fn load_weights<W: Weight>(weights: &[W; LANES]) -> Self {
        Self(weights.map(W::widen))
    }

    #[inline(always)]
    fn add_product(mut self, input: f32, weights: Self) -> Self {
        for (sum, weight) in self.0.iter_mut().zip(weights.0) {
            // In one rounding where every machine of the target has an instruction for it.
            *sum = if cfg!(target_arch = "aarch64") { input.mul_add(weight, *sum) } else { *sum + input * weight };
        }
        self
    }

    #[inline(always)]
    fn times(self, others: Self) -> Self {
        let mut product = self.0;
        product.iter_mut().zip(others.0).for_each(|(value, other)| *value *= other);
        Self(product)
    }

    #[inline(always)]
    fn values(self) -> [f32; LANES] {
        self.0
    }
}

impl Weight for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn load_avx2(weights: &[Self; LANES]) -> Avx2 {
        Avx2::load(weights)
    }
}

impl Weight for Bf16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn load_avx2(weights: &[Self; LANES]) -> Avx2 {
        use std::arch::x86_64::{
            __m128i, _mm_loadu_si128, _mm256_castsi256_ps, _mm256_cvtepu16_epi32, _mm256_slli_epi32,
        };
        let pointer = weights.as_ptr().cast::<__m128i>();
        // SAFETY: sixteen weights are two times 16 bytes, `Bf16` is a transparent u16, the loads need no alignment,
        // and the caller vouches for AVX2.
        unsafe {
            let widen = |half| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(half)));
            Avx2(widen(_mm_loadu_si128(pointer)), widen(_mm_loadu_si128(pointer.add(1))))
        }
    }
}

impl Weight for Scaled8 {
    const BLOCK: Option<usize> = Some(32);

    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from(self.0)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn load_avx2(weights: &[Self; LANES]) -> Avx2 {
        use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_srli_si128, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps};
        // SAFETY: sixteen weights are 16 bytes, the load needs no alignment, and the caller vouches for AVX2.
        unsafe {
            let bytes = _mm_loadu_si128(weights.as_ptr().cast::<__m128i>());
            let widen = |half| _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(half));
            Avx2(widen(bytes), widen(_mm_srli_si128::<8>(bytes)))
        }
    }
}

/// Two registers of eight numbers.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2(std::arch::x86_64::__m256, std::arch::x86_64::__m256);

/// Proof that this machine has AVX2 and fused multiplication.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx2Machine(());

#[cfg(target_arch = "x86_64")]
impl Avx2Machine {
    /// Asks the machine; the answer is remembered by the standard library.
    #[inline(always)]
    pub(super) fn detect() -> Option<Self> {
        let has_both = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
        has_both.then_some(Self(()))
    }

    /// Computes a product with these instructions.
    pub(super) fn run<W: Weight>(self, product: super::Product<'_, W>) {
        // SAFETY: `self` exists only where the machine has both features.
        unsafe { run_avx2(product) }
    }
}

/// The product, compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<W: Weight>(product: super::Product<'_, W>) {
    product.compute::<Avx2>();
}

// SAFETY of all blocks below: `Avx2` is used by `run_avx2` alone, which runs where the machine has AVX2 and fused
// multiplication. Loads and stores need no alignment and stay inside arrays of sixteen numbers.
#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    #[inline(always)]
    fn load(values: &[f32; LANES]) -> Self {
        use std::arch::x86_64::_mm256_loadu_ps;
        let pointer = values.as_ptr();
        // SAFETY: see above.
        unsafe { Self(_mm256_loadu_ps(pointer), _mm256_loadu_ps(pointer.add(8))) }
    }

    #[inline(always)]
    fn load_weights<W: Weight>(weights: &[W; LANES]) -> Self {
        // SAFETY: see above.
        unsafe { W::load_avx2(weights) }
    }

    #[inline(always)]
    fn add_product(self, input: f32, weights: Self) -> Self {
        use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps};
        // SAFETY: see above.
        unsafe {
            let input = _mm256_set1_ps(input);
            Self(_mm256_fmadd_ps(input, weights.0, self.0), _mm256_fmadd_ps(input, weights.1, self.1))
        }
    }

    #[inline(always)]
    fn times(self, others: Self) -> Self {
        use std::arch::x86_64::_mm256_mul_ps;
        // SAFETY: see above.
        unsafe { Self(_mm256_mul_ps(self.0, others.0), _mm256_mul_ps(self.1, others.1)) }
    }

    #[inline(always)]
    fn values(self) -> [f32; LANES] {
        use std::arch::x86_64::_mm256_storeu_ps;
        let mut values = [0.0; LANES];
        let pointer = values.as_mut_ptr();
        // SAFETY: see above.
        unsafe {
            _mm256_storeu_ps(pointer, self.0);
            _mm256_storeu_ps(pointer.add(8), self.1);
        }
        values
    }
}
