//! A sandbox's life beside its invocations: frozen, replaced, asked to end.

use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_lambda::{Freezing, Function};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Gate, Lambda, TEST_FUNCTION, behaving, gone, within};

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// What the kernel says a process does: `T` for stopped.
fn state_of(process: &str) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("a living process");
    let (_, fields) = stat.rsplit_once(") ").expect("fields after the name");
    fields.chars().next().expect("a state")
}

async fn stopped(process: &str) {
    within("the process is stopped", async {
        while state_of(process) != 'T' {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_sandbox_is_frozen_between_its_invocations_and_goes_on_with_the_next() {
    let lambda = Lambda::with(behaving("pid"), |config| config.freeze(Freezing::BetweenInvocations)).await;
    let process = lambda.get("/").await.text().await;
    for _ in 0..20 {
        stopped(&process).await;
        assert_eq!(lambda.get("/").await.text().await, process);
    }
    lambda.stop().await;
    gone(&process).await;
}

#[tokio::test]
async fn a_sandbox_at_work_is_not_frozen() {
    let gate = Gate::closed().await;
    let function = gate.guarding(behaving("steps"));
    let lambda = Lambda::with(function, |config| config.freeze(Freezing::BetweenInvocations)).await;
    let response = lambda.get("/").await;
    for _ in 0..3 {
        gate.open().await;
    }
    assert_eq!(response.text().await, "onetwothree");
    lambda.stop().await;
}

#[tokio::test]
async fn a_sandbox_that_died_while_it_was_idle_costs_no_client_an_answer() {
    for _ in 0..20 {
        let lambda = Lambda::with_sandboxes("pid", 1).await;
        let first = lambda.get("/").await.text().await;
        let process = first.parse().ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(process, Signal::KILL).expect("a signal");
        gone(&first).await;
        let response = lambda.get("/").await;
        assert_eq!(response.status, 200);
        assert_ne!(response.text().await, first);
        lambda.stop().await;
    }
}

#[tokio::test]
async fn an_invocation_that_never_reached_a_process_is_given_to_another() {
    let gate = Gate::closed().await;
    let function = gate.guarding(behaving("loses-its-poll"));
    let lambda = Lambda::with(function, |config| config.sandboxes(ONE)).await;
    let first = lambda.get("/").await.text().await;
    let waiting = gate.reached().await;
    let (second, ()) = tokio::join!(lambda.get("/"), async { drop(waiting) });
    assert_eq!(second.status, 200);
    assert_ne!(second.text().await, first);
    lambda.stop().await;
}

/// A program that can be replaced as compilers do it.
struct Program {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl Program {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("bootstrap");
        let program = Self { directory, path };
        program.replace();
        program
    }

    fn replace(&self) {
        let new = self.directory.path().join("new");
        std::fs::copy(TEST_FUNCTION, &new).expect("a copy");
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        std::fs::rename(new, &self.path).expect("a rename");
    }

    fn behaving(&self, behaviour: &str) -> Function {
        Function::new(self.path.as_path()).args([behaviour])
    }
}

#[tokio::test]
async fn a_changed_program_replaces_an_idle_sandbox_at_once() {
    let program = Program::new();
    let mut lambda = Lambda::with(program.behaving("pid"), |config| config.sandboxes(ONE).watch()).await;
    let first = lambda.get("/").await.text().await;
    program.replace();
    lambda.console("the program has changed").await;
    gone(&first).await;
    let second = lambda.get("/").await;
    assert_eq!(second.status, 200);
    assert_ne!(second.text().await, first);
    let console = lambda.stop().await.console;
    assert!(!console.iter().any(|line| line.contains('✗')), "a replacement is no failure: {console:?}");
}

#[tokio::test]
async fn a_changed_program_replaces_a_busy_sandbox_after_its_answer() {
    let program = Program::new();
    let gate = Gate::closed().await;
    let function = gate.guarding(program.behaving("steps"));
    let mut lambda = Lambda::with(function, |config| config.sandboxes(ONE).watch()).await;
    let response = lambda.get("/").await;
    gate.open().await;
    program.replace();
    lambda.console("the program has changed").await;
    gate.open().await;
    gate.open().await;
    assert_eq!(response.text().await, "onetwothree");

    let next = lambda.get("/").await;
    lambda.console("sandbox 2 · cold start").await;
    for _ in 0..3 {
        gate.open().await;
    }
    assert_eq!(next.text().await, "onetwothree");
    lambda.stop().await;
}

#[tokio::test]
async fn a_changed_script_of_an_interpreter_counts_as_well() {
    let directory = tempfile::tempdir().expect("a directory");
    let script = directory.path().join("script.sh");
    let write = |word: &str| {
        let text = format!("# {word}\nexec {TEST_FUNCTION} pid\n");
        std::fs::write(&script, text).expect("a script");
    };
    write("first");
    let function = Function::new("/bin/sh").args([Path::new(&script)]);
    let mut lambda = Lambda::with(function, |config| config.sandboxes(ONE).watch()).await;
    let first = lambda.get("/").await.text().await;
    write("changed");
    lambda.console("the program has changed").await;
    gone(&first).await;
    lambda.stop().await;
}

#[tokio::test]
async fn a_process_with_an_internal_extension_is_asked_to_end_and_given_time() {
    let lambda = Lambda::running("internal-extension").await;
    lambda.get("/").await.text().await;
    let lines = lambda.stop().await.lines;
    assert!(lines.contains(&"SIGTERM received".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn a_frozen_process_with_an_internal_extension_is_asked_as_well() {
    let function = behaving("internal-extension");
    let lambda = Lambda::with(function, |config| config.freeze(Freezing::BetweenInvocations)).await;
    lambda.get("/").await.text().await;
    let lines = lambda.stop().await.lines;
    assert!(lines.contains(&"SIGTERM received".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn a_process_without_an_extension_is_killed_unasked() {
    let lambda = Lambda::running("sigterm").await;
    lambda.get("/").await.text().await;
    assert_eq!(lambda.stop().await.lines, Vec::<String>::new());
}

#[tokio::test]
async fn a_process_that_does_not_end_when_asked_is_killed() {
    let lambda = Lambda::running("sigterm-ignored").await;
    let process = lambda.get("/").await.text().await;
    lambda.stop().await;
    gone(&process).await;
}
