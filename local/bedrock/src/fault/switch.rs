//! The handle that sets faults while a stand-in runs.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Fault;

/// Switches faults while a stand-in runs. Clones share one switch.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Switch>>);

#[derive(Debug, Default)]
struct Switch {
    standing: Option<Fault>,
    once: VecDeque<Fault>,
}

impl Faults {
    /// From now on every request fails with `fault`, or with none. Faults queued by [`once`](Self::once) come first.
    pub fn set(&self, fault: Option<Fault>) {
        self.switch().standing = fault;
    }

    /// The next request for a reply fails with `fault`, and only that one. Called again, it queues: first in, first out.
    pub fn once(&self, fault: Fault) {
        self.switch().once.push_back(fault);
    }

    /// Lifts the standing fault and forgets the queued ones.
    pub fn clear(&self) {
        *self.switch() = Switch::default();
    }

    /// The fault of every request, and those queued for the next ones.
    pub fn current(&self) -> (Option<Fault>, Vec<Fault>) {
        let switch = self.switch();
        (switch.standing, switch.once.iter().copied().collect())
    }

    pub(crate) fn take(&self) -> Option<Fault> {
        let mut switch = self.switch();
        switch.once.pop_front().or(switch.standing)
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_for_once_comes_before_the_standing_one() {
        let [drop, stall, reset] = ["drop@1", "stall@2", "reset@3"].map(|name| name.parse::<Fault>().unwrap());
        let faults = Faults::default();
        faults.set(Some(drop));
        faults.once(stall);
        faults.once(reset);
        assert_eq!(faults.current(), (Some(drop), vec![stall, reset]));
        let taken = [faults.take(), faults.take(), faults.take(), faults.take()];
        assert_eq!(taken, [Some(stall), Some(reset), Some(drop), Some(drop)]);
        faults.once(stall);
        faults.clear();
        assert_eq!(faults.take(), None);
    }
}
