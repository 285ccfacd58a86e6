//! What the figures belong to: the machine, the day, the versions of what ran.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::deployment::Programs;

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(20);
/// The versions of the crates that all this is built with.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// A machine and what was compared on it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// `YYYY-MM-DD`, UTC.
    pub(crate) date: String,
    pub(crate) cores: usize,
    pub(crate) memory_kib: Option<u64>,
    pub(crate) processor: Option<String>,
    pub(crate) system: Option<String>,
    /// The size of Bro-Buddy's binary.
    pub(crate) function_bytes: Option<u64>,
    /// What each peer is made of.
    pub(crate) versions: Vec<String>,
}

impl Machine {
    pub(crate) async fn look(programs: &Programs) -> Self {
        let (node, python) = tokio::join!(node(programs), python(programs));
        Self {
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take(10).collect(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_kib: field("/proc/meminfo", "MemTotal:").and_then(|size| size.trim_end_matches(" kB").parse().ok()),
            processor: field("/proc/cpuinfo", "model name\t: "),
            system: field("/etc/os-release", "PRETTY_NAME=").map(|name| name.trim_matches('"').to_owned()),
            function_bytes: std::fs::metadata(&programs.bro_buddy).ok().map(|metadata| metadata.len()),
            versions: [Some(rust()), node, python].into_iter().flatten().collect(),
        }
    }
}

/// The rest of a file's first line that starts in this way.
fn field(file: &str, start: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(start)).map(|rest| rest.trim().to_owned())
}

fn rust() -> String {
    let versions = ["lambda_runtime", "aws-config", "aws-sdk-bedrockruntime"]
        .map(|name| format!("{name} {}", locked(LOCK, name).unwrap_or("?")));
    format!("Rust {}: {}", env!("CARGO_PKG_RUST_VERSION"), versions.join(", "))
}

/// The version of a crate in a lock file; of several the first.
fn locked<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, package) = lock.split_once(&format!("\nname = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}

async fn node(programs: &Programs) -> Option<String> {
    let (folder, program) = &programs.node;
    let runtime = said(Command::new(program).arg("--version")).await?;
    let package = |name: &str| installed(&folder.join("node_modules").join(name).join("package.json"));
    let versions = ["aws-lambda-ric", "@aws-sdk/client-bedrock-runtime", "esbuild"]
        .map(|name| format!("{name} {}", package(name).unwrap_or_else(|| "?".to_owned())));
    Some(format!("Node.js {}: {}", runtime.trim_start_matches('v'), versions.join(", ")))
}

/// The version in a package's own description.
fn installed(package: &Path) -> Option<String> {
    let package: Value = serde_json::from_slice(&std::fs::read(package).ok()?).ok()?;
    package.get("version")?.as_str().map(ToOwned::to_owned)
}

async fn python(programs: &Programs) -> Option<String> {
    const VERSIONS: &str = "import platform, importlib.metadata as m\n\
        names = ['fastapi', 'boto3', 'uvicorn']\n\
        print(platform.python_version() + ': ' + ', '.join(f'{name} {m.version(name)}' for name in names))";
    let (folder, program) = &programs.python;
    let packages: PathBuf = folder.join("packages");
    let said = said(Command::new(program).args(["-c", VERSIONS]).env("PYTHONPATH", packages)).await?;
    Some(format!("Python {said}"))
}

/// What a program writes, if it is there and ends well.
async fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(PATIENCE, output).await.ok()?.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crates_version_is_that_of_the_lock_file() {
        let lock = "\n[[package]]\nname = \"tokio-util\"\nversion = \"0.7.1\"\n\n[[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\n";
        assert_eq!(locked(lock, "tokio"), Some("1.54.1"));
        assert_eq!(locked(lock, "hyper"), None);
        assert!(locked(LOCK, "lambda_runtime").is_some());
    }
}
