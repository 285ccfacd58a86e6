//! AWS Signature Version 4, seen from the service: who signed this request, and is it what they signed?
//!
//! The stand-ins for AWS services share it. A [`Verifier`] holds the credentials that are known. It takes a request's
//! [`Authorization`] apart, holds its [`CredentialScope`] to the service, the region and the date, looks the access key
//! up, and signs the same headers of the same request once more. What is wrong is a [`SignatureError`] in AWS's words.
//! How a service wraps that in HTTP is its own affair.
//!
//! [`sign`] is the other side, for tests; [`sign_declared`] that of an edge that signs what it forwards. [`parse_access_key`]
//! reads what both are told on a command line.
//!
//! ```
//! use std::time::SystemTime;
//! use local_signature::{Credentials, SignatureError, Verifier, sign};
//!
//! let credentials = Credentials::new("AKID", "secret", None, None, "example");
//! let (mut head, ()) = http::Request::post("/").header("host", "localhost:3000").body(())?.into_parts();
//! sign(&mut head, b"Yo", &credentials, "us-east-1", "lambda", SystemTime::now())?;
//!
//! let verifier = Verifier::new("lambda", [credentials]);
//! let caller = verifier.verify(&head, b"Yo", Some("us-east-1"), SystemTime::now())?;
//! assert_eq!(caller.access_key_id(), "AKID");
//! let forged = verifier.verify(&head, b"Oy", Some("us-east-1"), SystemTime::now());
//! assert!(matches!(forged, Err(SignatureError::Mismatch)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not here
//!
//! - Signature Version 4A, signed chunks and event streams, and S3's own rules for paths and unsigned payloads.
//! - The `date` header in place of `x-amz-date`: no SDK sends it.

mod access_key;
mod authorization;
mod canonical;
mod date;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod scope;
mod signer;
mod verifier;

pub use access_key::{MalformedAccessKey, parse_access_key};
pub use authorization::Authorization;
pub use aws_credential_types::Credentials;
pub use date::{Timestamp, Window};
pub use error::{Incomplete, SignatureError};
pub use scope::CredentialScope;
pub use signer::{sign, sign_declared};
pub use verifier::Verifier;
