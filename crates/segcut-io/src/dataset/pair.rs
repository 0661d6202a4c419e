//! Names of images × names of truth → pairs, by name and never by position.

use std::collections::BTreeMap;
use thiserror::Error;

/// Why names do not pair.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairError {
    /// Several names fit one equally well.
    #[error("{id:?} may be any of {}", .candidates.iter().map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// The name.
        id: String,
        /// What fits it.
        candidates: Vec<String>,
    },
    /// Two names have the same partner.
    #[error("{first:?} and {second:?} are both paired with {partner:?}")]
    Shared {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// Their partner.
        partner: String,
    },
}

/// For every wanted name the index of the available name that is equal, or that ends with it, or that it ends with
/// (whole parts of the path: `101085` and `val/101085`). Of several the one that shares most parts is taken.
///
/// # Errors
/// [`PairError`].
///
/// ```
/// use segcut_io::dataset::pair_ids;
/// let pairs = pair_ids(&["101085", "8143"], &["val/101085", "val/3096"])?;
/// assert_eq!(pairs, [Some(0), None]);
/// # Ok::<(), segcut_io::dataset::PairError>(())
/// ```
pub fn pair_ids(wanted: &[&str], available: &[&str]) -> Result<Vec<Option<usize>>, PairError> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, id) in available.iter().enumerate() {
        by_name.entry(last_part(id)).or_default().push(index);
    }
    let mut taken: Vec<Option<&str>> = vec![None; available.len()];
    let mut pairs = Vec::with_capacity(wanted.len());
    for &id in wanted {
        let candidates = by_name.get(last_part(id)).map_or(&[][..], Vec::as_slice);
        let partner = partner_of(id, candidates, available)?;
        if let Some(index) = partner
            && let Some(first) = taken[index].replace(id)
        {
            let partner = available[index].to_owned();
            return Err(PairError::Shared { first: first.to_owned(), second: id.to_owned(), partner });
        }
        pairs.push(partner);
    }
    Ok(pairs)
}

fn partner_of(id: &str, candidates: &[usize], available: &[&str]) -> Result<Option<usize>, PairError> {
    let shared = |index: &usize| shared_parts(id, available[*index]);
    let Some(best) = candidates.iter().map(shared).max().filter(|&parts| parts > 0) else { return Ok(None) };
    let fits: Vec<usize> = candidates.iter().copied().filter(|index| shared(index) == best).collect();
    if let Some(&exact) = fits.iter().find(|&&index| available[index] == id) {
        return Ok(Some(exact));
    }
    match fits[..] {
        [one] => Ok(Some(one)),
        _ => {
            let candidates = fits.into_iter().map(|index| available[index].to_owned()).collect();
            Err(PairError::Ambiguous { id: id.to_owned(), candidates })
        }
    }
}

fn last_part(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Parts of the shorter name where the longer one ends with it, else 0.
fn shared_parts(a: &str, b: &str) -> usize {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let fits = long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    if fits { short.split('/').count() } else { 0 }
}
