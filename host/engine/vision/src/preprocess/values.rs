//! From 8-bit pixels to the numbers that a network takes.

/// A picture in the network's size: `[height, width, 3]`, RGB, 0 to 255.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Canvas {
    Bytes(Vec<u8>),
    /// Not rounded.
    Floats(Vec<f32>),
}

/// How a network takes its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Values {
    /// Blue first.
    pub(crate) is_bgr: bool,
    /// What values are divided by.
    pub(crate) scaling: f32,
    /// Taken away from each channel, in the network's order, after the division.
    pub(crate) mean: [f32; 3],
    /// What each channel is divided by at last.
    pub(crate) deviation: [f32; 3],
}

impl Values {
    /// Red first, 0 to 1.
    pub(crate) const UNIT: Values = Values { is_bgr: false, scaling: 255.0, mean: [0.0; 3], deviation: [1.0; 3] };

    /// Writes the numbers of a picture.
    ///
    /// * `tensor`: `[3, height, width]`, overwritten; as large as the picture.
    pub(crate) fn write(&self, canvas: &Canvas, tensor: &mut [f32]) {
        match canvas {
            Canvas::Bytes(pixels) => {
                let tables: [[f32; 256]; 3] =
                    std::array::from_fn(|channel| std::array::from_fn(|value| self.number(value as f32, channel)));
                self.spread(pixels, tensor, |value, channel| tables[channel][usize::from(value)]);
            }
            Canvas::Floats(pixels) => self.spread(pixels, tensor, |value, channel| self.number(value, channel)),
        }
    }

    /// What a network takes for a value from 0 to 255 of its own channel.
    fn number(&self, value: f32, channel: usize) -> f32 {
        (value / self.scaling - self.mean[channel]) / self.deviation[channel]
    }

    /// From channels side by side to one after the other.
    fn spread<T: Copy>(&self, pixels: &[T], tensor: &mut [f32], number: impl Fn(T, usize) -> f32) {
        assert_eq!(pixels.len(), tensor.len(), "a picture is as large as its tensor");
        let (first, rest) = tensor.split_at_mut(pixels.len() / 3);
        let (second, third) = rest.split_at_mut(pixels.len() / 3);
        let [red, green, blue] = if self.is_bgr { [2, 1, 0] } else { [0, 1, 2] };
        let planes = first.iter_mut().zip(second.iter_mut()).zip(third.iter_mut());
        for (pixel, ((first, second), third)) in pixels.as_chunks::<3>().0.iter().zip(planes) {
            *first = number(pixel[red], 0);
            *second = number(pixel[green], 1);
            *third = number(pixel[blue], 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_follow_the_networks_order() {
        let pixels = Canvas::Bytes(vec![255, 0, 51, 0, 102, 255]);
        let mut tensor = [0.0; 6];
        Values::UNIT.write(&pixels, &mut tensor);
        assert_eq!(tensor, [1.0, 0.0, 0.0, 0.4, 0.2, 1.0]);
        let values = Values { is_bgr: true, scaling: 1.0, mean: [1.0, 2.0, 3.0], deviation: [1.0, 1.0, 2.0] };
        values.write(&pixels, &mut tensor);
        assert_eq!(tensor, [50.0, 254.0, -2.0, 100.0, 126.0, -1.5]);
        values.write(&Canvas::Floats(vec![0.5, 0.0, 51.0, 0.0, 102.0, 255.0]), &mut tensor);
        assert_eq!(tensor, [50.0, 254.0, -2.0, 100.0, -1.25, -1.5]);
    }
}
