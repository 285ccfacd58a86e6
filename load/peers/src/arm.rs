//! What is compared.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// One way of getting a reply from Bedrock to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Arm {
    /// The client asks Bedrock itself.
    Direct,
    /// A function that answers at once, without Bedrock.
    Floor,
    /// The function as it is deployed.
    BroBuddy,
    /// `lambda_runtime` and the AWS SDK as they come.
    Rust,
    /// Node.js with `awslambda.streamifyResponse` and the AWS SDK.
    Node,
    /// FastAPI and boto3 under uvicorn, without Lambda in front.
    Python,
}

impl Arm {
    /// All, in the order of the tables.
    pub(crate) const ALL: [Self; 6] = [Self::Direct, Self::Floor, Self::BroBuddy, Self::Rust, Self::Node, Self::Python];

    /// Whether its replies come from the model: their times hold Bedrock's.
    pub(crate) fn asks_bedrock(self) -> bool {
        self != Self::Floor
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Direct => "direct ConverseStream",
            Self::Floor => "floor",
            Self::BroBuddy => "**Bro-Buddy**",
            Self::Rust => "Rust, stock `lambda_runtime`",
            Self::Node => "Node.js, `streamifyResponse`",
            Self::Python => "Python, FastAPI + boto3",
        })
    }
}
