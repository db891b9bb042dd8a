//! TensorFlow's CycleGAN tutorial: a notebook, and the pix2pix networks it borrows.

use super::{Departure, departure};

pub(super) const ABOUT: &str =
    "tensorflow/docs cyclegan.ipynb with tensorflow/examples pix2pix.py at 608f7db, the tutorial";

pub(super) fn departures() -> Vec<Departure> {
    vec![
        departure(
            "data.epoch_length",
            "min",
            "cyclegan.ipynb: an epoch is Dataset.zip of both domains",
        ),
        departure("model.generator", "unet-256", "cyclegan.ipynb: pix2pix.unet_generator"),
        departure(
            "model.norm",
            "instance-affine",
            "pix2pix.py, InstanceNormalization: scale N(1, 0.02), offset 0",
        ),
        departure(
            "model.dropout",
            0.5,
            "pix2pix.py, unet_generator: three layers up have Dropout(0.5)",
        ),
        departure(
            "loss.gan_mode",
            "vanilla",
            "cyclegan.ipynb: BinaryCrossentropy(from_logits=True)",
        ),
        departure(
            "pool.size",
            0,
            "cyclegan.ipynb, train_step: discriminators see this step's fakes",
        ),
        departure(
            "optim.epsilon",
            1e-7,
            "Keras' default; cyclegan.ipynb has Adam(2e-4, beta_1=0.5)",
        ),
        departure("optim.schedule", "constant", "cyclegan.ipynb: the learning rate never changes"),
        departure("train.n_epochs", 10, "cyclegan.ipynb: EPOCHS = 10"),
        departure("train.n_epochs_decay", 0, "cyclegan.ipynb: the learning rate never changes"),
    ]
}

pub(super) const BEYOND: [&str; 10] = [
    "All gradients come from one tape before any update (cyclegan.ipynb, train_step): that equals \
     g-then-d, where the generators meet the old judges and the judges train on the fakes made \
     before.",
    "Each network has an optimiser of its own (cyclegan.ipynb): the same under Adam.",
    "Adam's epsilon is added before the bias correction (Keras' adam.py).",
    "LeakyReLU has Keras' slope of 0.3 (pix2pix.py).",
    "Images are resized by nearest neighbour (cyclegan.ipynb, random_jitter).",
    "Both domains are shuffled without replacement, in a buffer of 1000 images (cyclegan.ipynb).",
    "Only the last convolution of a network has a bias (pix2pix.py).",
    "The U-Net's innermost layer is normalised over its single pixel, which leaves a learned \
     constant of the bottleneck (pix2pix.py, unet_generator).",
    "Dropout follows the three innermost layers up, here the three after the first (pix2pix.py, \
     unet_generator).",
    "Skips join the way up after its ReLU (pix2pix.py, unet_generator), here before it.",
];
