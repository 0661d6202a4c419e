//! `--thresholds` → the heights at which an ultrametric map is cut.

use crate::exit::Failure;

/// How many heights there are where nothing else is asked for.
pub const DEFAULT_COUNT: usize = 50;

const MOST: usize = 1000;

/// `N` → N heights; `0.1,0.25` → these.
pub fn parse(text: &str) -> Result<Vec<f32>, Failure> {
    let refuse = || {
        Failure::usage(format!(
            "--thresholds {text}: a number of heights from 1 to {MOST}, or different heights from 0 to 1 such as 0.1,0.25"
        ))
    };
    if let Ok(count) = text.parse::<usize>() {
        return if (1..=MOST).contains(&count) { Ok(evenly(count)) } else { Err(refuse()) };
    }
    let mut heights = Vec::new();
    for part in text.split(',') {
        let height: f32 = part.trim().parse().map_err(|_| refuse())?;
        if !(0.0..=1.0).contains(&height) {
            return Err(refuse());
        }
        heights.push(height);
    }
    heights.sort_by(f32::total_cmp);
    if heights.windows(2).any(|pair| pair[0] == pair[1]) { Err(refuse()) } else { Ok(heights) }
}

/// i/(N+1) for i = 1 … N, as the Berkeley benchmark spaces its thresholds.
pub fn evenly(count: usize) -> Vec<f32> {
    (1..=count).map(|i| i as f32 / (count + 1) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_or_a_list() {
        assert_eq!(parse("3").unwrap(), [0.25, 0.5, 0.75]);
        assert_eq!(parse("0.5, 0.25").unwrap(), [0.25, 0.5]);
        assert_eq!(parse("0.5").unwrap(), [0.5]);
        for bad in ["0", "x", "0.5,2", "", "0.1,0.1", "NaN", "100000"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
