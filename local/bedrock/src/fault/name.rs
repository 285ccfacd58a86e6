//! Faults by name: `NAME[:ARGUMENT][@TOKENS]`, as in `exception:throttlingException@3`.

use std::{fmt, str::FromStr};

use super::{Fault, FaultEntry, FaultGroup, Side, StreamException};

/// A string that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownFault {
    /// No fault has this name.
    #[error("`{0}` is no fault; the faults are {names}", names = names())]
    Name(String),
    /// There is such a fault, but what follows its name makes no sense.
    #[error("`{text}` is no fault; write it as {expected}, where {PARAMETERS}")]
    Parameters {
        /// What was read.
        text: String,
        /// The name and what may follow it.
        expected: String,
    },
}

const PARAMETERS: &str = "TOKENS is the number of tokens before it, KIND one of internalServerException, \
    modelStreamErrorException, validationException, throttlingException and serviceUnavailableException, MS 1 to \
    600000 milliseconds, KIB 1 to 8192 KiB and SIDE input or output";

fn entries() -> impl Iterator<Item = &'static FaultEntry> {
    FaultGroup::ALL.iter().flat_map(FaultGroup::entries)
}

fn names() -> String {
    entries().map(|entry| format!("{}{}", entry.name, entry.parameters())).collect::<Vec<_>>().join(", ")
}

impl Fault {
    /// Every fault's name with what may follow it and what it does, by groups, a line each: for a command's help.
    pub fn help() -> String {
        let mut help = String::new();
        for group in FaultGroup::ALL {
            help.push_str(&format!("{}:\n", group.title()));
            for entry in group.entries() {
                let name = format!("{}{}", entry.name, entry.parameters());
                help.push_str(&format!("  {name:<27} {}\n", entry.about()));
            }
        }
        let kinds = StreamException::ALL.map(StreamException::name).join(", ");
        let sides = Side::ALL.map(Side::name).join(" or ");
        help.push_str(&format!("@TOKENS: after so many output tokens, 3 if not said. KIND: {kinds}. SIDE: {sides}."));
        help
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let (head, tokens) = match text.split_once('@') {
            Some((head, tokens)) => (head, Some(tokens)),
            None => (text, None),
        };
        let (name, argument) = match head.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (head, None),
        };
        let entry = entries().find(|entry| entry.name == name).ok_or_else(|| UnknownFault::Name(text.to_owned()))?;
        let fault = match tokens.map(str::parse).transpose() {
            Ok(tokens) => entry.shape.fault(argument, tokens),
            Err(_no_number) => None,
        };
        fault.ok_or_else(|| UnknownFault::Parameters {
            text: text.to_owned(),
            expected: format!("{}{}", entry.name, entry.parameters()),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = entries().find_map(|entry| Some((entry.name, entry.shape.suffix(*self)?)));
        match written {
            Some((name, suffix)) => write!(formatter, "{name}{suffix}"),
            // A refusal that has no name of its own, such as an error of the front end.
            None => write!(formatter, "{self:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Breakage, ErrorKind};

    #[test]
    fn every_fault_is_read_back_from_its_own_name() {
        for entry in entries() {
            for parameters in ["", "@0", "@12", ":validationException@7", ":250", ":input", ":output"] {
                let Ok(fault) = format!("{}{parameters}", entry.name).parse::<Fault>() else {
                    assert_ne!(parameters, "", "{} needs nothing behind it", entry.name);
                    continue;
                };
                assert!(fault.to_string().starts_with(entry.name), "{fault}");
                assert_eq!(fault.to_string().parse(), Ok(fault));
            }
        }
    }

    #[test]
    fn names_and_faults_are_one_to_one() {
        let written: Vec<_> = entries().map(|entry| entry.name.parse::<Fault>().unwrap().to_string()).collect();
        for (entry, written) in entries().zip(&written) {
            assert_eq!(written.split([':', '@']).next(), Some(entry.name));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_read_back_the_same(
            text in "(exception|drop|slow-head|huge-delta|guardrail|throttle)(:[a-zA-Z0-9]{0,12})?(@[0-9+-]{0,11})?",
        ) {
            if let Ok(fault) = text.parse::<Fault>() {
                prop_assert_eq!(fault.to_string().parse(), Ok(fault));
            }
        }
    }

    #[test]
    fn what_may_be_left_out_has_a_default() {
        let how = Breakage::Exception(StreamException::ModelStreamError);
        assert_eq!("exception".parse(), Ok(Fault::Break { how, after: 3 }));
        assert_eq!("drop".parse(), Ok(Fault::Break { how: Breakage::Drop, after: 3 }));
        assert_eq!("guardrail".parse(), Ok(Fault::Guardrail(Side::Input)));
        assert_eq!("slow-head".parse::<Fault>().unwrap().to_string(), "slow-head:3000");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_list() {
        for text in ["", "throttled", "THROTTLE", "@3"] {
            let refused = text.parse::<Fault>().unwrap_err().to_string();
            assert!(refused.contains("the faults are throttle, not-ready, 500"), "{refused}");
        }
    }

    #[test]
    fn a_wrong_parameter_is_refused_with_the_right_form() {
        let cases = [
            ("exception:oops@3", "exception[:KIND][@TOKENS]"),
            ("drop@", "drop[@TOKENS]"),
            ("drop@-1", "drop[@TOKENS]"),
            ("stall:x", "stall[@TOKENS]"),
            ("throttle@2", "write it as throttle,"),
            ("slow-head:0", "slow-head[:MS]"),
            ("slow-head:600001", "slow-head[:MS]"),
            ("huge-delta:many", "huge-delta[:KIB]"),
            ("guardrail:both", "guardrail[:SIDE]"),
        ];
        for (text, expected) in cases {
            let refused = text.parse::<Fault>().unwrap_err().to_string();
            assert!(refused.contains(expected) && refused.contains(text), "{refused}");
        }
    }

    #[test]
    fn the_help_and_the_errors_name_every_kind() {
        let help = Fault::help();
        for kind in StreamException::ALL {
            assert!(help.contains(kind.name()) && PARAMETERS.contains(kind.name()), "{}", kind.name());
        }
        assert!(entries().all(|entry| help.contains(&format!("  {}", entry.name))), "{help}");
    }

    #[test]
    fn a_refusal_without_a_name_is_still_told() {
        assert_eq!(Fault::Refuse(ErrorKind::Serialization).to_string(), "Refuse(Serialization)");
    }
}
