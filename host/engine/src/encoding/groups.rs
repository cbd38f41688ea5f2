//! Inputs of a step, cut into groups of about equal work for the threads of a pool.

use rayon::prelude::*;

use crate::model::linear::Threads;

/// Rows that one thread computes at a time: enough to use every weight often, and little enough to stay in its cache.
const GROUP_ROWS: usize = 256;

/// Fewest rows for which a thread of its own is better than all threads sharing every matrix.
const GROUP_ROWS_MIN: usize = 32;

/// Computes inputs of these lengths in groups of about equal work, and gives what came of each in their order.
///
/// * `compute`: what came of each input of a group, in the group's order, by the threads it is told.
pub(crate) fn in_groups<S: Default, T: Send>(
    lengths: &[usize],
    compute: impl Fn(&mut S, &[usize], Threads) -> Vec<T> + Sync,
) -> Vec<T> {
    if lengths.is_empty() {
        return Vec::new();
    }
    let (groups, by) = groups(lengths, rayon::current_num_threads());
    let computed: Vec<Vec<T>> = match by {
        Threads::All => {
            let mut scratch = S::default();
            groups.iter().map(|group| compute(&mut scratch, group, by)).collect()
        }
        Threads::One => {
            let compute = |scratch: &mut S, group: &Vec<usize>| compute(scratch, group, by);
            groups.par_iter().with_max_len(1).map_init(S::default, compute).collect()
        }
    };
    let mut outputs: Vec<(usize, T)> = groups.into_iter().flatten().zip(computed.into_iter().flatten()).collect();
    outputs.sort_unstable_by_key(|(index, _)| *index);
    outputs.into_iter().map(|(_, output)| output).collect()
}

/// Cuts texts into groups of about equal work, and says who computes a group.
///
/// Threads that each have a group wait for nobody. Where there are too few rows for that, or one text has most of
/// them, all threads share the groups' matrices.
fn groups(lengths: &[usize], threads: usize) -> (Vec<Vec<usize>>, Threads) {
    let rows: usize = lengths.iter().sum();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let is_alone = threads == 1 || (rows >= threads * GROUP_ROWS_MIN && longest * threads <= rows + rows / 2);
    let by = if is_alone { Threads::One } else { Threads::All };
    let least = if is_alone { threads } else { 1 };
    let count = rows.div_ceil(GROUP_ROWS).next_multiple_of(least).min(lengths.len()).max(1);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_unstable_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let mut groups = vec![(0, Vec::new()); count];
    for index in order {
        // The longest first, each to the group that has least.
        let lightest = groups.iter_mut().min_by_key(|(rows, _)| *rows).expect("there is at least one group");
        lightest.0 += lengths[index];
        lightest.1.push(index);
    }
    (groups.into_iter().map(|(_, group)| group).filter(|group| !group.is_empty()).collect(), by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_even() {
        let check = |lengths: &[usize], threads: usize, expect: &[usize], by: Threads| {
            let (groups, who) = groups(lengths, threads);
            let mut rows: Vec<usize> =
                groups.iter().map(|group| group.iter().map(|&index| lengths[index]).sum()).collect();
            rows.sort_unstable();
            assert_eq!((rows.as_slice(), who), (expect, by), "{lengths:?} by {threads}");
            let mut all: Vec<usize> = groups.into_iter().flatten().collect();
            all.sort_unstable();
            assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        };
        check(&[5], 1, &[5], Threads::One);
        check(&[5], 4, &[5], Threads::All);
        check(&[10, 10], 2, &[20], Threads::All);
        check(&[40, 40], 2, &[40, 40], Threads::One);
        check(&[300, 10, 10], 2, &[20, 300], Threads::All);
        check(&[100; 8], 2, &[200, 200, 200, 200], Threads::One);
        check(&[64; 6], 1, &[192, 192], Threads::One);
    }
}
