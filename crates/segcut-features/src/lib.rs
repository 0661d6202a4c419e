//! Image to FeatureMap: color, position, texture, contour strength.
