//! New memory, filled by many threads at once, each part once.

// Memory is written before it is given out, without being cleared first: clearing gigabytes by one thread would take as
// long as reading them.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::error::LoadError;
use crate::model::kernel::LANES;

/// Where values of one part go, one after the other.
pub(super) struct Part<'a, T> {
    places: &'a mut [MaybeUninit<T>],
    written: usize,
}

impl<T: Copy> Part<'_, T> {
    /// Writes the next values; those for which there is no place are dropped.
    pub(super) fn extend(&mut self, values: &[T]) {
        let places = self.places[self.written..].iter_mut().zip(values);
        self.written += places.len();
        for (place, &value) in places {
            place.write(value);
        }
    }

    /// Writes the next values as the columns of `rows`, so that those that belong together lie side by side; nothing
    /// where there is too little place.
    ///
    /// * `rows`: `[LANES, depth]`.
    pub(super) fn interleave(&mut self, rows: &[T], depth: usize) {
        let rows: [&[T]; LANES] = std::array::from_fn(|lane| &rows[lane * depth..][..depth]);
        let (columns, _) = self.places[self.written..].as_chunks_mut::<LANES>();
        let Some(columns) = columns.get_mut(..depth) else { return };
        // A square at a time: rows that are a power of two apart push each other out of the nearest cache.
        for (square, columns) in columns.chunks_mut(LANES).enumerate() {
            let rows = rows.map(|row| &row[square * LANES..][..columns.len()]);
            for (step, column) in columns.iter_mut().enumerate() {
                for (place, row) in column.iter_mut().zip(rows) {
                    place.write(row[step]);
                }
            }
        }
        self.written += depth * LANES;
    }

    /// Refuses a part that was not written to its end.
    fn check(&self) -> Result<(), LoadError> {
        if self.written == self.places.len() {
            return Ok(());
        }
        Err(LoadError::Resource(format!("{} of {} values are there", self.written, self.places.len())))
    }
}

/// How many values there are, and how many of them a part has; the last part may be shorter.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) values: usize,
    pub(super) part_values: usize,
}

/// Values in parts.
///
/// * `scratch`: memory that a thread keeps from part to part.
/// * `write`: writes the part with this number.
///
/// # Errors
/// That of `write`; [`LoadError::Resource`] when a part was not written to its end.
pub(super) fn fill<T: Copy + Send, S>(
    pool: &ThreadPool,
    extent: Extent,
    scratch: impl Fn() -> S + Sync + Send,
    write: impl Fn(&mut S, usize, &mut Part<'_, T>) -> Result<(), LoadError> + Sync + Send,
) -> Result<Vec<T>, LoadError> {
    let none = Extent { values: 0, part_values: 0 };
    let (values, _) = fill_two(pool, extent, none, scratch, |scratch, index, part, _: &mut Part<'_, u8>| {
        write(scratch, index, part)
    })?;
    Ok(values)
}

/// Values of two kinds in as many parts, written together; the second kind may have none.
///
/// # Errors
/// As [`fill`].
pub(super) fn fill_two<T: Copy + Send, U: Copy + Send, S>(
    pool: &ThreadPool,
    first: Extent,
    second: Extent,
    scratch: impl Fn() -> S + Sync + Send,
    write: impl Fn(&mut S, usize, &mut Part<'_, T>, &mut Part<'_, U>) -> Result<(), LoadError> + Sync + Send,
) -> Result<(Vec<T>, Vec<U>), LoadError> {
    let (mut ones, mut others) = (Vec::with_capacity(first.values), Vec::with_capacity(second.values));
    let mut parts = parts(&mut ones, first);
    let mut more = self::parts(&mut others, second);
    if second.values == 0 {
        more.extend(parts.iter().map(|_| Part { places: &mut [], written: 0 }));
    }
    if parts.len() != more.len() {
        return Err(LoadError::Resource(format!("{} and {} parts", parts.len(), more.len())));
    }
    pool.install(|| {
        parts.par_iter_mut().zip(&mut more).enumerate().try_for_each_init(scratch, |scratch, (index, (one, other))| {
            write(scratch, index, one, other)?;
            one.check()?;
            other.check()
        })
    })?;
    // SAFETY: each capacity is as many values or more. Every one of the first so many places is in exactly one part, and
    // every part counted as many writes as it has places, each to the next place.
    unsafe {
        ones.set_len(first.values);
        others.set_len(second.values);
    }
    Ok((ones, others))
}

/// The places of an empty vector, in parts.
fn parts<T>(values: &mut Vec<T>, extent: Extent) -> Vec<Part<'_, T>> {
    let places = &mut values.spare_capacity_mut()[..extent.values];
    places.chunks_mut(extent.part_values.max(1)).map(|places| Part { places, written: 0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_whole_or_refused() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
        let run = |values: usize, written: usize| {
            fill(
                &pool,
                Extent { values, part_values: 7 },
                || (),
                |(), index, part| {
                    let values: Vec<usize> = (0..written).map(|value| index * 7 + value).collect();
                    part.extend(&values);
                    Ok(())
                },
            )
        };
        assert_eq!(run(1_000, 7).expect("all is there"), (0..1_000).collect::<Vec<_>>());
        assert_eq!(run(1_000, 9).expect("the rest is dropped"), (0..1_000).collect::<Vec<_>>());
        assert!(run(0, 7).expect("nothing is there").is_empty());
        assert!(run(1_000, 6).is_err());
        let columns = |places: usize| {
            let rows: Vec<usize> = (0..LANES * 3).collect();
            fill(
                &pool,
                Extent { values: places, part_values: LANES * 3 },
                || (),
                |(), _, part| {
                    part.interleave(&rows, 3);
                    Ok(())
                },
            )
        };
        let expect: Vec<usize> = (0..LANES * 3).map(|place| place % LANES * 3 + place / LANES).collect();
        assert_eq!(columns(LANES * 6).expect("all is there"), [expect.clone(), expect].concat());
        assert!(columns(LANES * 5).is_err());
        let few = Extent { values: 10, part_values: 3 };
        let failed = fill::<u8, ()>(&pool, few, || (), |(), _, _| Err(LoadError::Cancelled));
        assert!(matches!(failed, Err(LoadError::Cancelled)));
        let both = |second: Extent| {
            fill_two(
                &pool,
                few,
                second,
                || (),
                |(), index, one, other| {
                    one.extend(&[index; 3]);
                    other.extend(&[index as u8; 2]);
                    Ok(())
                },
            )
        };
        let expect = (vec![0, 0, 0, 1, 1, 1, 2, 2, 2, 3], vec![0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(both(Extent { values: 8, part_values: 2 }).expect("all is there"), expect);
        assert!(both(Extent { values: 0, part_values: 0 }).expect("one is there").1.is_empty());
        assert!(both(Extent { values: 9, part_values: 3 }).is_err());
        assert!(both(Extent { values: 20, part_values: 2 }).is_err());
    }
}
