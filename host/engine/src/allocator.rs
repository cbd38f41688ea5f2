//! Memory of large tensors goes back to the system when they are dropped.

/// Size from which the allocator maps each block on its own, and unmaps it when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES_MIN: libc::c_int = 2 << 20;

/// Keeps glibc from raising that size by itself, up to 32 MiB, with each large block that is freed: weights would then lie among small
/// blocks and stay with the process after their model has gone. Does nothing elsewhere.
#[allow(unsafe_code)]
pub(crate) fn return_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: mallopt takes two numbers and locks what it changes; a refusal (0) leaves everything as it was.
        ONCE.call_once(|| unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
        });
    }
}
