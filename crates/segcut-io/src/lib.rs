//! Files to nouns and back: images, label maps, data sets.
