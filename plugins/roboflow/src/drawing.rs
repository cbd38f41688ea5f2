//! What was seen, drawn over the picture.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mimus_sdk::media::{Color, Dot, Format, Image, Label, Line, Mark, Point};
use mimus_sdk::vision::{ClassScore, Description, Findings, Object, Prediction, Task};

use crate::fault::{Fault, internal};

/// Quality of the file, as the original makes it.
const QUALITY: u8 = 90;

/// Points of one outline; longer ones are thinned out.
const POINTS_MAX: usize = 16 << 10;

/// Characters of a label.
const LABEL_CHARACTERS_MAX: usize = 256;

/// Classes that get a button on a picture.
const BUTTONS_MAX: usize = 64;

/// Colours of classes whose model names none, by class id.
const PALETTE: [Color; 9] = [
    color(0x48, 0x92, 0xea),
    color(0x00, 0xee, 0xc3),
    color(0xfe, 0x4e, 0xf0),
    color(0xf4, 0x00, 0x4e),
    color(0xfa, 0x72, 0x00),
    color(0xee, 0xee, 0x17),
    color(0x90, 0xff, 0x00),
    color(0x78, 0xc1, 0xd2),
    color(0x8c, 0x29, 0xff),
];

const fn color(r: u8, g: u8, b: u8) -> Color {
    Color { r, g, b }
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    /// In pixels, 1 to 64.
    pub(crate) stroke: f32,
    /// Whether boxes have their class beside them.
    pub(crate) has_labels: bool,
}

impl Style {
    /// A style with any number for the stroke.
    pub(crate) fn new(stroke: i64, has_labels: bool) -> Self {
        Style { stroke: stroke.clamp(1, 64) as f32, has_labels }
    }
}

/// A JPEG file of the picture with what was seen in it. Classes of a picture below `confidence` are not drawn.
pub(crate) fn draw(
    image: &Image,
    prediction: &Prediction,
    description: &Description,
    confidence: f64,
    style: Style,
) -> Result<Vec<u8>, Fault> {
    let colors = Colors(&description.colors);
    let size = (image.width() as f32, image.height() as f32);
    match &prediction.findings {
        Findings::Objects(objects) => {
            let grid = (prediction.width.max(1) as f32, prediction.height.max(1) as f32);
            let scale = (size.0 / grid.0, size.1 / grid.1);
            // One call for each object: what all of them together need may be more than one call takes.
            for object in objects {
                let marks = of_object(object, description.task, colors.of(object.class_id), scale, style);
                image.draw(&marks).map_err(|error| internal(&error))?;
            }
        }
        Findings::Classes(scores) => {
            let mut likely: Vec<&ClassScore> =
                scores.iter().filter(|score| f64::from(score.confidence) >= confidence).collect();
            likely.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
            likely.truncate(if description.task == Task::Classification { 1 } else { BUTTONS_MAX });
            image.draw(&of_classes(&likely, &colors, size, style)).map_err(|error| internal(&error))?;
        }
    }
    image.encode(Format::Jpeg(QUALITY)).map_err(|error| internal(&error))
}

/// The file as text.
pub(crate) fn base64(file: &[u8]) -> String {
    STANDARD.encode(file)
}

struct Colors<'a>(&'a [String]);

impl Colors<'_> {
    /// Of a class: the model's own, else the palette's.
    fn of(&self, class_id: u32) -> Color {
        let own = self.0.get(class_id as usize).and_then(|text| parse(text));
        own.unwrap_or(PALETTE[class_id as usize % PALETTE.len()])
    }
}

/// `#RRGGBB`.
fn parse(text: &str) -> Option<Color> {
    let number = u32::from_str_radix(text.strip_prefix('#').filter(|digits| digits.len() == 6)?, 16).ok()?;
    let [_, r, g, b] = number.to_be_bytes();
    Some(Color { r, g, b })
}

fn of_object(object: &Object, task: Task, color: Color, scale: (f32, f32), style: Style) -> Vec<Mark> {
    let at = |x: f32, y: f32| Point { x: (x * scale.0).trunc(), y: (y * scale.1).trunc() };
    let (left, top) = (object.x - object.width / 2.0, object.y - object.height / 2.0);
    let (right, bottom) = (object.x + object.width / 2.0, object.y + object.height / 2.0);
    let line = |points| Mark::Line(Line { points, is_closed: true, color, stroke: style.stroke });
    let mut marks = Vec::new();
    match task {
        Task::InstanceSegmentation if !object.polygon.is_empty() => {
            let step = object.polygon.len().div_ceil(POINTS_MAX).max(1);
            marks.push(line(object.polygon.iter().step_by(step).map(|point| at(point.x, point.y)).collect()));
        }
        _ => marks.push(line(vec![at(left, top), at(right, top), at(right, bottom), at(left, bottom)])),
    }
    let dot = |point: Point| Mark::Dot(Dot { center: point, radius: style.stroke, color });
    marks.extend(object.keypoints.iter().map(|point| dot(at(point.x, point.y))));
    if style.has_labels {
        let text = format!("{} {:.2}", object.class_name, object.confidence);
        marks.push(label(at(left, top), &text, color));
    }
    marks
}

/// A frame in the colour of the first class, and a button for each, one below the other.
fn of_classes(likely: &[&ClassScore], colors: &Colors<'_>, size: (f32, f32), style: Style) -> Vec<Mark> {
    let Some(first) = likely.first() else { return Vec::new() };
    let corners = [(0.0, 0.0), (size.0, 0.0), (size.0, size.1), (0.0, size.1)];
    let frame = Line {
        points: corners.map(|(x, y)| Point { x, y }).to_vec(),
        is_closed: true,
        color: colors.of(first.id),
        stroke: style.stroke,
    };
    let height = (size.1 / 16.0).clamp(16.0, 64.0);
    let button = |(index, score): (usize, &&ClassScore)| {
        let text = format!("{} - {} {:.2}", score.id, score.name, score.confidence);
        label(Point { x: 0.0, y: height * (index + 1) as f32 }, &text, colors.of(score.id))
    };
    std::iter::once(Mark::Line(frame)).chain(likely.iter().enumerate().map(button)).collect()
}

fn label(anchor: Point, text: &str, color: Color) -> Mark {
    Mark::Label(Label { anchor, text: text.chars().take(LABEL_CHARACTERS_MAX).collect(), color, size: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_colors() {
        let own = ["#FF0080".to_owned(), "red".to_owned(), "#12345".to_owned()];
        let colors = Colors(&own);
        assert_eq!(colors.of(0), color(255, 0, 128));
        for id in [1, 2, 3] {
            assert_eq!(colors.of(id), PALETTE[id as usize]);
        }
        assert_eq!(Colors(&[]).of(9), PALETTE[0]);
    }

    #[test]
    fn strokes_are_bounded() {
        for (stroke, expect) in [(-5, 1.0), (0, 1.0), (1, 1.0), (64, 64.0), (65, 64.0)] {
            assert_eq!(Style::new(stroke, false).stroke, expect);
        }
    }

    #[test]
    fn long_outlines_are_thinned_out() {
        let object = Object {
            x: 0.0,
            y: 0.0,
            width: 1.0,
            height: 1.0,
            confidence: 1.0,
            class_id: 0,
            class_name: "long".into(),
            polygon: vec![Point { x: 1.0, y: 1.0 }; POINTS_MAX + 1],
            rle: None,
            keypoints: Vec::new(),
        };
        let marks = of_object(&object, Task::InstanceSegmentation, PALETTE[0], (1.0, 1.0), Style::new(1, false));
        let Mark::Line(line) = &marks[0] else { panic!("{marks:?}") };
        assert!(line.points.len() <= POINTS_MAX && line.points.len() > POINTS_MAX / 3, "{}", line.points.len());
    }
}
