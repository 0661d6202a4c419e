//! The program `segcut`.

fn main() {}
