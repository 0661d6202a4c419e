//! LabelMap and FeatureMaps to RegionGraph; cut values, Laplacians, merge trees.
