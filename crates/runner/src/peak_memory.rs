//! How much memory this process has taken.

/// The most that this process ever held at once, in bytes. Linux says it; elsewhere `None`.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_touched_is_counted() {
        let before = peak_memory().expect("Linux says it");
        let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = peak_memory().expect("Linux says it");
        assert!(after >= before && after >= touched.len() as u64, "{before} {after}");
    }
}
