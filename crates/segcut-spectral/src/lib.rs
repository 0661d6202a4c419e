//! Graph to Clustering by eigenvectors: normalized cut and its assignments.
