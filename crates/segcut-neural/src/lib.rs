//! Graph to Clustering by neural networks.
