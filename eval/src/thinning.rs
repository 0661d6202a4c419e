//! Thick lines to lines one pixel wide.

use segcut_core::Mask;

/// Mask → its skeleton by parallel thinning, repeated until nothing changes.
///
/// Guo and Hall 1989 in the form of Lam, Lee and Suen 1992, which is `bwmorph(…, 'thin', Inf)` of the
/// Berkeley benchmark and `thin` of scikit-image. Pixels outside the image count as empty.
///
/// # Cost
/// One pass over the image, then two over the remaining set pixels per iteration; the number of iterations is half of the
/// thickness of the thickest part.
///
/// # Examples
/// ```
/// use segcut_core::Mask;
/// let bar = Mask::filled(3, 7, true);
/// let thin = segcut_eval::thin(&bar);
/// assert!(thin.count() < 7 && thin.bits()[7..14].iter().filter(|&&b| b).count() == thin.count());
/// # Ok::<(), segcut_core::SizeMismatch>(())
/// ```
pub fn thin(mask: &Mask) -> Mask {
    let [height, width] = [mask.height(), mask.width()];
    let stride = width + 2;
    let mut padded = vec![0u8; (height + 2) * stride];
    let mut live = Vec::new();
    for (index, _) in mask.bits().iter().enumerate().filter(|(_, bit)| **bit) {
        let place = (index / width + 1) * stride + index % width + 1;
        padded[place] = 1;
        live.push(place);
    }
    loop {
        let before = live.len();
        for table in &DELETE {
            pass(&mut padded, stride, &mut live, table);
        }
        if live.len() == before {
            break;
        }
    }
    let mut thinned = Mask::filled(height, width, false);
    for place in live {
        thinned.bits_mut()[(place / stride - 1) * width + place % stride - 1] = true;
    }
    thinned
}

/// Deletes, at once, every live pixel whose neighbourhood the table names.
fn pass(padded: &mut [u8], stride: usize, live: &mut Vec<usize>, table: &[bool; 256]) {
    let code = |padded: &[u8], at: usize| {
        let (up, down) = (&padded[at - stride - 1..=at - stride + 1], &padded[at + stride - 1..=at + stride + 1]);
        let ring = [padded[at + 1], up[2], up[1], up[0], padded[at - 1], down[0], down[1], down[2]];
        ring.iter().enumerate().fold(0u8, |code, (bit, &set)| code | set << bit)
    };
    let (gone, kept): (Vec<usize>, Vec<usize>) = live.iter().partition(|&&at| table[code(padded, at) as usize]);
    for at in gone {
        padded[at] = 0;
    }
    *live = kept;
}

/// Which neighbourhoods delete their pixel in the first and in the second half of an iteration.
///
/// Bit i of the index is neighbour x(i+1), counted from the right one against the clock.
static DELETE: [[bool; 256]; 2] = [delete_table(false), delete_table(true)];

const fn delete_table(second: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = deletes(code, second);
        code += 1;
    }
    table
}

const fn deletes(code: usize, second: bool) -> bool {
    let (mut crossings, mut first_pairs, mut second_pairs) = (0, 0, 0);
    let mut k = 0;
    while k < 4 {
        let (odd, even, next) = (x(code, 2 * k + 1), x(code, 2 * k + 2), x(code, 2 * k + 3));
        crossings += (!odd && (even || next)) as u8;
        first_pairs += (odd || even) as u8;
        second_pairs += (even || next) as u8;
        k += 1;
    }
    let least = if first_pairs < second_pairs { first_pairs } else { second_pairs };
    let side = if second {
        (x(code, 6) || x(code, 7) || !x(code, 4)) && x(code, 5)
    } else {
        (x(code, 2) || x(code, 3) || !x(code, 8)) && x(code, 1)
    };
    crossings == 1 && least >= 2 && least <= 3 && !side // G1, G2, G3
}

/// Neighbour x1 … x8; x9 is x1 again.
const fn x(code: usize, neighbour: usize) -> bool {
    code >> ((neighbour - 1) % 8) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thin_lines_stay() {
        let mut line = Mask::filled(5, 5, false);
        (0..5).for_each(|i| line.bits_mut()[i * 6] = true);
        assert_eq!(thin(&line), line);
        assert_eq!(thin(&Mask::filled(0, 0, true)).count(), 0);
    }
}
