//! `media`: pictures of clients and for clients.

use mimus_engine::vision::Image;
use mimus_media as media;
use wasmtime::component::Resource;

use crate::limits;
use crate::media::{OpenError, Picture, Source};
use crate::plugin::bindings::personality::mimus::plugin::media as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    async fn open(&mut self, source: wit::Source) -> wasmtime::Result<Result<Resource<Picture>, wit::Error>> {
        self.count_call()?;
        if self.pictures == limits::PICTURES_MAX {
            return Ok(Err(wit::Error::TooLarge(format!("{} pictures at once, at most", limits::PICTURES_MAX))));
        }
        let source = match source {
            wit::Source::Bytes(bytes) => Source::Bytes(bytes),
            wit::Source::Base64(text) => Source::Base64(text),
            wit::Source::Url(url) => Source::Url(url),
        };
        let services = self.services.clone();
        let left = limits::PICTURE_BYTES_MAX.saturating_sub(self.picture_bytes);
        match self.wait(services.media.open(source, left)).await {
            Ok(picture) => {
                self.pictures += 1;
                self.picture_bytes += picture.bytes();
                Ok(Ok(self.table.push(picture)?))
            }
            Err(error) => Ok(Err(to_error(error))),
        }
    }
}

impl wit::HostImage for Guest {
    async fn width(&mut self, image: Resource<Picture>) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(self.table.get(&image)?.image().width())
    }

    async fn height(&mut self, image: Resource<Picture>) -> wasmtime::Result<u32> {
        self.count_call()?;
        Ok(self.table.get(&image)?.image().height())
    }

    async fn orient(&mut self, image: Resource<Picture>) -> wasmtime::Result<()> {
        self.count_call()?;
        let services = self.services.clone();
        let picture = self.table.get(&image)?.clone();
        let turned = self.wait(services.media.orient(picture)).await;
        *self.table.get_mut(&image)? = turned;
        Ok(())
    }

    async fn draw(&mut self, image: Resource<Picture>, marks: Vec<wit::Mark>) -> wasmtime::Result<Result<(), String>> {
        self.count_call()?;
        let services = self.services.clone();
        let picture = self.table.get(&image)?.clone();
        let marks = marks.into_iter().map(to_mark).collect();
        Ok(match self.wait(services.media.draw(picture, marks)).await {
            Ok(drawn) => {
                *self.table.get_mut(&image)? = drawn;
                Ok(())
            }
            Err(reason) => Err(reason),
        })
    }

    async fn encode(
        &mut self,
        image: Resource<Picture>,
        format: wit::Format,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        self.count_call()?;
        let services = self.services.clone();
        let picture = self.table.get(&image)?.clone();
        let format = match format {
            wit::Format::Jpeg(quality) => media::Format::Jpeg(quality),
            wit::Format::Png => media::Format::Png,
        };
        Ok(self.wait(services.media.encode(picture, format)).await)
    }

    async fn drop(&mut self, image: Resource<Picture>) -> wasmtime::Result<()> {
        let picture = self.table.delete(image)?;
        self.pictures -= 1;
        self.picture_bytes -= picture.bytes();
        Ok(())
    }
}

impl Guest {
    /// The pictures behind handles.
    pub(super) fn images(&self, handles: &[Resource<Picture>]) -> wasmtime::Result<Vec<Image>> {
        handles.iter().map(|handle| Ok(self.table.get(handle)?.image().clone())).collect()
    }
}

fn to_error(error: OpenError) -> wit::Error {
    match error {
        OpenError::Overloaded(after) => wit::Error::Overloaded(u32::try_from(after.as_millis()).unwrap_or(u32::MAX)),
        OpenError::Picture(error) => match error {
            media::MediaError::Empty => wit::Error::Empty,
            media::MediaError::Malformed(reason) => wit::Error::Malformed(reason),
            media::MediaError::TooLarge(reason) => wit::Error::TooLarge(reason),
            media::MediaError::Refused(reason) => wit::Error::Refused(reason),
            media::MediaError::Unreachable(reason) => wit::Error::Unreachable(reason),
        },
    }
}

fn to_mark(mark: wit::Mark) -> media::Mark {
    match mark {
        wit::Mark::Line(line) => media::Mark::Line {
            points: to_points(line.points),
            is_closed: line.is_closed,
            color: to_color(line.color),
            stroke: line.stroke,
        },
        wit::Mark::Area(area) => {
            media::Mark::Area { points: to_points(area.points), color: to_color(area.color), opacity: area.opacity }
        }
        wit::Mark::Dot(dot) => {
            media::Mark::Dot { center: to_point(dot.center), radius: dot.radius, color: to_color(dot.color) }
        }
        wit::Mark::Label(label) => media::Mark::Label {
            anchor: to_point(label.anchor),
            text: label.text,
            color: to_color(label.color),
            size: label.size,
        },
    }
}

fn to_points(points: Vec<wit::Point>) -> Vec<media::Point> {
    points.into_iter().map(to_point).collect()
}

fn to_point(point: wit::Point) -> media::Point {
    media::Point { x: point.x, y: point.y }
}

fn to_color(color: wit::Color) -> media::Color {
    [color.r, color.g, color.b]
}
