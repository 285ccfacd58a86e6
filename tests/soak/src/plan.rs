//! Which request comes next: all of it drawn from one seed.

use std::collections::VecDeque;

use fastrand::Rng;
use local_bedrock::Fault;

use crate::faults;
use crate::fixed::{Fixed, MALFORMED, OTHER_ROUTES};
use crate::marker::{Length, Marker};

/// The share of chats that fail, leaving aside the ones that take long to fail.
const FAULTS: f64 = 0.05;
/// One chat in this many falls silent. The function gives a silent stream up after 15 s, and a sandbox is busy so long.
const SILENT_EVERY: u64 = 500;
/// The share of clients that read slowly.
const SLOW: f64 = 0.01;
/// The share of clients that go away before the end.
const LEAVING: f64 = 0.02;
/// Modes to ask for.
const MODES: [&str; 3] = ["bro", "coach", "zen"];
/// The share of requests for something else than a reply.
const OTHER: f64 = 0.02;

/// One request to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request {
    /// For a reply.
    Chat(Chat),
    /// With an answer that is always the same.
    Fixed(&'static Fixed),
}

/// A request for a reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chat {
    pub(crate) marker: Marker,
    pub(crate) form: Form,
    pub(crate) mode: &'static str,
    pub(crate) reader: Reader,
}

/// In which form it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `POST` with one message.
    Message,
    /// `POST` with the turns so far.
    Conversation,
    /// `GET`, as an `EventSource` asks.
    EventSource,
}

/// How the client takes the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// As it comes.
    Steady,
    /// With a pause before each read.
    Slow,
    /// Goes away after some tokens, with none before the first, or at the end if that comes sooner.
    Leaving {
        /// Tokens read before.
        after: usize,
    },
}

/// The requests to come. The same seed gives the same ones in the same order; malformed ones, which come by the clock,
/// have an order of their own.
pub(crate) struct Plan {
    rng: Rng,
    chats: u64,
    faults: Deck<Fault>,
    silent: Deck<Fault>,
    malformed: Deck<&'static Fixed>,
    other_routes: Deck<&'static Fixed>,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (silent, faults) = faults::all().into_iter().partition(faults::is_silent);
        Self {
            faults: Deck::new(&mut rng, faults),
            silent: Deck::new(&mut rng, silent),
            malformed: Deck::new(&mut rng, MALFORMED.iter().collect()),
            other_routes: Deck::new(&mut rng, OTHER_ROUTES.iter().collect()),
            rng,
            chats: 0,
        }
    }

    /// The next request of the mix.
    pub(crate) fn mixed(&mut self) -> Request {
        if self.rng.f64() < OTHER
            && let Some(fixed) = self.other_routes.draw()
        {
            return Request::Fixed(fixed);
        }
        let mut chat = self.chat();
        if chat.marker.number.is_multiple_of(SILENT_EVERY) {
            chat.marker.fault = self.silent.draw();
        } else if self.rng.f64() < FAULTS {
            chat.marker.fault = self.faults.draw();
        }
        let reader = self.rng.f64();
        if reader < SLOW && chat.marker.fault.is_none() {
            chat.marker.length = Length::Large;
            chat.reader = Reader::Slow;
        } else if reader < SLOW + LEAVING {
            chat.reader = Reader::Leaving { after: self.rng.usize(..crate::script::TOKENS) };
        }
        Request::Chat(chat)
    }

    /// A chat in which nothing goes wrong.
    pub(crate) fn chat(&mut self) -> Chat {
        self.chats += 1;
        let form = match self.rng.u8(..10) {
            0 => Form::Conversation,
            1 | 2 => Form::EventSource,
            _ => Form::Message,
        };
        let mode = self.rng.choice(MODES).unwrap_or("bro");
        let marker = Marker { number: self.chats, length: Length::Usual, fault: None };
        Chat { marker, form, mode, reader: Reader::Steady }
    }

    /// A chat whose reply is one huge delta.
    pub(crate) fn huge(&mut self) -> Chat {
        let mut chat = self.chat();
        chat.marker.fault = faults::all().into_iter().find(faults::is_huge);
        chat
    }

    /// A chat whose reply is large, and whose reader is slow.
    pub(crate) fn large(&mut self) -> Chat {
        let mut chat = self.chat();
        chat.marker.length = Length::Large;
        chat.reader = Reader::Slow;
        chat
    }

    /// The next request that breaks a rule.
    pub(crate) fn malformed(&mut self) -> Option<Request> {
        self.malformed.draw().map(Request::Fixed)
    }
}

/// Cards drawn one by one, so that all come equally often: in the order of a shuffle, over and over.
struct Deck<T>(VecDeque<T>);

impl<T: Copy> Deck<T> {
    fn new(rng: &mut Rng, mut cards: Vec<T>) -> Self {
        rng.shuffle(&mut cards);
        Self(cards.into())
    }

    fn draw(&mut self) -> Option<T> {
        let card = self.0.pop_front()?;
        self.0.push_back(card);
        Some(card)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn chats(seed: u64, count: usize) -> Vec<Chat> {
        let mut plan = Plan::new(seed);
        let requests = std::iter::from_fn(|| Some(plan.mixed()));
        let chats = requests.filter_map(|request| match request {
            Request::Chat(chat) => Some(chat),
            Request::Fixed(_) => None,
        });
        chats.take(count).collect()
    }

    #[test]
    fn a_seed_gives_the_same_requests_again() {
        let told = |seed| format!("{:?}", chats(seed, 1_000));
        assert_eq!(told(7), told(7));
        assert_ne!(told(7), told(8));
    }

    #[test]
    fn about_one_request_in_twenty_fails_and_every_fault_comes_up() {
        let chats = chats(1, 20_000);
        let faults: Vec<_> = chats.iter().filter_map(|chat| chat.marker.fault).collect();
        assert!((900..1_200).contains(&faults.len()), "{}", faults.len());
        let names: BTreeSet<_> = faults.iter().map(ToString::to_string).collect();
        let all: BTreeSet<_> = faults::all().iter().map(ToString::to_string).collect();
        assert_eq!(names, all);
    }
}
