//! A semaphore in bytes: images that are worked on at the same time share the memory.

use segcut_io::decode::Need;
use std::sync::{Condvar, Mutex, PoisonError};

/// Memory that a whole pipeline takes, from decoding to the overlay: 24 bytes per pixel and twice the
/// samples, which is 30 bytes per pixel of an 8-bit RGB image.
pub fn bytes_of(need: Need) -> u64 {
    need.pixels.saturating_mul(24).saturating_add(need.sample_bytes.saturating_mul(2))
}

/// Bytes that are free to be taken.
#[derive(Debug)]
pub struct Budget {
    total: u64,
    free: Mutex<u64>,
    changed: Condvar,
}

/// Bytes that were taken; they are free again when this is dropped.
#[derive(Debug)]
pub struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(total: u64) -> Self {
        Self { total, free: Mutex::new(total), changed: Condvar::new() }
    }

    /// `--max-memory`, or 80 % of what is free (4 GiB where that is not known).
    pub fn from_flag(flag: Option<u64>) -> Self {
        Self::new(flag.or_else(|| Some(available()? / 5 * 4)).unwrap_or(4 << 30))
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Waits until so many bytes are free; none where they are more than the whole budget.
    pub fn take(&self, bytes: u64) -> Option<Share<'_>> {
        if bytes > self.total {
            return None;
        }
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.changed.wait_while(free, |free| *free < bytes).unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Some(Share { budget: self, bytes })
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.changed.notify_all();
    }
}

/// Free memory as the kernel tells it.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_back() {
        let budget = Budget::new(10);
        assert!(budget.take(11).is_none());
        let first = budget.take(10).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| budget.take(5).map(|s| s.bytes));
            drop(first);
            assert_eq!(second.join().unwrap(), Some(5));
        });
        assert_eq!(budget.take(10).map(|s| s.bytes), Some(10));
    }
}
