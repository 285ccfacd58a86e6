//! The function's role: temporary credentials, as Lambda's are. The function signs with them, and the stand-in for
//! Bedrock verifies.

use local_bedrock::Credentials;

const ACCESS_KEY_ID: &str = "ASIALOCALSTACK000000";
const SECRET_ACCESS_KEY: &str = "local-stack-secret-access-key";
const SESSION_TOKEN: &str = "local-stack-session-token";

/// The function's variables, in place of those that the stand-in for Lambda makes up.
pub(crate) const VARIABLES: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
    ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
    ("AWS_SESSION_TOKEN", SESSION_TOKEN),
];

/// What Bedrock knows of the role.
pub(crate) fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, Some(SESSION_TOKEN.to_owned()), None, "bro-stack")
}
