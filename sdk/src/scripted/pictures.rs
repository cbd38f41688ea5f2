//! Pictures of the scripted host: files that the test wrote, and models that see in every picture what the test says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ScriptedHost;
use crate::backend::{Picture, own_picture};
use crate::inference::{ContextExcess, Error, InvalidValue};
use crate::media::{self, Format, Mark, Source};
use crate::vision::{Description, Face, Findings, IMAGES_MAX, Options, Prediction, TEXTS_MAX, Task, TextBlock};

/// What a plugin gave a model to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The model's name.
    pub model: String,
    /// The pictures in order.
    pub pictures: Vec<Shown>,
    /// How to look, for `predict`.
    pub options: Option<Options>,
    /// For `gaze`.
    pub finds_faces: bool,
}

/// A picture as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The bytes of its file.
    pub file: Vec<u8>,
    /// Whether it was turned by its EXIF orientation.
    pub is_oriented: bool,
}

/// What the script says of pictures.
#[derive(Default)]
pub(super) struct Pictures {
    /// Each file with its width and height.
    files: Vec<(Vec<u8>, u32, u32)>,
    addresses: BTreeMap<String, Vec<u8>>,
    models: BTreeMap<String, (Description, Findings)>,
    /// The grid of predictions, where it is not the picture's.
    grid: Option<(u32, u32)>,
    text: Vec<TextBlock>,
    faces: Vec<Face>,
    looked: Vec<Looked>,
    drawn: Rc<RefCell<Vec<Vec<Mark>>>>,
}

impl ScriptedHost {
    /// These bytes are the file of a picture of that size; other bytes are none.
    pub fn picture(self, file: &[u8], width: u32, height: u32) -> Self {
        self.inner.pictures.borrow_mut().files.push((file.into(), width, height));
        self
    }

    /// Bytes that the host gets at an address; other addresses are refused.
    pub fn address(self, url: &str, bytes: &[u8]) -> Self {
        self.inner.pictures.borrow_mut().addresses.insert(url.into(), bytes.into());
        self
    }

    /// Adds a ready model that sees the same in every picture.
    pub fn sees(self, name: &str, description: Description, findings: Findings) -> Self {
        let ability = match description.task {
            Task::ImageText => "embed-image",
            Task::TextReading => "read-text",
            Task::GazeDetection => "gaze",
            _ => "predict",
        };
        self.inner.pictures.borrow_mut().models.insert(name.into(), (description, findings));
        let model = super::model(name);
        self.model(crate::models::Model { abilities: vec![ability.into()], context_tokens: 77, ..model })
    }

    /// What models see has coordinates on a grid of this size.
    pub fn grid(self, width: u32, height: u32) -> Self {
        self.inner.pictures.borrow_mut().grid = Some((width, height));
        self
    }

    /// The text in every picture.
    pub fn text(self, blocks: Vec<TextBlock>) -> Self {
        self.inner.pictures.borrow_mut().text = blocks;
        self
    }

    /// The faces in every picture.
    pub fn faces(self, faces: Vec<Face>) -> Self {
        self.inner.pictures.borrow_mut().faces = faces;
        self
    }

    /// What the plugin gave models to look at so far.
    pub fn looked(&self) -> Vec<Looked> {
        self.inner.pictures.borrow().looked.clone()
    }

    /// The marks on each picture that the plugin encoded so far.
    pub fn drawn(&self) -> Vec<Vec<Mark>> {
        self.inner.pictures.borrow().drawn.borrow().clone()
    }
}

/// What a model of a task is, without classes and of no fixed size.
pub fn description(task: Task) -> Description {
    Description {
        task,
        input_width: None,
        input_height: None,
        batch: None,
        classes: Vec::new(),
        colors: Vec::new(),
        is_oriented: true,
    }
}

struct ScriptedPicture {
    file: Vec<u8>,
    width: u32,
    height: u32,
    is_oriented: Cell<bool>,
    marks: RefCell<Vec<Mark>>,
    drawn: Rc<RefCell<Vec<Vec<Mark>>>>,
}

impl Picture for ScriptedPicture {
    fn width(&self) -> u32 {
        self.width
    }

    fn height(&self) -> u32 {
        self.height
    }

    fn orient(&self) {
        self.is_oriented.set(true);
    }

    fn draw(&self, marks: &[Mark]) -> Result<(), String> {
        self.marks.borrow_mut().extend_from_slice(marks);
        Ok(())
    }

    /// `jpeg 90 of 640x480`.
    fn encode(&self, format: Format) -> Result<Vec<u8>, String> {
        self.drawn.borrow_mut().push(self.marks.borrow().clone());
        let format = match format {
            Format::Jpeg(quality) => format!("jpeg {quality}"),
            Format::Png => "png".into(),
        };
        Ok(format!("{format} of {}x{}", self.width, self.height).into())
    }
}

pub(super) fn open(host: &ScriptedHost, source: Source) -> Result<Box<dyn Picture>, media::Error> {
    let pictures = host.inner.pictures.borrow();
    let file = match source {
        Source::Bytes(bytes) => bytes,
        Source::Base64(text) => decode(&text)?,
        Source::Url(url) => {
            let found = pictures.addresses.get(&url).cloned();
            found.ok_or_else(|| media::Error::Refused(format!("the address {url} is not allowed")))?
        }
    };
    if file.is_empty() {
        return Err(media::Error::Empty);
    }
    let known = pictures.files.iter().find(|(known, ..)| *known == file);
    let (_, width, height) = known.ok_or_else(|| media::Error::Malformed("the bytes are no picture".into()))?;
    Ok(Box::new(ScriptedPicture {
        file,
        width: *width,
        height: *height,
        is_oriented: Cell::new(false),
        marks: RefCell::default(),
        drawn: pictures.drawn.clone(),
    }))
}

fn decode(text: &str) -> Result<Vec<u8>, media::Error> {
    let text = text.split_once(";base64,").map_or(text, |(_, text)| text);
    let text: String = text.split_whitespace().collect::<String>().replace('-', "+").replace('_', "/");
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = GeneralPurpose::new(&STANDARD, config).decode(text);
    decoded.map_err(|error| media::Error::Malformed(format!("not base64: {error}")))
}

pub(super) fn describe(host: &ScriptedHost, model: &str) -> Result<Description, Error> {
    host.ready_model(model)?;
    let pictures = host.inner.pictures.borrow();
    let found = pictures.models.get(model).map(|(description, _)| description.clone());
    found.ok_or_else(|| Error::Unsupported("vision by this model".into()))
}

pub(super) fn predict(
    host: &ScriptedHost,
    model: &str,
    images: &[&dyn Picture],
    options: &Options,
) -> Result<Vec<Prediction>, Error> {
    describe(host, model)?;
    check_count("images", images.len(), IMAGES_MAX)?;
    look(host, model, images, Some(options), false);
    let pictures = host.inner.pictures.borrow();
    let (_, findings) = &pictures.models[model];
    let one = |image: &&dyn Picture| {
        let (width, height) = pictures.grid.unwrap_or((image.width(), image.height()));
        Prediction { width, height, findings: findings.clone() }
    };
    Ok(images.iter().map(one).collect())
}

/// Width and height, then ones.
pub(super) fn embed_images(host: &ScriptedHost, model: &str, images: &[&dyn Picture]) -> Result<Vec<Vec<f32>>, Error> {
    expect_task(host, model, Task::ImageText)?;
    check_count("images", images.len(), IMAGES_MAX)?;
    look(host, model, images, None, false);
    Ok(images.iter().map(|image| vec![image.width() as f32, image.height() as f32, 1.0, 1.0]).collect())
}

/// How many words the text has, then ones.
pub(super) fn embed_texts(host: &ScriptedHost, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, Error> {
    expect_task(host, model, Task::ImageText)?;
    check_count("texts", texts.len(), TEXTS_MAX)?;
    let limit = host.ready_model(model)?.context_tokens;
    let embed = |text: &String| {
        let words = text.split_whitespace().count() as u32;
        if words > limit {
            return Err(Error::ContextExceeded(ContextExcess { limit, prompt: words, wanted: 0 }));
        }
        Ok(vec![words as f32, 1.0, 1.0, 1.0])
    };
    texts.iter().map(embed).collect()
}

pub(super) fn read_text(host: &ScriptedHost, model: &str, image: &dyn Picture) -> Result<Vec<TextBlock>, Error> {
    expect_task(host, model, Task::TextReading)?;
    look(host, model, &[image], None, false);
    Ok(host.inner.pictures.borrow().text.clone())
}

pub(super) fn gaze(
    host: &ScriptedHost,
    model: &str,
    image: &dyn Picture,
    finds_faces: bool,
) -> Result<Vec<Face>, Error> {
    expect_task(host, model, Task::GazeDetection)?;
    look(host, model, &[image], None, finds_faces);
    Ok(host.inner.pictures.borrow().faces.clone())
}

fn look(host: &ScriptedHost, model: &str, images: &[&dyn Picture], options: Option<&Options>, finds_faces: bool) {
    let shown = |image: &&dyn Picture| {
        let picture: &ScriptedPicture = own_picture(*image);
        Shown { file: picture.file.clone(), is_oriented: picture.is_oriented.get() }
    };
    let pictures = images.iter().map(shown).collect();
    let looked = Looked { model: model.into(), pictures, options: options.cloned(), finds_faces };
    host.inner.pictures.borrow_mut().looked.push(looked);
}

fn expect_task(host: &ScriptedHost, model: &str, task: Task) -> Result<(), Error> {
    match describe(host, model)?.task == task {
        true => Ok(()),
        false => Err(Error::Unsupported(format!("{task:?} by this model"))),
    }
}

fn check_count(field: &str, count: usize, max: usize) -> Result<(), Error> {
    let reason = || format!("must be 1 to {max}, got {count}");
    match (1..=max).contains(&count) {
        true => Ok(()),
        false => Err(Error::Invalid(InvalidValue { field: field.into(), reason: reason() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::with_backend;
    use crate::vision::{self, ClassScore};

    fn host() -> ScriptedHost {
        let findings = Findings::Classes(vec![ClassScore { id: 0, name: "red".into(), confidence: 0.9 }]);
        ScriptedHost::new().picture(b"a file", 8, 6).address("http://pictures/a", b"a file").sees(
            "colors/1",
            description(Task::Classification),
            findings,
        )
    }

    #[test]
    fn pictures_open_from_every_source() {
        let host = host();
        let open = |source| {
            let opened = with_backend(Rc::new(host.clone()), || media::open(source));
            opened.map(|image| (image.width(), image.height()))
        };
        assert_eq!(open(Source::Bytes(b"a file".to_vec())), Ok((8, 6)));
        for text in ["YSBmaWxl", "YSBm\naWxl", "data:image/png;base64,YSBmaWxl"] {
            assert_eq!(open(Source::Base64(text.into())), Ok((8, 6)), "{text}");
        }
        assert_eq!(open(Source::Url("http://pictures/a".into())), Ok((8, 6)));
        assert!(matches!(open(Source::Url("http://pictures/b".into())), Err(media::Error::Refused(_))));
        assert!(matches!(open(Source::Base64("!!!!".into())), Err(media::Error::Malformed(_))));
        assert!(matches!(open(Source::Bytes(b"other".to_vec())), Err(media::Error::Malformed(_))));
        assert_eq!(open(Source::Base64(String::new())), Err(media::Error::Empty));
    }

    #[test]
    fn models_see_what_the_script_says() {
        let host = host();
        let predicted = with_backend(Rc::new(host.clone()), || {
            let image = media::open(Source::Bytes(b"a file".to_vec())).expect("a picture");
            image.orient();
            vision::predict("colors/1", &[image], &Options::default())
        });
        let prediction = &predicted.expect("a prediction")[0];
        assert_eq!((prediction.width, prediction.height), (8, 6));
        let looked = host.looked();
        assert_eq!(looked[0].pictures, [Shown { file: b"a file".to_vec(), is_oriented: true }]);
        assert_eq!(looked[0].options, Some(Options::default()));
    }

    #[test]
    fn a_model_keeps_to_its_task() {
        let refused = with_backend(Rc::new(host()), || vision::embed_texts("colors/1", &["a".into()]));
        assert!(matches!(refused, Err(Error::Unsupported(_))));
        let unknown = with_backend(Rc::new(host()), || vision::describe("colors/2"));
        assert_eq!(unknown, Err(Error::UnknownModel("colors/2".into())));
    }
}
