use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn conditions(names: &[&str]) -> Conditions {
    let mut conditions = Conditions::default();
    names.iter().for_each(|name| conditions.add(name.parse().unwrap()));
    conditions
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// All that leaves, with the milliseconds from `start` at which it does.
fn departures(shaper: &mut Shaper, start: Instant) -> Vec<(u128, usize)> {
    let mut departures = Vec::new();
    while let Some((due, bytes)) = shaper.next() {
        departures.push((due.saturating_duration_since(start).as_millis(), bytes.len()));
        shaper.advance(bytes.len());
    }
    departures
}

#[test]
fn latency_delays_each_write_from_when_it_came_so_that_gaps_stay_as_they_are() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["latency:latency=100"]), start);
    shaper.accept(&[0; 5], start);
    shaper.accept(&[0; 7], start + ms(30));
    assert_eq!(departures(&mut shaper, start), [(100, 5), (130, 7)]);
}

#[test]
fn jitter_keeps_the_order_and_its_bounds() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["latency:latency=100,jitter=100"]), start);
    (0..200_u64).for_each(|write| _ = shaper.accept(&[0; 1], start + ms(write)));
    let departures = departures(&mut shaper, start);
    assert!(departures.is_sorted(), "{departures:?}");
    let delays: Vec<_> = departures.iter().zip(0..).map(|((at, _), write): (_, u128)| at - write).collect();
    assert!(delays.iter().all(|delay| *delay <= 200) && delays.iter().any(|delay| *delay != 100), "{delays:?}");
}

#[test]
fn bandwidth_gives_its_bytes_in_portions_of_a_tenth_of_a_second() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["bandwidth:rate=1"]), start);
    shaper.accept(&[0; 250], start);
    shaper.accept(&[0; 50], start);
    assert_eq!(departures(&mut shaper, start), [(100, 100), (200, 100), (250, 50), (300, 50)]);
}

#[test]
fn a_slicer_sends_slice_after_slice_with_its_pause_between() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["slicer:average_size=2,delay=5000"]), start);
    shaper.accept(&[0; 8], start);
    assert_eq!(departures(&mut shaper, start), [(0, 2), (5, 2), (10, 2), (15, 2)]);
}

#[test]
fn a_data_limit_lets_exactly_as_many_bytes_through_and_closes_behind_them() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["limit_data:bytes=10", "latency:latency=50"]), start);
    assert_eq!(shaper.accept(&[0; 8], start), 8);
    assert_eq!(shaper.closing(), None);
    assert_eq!(shaper.accept(&[0; 8], start + ms(1)), 8);
    assert_eq!(shaper.closing(), Some((start + ms(51), Closing::Finish)));
    assert_eq!(departures(&mut shaper, start), [(50, 8), (51, 2)]);
}

#[test]
fn a_timeout_swallows_all_and_closes_after_so_long_a_silence() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["timeout:timeout=100"]), start);
    assert_eq!(shaper.closing(), Some((start + ms(100), Closing::Finish)));
    shaper.accept(&[0; 8], start + ms(60));
    assert_eq!(shaper.closing(), Some((start + ms(160), Closing::Finish)));
    assert!(shaper.next().is_none());
}

#[test]
fn a_timeout_of_zero_closes_only_when_it_is_lifted() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["timeout"]), start);
    shaper.accept(&[0; 8], start);
    assert_eq!(shaper.closing(), None);
    shaper.change(Conditions::default(), start + ms(5));
    assert_eq!(shaper.closing(), Some((start + ms(5), Closing::Finish)));
}

#[test]
fn a_reset_waits_for_the_first_byte() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["reset_peer:timeout=20"]), start);
    assert_eq!(shaper.closing(), None);
    shaper.accept(&[0; 1], start + ms(7));
    shaper.accept(&[0; 1], start + ms(9));
    assert_eq!(shaper.closing(), Some((start + ms(27), Closing::Reset)));
    assert!(shaper.next().is_none());
}

#[test]
fn what_is_under_way_goes_on_under_new_conditions() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["latency:latency=60000"]), start);
    shaper.accept(b"late", start);
    shaper.change(Conditions::default(), start + ms(10));
    assert_eq!(departures(&mut shaper, start), [(10, 4)]);
    assert!(shaper.is_transparent());
}

#[test]
fn a_full_queue_takes_no_more_than_it_must() {
    let start = Instant::now();
    let mut shaper = Shaper::new(conditions(&["latency:latency=60000"]), start);
    assert_eq!(shaper.accept(&vec![0; QUEUE_BYTES + 5], start), QUEUE_BYTES);
    assert!(shaper.is_full());
}

fn any_condition() -> impl Strategy<Value = Conditions> {
    let names = [
        "latency:latency=40,jitter=40",
        "latency:latency=5",
        "bandwidth:rate=3",
        "slicer:average_size=7,size_variation=6,delay=300",
        "slow_close:delay=9",
    ];
    prop::sample::subsequence(names.to_vec(), 0..=names.len()).prop_map(|names| conditions(&names))
}

proptest! {
    #[test]
    fn whatever_delays_and_slices_nothing_is_lost_doubled_or_out_of_order(
        first in any_condition(),
        second in any_condition(),
        writes in prop::collection::vec((0..60_u64, prop::collection::vec(any::<u8>(), 1..300)), 1..12),
        change_at in 0..12_usize,
    ) {
        let mut now = Instant::now();
        let mut shaper = Shaper::new(first, now);
        for (index, (pause, bytes)) in writes.iter().enumerate() {
            now += ms(*pause);
            if index == change_at {
                shaper.change(second.clone(), now);
            }
            prop_assert_eq!(shaper.accept(bytes, now), bytes.len());
        }
        let (mut left, mut last) = (Vec::new(), None);
        while let Some((due, bytes)) = shaper.next() {
            prop_assert!(last <= Some(due));
            last = Some(due);
            left.extend_from_slice(&bytes);
            shaper.advance(bytes.len());
        }
        prop_assert_eq!(left, writes.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<_>>());
        prop_assert_eq!(shaper.closing(), None);
    }
}
