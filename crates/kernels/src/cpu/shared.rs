//! Memory of which threads write parts that do not meet.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use pulp::Simd;

/// A slice that several threads write.
pub(crate) struct Shared<'a> {
    first: *mut f32,
    len: usize,
    of: PhantomData<&'a mut [f32]>,
}

// SAFETY: all access is through `part`, whose callers keep the parts apart.
unsafe impl Sync for Shared<'_> {}

/// A stretch of it.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    first: *mut f32,
    len: usize,
    of: PhantomData<&'a mut [f32]>,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Shared { first: slice.as_mut_ptr(), len: slice.len(), of: PhantomData }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// # Panics
    /// If the part reaches beyond the slice.
    ///
    /// # Safety
    /// No other thread has a part that overlaps.
    #[inline(always)]
    pub(crate) unsafe fn part(&self, at: usize, len: usize) -> Part<'_> {
        assert!(at <= self.len && len <= self.len - at);
        // SAFETY: within the slice.
        let first = unsafe { self.first.add(at) };
        Part { first, len, of: PhantomData }
    }
}

impl Part<'_> {
    /// # Panics
    /// If there are more values than room.
    #[inline(always)]
    pub(crate) fn write(self, values: &[f32]) {
        assert!(values.len() <= self.len);
        // SAFETY: there is room, and nobody else has it.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.first, values.len()) }
    }

    /// # Panics
    /// If that reaches beyond the part.
    #[inline(always)]
    pub(crate) fn write_at(self, at: usize, values: &[f32]) {
        assert!(at <= self.len);
        // SAFETY: within the part.
        let first = unsafe { self.first.add(at) };
        Part { first, len: self.len - at, of: PhantomData }.write(values);
    }

    /// Zeros.
    ///
    /// # Panics
    /// If that reaches beyond the part.
    pub(crate) fn clear_at(self, at: usize, len: usize) {
        assert!(at <= self.len && len <= self.len - at);
        // SAFETY: there is room, and nobody else has it.
        unsafe { std::ptr::write_bytes(self.first.add(at), 0, len) }
    }

    /// # Panics
    /// If there is less room than a vector from `at` on.
    ///
    /// # Safety
    /// All of it has been written before.
    #[inline(always)]
    pub(crate) unsafe fn add_vector<S: Simd>(self, simd: S, at: usize, vector: S::f32s) {
        assert!(at + S::F32_LANES <= self.len);
        // SAFETY: there is room, nobody else has it, and it holds values.
        unsafe {
            let to = self.first.add(at).cast::<S::f32s>();
            to.write_unaligned(simd.add_f32s(to.read_unaligned(), vector));
        }
    }

    /// As much of the vector as there is room for from `at` on.
    #[inline(always)]
    pub(crate) fn write_vector<S: Simd>(self, simd: S, at: usize, vector: S::f32s) {
        match self.len.checked_sub(at) {
            // SAFETY: there is room, and nobody else has it.
            Some(room) if room >= S::F32_LANES => unsafe {
                self.first.add(at).cast::<S::f32s>().write_unaligned(vector);
            },
            Some(room) => {
                let mut values = [0.0; 64];
                simd.partial_store_f32s(&mut values[..room], vector);
                // SAFETY: as above.
                unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.first.add(at), room) }
            }
            None => {}
        }
    }
}

/// `len` values that `fill` writes. What is about to be written whole need not be cleared first.
///
/// # Safety
/// `fill` writes every value.
pub(crate) unsafe fn written(len: usize, fill: impl FnOnce(Shared<'_>)) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    let room: &mut [MaybeUninit<f32>] = &mut values.spare_capacity_mut()[..len];
    fill(Shared { first: room.as_mut_ptr().cast(), len, of: PhantomData });
    // SAFETY: the caller's promise.
    unsafe { values.set_len(len) };
    values
}
