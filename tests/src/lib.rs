//! Tests across the rooms of segcut: this library is empty, the test targets are in `tests/`.
