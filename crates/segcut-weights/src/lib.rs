//! Weights: manifest, cache, fetch, verify, import.
