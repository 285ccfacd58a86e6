//! The function under test: its program, its limits, and the environment Lambda would give it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The account that the function, and whoever calls it with a signature, belongs to.
pub(crate) const ACCOUNT: &str = "123456789012";
/// Where Lambda says the function lives, unless a variable of the function says otherwise.
const REGION: &str = "us-east-1";

/// A function as Lambda's configuration describes it, in builder style.
#[derive(Debug, Clone)]
pub struct Function {
    program: PathBuf,
    args: Vec<OsString>,
    variables: BTreeMap<String, OsString>,
    name: String,
    memory_mb: u32,
    timeout: Duration,
    init_timeout: Duration,
}

impl Function {
    /// The function whose bootstrap is `program`, with 256 MB, a time-out of 60 s for an
    /// invocation and, as on AWS, 10 s for the initialisation.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        let name =
            program.file_stem().map_or_else(|| "function".to_owned(), |stem| stem.to_string_lossy().into_owned());
        Self {
            program,
            args: Vec::new(),
            variables: BTreeMap::new(),
            name,
            memory_mb: 256,
            timeout: Duration::from_secs(60),
            init_timeout: Duration::from_secs(10),
        }
    }

    /// Arguments for the program, which a deployed function never has: useful to run it under an
    /// interpreter.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// One environment variable of the function. Unlike on AWS it may replace one of Lambda's
    /// own, such as `AWS_REGION`.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The function's name; without this call the program's file name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Memory in MB as the environment tells it; no limit is enforced.
    #[must_use]
    pub fn memory_mb(mut self, memory_mb: u32) -> Self {
        self.memory_mb = memory_mb;
        self
    }

    /// How long one invocation may take, from its delivery to the process.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long the process may take from its start until it asks for its first invocation.
    #[must_use]
    pub fn init_timeout(mut self, init_timeout: Duration) -> Self {
        self.init_timeout = init_timeout;
        self
    }

    /// Makes the program's path absolute, since sandboxes run in its directory, and makes sure of the file.
    /// [`run`](crate::run) does so by itself; call it earlier to learn earlier.
    ///
    /// # Errors
    /// When the program is no file, or cannot be looked at; the error names it.
    pub fn resolve(mut self) -> io::Result<Self> {
        let found = std::fs::metadata(&self.program).and_then(|metadata| {
            if metadata.is_file() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file")) }
        });
        let resolved = found.and_then(|()| std::path::absolute(&self.program));
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("the function's program {}: {error}", self.program.display()))
        };
        self.program = resolved.map_err(named)?;
        Ok(self)
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The program, and every argument that is a file: the code that an interpreter runs. Call after
    /// [`resolve`](Self::resolve).
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let arguments = self.args.iter().map(|argument| self.task_root().join(argument));
        std::iter::once(self.program.clone()).chain(arguments.filter(|path| path.is_file())).collect()
    }

    pub(crate) fn arguments(&self) -> &[OsString] {
        &self.args
    }

    pub(crate) fn function_name(&self) -> &str {
        &self.name
    }

    pub(crate) fn memory_size_mb(&self) -> u32 {
        self.memory_mb
    }

    pub(crate) fn invocation_limit(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn init_limit(&self) -> Duration {
        self.init_timeout
    }

    pub(crate) fn task_root(&self) -> &Path {
        self.program.parent().unwrap_or(Path::new("/"))
    }

    pub(crate) fn region(&self) -> String {
        self.variables
            .get("AWS_REGION")
            .map_or_else(|| REGION.to_owned(), |region| region.to_string_lossy().into_owned())
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{ACCOUNT}:function:{}", self.region(), self.name)
    }

    /// Every variable the process gets: those Lambda sets for an OS-only runtime
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>), then the
    /// function's own. `LD_LIBRARY_PATH` is left out: its directories are Amazon Linux's.
    pub(crate) fn environment(&self, runtime_api: &str, log_stream: &str) -> BTreeMap<String, OsString> {
        let task_root = self.task_root().as_os_str().to_owned();
        let region = self.region();
        let fixed = [
            ("AWS_ACCESS_KEY_ID", "ASIALOCALSTANDIN0000"),
            ("AWS_SECRET_ACCESS_KEY", "local-stand-in-secret-access-key"),
            ("AWS_SESSION_TOKEN", "local-stand-in-session-token"),
            ("AWS_REGION", &region),
            ("AWS_DEFAULT_REGION", &region),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("LANG", "en_US.UTF-8"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
        ];
        let mut environment: BTreeMap<String, OsString> =
            fixed.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let memory = self.memory_mb.to_string();
        environment.insert("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(), memory.into());
        let log_group = format!("/aws/lambda/{}", self.name);
        environment.insert("AWS_LAMBDA_LOG_GROUP_NAME".to_owned(), log_group.into());
        environment.insert("LAMBDA_TASK_ROOT".to_owned(), task_root);
        environment.extend(self.variables.clone());
        environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_the_same_in_both_variables_unless_both_are_set() {
        let function = Function::new("/var/task/bootstrap").env("AWS_REGION", "eu-west-1");
        let environment = function.environment("127.0.0.1:9001", "stream");
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            assert_eq!(environment.get(name), Some(&OsString::from("eu-west-1")), "{name}");
        }
    }
}
