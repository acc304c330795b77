//! The images: read from the data file, and split into images for training and held-out images.

use std::error::Error;
use std::fmt;

use ndarray::{Array2, Axis};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::network::Float;

/// The number of pixels: 8 x 8.
pub(crate) const PIXELS: usize = 64;
pub(crate) const CLASSES: usize = 10;

/// One image on each line: its pixels, row by row, each from 0 to 16, and the digit. See data/README.md.
const FILE: &str = include_str!("../data/digits.csv");
const BRIGHTEST: u8 = 16;

/// Images, and the digit that each of them shows.
#[derive(Clone)]
pub(crate) struct Images<T> {
    /// Each row is one image.
    pub(crate) pixels: Array2<T>,
    pub(crate) labels: Vec<u8>,
}

/// A fault in a data file, and its line.
#[derive(Debug, PartialEq)]
pub(crate) struct DataError {
    line: usize,
    what: String,
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the data: {}", self.line, self.what)
    }
}

impl Error for DataError {}

impl<T: Float> Images<T> {
    /// All images of the data file, with pixels from 0 to 16.
    pub(crate) fn load() -> Result<Self, DataError> {
        Self::parse(FILE)
    }

    fn parse(text: &str) -> Result<Self, DataError> {
        let mut pixels = Vec::new();
        let mut labels = Vec::new();
        for (line, row) in text.lines().enumerate() {
            let error = |what| DataError { line: line + 1, what };
            let numbers = row.split(',').map(|word| {
                word.trim().parse::<u8>().map_err(|_| error(format!("`{word}` is not a number from 0 to 255")))
            });
            let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
            let [image @ .., label] = &numbers[..] else { unreachable!("a split line has a word") };
            if image.len() != PIXELS {
                return Err(error(format!("{} numbers, not {PIXELS} pixels and a digit", numbers.len())));
            }
            if let Some(pixel) = image.iter().find(|pixel| **pixel > BRIGHTEST) {
                return Err(error(format!("a pixel is {pixel}, but the brightest is {BRIGHTEST}")));
            }
            if usize::from(*label) >= CLASSES {
                return Err(error(format!("the digit is {label}")));
            }
            pixels.extend(image.iter().map(|&pixel| T::of(pixel.into())));
            labels.push(*label);
        }
        let pixels = Array2::from_shape_vec((labels.len(), PIXELS), pixels).expect("each line has as many pixels");
        Ok(Self { pixels, labels })
    }

    /// The images at these places.
    pub(crate) fn select(&self, places: &[usize]) -> Self {
        let labels = places.iter().map(|&place| self.labels[place]).collect();
        Self { pixels: self.pixels.select(Axis(0), places), labels }
    }

    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }
}

/// The images for training, and the held-out images, which show what was learned.
pub(crate) struct Split<T> {
    pub(crate) learn: Images<T>,
    pub(crate) held_out: Images<T>,
}

impl<T: Float> Split<T> {
    /// A fifth is held out. It is the same in every run, whatever the seed of the training. Pixels are shifted and scaled so that the
    /// training images have mean 0 and variance 1, as initialisations assume.
    pub(crate) fn of(mut images: Images<T>) -> Self {
        let mut places: Vec<usize> = (0..images.len()).collect();
        places.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let (held_out, learn) = places.split_at(images.len() / 5);

        let seen = images.pixels.select(Axis(0), learn).mapv(Float::wide);
        let (mean, deviation) = (seen.mean().expect("there are images"), seen.std(0.0));
        images.pixels.mapv_inplace(|pixel| T::of((pixel.wide() - mean) / deviation));
        Self { learn: images.select(learn), held_out: images.select(held_out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts<T>(images: &Images<T>) -> [usize; CLASSES] {
        let mut counts = [0; CLASSES];
        images.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts
    }

    #[test]
    fn the_file_has_the_images_that_its_source_states() {
        let images = Images::<f64>::load().unwrap();
        assert_eq!(images.pixels.dim(), (1797, PIXELS));
        assert_eq!(counts(&images), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert!(images.pixels.iter().all(|&pixel| (0.0..=16.0).contains(&pixel)));
        assert!(images.pixels.iter().any(|&pixel| pixel == 16.0));
    }

    #[test]
    fn the_split_leaves_no_image_out_and_has_every_digit_in_both_parts() {
        let images = Images::<f64>::load().unwrap();
        let all = counts(&images);
        let Split { learn, held_out } = Split::of(images);
        assert_eq!((learn.len(), held_out.len()), (1438, 359));
        let (learned, held) = (counts(&learn), counts(&held_out));
        assert!((0..CLASSES).all(|digit| learned[digit] + held[digit] == all[digit] && held[digit] > 20));
        assert!(learn.pixels.mean().unwrap().abs() < 1e-12);
        assert!((learn.pixels.std(0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_split_is_the_same_each_time() {
        let split = || Split::of(Images::<f32>::load().unwrap());
        let (a, b) = (split(), split());
        assert_eq!((a.held_out.pixels, a.held_out.labels), (b.held_out.pixels, b.held_out.labels));
    }

    #[test]
    fn bad_data_is_named_with_its_line() {
        let good = format!("{}7\n", "0,".repeat(PIXELS));
        let error = |line: &str| Images::<f32>::parse(&(good.clone() + line)).map(|_| ()).unwrap_err().to_string();
        assert_eq!(error("1,2,3"), "line 2 of the data: 3 numbers, not 64 pixels and a digit");
        assert_eq!(error("1,two"), "line 2 of the data: `two` is not a number from 0 to 255");
        assert_eq!(error(&good.replacen('0', "17", 1)), "line 2 of the data: a pixel is 17, but the brightest is 16");
        assert_eq!(error(&good.replace('7', "10")), "line 2 of the data: the digit is 10");
    }
}
