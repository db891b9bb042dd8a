//! The Inception network that the literature's FID looks through, for those who bring its weights.
//!
//! Graph and input are those of mseitzer/pytorch-fid at `b9c1811`, which differ from torchvision's
//! Inception v3: averages leave padding out of their count, and the last block takes a maximum.
//! Weights: `pt_inception-2015-12-05-6726825d.pth`, under its names.

use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, interpolate, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use crate::folded_conv::{ConvShape, FoldedConv, WeightTaker};
use crate::weights::{NamedTensors, WeightsError};

const INPUT_SIDE: usize = 299;
/// PyTorch's default is 1e-5.
const BATCH_NORM_EPS: f32 = 1e-3;
/// One more than ImageNet's 1000, rounded up to eight, as the TensorFlow graph of 2015 had it.
const N_CLASSES: usize = 1008;

/// Inception v3 of 2015, up to its last pooling.
///
/// # Source
/// Szegedy et al. 2015, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500.
#[derive(Debug, Clone)]
pub struct InceptionFid {
    stem: [FoldedConv; 5],
    blocks: Vec<Mixed>,
    device: Device,
}

/// Branches that look at the same input, side by side in the output's channels.
#[derive(Debug, Clone)]
struct Mixed {
    branches: Vec<Branch>,
    pool: Pool,
    /// Behind the pool; none where the block halves the side.
    pool_conv: Option<FoldedConv>,
}

/// One convolution after the other; the last step may be two side by side.
#[derive(Debug, Clone)]
struct Branch {
    trunk: Vec<FoldedConv>,
    fork: Vec<FoldedConv>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pool {
    Average,
    Max,
    /// Of stride 2.
    MaxHalving,
}

impl InceptionFid {
    /// Length of a feature vector.
    pub const FEATURES: usize = 2048;

    /// The network with the weights of a file. Batch norms are folded into the convolutions in
    /// front of them; the classifier has to be there and is left out. An autodiff device is left
    /// aside for the one inside it.
    ///
    /// # Errors
    /// `Mismatch` names every tensor that is missing, surplus, mis-shaped or not finite; only
    /// counters of batches may be there beside the weights.
    pub fn from_tensors(tensors: NamedTensors, device: &Device) -> Result<Self, WeightsError> {
        let device = device.clone().inner();
        let mut taker = WeightTaker::new(tensors, &device);
        let mut conv = |name: &str, channels, kernel: usize, stride, padding| {
            layer(&mut taker, name, channels, [kernel; 2], stride, [padding; 2])
        };
        let stem = [
            conv("Conv2d_1a_3x3", [3, 32], 3, 2, 0),
            conv("Conv2d_2a_3x3", [32, 32], 3, 1, 0),
            conv("Conv2d_2b_3x3", [32, 64], 3, 1, 1),
            conv("Conv2d_3b_1x1", [64, 80], 1, 1, 0),
            conv("Conv2d_4a_3x3", [80, 192], 3, 1, 0),
        ];
        let blocks = vec![
            BlockTaker::new(&mut taker, "Mixed_5b").wide(192, 32),
            BlockTaker::new(&mut taker, "Mixed_5c").wide(256, 64),
            BlockTaker::new(&mut taker, "Mixed_5d").wide(288, 64),
            BlockTaker::new(&mut taker, "Mixed_6a").first_halving(288),
            BlockTaker::new(&mut taker, "Mixed_6b").crosses(768, 128),
            BlockTaker::new(&mut taker, "Mixed_6c").crosses(768, 160),
            BlockTaker::new(&mut taker, "Mixed_6d").crosses(768, 160),
            BlockTaker::new(&mut taker, "Mixed_6e").crosses(768, 192),
            BlockTaker::new(&mut taker, "Mixed_7a").second_halving(768),
            BlockTaker::new(&mut taker, "Mixed_7b").forks(1280, Pool::Average),
            BlockTaker::new(&mut taker, "Mixed_7c").forks(2048, Pool::Max),
        ];
        let _: Tensor<2> = taker.tensor("fc.weight", [N_CLASSES, Self::FEATURES]);
        let _: Tensor<1> = taker.tensor("fc.bias", [N_CLASSES]);
        let network = InceptionFid { stem, blocks, device: device.clone() };
        taker.finish(network)
    }

    /// Where the network lies, never a device that records gradients.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Features of the third pooling, `pool3`.
    ///
    /// # Shapes
    /// - `images`: `[n, 3, height, width]`, levels of red, green, blue in `[0, 255]`, on
    ///   [`Self::device`]; resized to 299 px without antialiasing, as pytorch-fid does
    /// - returns: `[n, 2048]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let options = InterpolateOptions::new(InterpolateMode::Bilinear)
            .with_align_corners(false)
            .with_output_size([INPUT_SIDE; 2]);
        let x = interpolate(images.div_scalar(255.0), options);
        let mut x = x.mul_scalar(2.0).sub_scalar(1.0);
        for (i, conv) in self.stem.iter().enumerate() {
            x = relu(conv.forward(x));
            if i == 2 || i == 4 {
                x = Pool::MaxHalving.forward(x);
            }
        }
        for block in &self.blocks {
            x = block.forward(x);
        }
        let [n, channels, height, width] = x.dims();
        x.reshape([n, channels, height * width]).mean_dim(2).reshape([n, channels])
    }
}

impl Mixed {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut parts = Vec::new();
        for branch in &self.branches {
            branch.forward(x.clone(), &mut parts);
        }
        let pooled = self.pool.forward(x);
        parts.push(match &self.pool_conv {
            None => pooled,
            Some(conv) => relu(conv.forward(pooled)),
        });
        Tensor::cat(parts, 1)
    }
}

impl Branch {
    fn forward(&self, x: Tensor<4>, parts: &mut Vec<Tensor<4>>) {
        let x = self.trunk.iter().fold(x, |x, conv| relu(conv.forward(x)));
        if self.fork.is_empty() {
            parts.push(x);
        } else {
            parts.extend(self.fork.iter().map(|conv| relu(conv.forward(x.clone()))));
        }
    }
}

impl Pool {
    /// Over 3 × 3 pixels.
    fn forward(self, x: Tensor<4>) -> Tensor<4> {
        let max = |stride, padding| MaxPoolOptions {
            kernel_size: [3; 2],
            stride: [stride; 2],
            padding: [(padding, padding); 2],
            dilation: [1; 2],
            ceil_mode: false,
        };
        match self {
            Pool::Average => {
                let options = AvgPoolOptions {
                    kernel_size: [3; 2],
                    stride: [1; 2],
                    padding: [(1, 1); 2],
                    count_include_pad: false,
                    ceil_mode: false,
                };
                avg_pool2d(x, options)
            }
            Pool::Max => max_pool2d(x, max(1, 1)),
            Pool::MaxHalving => max_pool2d(x, max(2, 0)),
        }
    }
}

/// Convolution, batch norm and (where it is used) ReLU under one name.
fn layer(
    taker: &mut WeightTaker<'_>,
    name: &str,
    [before, after]: [usize; 2],
    [rows, columns]: [usize; 2],
    stride: usize,
    padding: [usize; 2],
) -> FoldedConv {
    let shape = ConvShape { weight: [after, before, rows, columns], stride, padding, groups: 1 };
    taker.conv_norm(&format!("{name}.conv"), &format!("{name}.bn"), BATCH_NORM_EPS, shape)
}

/// The tensors of one block.
struct BlockTaker<'t, 'd> {
    taker: &'t mut WeightTaker<'d>,
    name: &'static str,
}

impl<'t, 'd> BlockTaker<'t, 'd> {
    fn new(taker: &'t mut WeightTaker<'d>, name: &'static str) -> Self {
        BlockTaker { taker, name }
    }

    /// With the padding that keeps the side.
    fn conv(&mut self, name: &str, channels: [usize; 2], kernel: [usize; 2]) -> FoldedConv {
        let name = format!("{}.{name}", self.name);
        layer(self.taker, &name, channels, kernel, 1, kernel.map(|it| it / 2))
    }

    /// 3 × 3 with a stride of 2, which leaves a row of padding out.
    fn halving(&mut self, name: &str, channels: [usize; 2]) -> FoldedConv {
        let name = format!("{}.{name}", self.name);
        layer(self.taker, &name, channels, [3; 2], 2, [0; 2])
    }

    fn one(&mut self, name: &str, channels: [usize; 2]) -> FoldedConv {
        self.conv(name, channels, [1, 1])
    }

    /// `InceptionA`.
    fn wide(mut self, before: usize, pooled: usize) -> Mixed {
        let single = vec![self.one("branch1x1", [before, 64])];
        let five =
            vec![self.one("branch5x5_1", [before, 48]), self.conv("branch5x5_2", [48, 64], [5, 5])];
        let threes = vec![
            self.one("branch3x3dbl_1", [before, 64]),
            self.conv("branch3x3dbl_2", [64, 96], [3, 3]),
            self.conv("branch3x3dbl_3", [96, 96], [3, 3]),
        ];
        self.mixed([single, five, threes], Pool::Average, [before, pooled])
    }

    /// `InceptionB`.
    fn first_halving(mut self, before: usize) -> Mixed {
        let single = vec![self.halving("branch3x3", [before, 384])];
        let double = vec![
            self.one("branch3x3dbl_1", [before, 64]),
            self.conv("branch3x3dbl_2", [64, 96], [3, 3]),
            self.halving("branch3x3dbl_3", [96, 96]),
        ];
        halved([single, double])
    }

    /// `InceptionC`: 7 × 7 as a row and a column.
    fn crosses(mut self, before: usize, width: usize) -> Mixed {
        let (row, column, narrow) = ([1, 7], [7, 1], [width, width]);
        let single = vec![self.one("branch1x1", [before, 192])];
        let once = vec![
            self.one("branch7x7_1", [before, width]),
            self.conv("branch7x7_2", narrow, row),
            self.conv("branch7x7_3", [width, 192], column),
        ];
        let twice = vec![
            self.one("branch7x7dbl_1", [before, width]),
            self.conv("branch7x7dbl_2", narrow, column),
            self.conv("branch7x7dbl_3", narrow, row),
            self.conv("branch7x7dbl_4", narrow, column),
            self.conv("branch7x7dbl_5", [width, 192], row),
        ];
        self.mixed([single, once, twice], Pool::Average, [before, 192])
    }

    /// `InceptionD`.
    fn second_halving(mut self, before: usize) -> Mixed {
        let three =
            vec![self.one("branch3x3_1", [before, 192]), self.halving("branch3x3_2", [192, 320])];
        let seven = vec![
            self.one("branch7x7x3_1", [before, 192]),
            self.conv("branch7x7x3_2", [192, 192], [1, 7]),
            self.conv("branch7x7x3_3", [192, 192], [7, 1]),
            self.halving("branch7x7x3_4", [192, 192]),
        ];
        halved([three, seven])
    }

    /// `InceptionE`: a row and a column side by side.
    fn forks(mut self, before: usize, pool: Pool) -> Mixed {
        let (row, column, width) = ([1, 3], [3, 1], [384, 384]);
        let single = Branch { trunk: vec![self.one("branch1x1", [before, 320])], fork: vec![] };
        let three = Branch {
            trunk: vec![self.one("branch3x3_1", [before, 384])],
            fork: vec![
                self.conv("branch3x3_2a", width, row),
                self.conv("branch3x3_2b", width, column),
            ],
        };
        let double = Branch {
            trunk: vec![
                self.one("branch3x3dbl_1", [before, 448]),
                self.conv("branch3x3dbl_2", [448, 384], [3, 3]),
            ],
            fork: vec![
                self.conv("branch3x3dbl_3a", width, row),
                self.conv("branch3x3dbl_3b", width, column),
            ],
        };
        let pool_conv = Some(self.one("branch_pool", [before, 192]));
        Mixed { branches: vec![single, three, double], pool, pool_conv }
    }

    fn mixed(mut self, trunks: [Vec<FoldedConv>; 3], pool: Pool, channels: [usize; 2]) -> Mixed {
        let pool_conv = Some(self.one("branch_pool", channels));
        Mixed { branches: trunks.into_iter().map(unforked).collect(), pool, pool_conv }
    }
}

fn halved(trunks: [Vec<FoldedConv>; 2]) -> Mixed {
    let branches = trunks.into_iter().map(unforked).collect();
    Mixed { branches, pool: Pool::MaxHalving, pool_conv: None }
}

fn unforked(trunk: Vec<FoldedConv>) -> Branch {
    Branch { trunk, fork: vec![] }
}
