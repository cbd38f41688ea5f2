//! From a network's numbers to classes.

use crate::error::VisionError;
use crate::prediction::ClassScore;

/// What a network's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// Already from 0 to 1.
    None,
    /// To be brought to a sum of 1.
    Softmax,
    /// To be brought to 0 to 1 each.
    Sigmoid,
    /// To be brought to a sum of 1 unless they are there already: files that do not say.
    SoftmaxIfNeeded,
}

/// Every class with its confidence, in the order of their ids. A number that is none counts as 0.
///
/// # Errors
/// [`VisionError::Failed`] when there are not as many numbers as classes.
pub(crate) fn scores(
    values: &[f32],
    classes: &[String],
    activation: Activation,
) -> Result<Vec<ClassScore>, VisionError> {
    if values.len() != classes.len() {
        let (values, classes) = (values.len(), classes.len());
        return Err(VisionError::Failed(format!("the network gave {values} numbers for {classes} classes")));
    }
    let confidences = match activation {
        Activation::None => values.to_vec(),
        Activation::Sigmoid => values.iter().map(|value| 1.0 / (1.0 + (-value).exp())).collect(),
        Activation::Softmax => softmax(values),
        Activation::SoftmaxIfNeeded if are_shares(values) => values.to_vec(),
        Activation::SoftmaxIfNeeded => softmax(values),
    };
    let score = |(id, (name, confidence)): (usize, (&String, f32))| {
        let confidence = if confidence.is_finite() { confidence } else { 0.0 };
        ClassScore { id: id as u32, name: name.clone(), confidence }
    };
    Ok(classes.iter().zip(confidences).enumerate().map(score).collect())
}

/// Whether numbers are shares of a whole.
fn are_shares(values: &[f32]) -> bool {
    let sum: f32 = values.iter().sum();
    values.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < 1e-3
}

fn softmax(values: &[f32]) -> Vec<f32> {
    let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = values.iter().map(|value| (value - greatest).exp()).collect();
    let sum: f32 = powers.iter().filter(|power| power.is_finite()).sum();
    powers.iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f32], activation: Activation, expect: &[f32]) {
        let classes: Vec<String> = (0..values.len()).map(|id| format!("class_{id}")).collect();
        let scores = scores(values, &classes, activation).expect("as many classes");
        for (id, (score, expect)) in scores.iter().zip(expect).enumerate() {
            assert_eq!((score.id as usize, &score.name), (id, &classes[id]));
            assert!((score.confidence - expect).abs() < 1e-6, "{score:?}, {expect}");
        }
        assert_eq!(scores.len(), expect.len());
    }

    #[test]
    fn numbers_become_confidences() {
        check(&[0.0, 0.0], Activation::Softmax, &[0.5, 0.5]);
        check(&[1000.0, 0.0], Activation::Softmax, &[1.0, 0.0]);
        check(&[0.0, 1000.0, -1000.0], Activation::Sigmoid, &[0.5, 1.0, 0.0]);
        check(&[0.25, 0.75], Activation::SoftmaxIfNeeded, &[0.25, 0.75]);
        check(&[2.0, 2.0], Activation::SoftmaxIfNeeded, &[0.5, 0.5]);
        check(&[0.1, 0.9], Activation::None, &[0.1, 0.9]);
    }

    #[test]
    fn numbers_that_are_none_count_as_zero() {
        let nan = f32::NAN;
        check(&[nan, 1.0], Activation::Softmax, &[0.0, 1.0]);
        check(&[nan, nan], Activation::Softmax, &[0.0, 0.0]);
        check(&[nan, f32::INFINITY], Activation::None, &[0.0, 0.0]);
    }

    #[test]
    fn other_counts_are_an_error() {
        assert!(scores(&[0.5], &[], Activation::None).is_err());
    }
}
