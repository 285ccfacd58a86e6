//! Where toxiproxy's slicer cuts.

/// The sizes of the slices of `length` bytes: halved, give or take up to `variation`, until a part is about `average`
/// long. So no end of the data has larger slices than another.
pub(super) fn slices(length: usize, average: usize, variation: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    let mut sizes = Vec::new();
    let mut parts = vec![length];
    while let Some(part) = parts.pop() {
        if part <= average.saturating_add(variation) || part < 2 {
            sizes.push(part);
            continue;
        }
        let offset = if variation == 0 { 0 } else { random.usize(..variation * 2) };
        let left = (part / 2 + offset).saturating_sub(variation).clamp(1, part - 1);
        parts.push(part - left);
        parts.push(left);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slices_are_the_whole_none_empty_and_none_too_long(
            length in 1..5_000_usize,
            average in 1..200_usize,
            share in 0.0..1.0_f64,
            seed: u64,
        ) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let variation = (average as f64 * share) as usize;
            let sizes = slices(length, average, variation, &mut fastrand::Rng::with_seed(seed));
            prop_assert_eq!(sizes.iter().sum::<usize>(), length);
            prop_assert!(sizes.iter().all(|size| (1..=average + variation).contains(size)), "{:?}", sizes);
        }
    }
}
