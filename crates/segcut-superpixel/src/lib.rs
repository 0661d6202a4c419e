//! Image to LabelMap: superpixels (SLIC, grid).
