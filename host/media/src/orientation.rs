//! How a camera was held, and pixels put upright.

use mimus_vision::Image;

/// What EXIF says of a picture: how its pixels lie in the file. The numbers are those of EXIF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orientation {
    /// 1: as they should.
    #[default]
    Upright = 1,
    /// 2: left and right are exchanged.
    Mirrored = 2,
    /// 3: upside down.
    Turned180 = 3,
    /// 4: top and bottom are exchanged.
    Flipped = 4,
    /// 5: rows and columns are exchanged.
    Transposed = 5,
    /// 6: must be turned by 90 degrees clockwise.
    Turned90 = 6,
    /// 7: rows and columns are exchanged, and upside down.
    Transversed = 7,
    /// 8: must be turned by 270 degrees clockwise.
    Turned270 = 8,
}

impl Orientation {
    /// From EXIF's number; what is no such number says nothing.
    pub fn from_exif(number: u8) -> Option<Orientation> {
        use Orientation::*;
        let all = [Upright, Mirrored, Turned180, Flipped, Transposed, Turned90, Transversed, Turned270];
        all.into_iter().find(|orientation| *orientation as u8 == number)
    }

    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        self as u8 >= 5
    }
}

/// Side of the squares in which pixels are moved, so that rows and columns both stay in the processor's cache.
const TILE: usize = 32;

/// The picture upright.
pub fn orient(image: Image, orientation: Orientation) -> Image {
    if orientation == Orientation::Upright {
        return image;
    }
    let (width, height) = (image.width() as usize, image.height() as usize);
    // Where in the file each output pixel comes from: that of (0, 0), and steps to the right and down, in pixels.
    let (right, bottom) = (width - 1, (height - 1) * width);
    let (row, back) = (width as isize, -(width as isize));
    let (start, step_x, step_y) = match orientation {
        Orientation::Upright => (0, 1, row),
        Orientation::Mirrored => (right, -1, row),
        Orientation::Turned180 => (bottom + right, -1, back),
        Orientation::Flipped => (bottom, 1, back),
        Orientation::Transposed => (0, row, 1),
        Orientation::Turned90 => (bottom, back, 1),
        Orientation::Transversed => (bottom + right, back, -1),
        Orientation::Turned270 => (right, row, -1),
    };
    let (out_width, out_height) = if orientation.swaps_sides() { (height, width) } else { (width, height) };
    let from = image.pixels();
    let mut pixels = vec![0; from.len()];
    for top in (0..out_height).step_by(TILE) {
        for left in (0..out_width).step_by(TILE) {
            for y in top..(top + TILE).min(out_height) {
                let mut source = start as isize + y as isize * step_y + left as isize * step_x;
                let line = &mut pixels[(y * out_width + left) * 3..(y * out_width + (left + TILE).min(out_width)) * 3];
                for pixel in line.as_chunks_mut::<3>().0 {
                    let at = source as usize * 3;
                    pixel.copy_from_slice(&from[at..at + 3]);
                    source += step_x;
                }
            }
        }
    }
    Image::new(out_width as u32, out_height as u32, pixels).expect("there are as many pixels as before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_exif() {
        for number in 1..=8 {
            assert_eq!(Orientation::from_exif(number).map(|orientation| orientation as u8), Some(number));
        }
        assert_eq!([0, 9, 255].map(Orientation::from_exif), [None; 3]);
    }

    #[test]
    fn turning_back_gives_the_same_picture() {
        // Wider and higher than a tile, and no multiple of it.
        let (width, height) = (75, 41);
        let pixels = (0..width * height * 3).map(|at| (at % 251) as u8).collect();
        let image = Image::new(width, height, pixels).expect("as many bytes");
        for number in 2..=8 {
            let orientation = Orientation::from_exif(number).expect("a number of EXIF");
            let back = match orientation {
                Orientation::Turned90 => Orientation::Turned270,
                Orientation::Turned270 => Orientation::Turned90,
                own_inverse => own_inverse,
            };
            let turned = orient(image.clone(), orientation);
            assert_ne!(turned, image, "{orientation:?}");
            assert_eq!(turned.width() == width, !orientation.swaps_sides(), "{orientation:?}");
            assert_eq!(orient(turned, back), image, "{orientation:?}");
        }
    }
}
