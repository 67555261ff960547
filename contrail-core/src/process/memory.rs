//! Memory of a program that runs for long.

/// Blocks of this size and above are mapped by themselves, in bytes.
#[cfg(target_env = "gnu")]
const MAPPED: i32 = 256 << 10;

/// Makes memory that is freed return to the system: the C library would keep what a large answer took, for
/// each thread, in the expectation of more of them. Call it before other threads are started.
pub(super) fn return_freed() {
    #[cfg(target_env = "gnu")]
    {
        // A fixed limit: by default it grows to the size of each block that is freed.
        let settings = [
            (libc::M_MMAP_THRESHOLD, MAPPED),
            (libc::M_TRIM_THRESHOLD, MAPPED),
            (libc::M_ARENA_MAX, 2),
        ];
        for (setting, value) in settings {
            // SAFETY: it changes numbers of the allocator, which takes any value and its own lock.
            #[allow(unsafe_code)]
            let is_set = unsafe { libc::mallopt(setting, value) };
            if is_set == 0 {
                log::debug!("the C library does not take setting {setting} of its memory");
            }
        }
    }
}
