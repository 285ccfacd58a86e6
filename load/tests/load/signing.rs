//! Signed requests with credentials as the AWS CLI finds them: the program with an AWS configuration of its own.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::{Server, reply};

const CONFIG: &str = "
[profile work]
region = eu-west-3
aws_access_key_id = WORKKEY
aws_secret_access_key = work-secret

[profile helped]
region = eu-west-3
credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"HELPERKEY\",\"SecretAccessKey\":\"s\",\"SessionToken\":\"temporary\"}'

[profile broken]
region = eu-west-3
credential_process = sh -c 'echo the sign-in is over >&2; exit 3'
";

/// Credentials that the environment gives beside the configuration file.
#[derive(Clone, Copy)]
enum Environment {
    Bare,
    WithKey,
}

fn bro_load(environment: Environment, arguments: &[&str]) -> Output {
    let home = TempDir::new().unwrap();
    let config = home.path().join("config");
    fs::write(&config, CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bro-load"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home.path()).env("AWS_CONFIG_FILE", &config);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    if let Environment::WithKey = environment {
        command.env("AWS_ACCESS_KEY_ID", "ENVKEY").env("AWS_SECRET_ACCESS_KEY", "env-secret");
    }
    command.args(["--aws-sigv4", "--requests", "1"]).args(arguments).output().unwrap()
}

/// The one request's head, in lower case.
fn signed_head(environment: Environment, arguments: &[&str]) -> String {
    let server = Server::always(reply());
    let url = server.url();
    let output = bro_load(environment, &[arguments, &[url.as_str()]].concat());
    assert!(output.status.success(), "{output:?}");
    let [request] = server.requests().try_into().unwrap();
    request.head
}

#[test]
fn the_environments_key_signs_for_the_region_that_is_given() {
    let head = signed_head(Environment::WithKey, &["--aws-region", "eu-central-1"]);
    assert!(head.contains("credential=envkey/"), "{head}");
    assert!(head.contains("/eu-central-1/lambda/aws4_request"), "{head}");
    for header in ["x-amz-date: ", "x-amz-content-sha256: "] {
        assert_eq!(head.matches(header).count(), 1, "{head}");
    }
    assert!(!head.contains("x-amz-security-token"), "{head}");
}

#[test]
fn a_profile_that_is_named_puts_the_environments_key_aside_as_with_the_aws_cli() {
    let head = signed_head(Environment::WithKey, &["--aws-profile", "work"]);
    assert!(head.contains("credential=workkey/"), "{head}");
    assert!(head.contains("/eu-west-3/lambda/aws4_request"), "{head}");
}

#[test]
fn a_helper_programs_temporary_credentials_are_sent_with_their_token() {
    let head = signed_head(Environment::Bare, &["--aws-profile", "helped"]);
    assert!(head.contains("credential=helperkey/"), "{head}");
    assert!(head.contains("x-amz-security-token: temporary"), "{head}");
}

#[test]
fn what_is_missing_is_said_with_what_to_do_and_no_request_is_made() {
    let region = "--aws-region=eu-central-1";
    let cases: [(Environment, &[&str], &[&str]); 5] = [
        (Environment::Bare, &[region], &["no AWS credentials were found", "AWS_ACCESS_KEY_ID", "aws sso login"]),
        (Environment::WithKey, &[], &["no AWS region", "--aws-region"]),
        (Environment::WithKey, &["--aws-region", "eu central"], &["`eu central` is no AWS region"]),
        (Environment::WithKey, &[region, "--aws-profile", "nobody"], &["profile `nobody`"]),
        (
            Environment::Bare,
            &["--aws-profile", "broken"],
            &["profile `broken`", "the sign-in is over", "`aws sso login --profile broken`"],
        ),
    ];
    for (environment, arguments, expected) in cases {
        let server = Server::always(reply());
        let url = server.url();
        let output = bro_load(environment, &[arguments, &[url.as_str()]].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        for words in expected {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(!told.contains("secret"), "{told}");
        assert_eq!(server.requests().len(), 0);
    }
}
