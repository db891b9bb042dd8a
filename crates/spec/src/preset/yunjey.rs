//! yunjey/mnist-svhn-transfer: a short CycleGAN between digits, with a squared cycle error.

use serde_json::Value as Json;

use super::{Departure, departure};

pub(super) const ABOUT: &str = "yunjey/mnist-svhn-transfer at 062a715, a small CycleGAN for 32 px (use_labels=False, use_reconst_loss=True)";

pub(super) fn departures() -> Vec<Departure> {
    vec![
        departure(
            "data.load_size",
            32,
            "main.py: image_size = 32, and data_loader.py crops nothing",
        ),
        departure("data.crop_size", 32, "main.py: image_size = 32"),
        departure("data.flip", false, "data_loader.py: no augmentation"),
        departure("data.epoch_length", "min", "solver.py: iter_per_epoch is the smaller of both"),
        departure("data.batch_size", 64, "main.py: batch_size = 64"),
        departure("model.n_blocks", 2, "model.py, G12: conv3 and conv4 keep the resolution"),
        departure("model.padding", "zero", "model.py: every convolution pads with zeros"),
        departure("model.norm", "batch", "model.py: BatchNorm2d, never switched to evaluation"),
        departure("model.discriminator", "image", "model.py, D1: one score for an image of 32 px"),
        departure("loss.lambda_cycle", 1.0, "solver.py: the reconstruction is added as it is"),
        departure("loss.cycle_norm", "l2", "solver.py: mean((mnist - reconst_mnist)**2)"),
        departure("loss.lambda_identity", 0.0, "solver.py: there is no identity term"),
        departure("loss.d_factor", 1.0, "solver.py: the losses are summed, not halved"),
        departure("pool.size", 0, "solver.py: discriminators see this step's fakes"),
        departure("optim.schedule", "constant", "solver.py: the learning rate never changes"),
        departure("optim.update_order", "d-then-g", "solver.py: `train D` comes before `train G`"),
        departure("train.n_epochs", Json::Null, "main.py counts iterations"),
        departure("train.n_epochs_decay", Json::Null, "main.py counts iterations"),
        departure("train.steps", 40_000, "main.py: train_iters = 40000 (solver.py makes one more)"),
        departure("train.steps_decay", 0, "solver.py: the learning rate never changes"),
    ]
}

pub(super) const BEYOND: [&str; 6] = [
    "The generator is 4×4 convolutions of stride 2 down and up, 64-128-128 channels wide, with two \
     plain 3×3 convolutions in place of residual blocks and LeakyReLU 0.05 (model.py, G12).",
    "The discriminator is three 4×4 convolutions of stride 2 and one over what is left, LeakyReLU \
     0.05 (model.py, D1); here a PatchGAN's scores are averaged.",
    "Convolutions have no bias and PyTorch's default initial weights (model.py).",
    "A step updates the discriminators twice, on real images and then on fakes, and the generators \
     twice, once for each cycle with its GAN term (solver.py).",
    "Both domains are shuffled without replacement (data_loader.py).",
    "MNIST has one channel (model.py, G12 and D1).",
];
