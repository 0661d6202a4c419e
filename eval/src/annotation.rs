//! What one annotator drew.

use crate::error::same_size;
use crate::{EvalError, boundary};
use segcut_core::{LabelMap, Mask, VOID};

/// One annotator's regions and boundary.
///
/// *Guarantees*: both have one size; no boundary pixel is VOID in the regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    labels: LabelMap,
    boundary: Mask,
}

impl Annotation {
    /// Regions; the boundary is their thinned edge map. Ignored pixels must be VOID.
    pub fn new(labels: LabelMap) -> Self {
        let boundary = boundary(&labels);
        Self { labels, boundary }
    }

    /// Regions with the boundary that was stored with them, as in BSDS500.
    ///
    /// # Errors
    /// [`EvalError::Size`].
    pub fn with_boundary(labels: LabelMap, boundary: Mask) -> Result<Self, EvalError> {
        same_size(&labels, &boundary)?;
        let boundary = without_void(boundary, &labels);
        Ok(Self { labels, boundary })
    }

    /// The regions.
    pub fn labels(&self) -> &LabelMap {
        &self.labels
    }

    /// The boundary.
    pub fn boundary(&self) -> &Mask {
        &self.boundary
    }
}

/// The mask with the pixels taken out that are VOID in the labels; both have one size.
pub(crate) fn without_void(mut mask: Mask, labels: &LabelMap) -> Mask {
    for (bit, &label) in mask.bits_mut().iter_mut().zip(labels.labels()) {
        *bit &= label != VOID;
    }
    mask
}
