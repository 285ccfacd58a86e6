//! The function URL's `AWS_IAM` gate: who signed this request?
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>. Signatures are verified for real. Policies are
//! not: whoever signs with credentials that are known may invoke.

use std::time::SystemTime;

use http::request::Parts;
use local_signature::{Credentials, SignatureError, Verifier};
use serde::Serialize;

use crate::function::ACCOUNT;

/// The identity that every known access key belongs to here.
const USER_ID: &str = "AIDALOCALSTANDIN0000";
const USER_NAME: &str = "local";

/// Lets in who signed for Lambda, in the function's region, with credentials that it knows.
pub(crate) struct IamGate {
    verifier: Verifier,
    region: String,
}

/// Who signed, as `requestContext.authorizer.iam` says it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Caller {
    access_key: String,
    account_id: &'static str,
    caller_id: &'static str,
    cognito_identity: Option<()>,
    principal_org_id: Option<()>,
    user_arn: String,
    user_id: &'static str,
}

impl IamGate {
    pub(crate) fn new(credentials: Vec<Credentials>, region: String) -> Self {
        Self { verifier: Verifier::new("lambda", credentials), region }
    }

    pub(super) fn admit(&self, head: &Parts, body: &[u8]) -> Result<Caller, SignatureError> {
        let credentials = self.verifier.verify(head, body, Some(&self.region), SystemTime::now())?;
        Ok(Caller {
            access_key: credentials.access_key_id().to_owned(),
            account_id: ACCOUNT,
            caller_id: USER_ID,
            cognito_identity: None,
            principal_org_id: None,
            user_arn: format!("arn:aws:iam::{ACCOUNT}:user/{USER_NAME}"),
            user_id: USER_ID,
        })
    }
}
