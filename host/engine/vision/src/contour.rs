//! The outline of a mask, point for point as OpenCV's `findContours(RETR_EXTERNAL, CHAIN_APPROX_SIMPLE)` gives it.
//!
//! Of several parts, the one whose outline has the most points counts as the largest, and of equals the lowest: so the servers of these
//! models choose. Source: Suzuki and Abe, "Topological structural analysis of digitized binary images by border following", 1985;
//! pinned by `tests/golden/pictures.safetensors`.

use crate::masks::Mask;

/// Inside, not yet walked along.
const INSIDE: i8 = 1;

/// On an outline that was walked along.
const BORDER: i8 = 2;

/// The same where the outline's right side was met.
const RIGHT_BORDER: i8 = -2;

/// Steps from right on, against the clock: columns and rows.
const STEPS: [(isize, isize); 8] = [(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1)];

/// A place of the mask's grid.
pub(crate) type GridPoint = (u32, u32);

/// The outline of a mask's largest part on the mask's grid; empty when nothing is inside.
pub(crate) fn outline(mask: &Mask) -> Vec<GridPoint> {
    let mut walk = Walk::new(mask);
    let mut longest: Vec<(usize, usize)> = Vec::new();
    let mut points = Vec::new();
    for y in 1..=mask.part.height {
        let mut before = 0;
        // What was met last on this row: beyond a right border is outside, beyond any other is inside.
        let mut last_border = 0;
        for x in 1..=mask.part.width {
            let here = walk.at(x, y);
            if before == 0 && here == INSIDE && last_border <= 0 {
                points.clear();
                walk.follow(x, y, &mut points);
                if points.len() >= longest.len() {
                    std::mem::swap(&mut longest, &mut points);
                }
            }
            before = walk.at(x, y);
            if before != 0 && before != INSIDE {
                last_border = before;
            }
        }
    }
    let (left, top) = (mask.part.x as u32, mask.part.y as u32);
    longest.iter().map(|&(x, y)| (left + x as u32 - 1, top + y as u32 - 1)).collect()
}

/// A mask with an edge of nothing around it, and what was met on the way.
struct Walk {
    cells: Vec<i8>,
    stride: usize,
}

impl Walk {
    fn new(mask: &Mask) -> Self {
        let stride = mask.part.width + 2;
        let mut cells = vec![0; stride * (mask.part.height + 2)];
        let rows = cells.chunks_exact_mut(stride).skip(1).zip(mask.inside.chunks_exact(mask.part.width.max(1)));
        for (row, inside) in rows {
            row[1..=inside.len()].iter_mut().zip(inside).for_each(|(cell, &inside)| *cell = inside as i8);
        }
        Self { cells, stride }
    }

    fn at(&self, x: usize, y: usize) -> i8 {
        self.cells[y * self.stride + x]
    }

    /// The place one step further; the edge of nothing keeps it inside.
    fn step(&self, place: usize, direction: usize) -> usize {
        let (x, y) = STEPS[direction % 8];
        place.wrapping_add_signed(y * self.stride as isize + x)
    }

    /// Walks along the outline from its first place and notes where the direction changes.
    fn follow(&mut self, x: usize, y: usize, points: &mut Vec<(usize, usize)>) {
        let start = y * self.stride + x;
        // Clockwise from the left, what is the last place before this one?
        let Some(back) = (1..8).map(|turn| (4 + 8 - turn) % 8).find(|&way| self.cells[self.step(start, way)] != 0)
        else {
            self.cells[start] = RIGHT_BORDER;
            points.push((x, y));
            return;
        };
        let end = self.step(start, back);
        let (mut place, mut direction) = (start, back);
        let mut noted = back ^ 4;
        loop {
            // Against the clock from where we came, where does it go on? At the latest, back.
            let from = direction;
            let ahead = (from + 1..from + 9).find(|&way| self.cells[self.step(place, way)] != 0).unwrap_or(from + 8);
            let next = self.step(place, ahead);
            let passed_right = ahead > 8;
            direction = ahead % 8;
            if passed_right {
                self.cells[place] = RIGHT_BORDER;
            } else if self.cells[place] == INSIDE {
                self.cells[place] = BORDER;
            }
            if direction != noted {
                points.push((place % self.stride, place / self.stride));
                noted = direction;
            }
            if next == start && place == end {
                return;
            }
            place = next;
            direction = (direction + 4) % 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::placement::Area;

    fn check(rows: &[&str], expect: &[GridPoint]) {
        let inside: Vec<u8> = rows.iter().flat_map(|row| row.bytes().map(|byte| u8::from(byte == b'#'))).collect();
        let part = Area { x: 10, y: 20, width: rows.first().map_or(0, |row| row.len()), height: rows.len() };
        let mask = Mask { grid_width: 100, grid_height: 100, part, inside };
        let expect: Vec<GridPoint> = expect.iter().map(|(x, y)| (x + 10, y + 20)).collect();
        assert_eq!(outline(&mask), expect, "{rows:#?}");
    }

    #[test]
    fn outlines_are_opencvs() {
        check(&[], &[]);
        check(&["...", "..."], &[]);
        check(&["#"], &[(0, 0)]);
        check(&["###"], &[(0, 0), (2, 0)]);
        check(&["###", "###"], &[(0, 0), (0, 1), (2, 1), (2, 0)]);
        check(&[".#.", "###", ".#."], &[(1, 0), (0, 1), (1, 2), (2, 1)]);
    }

    #[test]
    fn of_equal_parts_the_lowest_counts() {
        check(&["##..", "##..", "....", "..##", "..##"], &[(2, 3), (2, 4), (3, 4), (3, 3)]);
    }

    #[test]
    fn parts_in_holes_are_not_looked_at() {
        let rows = ["#########", "#.......#", "#...#...#", "#..#.#..#", "#...#...#", "#.......#", "#########"];
        check(&rows, &[(0, 0), (0, 6), (8, 6), (8, 0)]);
    }
}
