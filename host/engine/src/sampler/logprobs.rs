//! Log-probabilities as the model gives them, before temperature, penalties and bias.

/// The log-probabilities of one row.
#[derive(Debug)]
pub(crate) struct LogProbs<'a> {
    row: &'a [f32],
    /// Logarithm of the sum of all exponentials.
    log_sum: f64,
}

impl<'a> LogProbs<'a> {
    /// * `row`: finite logits, `[vocab]`.
    pub(crate) fn new(row: &'a [f32]) -> Self {
        let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|&logit| f64::from(logit - best).exp()).sum();
        Self { row, log_sum: f64::from(best) + sum.ln() }
    }

    /// That of token `id`.
    pub(crate) fn of(&self, id: u32) -> f32 {
        let logit = self.row.get(id as usize).copied().unwrap_or(f32::NEG_INFINITY);
        (f64::from(logit) - self.log_sum) as f32
    }

    /// The `count` most likely tokens, best first; of equals the lower id.
    pub(crate) fn top(&self, count: usize) -> Vec<(u32, f32)> {
        let mut top: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
        for (id, &logit) in self.row.iter().enumerate() {
            let is_full = top.len() == count;
            if is_full && top.last().is_none_or(|&(_, last)| logit <= last) {
                continue;
            }
            let place = top.partition_point(|&(_, other)| other >= logit);
            top.insert(place, (id as u32, logit));
            top.truncate(count);
        }
        for (id, value) in &mut top {
            *value = self.of(*id);
        }
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one() {
        let row = [1.0, 2.0, 2.0, -50.0, 100.0];
        let probs = LogProbs::new(&row);
        let sum: f32 = (0..5).map(|id| probs.of(id).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        assert_eq!(probs.of(9), f32::NEG_INFINITY);
    }

    #[test]
    fn top_is_ordered() {
        let row = [1.0, 2.0, 2.0, -50.0, 3.0];
        let probs = LogProbs::new(&row);
        let ids = |count| probs.top(count).iter().map(|&(id, _)| id).collect::<Vec<_>>();
        assert_eq!(ids(0), [0u32; 0]);
        assert_eq!(ids(3), [4, 1, 2]);
        assert_eq!(ids(9), [4, 1, 2, 0, 3]);
    }
}
