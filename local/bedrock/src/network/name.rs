//! Network faults by name: `NAME[:ATTRIBUTE=NUMBER,…]`, as in `latency:latency=100,jitter=20`.

use std::{fmt, str::FromStr, time::Duration};

use super::NetworkFault;

/// A network fault as it is listed to people.
#[derive(Debug)]
pub struct NetworkFaultEntry {
    name: &'static str,
    attributes: &'static [&'static str],
    about: &'static str,
}

/// A string that names no network fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no network fault: {problem}; the network faults are {forms}", forms = forms())]
pub struct UnknownNetworkFault {
    text: String,
    problem: String,
}

const fn entry(name: &'static str, attributes: &'static [&'static str], about: &'static str) -> NetworkFaultEntry {
    NetworkFaultEntry { name, attributes, about }
}

impl NetworkFaultEntry {
    /// Every network fault there is.
    pub const ALL: &'static [Self] = &[
        entry("latency", &["latency", "jitter"], "All data comes `latency` ms late, give or take `jitter` ms."),
        entry("down", &[], "Connections are refused, open ones closed."),
        entry("bandwidth", &["rate"], "No more than `rate` KB a second."),
        entry("slow_close", &["delay"], "A connection closes `delay` ms late."),
        entry("timeout", &["timeout"], "All data is lost; the connection closes after `timeout` ms, 0: never."),
        entry("reset_peer", &["timeout"], "At the first data, after `timeout` ms, the connection is reset (RST)."),
        entry(
            "slicer",
            &["average_size", "size_variation", "delay"],
            "Data comes in slices of `average_size` bytes, give or take `size_variation`, `delay` µs apart.",
        ),
        entry("limit_data", &["bytes"], "The connection closes after `bytes` bytes."),
    ];

    /// The name, without its attributes.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The attributes, all of them whole numbers; those not given are 0.
    pub fn attributes(&self) -> &'static [&'static str] {
        self.attributes
    }

    /// One sentence on what it does.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// The name with its attributes, as it is written.
    pub fn form(&self) -> String {
        let attributes: Vec<_> = self.attributes.iter().map(|attribute| format!("{attribute}=N")).collect();
        if attributes.is_empty() { self.name.to_owned() } else { format!("{}:{}", self.name, attributes.join(",")) }
    }
}

fn forms() -> String {
    NetworkFaultEntry::ALL.iter().map(NetworkFaultEntry::form).collect::<Vec<_>>().join(", ")
}

impl NetworkFault {
    /// Every network fault's form and what it does, a line each: for a command's help.
    pub fn help() -> String {
        let lines = NetworkFaultEntry::ALL.iter().map(|entry| format!("  {}\n      {}", entry.form(), entry.about));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The fault's name and the values of its attributes, in the order of its entry.
    fn values(self) -> (&'static str, Vec<u128>) {
        match self {
            Self::Latency { latency, jitter } => ("latency", vec![latency.as_millis(), jitter.as_millis()]),
            Self::Down => ("down", vec![]),
            Self::Bandwidth { rate } => ("bandwidth", vec![rate.into()]),
            Self::SlowClose { delay } => ("slow_close", vec![delay.as_millis()]),
            Self::Timeout { timeout } => ("timeout", vec![timeout.as_millis()]),
            Self::ResetPeer { timeout } => ("reset_peer", vec![timeout.as_millis()]),
            Self::Slicer { average_size, size_variation, delay } => {
                ("slicer", vec![average_size.into(), size_variation.into(), delay.as_micros()])
            }
            Self::LimitData { bytes } => ("limit_data", vec![bytes.into()]),
        }
    }

    fn from_values(name: &str, values: &[u32]) -> Result<Self, String> {
        let milliseconds = |value: u32| Duration::from_millis(value.into());
        match (name, values) {
            ("latency", &[latency, jitter]) => {
                Ok(Self::Latency { latency: milliseconds(latency), jitter: milliseconds(jitter) })
            }
            ("down", []) => Ok(Self::Down),
            ("bandwidth", &[0]) => Err("`rate` must be 1 or more".to_owned()),
            ("bandwidth", &[rate]) => Ok(Self::Bandwidth { rate }),
            ("slow_close", &[delay]) => Ok(Self::SlowClose { delay: milliseconds(delay) }),
            ("timeout", &[timeout]) => Ok(Self::Timeout { timeout: milliseconds(timeout) }),
            ("reset_peer", &[timeout]) => Ok(Self::ResetPeer { timeout: milliseconds(timeout) }),
            ("slicer", &[average_size, size_variation, _]) if size_variation >= average_size => {
                Err("`average_size` must be larger than `size_variation`".to_owned())
            }
            ("slicer", &[average_size, size_variation, delay]) => {
                Ok(Self::Slicer { average_size, size_variation, delay: Duration::from_micros(delay.into()) })
            }
            ("limit_data", &[bytes]) => Ok(Self::LimitData { bytes: bytes.into() }),
            _ => Err("there is none of this name".to_owned()),
        }
    }
}

impl FromStr for NetworkFault {
    type Err = UnknownNetworkFault;

    fn from_str(text: &str) -> Result<Self, UnknownNetworkFault> {
        let refused = |problem: String| UnknownNetworkFault { text: text.to_owned(), problem };
        let (name, given) = text.split_once(':').unwrap_or((text, ""));
        let entry = NetworkFaultEntry::ALL.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| refused("there is none of this name".to_owned()))?;
        let mut values = vec![0; entry.attributes.len()];
        for attribute in given.split(',').filter(|attribute| !attribute.is_empty()) {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let slot = entry.attributes.iter().zip(&mut values).find(|(known, _)| **known == key);
            let (_, slot) = slot.ok_or_else(|| refused(format!("`{name}` has no attribute `{key}`")))?;
            *slot = value.parse().map_err(|_| refused(format!("`{key}` must be a whole number up to {}", u32::MAX)))?;
        }
        Self::from_values(name, &values).map_err(refused)
    }
}

impl fmt::Display for NetworkFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, values) = self.values();
        formatter.write_str(name)?;
        let entry = NetworkFaultEntry::ALL.iter().find(|entry| entry.name == name);
        for (index, (attribute, value)) in entry.iter().flat_map(|entry| entry.attributes).zip(values).enumerate() {
            let separator = if index == 0 { ':' } else { ',' };
            write!(formatter, "{separator}{attribute}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_fault_is_read_back_from_its_own_name() {
        for entry in NetworkFaultEntry::ALL {
            let mut number = 90;
            let attributes = entry.attributes.iter().map(|attribute| {
                number -= 20;
                format!("{attribute}={number}")
            });
            let attributes = attributes.collect::<Vec<_>>().join(",");
            let written =
                if attributes.is_empty() { entry.name.to_owned() } else { format!("{}:{attributes}", entry.name) };
            assert_eq!(written.parse::<NetworkFault>().unwrap().to_string(), written);
            assert!(NetworkFault::help().contains(&entry.form()));
        }
    }

    #[test]
    fn attributes_not_given_are_zero_as_in_toxiproxy() {
        let latency = NetworkFault::Latency { latency: Duration::from_millis(100), jitter: Duration::ZERO };
        assert_eq!("latency:latency=100".parse(), Ok(latency));
        assert_eq!("timeout".parse(), Ok(NetworkFault::Timeout { timeout: Duration::ZERO }));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_forms() {
        let cases = [
            ("lag", "none of this name"),
            ("latency:ms=5", "`latency` has no attribute `ms`"),
            ("latency:latency", "`latency` must be a whole number"),
            ("latency:latency=-1", "`latency` must be a whole number"),
            ("bandwidth", "`rate` must be 1 or more"),
            ("slicer:average_size=5,size_variation=5", "`average_size` must be larger"),
            ("down:now=1", "`down` has no attribute `now`"),
        ];
        for (text, problem) in cases {
            let refused = text.parse::<NetworkFault>().unwrap_err().to_string();
            assert!(refused.contains(problem) && refused.contains("limit_data:bytes=N"), "{refused}");
        }
    }
}
