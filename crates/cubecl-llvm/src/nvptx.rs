//! The NVIDIA side of the real crate.

pub mod ptx_version {
    use std::fmt;

    /// The PTX version that LLVM would emit. Uninhabited: this build emits none, and NVRTC
    /// writes its own version.
    #[derive(Clone, Copy, Debug)]
    pub enum PtxVersion {}

    impl PtxVersion {
        /// `None` for every driver, which `cubecl-cuda` reads as "no preference".
        pub fn for_driver(_driver: i32) -> Option<Self> {
            None
        }
    }

    impl fmt::Display for PtxVersion {
        fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match *self {}
        }
    }
}
