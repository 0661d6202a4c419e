//! Prediction and truth to scores.
