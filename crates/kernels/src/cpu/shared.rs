//! A slice of which threads write parts that do not meet.

use std::marker::PhantomData;

pub(crate) struct Shared<'a> {
    first: *mut f32,
    len: usize,
    of: PhantomData<&'a mut [f32]>,
}

// SAFETY: all access is through `part`, whose callers keep the parts apart.
unsafe impl Sync for Shared<'_> {}
// SAFETY: as above.
unsafe impl Send for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Shared { first: slice.as_mut_ptr(), len: slice.len(), of: PhantomData }
    }

    /// # Panics
    /// If the part reaches beyond the slice.
    ///
    /// # Safety
    /// No other part that overlaps may be alive.
    #[expect(clippy::mut_from_ref, reason = "that parts do not meet is the caller's promise")]
    #[inline(always)]
    pub(crate) unsafe fn part(&self, at: usize, len: usize) -> &mut [f32] {
        assert!(at + len <= self.len);
        // SAFETY: within the slice, and the caller keeps parts apart.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(at), len) }
    }
}
