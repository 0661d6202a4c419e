//! Recipe and Registry to Pipeline to Segmentation.
