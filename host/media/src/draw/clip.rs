//! Geometry cut to a rectangle, so that coordinates of any size are drawn as fast as those of the picture.

use super::Point;

/// A point of which arithmetic with the largest `f32` stays finite.
pub type Exact = [f64; 2];

/// A rectangle, sides included.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub min: Exact,
    pub max: Exact,
}

pub fn exact(point: Point) -> Exact {
    [f64::from(point.x), f64::from(point.y)]
}

/// The part of a line between two points that lies in the window, if any does.
pub fn segment(from: Exact, to: Exact, window: &Window) -> Option<(Exact, Exact)> {
    let (mut start, mut end) = ((0.0_f64, None), (1.0_f64, None));
    for axis in 0..2 {
        let step = to[axis] - from[axis];
        let (min, max) = (window.min[axis], window.max[axis]);
        if step == 0.0 {
            if from[axis] < min || from[axis] > max {
                return None;
            }
            continue;
        }
        let (enter, leave) = if step > 0.0 { (min, max) } else { (max, min) };
        let (entered, left) = ((enter - from[axis]) / step, (leave - from[axis]) / step);
        if entered > start.0 {
            start = (entered, Some((axis, enter)));
        }
        if left < end.0 {
            end = (left, Some((axis, leave)));
        }
    }
    // The coordinate at the border is known; computed from far away it would be lost in rounding.
    let at = |(part, border): (f64, Option<(usize, f64)>), whole: Exact| {
        let Some((axis, value)) = border else { return whole };
        let mut place = [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
        place[axis] = value;
        place
    };
    (start.0 <= end.0).then(|| (at(start, from), at(end, to)))
}

/// The part of a polygon that lies in the window: its sides are cut one after the other, and what is outside follows the border.
pub fn polygon(points: impl Iterator<Item = Exact>, window: &Window) -> Vec<Exact> {
    let mut polygon: Vec<Exact> = points.collect();
    for (axis, border, sign) in
        [(0, window.min[0], 1.0), (0, window.max[0], -1.0), (1, window.min[1], 1.0), (1, window.max[1], -1.0)]
    {
        let is_inside = |point: &Exact| (point[axis] - border) * sign >= 0.0;
        let mut cut = Vec::with_capacity(polygon.len() + 4);
        for (at, point) in polygon.iter().enumerate() {
            let before = &polygon[(at + polygon.len() - 1) % polygon.len()];
            if is_inside(before) != is_inside(point) {
                let part = (border - before[axis]) / (point[axis] - before[axis]);
                let mut crossing =
                    [before[0] + (point[0] - before[0]) * part, before[1] + (point[1] - before[1]) * part];
                crossing[axis] = border;
                cut.push(crossing);
            }
            if is_inside(point) {
                cut.push(*point);
            }
        }
        polygon = cut;
    }
    polygon
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { min: [0.0, 0.0], max: [10.0, 10.0] };

    #[test]
    fn lines_are_cut_at_the_border() {
        for (from, to, expect) in [
            ([1.0, 1.0], [9.0, 2.0], Some(([1.0, 1.0], [9.0, 2.0]))),
            ([-10.0, 5.0], [20.0, 5.0], Some(([0.0, 5.0], [10.0, 5.0]))),
            ([5.0, 20.0], [5.0, -10.0], Some(([5.0, 10.0], [5.0, 0.0]))),
            ([-5.0, -5.0], [15.0, 15.0], Some(([0.0, 0.0], [10.0, 10.0]))),
            ([3.0, 3.0], [3.0, 3.0], Some(([3.0, 3.0], [3.0, 3.0]))),
            ([-1.0, 5.0], [-1.0, 6.0], None),
            ([-5.0, 4.0], [4.0, -5.0], None),
        ] {
            assert_eq!(segment(from, to, &WINDOW), expect, "{from:?} {to:?}");
        }
        let far = f64::from(f32::MAX);
        assert_eq!(segment([-far, 5.0], [far, 5.0], &WINDOW), Some(([0.0, 5.0], [10.0, 5.0])));
        assert_eq!(segment([5.0, far], [5.0, -far], &WINDOW), Some(([5.0, 10.0], [5.0, 0.0])));
        for (from, to) in [([-far, -far], [far, far]), ([5.0, 5.0], [far, -far])] {
            let (from, to) = segment(from, to, &WINDOW).expect("it crosses");
            assert!(from.iter().chain(&to).all(|value| value.abs() < 1e30), "{from:?} {to:?}");
        }
    }

    #[test]
    fn polygons_are_cut_at_the_border() {
        let area = |points: &[Exact]| {
            let cut = polygon(points.iter().copied(), &WINDOW);
            assert!(cut.iter().flatten().all(|value| (0.0..=10.0).contains(value)), "{cut:?}");
            let next = cut.iter().cycle().skip(1);
            cut.iter().zip(next).map(|(a, b)| (a[0] * b[1] - b[0] * a[1]) / 2.0).sum::<f64>()
        };
        let far = f64::from(f32::MAX);
        assert_eq!(area(&[[2.0, 2.0], [4.0, 2.0], [4.0, 4.0], [2.0, 4.0]]), 4.0);
        assert_eq!(area(&[[-5.0, -5.0], [5.0, -5.0], [5.0, 5.0], [-5.0, 5.0]]), 25.0);
        assert_eq!(area(&[[-far, -far], [far, -far], [far, far], [-far, far]]), 100.0);
        assert_eq!(area(&[[11.0, 0.0], [12.0, 0.0], [12.0, 9.0]]), 0.0);
        assert!(polygon(std::iter::empty(), &WINDOW).is_empty());
    }
}
