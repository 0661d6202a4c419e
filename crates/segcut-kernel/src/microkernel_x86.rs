//! The kernels in x86's vector instructions. All of the crate's unsafe code is here: vector loads and
//! stores through pointers whose ranges are asserted before the loops.
#![allow(unsafe_code)]

use crate::microkernel::{Columns, Lines, PANEL, Right, Rows, RowsMut, wide};
use crate::microkernel_i16::{Right16, Rows16};
use std::arch::x86_64::{
    __m256, __m512, __m512i, _MM_HINT_T1, _mm_prefetch, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_set1_ps, _mm256_storeu_ps, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_dpwssd_epi32, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
    _mm512_storeu_ps,
};

/// Rows of the AVX-512 kernel: 24 of 32 registers hold sums.
pub(crate) const HEIGHT_512: usize = 12;
/// Rows of the AVX2 kernel: 12 of 16 registers hold sums.
pub(crate) const HEIGHT_256: usize = 6;

/// What a kernel reads and writes lies inside its slices.
fn assert_ranges(left: Rows<'_>, right: Right<'_>, out: &RowsMut<'_>) {
    let depth = right.panel.len() / PANEL;
    let rows = left.count;
    assert!(rows > 0 && left.values.len() >= (rows - 1) * left.stride + depth, "left factor too short");
    assert!(out.values.len() >= (rows - 1) * out.stride + PANEL, "product too short");
}

/// Up to twelve rows times a panel.
///
/// # Panics
/// Where a slice is too short, there are more rows, or the processor has no AVX-512.
pub(crate) fn tile_512(left: Rows<'_>, right: Right<'_>, out: &mut RowsMut<'_>) {
    assert!(is_x86_feature_detected!("avx512f"), "no AVX-512");
    assert_ranges(left, right, out);
    let kernels = if wide(right.cols) < PANEL { Rows512::<1>::KERNELS } else { Rows512::<2>::KERNELS };
    // SAFETY: the processor has the instructions and the ranges are asserted, both above.
    unsafe { kernels[left.count - 1](left, right, out) }
}

/// The kernels for 1 to 12 rows and as many vectors of 16 columns.
struct Rows512<const HALVES: usize>;

impl<const H: usize> Rows512<H> {
    const KERNELS: [unsafe fn(Rows<'_>, Right<'_>, &mut RowsMut<'_>); HEIGHT_512] = [
        rows_512::<1, H>,
        rows_512::<2, H>,
        rows_512::<3, H>,
        rows_512::<4, H>,
        rows_512::<5, H>,
        rows_512::<6, H>,
        rows_512::<7, H>,
        rows_512::<8, H>,
        rows_512::<9, H>,
        rows_512::<10, H>,
        rows_512::<11, H>,
        rows_512::<12, H>,
    ];
}

/// # Safety
/// The processor has AVX-512F, and `assert_ranges` holds for `R` rows.
#[target_feature(enable = "avx512f")]
unsafe fn rows_512<const R: usize, const H: usize>(left: Rows<'_>, right: Right<'_>, out: &mut RowsMut<'_>) {
    let lanes = PANEL / 2;
    // SAFETY: `bias` has 32 numbers; line k of the panel starts at 32·k; row r of the left factor has
    // the panel's depth of numbers from r·stride on, and row r of the product 32 (the caller's promise).
    unsafe {
        let bias = right.bias.as_ptr();
        let mut first = [_mm512_set1_ps(0.0); H];
        first.iter_mut().enumerate().for_each(|(half, sum)| *sum = _mm512_loadu_ps(bias.add(half * lanes)));
        let mut sums: [[__m512; H]; R] = [first; R];
        let mut x = starts(left);
        let mut line = right.panel.as_ptr();
        let depth = right.panel.len() / PANEL;
        for _ in 0..depth {
            step_512(&x, left.stride, line, &mut sums);
            fetch(line.wrapping_add(right.ahead));
            x = x.map(|x| x.wrapping_add(1));
            line = line.wrapping_add(PANEL);
        }
        for (r, sums) in sums.iter().enumerate() {
            for (half, &sum) in sums.iter().enumerate() {
                let at = out.values.as_mut_ptr().add(r * out.stride + half * lanes);
                let sum = if right.add { _mm512_add_ps(_mm512_loadu_ps(at), sum) } else { sum };
                _mm512_storeu_ps(at, sum);
            }
        }
    }
}

/// Brings two cache lines, 128 bytes, near; an address that is not ours does no harm.
#[inline]
fn fetch<T>(address: *const T) {
    // SAFETY: a hint, which reads nothing that the program sees.
    unsafe {
        _mm_prefetch::<_MM_HINT_T1>(address.cast());
        _mm_prefetch::<_MM_HINT_T1>(address.cast::<i8>().wrapping_add(64));
    }
}

/// Where rows 0, 3, 6 and 9 start: the other rows lie one or two strides further, which addresses can hold.
fn starts(left: Rows<'_>) -> [*const f32; HEIGHT_512 / 3] {
    std::array::from_fn(|i| left.values.as_ptr().wrapping_add(3 * i * left.stride))
}

/// Adds one column of the left factor times one line of the panel. Written out more than once per loop, the compiler
/// loads ahead and the sums no longer fit in registers, which takes 1.7 times as long.
///
/// # Safety
/// The processor has AVX-512F; `R` rows of `x` have a number, and `line` 32.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn step_512<const R: usize, const H: usize>(
    x: &[*const f32; HEIGHT_512 / 3],
    stride: usize,
    line: *const f32,
    sums: &mut [[__m512; H]; R],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut halves = [_mm512_set1_ps(0.0); H];
        halves.iter_mut().enumerate().for_each(|(half, w)| *w = _mm512_loadu_ps(line.add(half * PANEL / 2)));
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = _mm512_set1_ps(*x[r / 3].add(r % 3 * stride));
            sums.iter_mut().zip(halves).for_each(|(sum, w)| *sum = _mm512_fmadd_ps(x, w, *sum));
        }
    }
}

/// Up to six rows times a panel.
///
/// # Panics
/// Where a slice is too short, there are more rows, or the processor has no AVX2 or FMA.
pub(crate) fn tile_256(left: Rows<'_>, right: Right<'_>, out: &mut RowsMut<'_>) {
    assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"), "no AVX2 or FMA");
    assert_ranges(left, right, out);
    const KERNELS: [unsafe fn(Rows<'_>, Right<'_>, &mut RowsMut<'_>); HEIGHT_256] =
        [rows_256::<1>, rows_256::<2>, rows_256::<3>, rows_256::<4>, rows_256::<5>, rows_256::<6>];
    // SAFETY: the processor has the instructions and the ranges are asserted, both above.
    unsafe { KERNELS[left.count - 1](left, right, out) }
}

/// # Safety
/// The processor has AVX2 and FMA, and `assert_ranges` holds for `R` rows.
#[target_feature(enable = "avx2,fma")]
unsafe fn rows_256<const R: usize>(left: Rows<'_>, right: Right<'_>, out: &mut RowsMut<'_>) {
    let lanes = PANEL / 4;
    for first in (0..wide(right.cols)).step_by(PANEL / 2) {
        // SAFETY: as in the kernel above, for the 16 columns from `first` on.
        unsafe {
            let bias = right.bias.as_ptr().add(first);
            let mut sums: [[__m256; 2]; R] = [[_mm256_loadu_ps(bias), _mm256_loadu_ps(bias.add(lanes))]; R];
            let mut x = left.values.as_ptr();
            let mut line = right.panel.as_ptr().wrapping_add(first);
            for _ in 0..right.panel.len() / PANEL {
                let halves = [_mm256_loadu_ps(line), _mm256_loadu_ps(line.add(lanes))];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = _mm256_set1_ps(*x.add(r * left.stride));
                    sums[0] = _mm256_fmadd_ps(x, halves[0], sums[0]);
                    sums[1] = _mm256_fmadd_ps(x, halves[1], sums[1]);
                }
                x = x.wrapping_add(1);
                line = line.wrapping_add(PANEL);
            }
            for (r, sums) in sums.iter().enumerate() {
                for (half, &sum) in sums.iter().enumerate() {
                    let at = out.values.as_mut_ptr().add(r * out.stride + first + half * lanes);
                    let sum = if right.add { _mm256_add_ps(_mm256_loadu_ps(at), sum) } else { sum };
                    _mm256_storeu_ps(at, sum);
                }
            }
        }
    }
}

/// What a kernel by columns reads and writes lies inside its slices.
fn assert_columns(left: Columns<'_>, right: Lines<'_>, out: &RowsMut<'_>) {
    let (rows, last) = (left.count, right.depth.saturating_sub(1));
    let none = right.depth == 0;
    assert!(none || left.values.len() >= last * left.stride + rows, "left factor too short");
    assert!(none || right.values.len() >= last * right.stride + PANEL, "right factor too short");
    assert!(rows > 0 && out.values.len() >= (rows - 1) * out.stride + PANEL, "product too short");
}

/// Up to twelve rows, given by columns, times lines of 32; added to what is there.
///
/// # Panics
/// Where a slice is too short, there are more rows, or the processor has no AVX-512.
pub(crate) fn columns_512(left: Columns<'_>, right: Lines<'_>, out: &mut RowsMut<'_>) {
    assert!(is_x86_feature_detected!("avx512f"), "no AVX-512");
    assert_columns(left, right, out);
    let kernels = if wide(right.cols) < PANEL { Columns512::<1>::KERNELS } else { Columns512::<2>::KERNELS };
    // SAFETY: the processor has the instructions and the ranges are asserted, both above.
    unsafe { kernels[left.count - 1](left, right, out) }
}

/// The kernels by columns, as above.
struct Columns512<const HALVES: usize>;

impl<const H: usize> Columns512<H> {
    const KERNELS: [unsafe fn(Columns<'_>, Lines<'_>, &mut RowsMut<'_>); HEIGHT_512] = [
        by_columns_512::<1, H>,
        by_columns_512::<2, H>,
        by_columns_512::<3, H>,
        by_columns_512::<4, H>,
        by_columns_512::<5, H>,
        by_columns_512::<6, H>,
        by_columns_512::<7, H>,
        by_columns_512::<8, H>,
        by_columns_512::<9, H>,
        by_columns_512::<10, H>,
        by_columns_512::<11, H>,
        by_columns_512::<12, H>,
    ];
}

/// # Safety
/// The processor has AVX-512F, and `assert_columns` holds for `R` rows.
#[target_feature(enable = "avx512f")]
unsafe fn by_columns_512<const R: usize, const H: usize>(left: Columns<'_>, right: Lines<'_>, out: &mut RowsMut<'_>) {
    let lanes = PANEL / 2;
    let mut sums = [[_mm512_set1_ps(0.0); H]; R];
    let (mut x, mut line) = (left.values.as_ptr(), right.values.as_ptr());
    // SAFETY: column k has `R` numbers from k·stride on, line k 32 from its own k·stride on, and row r of the product
    // 32 (the caller's promise).
    unsafe {
        for _ in 0..right.depth {
            let mut halves = [_mm512_set1_ps(0.0); H];
            halves.iter_mut().enumerate().for_each(|(half, w)| *w = _mm512_loadu_ps(line.add(half * lanes)));
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = _mm512_set1_ps(*x.add(r));
                sums.iter_mut().zip(halves).for_each(|(sum, w)| *sum = _mm512_fmadd_ps(x, w, *sum));
            }
            x = x.wrapping_add(left.stride);
            line = line.wrapping_add(right.stride);
        }
        for (r, sums) in sums.iter().enumerate() {
            for (half, &sum) in sums.iter().enumerate() {
                let at = out.values.as_mut_ptr().add(r * out.stride + half * lanes);
                _mm512_storeu_ps(at, _mm512_add_ps(_mm512_loadu_ps(at), sum));
            }
        }
    }
}

/// Up to six rows, given by columns, times lines of 32; added to what is there.
///
/// # Panics
/// Where a slice is too short, there are more rows, or the processor has no AVX2 or FMA.
pub(crate) fn columns_256(left: Columns<'_>, right: Lines<'_>, out: &mut RowsMut<'_>) {
    assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"), "no AVX2 or FMA");
    assert_columns(left, right, out);
    const KERNELS: [unsafe fn(Columns<'_>, Lines<'_>, &mut RowsMut<'_>); HEIGHT_256] = [
        by_columns_256::<1>,
        by_columns_256::<2>,
        by_columns_256::<3>,
        by_columns_256::<4>,
        by_columns_256::<5>,
        by_columns_256::<6>,
    ];
    // SAFETY: the processor has the instructions and the ranges are asserted, both above.
    unsafe { KERNELS[left.count - 1](left, right, out) }
}

/// # Safety
/// The processor has AVX2 and FMA, and `assert_columns` holds for `R` rows.
#[target_feature(enable = "avx2,fma")]
unsafe fn by_columns_256<const R: usize>(left: Columns<'_>, right: Lines<'_>, out: &mut RowsMut<'_>) {
    let lanes = PANEL / 4;
    for first in (0..wide(right.cols)).step_by(PANEL / 2) {
        let mut sums = [[_mm256_set1_ps(0.0); 2]; R];
        let (mut x, mut line) = (left.values.as_ptr(), right.values.as_ptr().wrapping_add(first));
        // SAFETY: as in the kernel above, for the 16 columns from `first` on.
        unsafe {
            for _ in 0..right.depth {
                let halves = [_mm256_loadu_ps(line), _mm256_loadu_ps(line.add(lanes))];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = _mm256_set1_ps(*x.add(r));
                    sums[0] = _mm256_fmadd_ps(x, halves[0], sums[0]);
                    sums[1] = _mm256_fmadd_ps(x, halves[1], sums[1]);
                }
                x = x.wrapping_add(left.stride);
                line = line.wrapping_add(right.stride);
            }
            for (r, sums) in sums.iter().enumerate() {
                for (half, &sum) in sums.iter().enumerate() {
                    let at = out.values.as_mut_ptr().add(r * out.stride + first + half * lanes);
                    _mm256_storeu_ps(at, _mm256_add_ps(_mm256_loadu_ps(at), sum));
                }
            }
        }
    }
}

/// Whether the processor multiplies 16-bit numbers into 32-bit sums, 32 at a time.
pub(crate) fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
}

/// Up to twelve rows of whole numbers times a panel.
///
/// # Panics
/// Where a slice is too short, there are more rows, or the processor has no AVX-512 VNNI.
pub(crate) fn tile_vnni(left: Rows16<'_>, right: Right16<'_>, out: &mut RowsMut<'_>) {
    let (rows, depth) = (left.units.len(), right.panel.len() / PANEL);
    assert!(has_vnni(), "no AVX-512 VNNI");
    assert!(rows > 0 && left.values.len() >= (rows - 1) * left.stride + depth, "left factor too short");
    assert!(out.values.len() >= (rows - 1) * out.stride + PANEL, "product too short");
    const KERNELS: [unsafe fn(Rows16<'_>, Right16<'_>, &mut RowsMut<'_>); HEIGHT_512] = [
        rows_vnni::<1>,
        rows_vnni::<2>,
        rows_vnni::<3>,
        rows_vnni::<4>,
        rows_vnni::<5>,
        rows_vnni::<6>,
        rows_vnni::<7>,
        rows_vnni::<8>,
        rows_vnni::<9>,
        rows_vnni::<10>,
        rows_vnni::<11>,
        rows_vnni::<12>,
    ];
    // SAFETY: the processor has the instructions and the ranges are asserted, both above.
    unsafe { KERNELS[rows - 1](left, right, out) }
}

/// # Safety
/// The processor has AVX-512 F and VNNI, and the ranges that `tile_vnni` asserts hold for `R` rows.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn rows_vnni<const R: usize>(left: Rows16<'_>, right: Right16<'_>, out: &mut RowsMut<'_>) {
    let lanes = PANEL / 2;
    let mut sums = [[_mm512_setzero_si512(); 2]; R];
    let mut x: [*const i16; HEIGHT_512 / 3] =
        std::array::from_fn(|i| left.values.as_ptr().wrapping_add(3 * i * left.stride));
    let mut line = right.panel.as_ptr();
    let pairs = right.panel.len() / (2 * PANEL);
    // SAFETY: line k of the panel has 32 pairs from 64·k on, row r of the left factor `pairs` pairs from
    // r·stride on, row r of the product 32 numbers, `units` and `bias` 32 (the caller's promise).
    unsafe {
        for _ in 0..pairs {
            step_vnni(&x, left.stride, line, &mut sums);
            fetch(line.wrapping_add(right.ahead));
            x = x.map(|x| x.wrapping_add(2));
            line = line.wrapping_add(2 * PANEL);
        }
        for (r, sums) in sums.iter().enumerate() {
            let unit = _mm512_set1_ps(left.units[r]);
            for (half, &sum) in sums.iter().enumerate() {
                let unit = _mm512_mul_ps(unit, _mm512_loadu_ps(right.units.as_ptr().add(half * lanes)));
                let bias = _mm512_loadu_ps(right.bias.as_ptr().add(half * lanes));
                let value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), unit, bias);
                let at = out.values.as_mut_ptr().add(r * out.stride + half * lanes);
                let value = if right.add { _mm512_add_ps(_mm512_loadu_ps(at), value) } else { value };
                _mm512_storeu_ps(at, value);
            }
        }
    }
}

/// Adds a pair of columns of the left factor times a line of the panel.
///
/// # Safety
/// The processor has AVX-512 F and VNNI; `R` rows of `x` have a pair, and `line` 32.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn step_vnni<const R: usize>(
    x: &[*const i16; HEIGHT_512 / 3],
    stride: usize,
    line: *const i16,
    sums: &mut [[__m512i; 2]; R],
) {
    // SAFETY: the caller's promise; pairs are read as one number that need not be aligned.
    unsafe {
        let halves = [_mm512_loadu_si512(line.cast()), _mm512_loadu_si512(line.add(PANEL).cast())];
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = _mm512_set1_epi32(x[r / 3].add(r % 3 * stride).cast::<i32>().read_unaligned());
            sums[0] = _mm512_dpwssd_epi32(sums[0], x, halves[0]);
            sums[1] = _mm512_dpwssd_epi32(sums[1], x, halves[1]);
        }
    }
}
