//! Pictures that scripts and tests make alike.

use mimus_vision::Image;

/// The same bytes as the `picture` of `golden_clip.py`: coarse squares with some noise on them.
pub fn picture((width, height): (u32, u32)) -> Image {
    let mut state = u64::from(width * 1_000 + height);
    let mut pixels = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        for channel in 0..3 {
            state = (state * 1_103_515_245 + 12_345) % (1 << 31);
            let noise = (state >> 16) % 32;
            pixels.push(((x / 7 * 61 + y / 5 * 37 + channel * 80) % 224) as u8 + noise as u8);
        }
    }
    Image::new(width, height, pixels).unwrap()
}
