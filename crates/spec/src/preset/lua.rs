//! junyanz/CycleGAN: the authors' own code for Torch, in Lua.

use super::{Departure, departure};

pub(super) const ABOUT: &str = "junyanz/CycleGAN at 40b4498, the authors' Lua code, its defaults";

pub(super) fn departures() -> Vec<Departure> {
    vec![
        departure("data.load_size", 143, "options.lua: loadSize = 143"),
        departure("data.crop_size", 128, "options.lua: fineSize = 128"),
        departure(
            "data.order",
            "uniform",
            "data/dataset.lua, getByClass: both domains with replacement",
        ),
        departure("model.n_blocks", 6, "options.lua: which_model_netG = 'resnet_6blocks'"),
        departure(
            "model.norm",
            "instance-affine",
            "util/InstanceNormalization.lua; models/architectures.lua: scale N(1, 0.02), shift 0",
        ),
        departure(
            "loss.d_factor",
            1.0,
            "models/cycle_gan_model.lua, fDx_basic: only the printed loss is halved",
        ),
        departure(
            "optim.schedule",
            "linear-paper",
            "train.lua, models/cycle_gan_model.lua: minus lr / niter_decay after each epoch > niter",
        ),
    ]
}

pub(super) const BEYOND: [&str; 5] = [
    "Images are BGR (data/donkey_folder.lua).",
    "A random crop never starts at the first row or column (data/donkey_folder.lua).",
    "Networks are updated one by one, G_A, D_A, G_B, D_B, so G_B meets the new G_A \
     (models/cycle_gan_model.lua, OptimizeParameters).",
    "Biases of convolutions are zeroed before every evaluation (util/util.lua, BiasZero): without \
     effect before a norm, but a discriminator's first and every network's last layer have none.",
    "The pool keeps and swaps whole batches (util/image_pool.lua): the same at batch size 1.",
];
