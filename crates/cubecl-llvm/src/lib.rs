//! Stands in for `cubecl-llvm` 0.11.3 where no LLVM may be downloaded.
//!
//! Holds what `cubecl-cuda` 0.11.3 names and nothing else. With its `cpp` feature `cubecl-cuda`
//! writes CUDA C++ and gives it to NVRTC, so none of this is reached; without the feature every
//! kernel is refused with [`CompilationError::Validation`], rather than wrongly compiled.
//!
//! `README.md` says why this exists and how to remove it.

use std::{convert::Infallible, ffi::c_char, fmt};

use cubecl_core::{
    CompilationError, Compiler,
    environment::backtrace::BackTrace,
    ir::{attributes::BufferIOAttr, nvidia::SmArch},
    prelude::KernelDefinition,
};

use crate::nvptx::ptx_version::PtxVersion;

pub mod nvptx;
pub mod shared;

const NO_LLVM: &str = "this build has no LLVM backend; it compiles CUDA kernels with NVRTC, \
                       the `cpp` feature of cubecl-cuda";

/// The LLVM compiler by name only: [`compile`](Compiler::compile) always fails.
#[derive(Clone, Debug)]
pub struct PlironCompiler {
    pub target: LlvmTarget,
}

/// What the real crate generates code for. Only the target that `cubecl-cuda` names is here.
#[derive(Clone, Copy, Debug)]
pub enum LlvmTarget {
    Nvptx,
}

/// Filled in by `cubecl-cuda`, read by nobody.
#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    /// An AMD architecture in the real crate. `cubecl-cuda` passes `None`.
    pub arch: Option<Infallible>,
    pub sm_arch: Option<SmArch>,
    pub ptx_version: Option<PtxVersion>,
    pub grid_constants: bool,
}

/// A compiled kernel. None is ever made here.
// `cubecl-cuda` matches with a `_` arm: the real enum also has CPU and AMD variants.
#[non_exhaustive]
pub enum PlironArtifact {
    NvptxCode(NvptxModule),
}

/// A compiled PTX module, with the fields that `cubecl-cuda` reads.
#[derive(Debug)]
pub struct NvptxModule {
    pub ptx: Vec<c_char>,
    pub ir: String,
    pub shared_memory_size: usize,
    pub io: Vec<BufferIOAttr>,
}

impl fmt::Display for PlironArtifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NvptxCode(module) = self;
        f.write_str(&module.ir)
    }
}

impl Compiler for PlironCompiler {
    type Representation = PlironArtifact;
    type CompilationOptions = PlironOptions;

    fn compile(
        &mut self,
        _kernel: KernelDefinition,
        _options: &PlironOptions,
    ) -> Result<PlironArtifact, CompilationError> {
        Err(CompilationError::Validation {
            reason: NO_LLVM.to_string(),
            backtrace: BackTrace::capture(),
        })
    }

    fn extension(&self) -> &'static str {
        "ll"
    }

    fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}
