//! From the recogniser's numbers to text: the best class of each step, repetitions and blanks left out.
//!
//! Source: docTR 1.1.0, `models/recognition/crnn/pytorch.py`, `CTCPostProcessor`.

/// The text of one word and how sure its least sure step is, 0 to 1.
///
/// * `logits`: `[steps, vocab + 1]`, the blank last; what is no number is never the best.
/// * `vocab`: the character of each class.
pub(super) fn decode(logits: &[f32], vocab: &[char]) -> (String, f32) {
    let mut text = String::new();
    let mut confidence: f32 = 1.0;
    let mut before = vocab.len();
    for step in logits.chunks_exact(vocab.len() + 1) {
        let (class, probability) = best(step);
        confidence = confidence.min(probability);
        if class != before
            && let Some(&character) = vocab.get(class)
        {
            text.push(character);
        }
        before = class;
    }
    (text, confidence)
}

/// The first of the highest numbers and its part of the softmax; the last class and 0 where none is finite.
fn best(logits: &[f32]) -> (usize, f32) {
    let mut class = logits.len() - 1;
    let mut highest = f32::NEG_INFINITY;
    for (index, &logit) in logits.iter().enumerate() {
        if logit > highest && logit.is_finite() {
            (class, highest) = (index, logit);
        }
    }
    if highest == f32::NEG_INFINITY {
        return (class, 0.0);
    }
    let sum: f32 = logits.iter().filter(|logit| logit.is_finite()).map(|logit| (logit - highest).exp()).sum();
    (class, 1.0 / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_repetitions_are_left_out() {
        let vocab = ['a', 'b'];
        let check = |classes: &[usize], expect: &str| {
            let logits: Vec<f32> = classes
                .iter()
                .flat_map(|&best| (0..3).map(move |class| if class == best { 50.0 } else { 0.0 }))
                .collect();
            assert_eq!(decode(&logits, &vocab), (expect.to_owned(), 1.0));
        };
        check(&[], "");
        check(&[2, 2], "");
        check(&[0, 0, 1, 1], "ab");
        check(&[0, 2, 0, 1], "aab");
        check(&[2, 1, 2], "b");
    }

    #[test]
    fn no_numbers_are_no_text() {
        assert_eq!(decode(&[f32::NAN; 6], &['a', 'b']), (String::new(), 0.0));
        assert_eq!(decode(&[f32::NEG_INFINITY; 3], &['a', 'b']), (String::new(), 0.0));
        assert_eq!(decode(&[f32::NAN, 0.0, f32::NAN], &['a', 'b']), ("b".to_owned(), 1.0));
    }
}
