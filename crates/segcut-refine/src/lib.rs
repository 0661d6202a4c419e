//! LabelMap and evidence to LabelMap or Mask: projection, small regions, morphology, foreground.
