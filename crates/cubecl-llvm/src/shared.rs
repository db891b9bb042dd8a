//! What the real crate's targets have in common.

pub mod lowered_features {
    use cubecl_core::ir::DeviceProperties;

    /// The GPU whose features are narrowed.
    #[derive(Clone, Copy, Debug)]
    pub enum GpuTarget {
        Nvptx,
    }

    /// Takes away, in the real crate, what LLVM cannot lower. Here nothing is lowered and so
    /// nothing is taken away: `cubecl-cuda` asks only where LLVM is its default backend, and
    /// there every kernel fails whatever the device offers.
    pub fn restrict_features(_props: &mut DeviceProperties, _target: GpuTarget) {}
}
