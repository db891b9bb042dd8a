//! Where the pixels of a batch lie in memory.

/// Pixels of images in order, each known by the place of its first channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub images: usize,
    pub height: usize,
    pub width: usize,
    /// Place of the first pixel.
    pub start: usize,
    /// From an image, a row, a pixel to the next.
    pub strides: [usize; 3],
}

impl Grid {
    /// Every pixel of `images` that lie one behind the other.
    pub(crate) fn dense(images: usize, height: usize, width: usize, channels: usize) -> Self {
        let strides = [height * width * channels, width * channels, channels];
        Grid { images, height, width, start: 0, strides }
    }

    pub(crate) fn len(&self) -> usize {
        self.images * self.height * self.width
    }

    /// Where the pixel begins, counted over all images.
    #[inline(always)]
    pub(crate) fn place(&self, pixel: usize) -> usize {
        let (row, x) = (pixel / self.width, pixel % self.width);
        let (image, y) = (row / self.height, row % self.height);
        self.start + image * self.strides[0] + y * self.strides[1] + x * self.strides[2]
    }

    /// Where `N` neighbouring pixels begin.
    #[inline(always)]
    pub(crate) fn places<const N: usize>(&self, first: usize) -> [usize; N] {
        let (row, mut x) = (first / self.width, first % self.width);
        let (mut image, mut y) = (row / self.height, row % self.height);
        let [by_image, by_row, by_pixel] = self.strides;
        std::array::from_fn(|_| {
            let place = self.start + image * by_image + y * by_row + x * by_pixel;
            x += 1;
            if x == self.width {
                (x, y) = (0, y + 1);
                if y == self.height {
                    (y, image) = (0, image + 1);
                }
            }
            place
        })
    }

    /// One past the last place that `reach` values from any pixel on touch.
    pub(crate) fn end(&self, reach: usize) -> usize {
        match self.len() {
            0 => 0,
            n => self.place(n - 1) + reach,
        }
    }
}

/// Neighbouring values that a window takes from a pixel on: one row of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// From the pixel's first channel.
    pub offset: usize,
    pub len: usize,
}

/// How far from its pixel a window reaches.
pub(crate) fn reach(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.offset + run.len).max().unwrap_or(0)
}

/// Values in a window.
pub(crate) fn depth(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.len).sum()
}
