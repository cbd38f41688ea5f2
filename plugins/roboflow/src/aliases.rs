//! Short names that stand for models of the original's public projects. Clients replace them before they ask; requests without a
//! client hold them as they are.
//!
//! Source: the list in `inference-sdk` 0.9.23 and 1.8.3.

/// Sizes of a family in the order of their versions, the version of the first, and what stands before and after the size.
struct Family {
    before: &'static str,
    sizes: &'static [&'static str],
    after: &'static str,
    project: &'static str,
    versions: &'static [u32],
}

const SIZES: &[&str] = &["n", "s", "m", "l", "x"];

const fn family(
    before: &'static str,
    sizes: &'static [&'static str],
    after: &'static str,
    project: &'static str,
    versions: &'static [u32],
) -> Family {
    Family { before, sizes, after, project, versions }
}

const FAMILIES: &[Family] = &[
    family("yolov8", SIZES, "-640", "coco", &[3, 6, 8, 7, 5]),
    family("yolov8", SIZES, "-1280", "coco", &[9, 10, 11, 12, 13]),
    family("yolov8", SIZES, "-seg-640", "coco-dataset-vdnr1", &[2, 4, 5, 6, 3]),
    family("yolov8", SIZES, "-seg-1280", "coco-dataset-vdnr1", &[7, 8, 9, 10, 11]),
    family("yolov8", SIZES, "-pose-640", "coco-pose-detection", &[1, 2, 3, 4, 5]),
    family("yolov8", &["x"], "-pose-1280", "coco-pose-detection", &[6]),
    family("yolo-nas-", &["s", "m", "l"], "-640", "coco", &[14, 15, 16]),
    family("yolov10", &["n", "s", "m", "b", "l", "x"], "-640", "coco", &[19, 20, 21, 22, 23, 24]),
    family("yolov11", SIZES, "-640", "coco", &[25, 26, 27, 28, 29]),
    family("yolo11", SIZES, "-640", "coco", &[25, 26, 27, 28, 29]),
    family("yolov11", SIZES, "-1280", "coco", &[30, 31, 32, 33, 34]),
    family("yolo11", SIZES, "-1280", "coco", &[30, 31, 32, 33, 34]),
    family("yolov11", SIZES, "-seg-640", "coco-dataset-vdnr1", &[19, 20, 21, 22, 23]),
    family("yolo11", SIZES, "-seg-640", "coco-dataset-vdnr1", &[19, 20, 21, 22, 23]),
    family("yolo26", SIZES, "-640", "coco", &[41, 42, 43, 44, 45]),
    family("rfdetr-", &["base", "nano", "small", "medium", "large"], "", "coco", &[36, 38, 39, 40, 50]),
    family("resnet", &["18", "34", "50", "101"], "", "classifiers", &[1, 2, 3, 4]),
];

/// Every alias with what it stands for.
fn all() -> impl Iterator<Item = (String, String)> {
    FAMILIES.iter().flat_map(|family| {
        family.sizes.iter().zip(family.versions).map(move |(size, version)| {
            (format!("{}{size}{}", family.before, family.after), format!("{}/{version}", family.project))
        })
    })
}

/// What an id stands for: itself unless it is an alias.
pub(crate) fn resolve(id: &str) -> String {
    // Aliases hold no slash, and ids of projects do.
    match id.contains('/') {
        true => None,
        false => all().find(|(alias, _)| alias == id).map(|(_, target)| target),
    }
    .unwrap_or_else(|| id.to_owned())
}

/// The names that stand for an id: a model that an operator gave one of these is found by the id too.
pub(crate) fn names_of(id: &str) -> Vec<String> {
    all().filter(|(_, target)| target == id).map(|(alias, _)| alias).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_resolved() {
        let cases = [
            ("yolov8n-640", "coco/3"),
            ("yolov8x-640", "coco/5"),
            ("yolov8l-1280", "coco/12"),
            ("yolov8s-seg-640", "coco-dataset-vdnr1/4"),
            ("yolov8x-pose-1280", "coco-pose-detection/6"),
            ("yolo-nas-l-640", "coco/16"),
            ("yolov10b-640", "coco/22"),
            ("yolo11m-seg-640", "coco-dataset-vdnr1/21"),
            ("yolo26x-640", "coco/45"),
            ("rfdetr-large", "coco/50"),
            ("resnet101", "classifiers/4"),
            ("shapes/1", "shapes/1"),
            ("yolov8n-320", "yolov8n-320"),
        ];
        for (id, target) in cases {
            assert_eq!(resolve(id), target, "{id}");
        }
        assert_eq!(names_of("coco/25"), ["yolov11n-640", "yolo11n-640"]);
    }

    #[test]
    fn families_are_whole() {
        for family in FAMILIES {
            assert_eq!(family.sizes.len(), family.versions.len(), "{}{}", family.before, family.after);
        }
    }
}
