//! Image to Image and planes: color spaces, separable filters, resizing.
