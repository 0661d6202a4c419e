//! Graph to Clustering by combinatorial moves: hierarchical merging.
