//! Masks as COCO's run lengths: down the columns, in turn outside and inside, packed into text.
//!
//! Source: pycocotools, `common/maskApi.c`, `rleToString`; pinned by `tests/golden/pictures.safetensors`.

use crate::masks::Mask;

/// Columns that are walked down together, so that each row is read in order.
const BLOCK_COLUMNS: usize = 64;

/// The run lengths of a mask as text.
pub(crate) fn encode(mask: &Mask) -> String {
    pack(&counts(mask))
}

/// The run lengths: first of what is outside, which may be 0.
fn counts(mask: &Mask) -> Vec<u32> {
    let (height, part) = (mask.grid_height, &mask.part);
    let mut changes: Vec<usize> = Vec::new();
    let mut toggle = |place: usize| {
        // Two changes at one place are none: a column that ends inside, and the next that begins so.
        if changes.last() == Some(&place) {
            changes.pop();
        } else {
            changes.push(place);
        }
    };
    let mut columns: [Vec<usize>; BLOCK_COLUMNS] = std::array::from_fn(|_| Vec::new());
    let nothing = vec![0; part.width];
    for first in (0..part.width).step_by(BLOCK_COLUMNS) {
        let last = part.width.min(first + BLOCK_COLUMNS);
        for y in 0..=part.height {
            let row = |y: usize| &mask.inside[y * part.width + first..y * part.width + last];
            let above = if y == 0 { &nothing[first..last] } else { row(y - 1) };
            let here = if y == part.height { &nothing[first..last] } else { row(y) };
            if above != here {
                for (column, (above, here)) in columns.iter_mut().zip(above.iter().zip(here)) {
                    if above != here {
                        column.push(y);
                    }
                }
            }
        }
        for (x, column) in columns.iter_mut().enumerate().take(last - first) {
            let top = (part.x + first + x) * height + part.y;
            column.drain(..).for_each(|y| toggle(top + y));
        }
    }
    let end = mask.grid_width * height;
    let mut counts = Vec::with_capacity(changes.len() + 1);
    let mut before = 0;
    for place in changes.into_iter().filter(|&place| place < end) {
        counts.push((place - before) as u32);
        before = place;
    }
    counts.push((end - before) as u32);
    counts
}

/// Numbers as text: five bits a letter, each from the third on less the one two before.
fn pack(counts: &[u32]) -> String {
    let mut text = String::with_capacity(counts.len() * 2);
    for (index, &count) in counts.iter().enumerate() {
        let mut rest = i64::from(count);
        if index > 2 {
            rest -= i64::from(counts[index - 2]);
        }
        loop {
            let mut bits = (rest & 0x1f) as u8;
            rest >>= 5;
            let is_last = if bits & 0x10 != 0 { rest == -1 } else { rest == 0 };
            if !is_last {
                bits |= 0x20;
            }
            text.push(char::from(bits + 48));
            if is_last {
                break;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::placement::Area;

    /// A mask from rows of `.` and `#`, placed at `x`, `y` of a grid.
    fn mask(rows: &[&str], x: usize, y: usize, grid_width: usize, grid_height: usize) -> Mask {
        let inside: Vec<u8> = rows.iter().flat_map(|row| row.bytes().map(|byte| u8::from(byte == b'#'))).collect();
        let part = Area { x, y, width: rows.first().map_or(0, |row| row.len()), height: rows.len() };
        Mask { grid_width, grid_height, part, inside }
    }

    #[test]
    fn runs_go_down_the_columns() {
        let check = |mask: Mask, expect: &[u32]| assert_eq!(counts(&mask), expect);
        check(mask(&[], 0, 0, 4, 3), &[12]);
        check(mask(&["##", "##"], 0, 0, 2, 2), &[0, 4]);
        check(mask(&["##", "##"], 1, 1, 4, 4), &[5, 2, 2, 2, 5]);
        check(mask(&["##", "##"], 1, 0, 4, 2), &[2, 4, 2]);
        check(mask(&["#.", ".#"], 2, 2, 4, 4), &[10, 1, 4, 1]);
        let wide = "#".repeat(130);
        check(mask(&[&wide], 0, 0, 130, 1), &[0, 130]);
    }

    /// Texts that pycocotools 2.0.11 gives.
    #[test]
    fn texts_are_cocos() {
        assert_eq!(encode(&mask(&[], 0, 0, 4, 3)), "<");
        assert_eq!(encode(&mask(&["##", "##"], 0, 0, 2, 2)), "04");
        assert_eq!(encode(&mask(&["##", "##"], 1, 1, 4, 4)), "52203");
    }
}
