//! Which device computes. The only place that names a backend.

use std::fmt;

use burn::tensor::Device;
use spec::{Devices, Slots};

use crate::error::RunnerError;

/// A device that has been tried and works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComputeDevice {
    Cpu,
    /// By CUDA's number.
    Cuda(usize),
}

/// Why a CUDA device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CudaError {
    #[error(
        "this program was built without CUDA; build it with `--features cli/cuda` (`just build-cuda`)"
    )]
    NotBuiltIn,
    #[error("the driver shows {found} CUDA devices")]
    NoDevice { found: usize },
    #[error("no CUDA headers: `CUDA_PATH` is not set and no toolkit is in its usual places")]
    NoHeaders,
    #[error("it ran no kernel; is libnvrtc on LD_LIBRARY_PATH?")]
    NoKernel,
    #[error("{reason}")]
    Failed { reason: String },
}

impl fmt::Display for ComputeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ComputeDevice::Cpu => f.write_str("cpu"),
            ComputeDevice::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl ComputeDevice {
    /// The devices a sweep asks for, and why others that are there are not used. `auto` is every
    /// usable CUDA device, else the CPU.
    ///
    /// # Errors
    /// A device that is named but cannot be used; `auto` never fails.
    pub fn resolve(devices: &Devices) -> Result<(Vec<ComputeDevice>, Vec<String>), RunnerError> {
        let mut refused = Vec::new();
        let mut found = match devices {
            Devices::Cpu => vec![ComputeDevice::Cpu],
            Devices::Named(names) => {
                names.iter().map(|name| Self::named(name)).collect::<Result<_, _>>()?
            }
            Devices::Auto => {
                let mut usable = Vec::new();
                for index in 0..cuda::count() {
                    match cuda::probe(index) {
                        Ok(()) => usable.push(ComputeDevice::Cuda(index)),
                        Err(error) => refused.push(format!("cuda:{index} is not used: {error}")),
                    }
                }
                usable
            }
        };
        if found.is_empty() {
            found.push(ComputeDevice::Cpu);
        }
        Ok((found, refused))
    }

    /// `cpu`, `cuda` or `cuda:N`, tried before it is returned.
    pub fn named(name: &str) -> Result<ComputeDevice, RunnerError> {
        let index = match name {
            "cpu" => return Ok(ComputeDevice::Cpu),
            "cuda" => Some(0),
            _ => name.strip_prefix("cuda:").and_then(|index| index.parse().ok()),
        };
        let Some(index) = index else {
            let known = ["cpu".into()].into_iter();
            let known = known.chain((0..cuda::count()).map(|i| format!("cuda:{i}"))).collect();
            return Err(RunnerError::UnknownDevice { name: name.into(), known });
        };
        let failed = |source| RunnerError::Device { name: name.into(), source };
        cuda::probe(index).map_err(failed)?;
        Ok(ComputeDevice::Cuda(index))
    }

    /// Runs at a time on this device: as asked, or one per core on the CPU and one on a GPU.
    pub fn slots(self, asked: Slots, cores: usize) -> usize {
        match (asked, self) {
            (Slots::Count(n), _) => n as usize,
            (Slots::Auto, ComputeDevice::Cpu) => cores,
            (Slots::Auto, ComputeDevice::Cuda(_)) => 1,
        }
    }

    /// Burn's handle, without autodiff. Never `Device::default()`: it picks CUDA
    /// whenever that is compiled in, present or not.
    pub(crate) fn open(self) -> Device {
        match self {
            ComputeDevice::Cpu => Device::flex(),
            ComputeDevice::Cuda(index) => cuda::device(index),
        }
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use std::any::Any;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use burn::tensor::{Device, DeviceType, Tensor};

    use super::CudaError;

    /// Asks for the driver before it loads it: none is 0, not a panic.
    pub(super) fn count() -> usize {
        Device::enumerate(DeviceType::Cuda).len()
    }

    pub(super) fn device(index: usize) -> Device {
        Device::cuda(index)
    }

    /// Has the device compile and run one kernel.
    ///
    /// Burn reports none of what can be missing. Without a driver the first use
    /// panics. Without the headers or NVRTC the panic stays in the device's
    /// thread, and reading the output returns whatever the memory held: hence
    /// the comparison of values.
    pub(super) fn probe(index: usize) -> Result<(), CudaError> {
        let found = count();
        if index >= found {
            return Err(CudaError::NoDevice { found });
        }
        if cubecl_cuda::install::cuda_path().is_none() {
            return Err(CudaError::NoHeaders);
        }
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let x = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &device(index));
            (x * 2.0 + 0.5).try_into_vec_as::<f32>()
        }));
        match ran {
            Ok(Ok(values)) if values == [2.5, 4.5, 6.5] => Ok(()),
            Ok(Ok(_)) => Err(CudaError::NoKernel),
            Ok(Err(error)) => Err(CudaError::Failed { reason: error.to_string() }),
            Err(panic) => Err(CudaError::Failed { reason: message(&*panic) }),
        }
    }

    fn message(panic: &(dyn Any + Send)) -> String {
        match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_string(),
            (_, Some(text)) => text.clone(),
            _ => "it panicked".to_string(),
        }
    }
}

#[cfg(not(feature = "cuda"))]
mod cuda {
    use burn::tensor::Device;

    use super::CudaError;

    pub(super) fn count() -> usize {
        0
    }

    pub(super) fn device(_index: usize) -> Device {
        unreachable!("no CUDA device passes the probe in a program without CUDA")
    }

    pub(super) fn probe(_index: usize) -> Result<(), CudaError> {
        Err(CudaError::NotBuiltIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_are_refused() {
        assert_eq!(ComputeDevice::named("cpu").expect("always there").to_string(), "cpu");
        let error = ComputeDevice::named("tpu").expect_err("unknown").to_string();
        assert!(error.contains("`tpu`") && error.contains("cpu"), "{error}");
        assert!(ComputeDevice::named("cuda:9999").is_err());
    }

    #[test]
    fn auto_always_finds_a_device() {
        let (found, _) = ComputeDevice::resolve(&Devices::Auto).expect("never fails");
        assert!(!found.is_empty());
    }

    #[test]
    fn slots() {
        assert_eq!(ComputeDevice::Cpu.slots(Slots::Auto, 8), 8);
        assert_eq!(ComputeDevice::Cuda(0).slots(Slots::Auto, 8), 1);
        assert_eq!(ComputeDevice::Cuda(0).slots(Slots::Count(3), 8), 3);
    }
}
