//! A line through points some of which lie: the Theil–Sen estimator.

/// Points beyond this number are thinned out, since the pairs grow with its square.
const MOST_POINTS: usize = 600;

/// The median of the slopes between all pairs of points: up to 29 % of the points may be off without moving it far
/// (Sen 1968, "Estimates of the regression coefficient based on Kendall's tau"). None without two different `x`.
pub(crate) fn theil_sen(points: &[(f64, f64)]) -> Option<f64> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let points: Vec<_> = points.iter().step_by(step).collect();
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (n, (x1, y1)) in points.iter().enumerate() {
        let later = points.iter().skip(n + 1).filter(|(x2, _)| x2 != x1);
        slopes.extend(later.map(|(x2, y2)| (y2 - y1) / (x2 - x1)));
    }
    median(slopes)
}

/// The middle value; of an even number of values the lower of the two. None of none.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(y: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..200).map(|n| (f64::from(n), y(f64::from(n)))).collect()
    }

    #[test]
    fn a_line_has_its_own_slope_whatever_a_quarter_of_the_points_say() {
        let line = points(|x| 3.0 + 0.5 * x);
        assert_eq!(theil_sen(&line), Some(0.5));
        let spoiled = points(|x| if x % 4.0 == 0.0 { 9_000.0 } else { 3.0 + 0.5 * x });
        let slope = theil_sen(&spoiled).expect("points");
        assert!((slope - 0.5).abs() < 0.2, "{slope}");
    }

    #[test]
    fn a_step_early_on_is_no_slope() {
        assert_eq!(theil_sen(&points(|x| if x < 20.0 { 10.0 } else { 400.0 })), Some(0.0));
    }

    #[test]
    fn one_point_has_none_and_thousands_are_thinned_out() {
        assert_eq!(theil_sen(&[(1.0, 2.0), (1.0, 3.0)]), None);
        let many: Vec<_> = (0..100_000).map(|n| (f64::from(n), 2.0 * f64::from(n))).collect();
        assert_eq!(theil_sen(&many), Some(2.0));
    }
}
