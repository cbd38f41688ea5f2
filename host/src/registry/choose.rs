//! Which weights of a family to launch: what somebody asked for, else what suits the machine.

use std::cmp::Ordering;
use std::fmt::Write;

use super::bits::{billions, estimate_bytes, milli_bits};
use super::{Family, Machine, Origin, Weights, size};

/// Models up to this size are taken when nobody says which size: 8 billion parameters, however they are rounded.
const BILLIONS_UNASKED_MAX: f64 = 8.5;

/// Up to this size a processor is quick enough for weights of 16 bits.
const BILLIONS_SMALL: f64 = 1.55;

/// Quantizations below this are taken only when no better one fits: answers suffer.
const MILLI_BITS_GOOD: u64 = 4_400;

/// Memory besides the weights, at least: what a model computes with.
const WORKING_BYTES: u64 = 256 << 20;

/// What somebody asked for. None leaves it to [`choose`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Billions of parameters: `7`, `7.0`, `0.5`, `0_5`.
    pub size: Option<String>,
    /// `gguf`, `safetensors`, or one of their older names.
    pub format: Option<String>,
    /// In any case. `none` asks for weights that are not quantized, where there are any.
    pub quantization: Option<String>,
}

/// What to launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Place in [`Family::weights`].
    pub weights: usize,
    /// One of their quantizations, as published.
    pub quantization: String,
    /// Why: one sentence for people.
    pub reason: String,
}

/// Why there is nothing to launch. Each says what could be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChooseError {
    /// This server cannot run any that would do: why.
    #[error("{0}")]
    Unsupported(String),
    /// The family has no such weights.
    #[error("there are no weights {asked}; there are {available}")]
    NoSuch {
        /// `of 9B in gguf q4_k_m`.
        asked: String,
        /// What there is, by format.
        available: String,
    },
    /// The smallest that would do does not fit.
    #[error("it needs {} of memory, and {} are free", show_bytes(*.needed), show_bytes(*.free))]
    TooLarge {
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
}

/// Chooses among a family's weights.
///
/// What is asked for is followed or refused. The rest is chosen: what is here already, then the largest model that fits with room to spare,
/// in the format that suits the machine, and of at most some 8 billion parameters unless another size is asked for.
///
/// * `supports`: whether the server runs an architecture in a format and quantization, or why not.
/// * `is_cached`: whether the files of a quantization are on this machine.
///
/// # Errors
/// [`ChooseError`].
pub fn choose(
    family: &Family,
    wish: &Wish,
    machine: &Machine,
    supports: &dyn Fn(&str, &str, &str) -> Result<(), String>,
    is_cached: &dyn Fn(&Weights, &str) -> bool,
) -> Result<Choice, ChooseError> {
    let wanted = Wanted::of(wish);
    let asked_for = wanted.candidates(family);
    if asked_for.is_empty() {
        return Err(ChooseError::NoSuch { asked: wanted.show(), available: show_all(family) });
    }
    let mut refusal = None;
    let mut candidates = Vec::new();
    for (weights, quantization) in asked_for {
        let entry = &family.weights[weights];
        match supports(family.architecture_of(entry), &entry.format, quantization) {
            Ok(()) => candidates.push(Candidate::new(family, weights, quantization, machine, is_cached)),
            Err(reason) => refusal = refusal.or(Some(reason)),
        }
    }
    let smallest = candidates.iter().map(Candidate::needed_bytes).min();
    let Some(needed) = smallest else {
        return Err(ChooseError::Unsupported(refusal.unwrap_or_else(|| "it has no weights".into())));
    };
    let fitting = candidates.iter().filter(|candidate| candidate.fit != Fit::TooLarge);
    let Some(best) = fitting.min_by(|one, other| one.compare(other, machine, wanted.size.is_some())) else {
        return Err(ChooseError::TooLarge { needed, free: machine.memory_bytes_free });
    };
    let reason = best.reason(family, &candidates, machine);
    Ok(Choice { weights: best.weights, quantization: best.quantization.to_owned(), reason })
}

/// A wish in this room's words.
struct Wanted<'a> {
    size: Option<&'a str>,
    format: Option<String>,
    quantization: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(wish: &'a Wish) -> Self {
        let said = |text: &&str| !text.trim().is_empty() && !text.trim().eq_ignore_ascii_case("null");
        Wanted {
            size: wish.size.as_deref().filter(said),
            format: wish.format.as_deref().and_then(size::wished_format),
            quantization: wish.quantization.as_deref().filter(said),
        }
    }

    /// Weights and quantizations that the wish allows.
    fn candidates<'f>(&self, family: &'f Family) -> Vec<(usize, &'f str)> {
        let is_size = |weights: &Weights| match (self.size, &weights.size) {
            (None, _) => true,
            (Some(wished), Some(size)) => size::same_size(wished, size),
            (Some(_), None) => false,
        };
        let is_format = |weights: &Weights| self.format.as_ref().is_none_or(|format| *format == weights.format);
        let mut all = Vec::new();
        for (index, weights) in
            family.weights.iter().enumerate().filter(|(_, weights)| is_size(weights) && is_format(weights))
        {
            all.extend(weights.quantizations.iter().map(|quantization| (index, quantization.as_str())));
        }
        let Some(wished) = self.quantization else {
            return all;
        };
        let is_there = all.iter().any(|(_, quantization)| size::same_quantization(wished, quantization));
        // Many clients send `none` when they mean nothing by it: where no weights are plain it asks for nothing.
        if is_there || !size::is_none(wished) {
            all.retain(|(_, quantization)| size::same_quantization(wished, quantization));
        }
        all
    }

    fn show(&self) -> String {
        let mut text = String::new();
        if let Some(size) = self.size {
            text.push_str(&format!("of {}", show_size(size)));
        }
        let words = [self.format.as_deref(), self.quantization].into_iter().flatten();
        for (index, word) in words.enumerate() {
            let joint = if index > 0 || text.is_empty() { "" } else { " " };
            text.push_str(&format!("{joint}{}{}", if index > 0 { " " } else { "in " }, word.escape_debug()));
        }
        text
    }
}

/// How weights fit the memory that is free. The better come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// A fifth of the free memory or more stays free.
    Comfortable,
    Tight,
    TooLarge,
}

struct Candidate<'a> {
    weights: usize,
    format: &'a str,
    quantization: &'a str,
    billions: Option<f64>,
    bytes: Option<u64>,
    is_here: bool,
    fit: Fit,
}

impl<'a> Candidate<'a> {
    fn new(
        family: &'a Family,
        index: usize,
        quantization: &'a str,
        machine: &Machine,
        is_cached: &dyn Fn(&Weights, &str) -> bool,
    ) -> Self {
        let weights = &family.weights[index];
        let mut candidate = Candidate {
            weights: index,
            format: &weights.format,
            quantization,
            billions: billions(family, weights),
            bytes: estimate_bytes(weights, quantization),
            is_here: !matches!(weights.origin, Origin::Hub { .. }) || is_cached(weights, quantization),
            fit: Fit::Comfortable,
        };
        let (needed, free) = (candidate.needed_bytes(), machine.memory_bytes_free);
        candidate.fit = match candidate.bytes {
            // Nobody knows before the files are here.
            None => Fit::Comfortable,
            Some(_) if needed > free => Fit::TooLarge,
            Some(_) if needed > free / 5 * 4 => Fit::Tight,
            Some(_) => Fit::Comfortable,
        };
        candidate
    }

    /// Memory that it takes to run: the weights, an eighth of them for keys and values, and what it computes with.
    fn needed_bytes(&self) -> u64 {
        let bytes = self.bytes.unwrap_or(0);
        bytes.saturating_add(bytes / 8).saturating_add(WORKING_BYTES)
    }

    fn is_good(&self) -> bool {
        milli_bits(self.quantization) >= MILLI_BITS_GOOD
    }

    /// The better one is less.
    fn compare(&self, other: &Candidate<'_>, machine: &Machine, is_size_asked: bool) -> Ordering {
        let class = |candidate: &Candidate<'_>| {
            let is_usual = is_size_asked || candidate.billions.is_none_or(|billions| billions <= BILLIONS_UNASKED_MAX);
            match candidate.fit {
                Fit::Comfortable if candidate.is_good() && is_usual => 0,
                Fit::Comfortable if candidate.is_good() => 1,
                Fit::Tight if candidate.is_good() => 2,
                _ => 3,
            }
        };
        let size = |candidate: &Candidate<'_>| {
            let billions = candidate.billions.unwrap_or(0.0);
            // The largest of those that suit, the smallest of the others.
            if class(candidate) == 0 { -billions } else { billions }
        };
        let key = |candidate: &Candidate<'_>| (!candidate.is_here, class(candidate));
        key(self)
            .cmp(&key(other))
            .then_with(|| size(self).total_cmp(&size(other)))
            .then_with(|| self.rank(machine).cmp(&other.rank(machine)))
    }

    /// How well format and quantization suit the machine; less is better.
    fn rank(&self, machine: &Machine) -> (u32, u64) {
        let coarseness = 64_000 - milli_bits(self.quantization);
        let is_small = self.billions.is_none_or(|billions| billions <= BILLIONS_SMALL);
        let is_plain = milli_bits(self.quantization) >= 16_000;
        let group = match self.format {
            "safetensors" if machine.has_gpu || is_small => 0,
            "gguf" if machine.has_gpu || is_small => 1,
            // A processor reads all weights for every token: fewer bits are quicker.
            "gguf" if !is_plain => 0,
            "safetensors" => 1,
            "gguf" => 2,
            _ => 3,
        };
        (group, coarseness)
    }

    fn show(&self, family: &Family) -> String {
        let mut text = self.format.to_owned();
        if !size::is_none(self.quantization) {
            text.push_str(&format!(" {}", self.quantization));
        }
        if let Some(size) = &family.weights[self.weights].size {
            text.push_str(&format!(" of {}", show_size(size)));
        }
        text
    }

    fn reason(&self, family: &Family, all: &[Candidate<'_>], machine: &Machine) -> String {
        let mut text = self.show(family);
        match (self.bytes, &family.weights[self.weights].origin) {
            (_, Origin::Builtin(_)) => text.push_str(" that comes with the server"),
            (Some(bytes), _) => {
                let free = show_bytes(machine.memory_bytes_free);
                text.push_str(&format!(": {} of {free} free", show_bytes(bytes)));
            }
            (None, _) => {}
        }
        if self.is_here && matches!(family.weights[self.weights].origin, Origin::Hub { .. }) {
            text.push_str("; its files are here already");
        }
        let size = &family.weights[self.weights].size;
        let is_other =
            |other: &&Candidate<'_>| other.format != self.format && family.weights[other.weights].size == *size;
        if let Some((other, bytes)) = all.iter().find(is_other).and_then(|other| Some((other, other.bytes?))) {
            text.push_str(&format!("; {} would need {}", other.format, show_bytes(bytes)));
        }
        text
    }
}

/// `7B`, whatever way it was written.
fn show_size(size: &str) -> String {
    size::parse(size).map_or_else(|| size.escape_debug().to_string(), |billions| format!("{billions}B"))
}

/// `4.1 GB`, of a thousand million bytes.
fn show_bytes(bytes: u64) -> String {
    if bytes < 1_000_000_000 {
        format!("{} MB", bytes.div_ceil(1_000_000))
    } else {
        format!("{:.1} GB", bytes as f64 / 1e9)
    }
}

/// What a family has: formats, their sizes, and quantizations where there are several.
fn show_all(family: &Family) -> String {
    let mut formats: Vec<&str> = Vec::new();
    for weights in &family.weights {
        if !formats.contains(&weights.format.as_str()) {
            formats.push(&weights.format);
        }
    }
    let mut text = String::new();
    for format in formats {
        let all = || family.weights.iter().filter(|weights| weights.format == format);
        let mut sizes: Vec<String> = all().filter_map(|weights| weights.size.as_deref().map(show_size)).collect();
        sizes.dedup();
        let mut quantizations: Vec<&str> = Vec::new();
        for quantization in all().flat_map(|weights| &weights.quantizations) {
            if !size::is_none(quantization) && !quantizations.contains(&quantization.as_str()) {
                quantizations.push(quantization);
            }
        }
        let joint = if text.is_empty() { "" } else { "; " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{joint}{format}");
        if !sizes.is_empty() {
            let _ = write!(text, " of {}", sizes.join(", "));
        }
        if !quantizations.is_empty() {
            let _ = write!(text, " ({})", quantizations.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests;
