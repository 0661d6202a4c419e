//! Tests across the rooms of segcut.
