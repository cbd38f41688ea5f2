//! Pictures of clients on their way in and out: fetched, decoded, drawn on and encoded off the serving threads, within bounds on what
//! all requests together hold.
//!
//! How that is done is the business of `mimus-media`; this decides when and how much at once.

use std::sync::Arc;
use std::time::Duration;

use mimus_engine::vision::Image;
use mimus_media::{Decoded, Fetcher, Format, Mark, MediaError, Orientation};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// Decodes pictures for the whole server.
pub struct Media {
    fetcher: Fetcher,
    /// As many pictures are worked on at once as there are processors: more would only share them.
    work: Arc<Semaphore>,
    /// KiB of decoded pixels that may still be taken.
    memory: Arc<Semaphore>,
}

/// Where a picture comes from.
pub enum Source {
    /// A file.
    Bytes(Vec<u8>),
    /// A file as text.
    Base64(String),
    /// An address.
    Url(String),
}

/// A decoded picture. Dropping the last clone gives its memory back.
#[derive(Clone)]
pub struct Picture {
    image: Image,
    orientation: Orientation,
    _memory: Arc<OwnedSemaphorePermit>,
}

/// Why there is no picture.
#[derive(Debug)]
pub enum OpenError {
    /// It is the client's.
    Picture(MediaError),
    /// Too many pictures are held just now: try again after so long.
    Overloaded(Duration),
}

impl From<MediaError> for OpenError {
    fn from(error: MediaError) -> Self {
        OpenError::Picture(error)
    }
}

impl Media {
    /// A decoder that fetches by these rules.
    pub fn new(fetcher: Fetcher) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Media {
            fetcher,
            work: Arc::new(Semaphore::new(processors)),
            memory: Arc::new(Semaphore::new(limits::PICTURES_KIB_MAX as usize)),
        }
    }

    /// Decodes a picture. `bytes_left`: pixels in bytes that the request may still hold.
    ///
    /// # Errors
    /// What is wrong with the picture, or that it must wait.
    pub async fn open(&self, source: Source, bytes_left: usize) -> Result<Picture, OpenError> {
        let file = match source {
            Source::Bytes(bytes) => bytes,
            Source::Base64(text) => self.work(move || mimus_media::base64::decode(&text)).await?,
            Source::Url(url) => self.fetcher.fetch(&url).await?.into(),
        };
        let (width, height) = mimus_media::measure(&file)?;
        let bytes = (width as usize).saturating_mul(height as usize).saturating_mul(3);
        if bytes > bytes_left {
            let bound = limits::PICTURE_BYTES_MAX >> 20;
            let reason = format!("the pictures of one request may take {bound} MiB decoded, and this one passes that");
            return Err(MediaError::TooLarge(reason).into());
        }
        let kib = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX).min(limits::PICTURES_KIB_MAX);
        let wait = Duration::from_millis(limits::PICTURE_WAIT_MS);
        let memory = match tokio::time::timeout(wait, self.memory.clone().acquire_many_owned(kib)).await {
            Ok(Ok(memory)) => Arc::new(memory),
            _ => return Err(OpenError::Overloaded(wait)),
        };
        let Decoded { image, orientation } = self.work(move || mimus_media::decode(&file)).await?;
        Ok(Picture { image, orientation, _memory: memory })
    }

    /// Draws over a picture.
    ///
    /// # Errors
    /// Which mark is out of bounds.
    pub async fn draw(&self, mut picture: Picture, marks: Vec<Mark>) -> Result<Picture, String> {
        self.work(move || {
            mimus_media::draw(&mut picture.image, &marks).map_err(|error| error.to_string())?;
            Ok(picture)
        })
        .await
    }

    /// The picture as a file.
    ///
    /// # Errors
    /// Why it cannot be written so.
    pub async fn encode(&self, picture: Picture, format: Format) -> Result<Vec<u8>, String> {
        self.work(move || mimus_media::encode(&picture.image, format)).await.map_err(|error| error.to_string())
    }

    /// Turns the pixels as the file says.
    pub async fn orient(&self, mut picture: Picture) -> Picture {
        let orientation = std::mem::take(&mut picture.orientation);
        if orientation == Orientation::default() {
            return picture;
        }
        self.work(move || Picture { image: mimus_media::orient(picture.image, orientation), ..picture }).await
    }

    /// Runs work on a thread that may be busy for long.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        // The semaphore is never closed.
        let _turn = self.work.acquire().await.ok();
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl Picture {
    /// The pixels.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Bytes of the pixels.
    pub fn bytes(&self) -> usize {
        self.image.pixels().len()
    }
}
