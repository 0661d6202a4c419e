//! Header sizes against the caps, before anything is allocated.

use super::raw::Job;
use super::{DecodeError, DecodeOptions, Need};

/// Refuses empty and oversized images; returns (height, width).
pub(super) fn check_pixels(height: u64, width: u64, options: &DecodeOptions) -> Result<(usize, usize), DecodeError> {
    if height == 0 || width == 0 {
        return Err(DecodeError::Empty { height, width });
    }
    let too_many = DecodeError::TooManyPixels { height, width, cap: options.max_pixels };
    if height.checked_mul(width).is_none_or(|pixels| pixels > options.max_pixels) {
        return Err(too_many);
    }
    match (usize::try_from(height), usize::try_from(width)) {
        (Ok(h), Ok(w)) => Ok((h, w)),
        _ => Err(too_many),
    }
}

/// Refuses images whose samples need more than the cap, and asks the caller for the memory; returns the number of
/// samples.
pub(super) fn check_bytes(
    (height, width): (usize, usize),
    channels: usize,
    bytes_per_sample: usize,
    job: &Job<'_>,
) -> Result<usize, DecodeError> {
    let pixels = (height as u64).saturating_mul(width as u64);
    let samples = pixels.saturating_mul(channels as u64);
    let bytes = samples.saturating_mul(bytes_per_sample as u64);
    let too_many = DecodeError::TooManyBytes { bytes, cap: job.options.max_bytes };
    if bytes > job.options.max_bytes {
        return Err(too_many);
    }
    let samples = usize::try_from(samples).map_err(|_| too_many)?;
    (job.admit)(Need { pixels, sample_bytes: bytes })?;
    Ok(samples)
}

/// The byte cap in the width of this machine.
pub(super) fn max_bytes(options: &DecodeOptions) -> usize {
    usize::try_from(options.max_bytes).unwrap_or(usize::MAX)
}
