//! Image to FeatureMap by vision transformers.
