//! Builds the page with npm and embeds it: writes `assets.rs` with every file of `web/dist`.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "how a build script talks to cargo"
)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What the page is built from, relative to `web/`.
const SOURCES: &[&str] = &[
    "index.html",
    "package-lock.json",
    "package.json",
    "src",
    "tsconfig.json",
    "vite.config.ts",
    "web-app-manifest.ts",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe page in web/ could not be built: {error}\n");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(format!("cargo did not set {name}"));
    let web = variable("CARGO_MANIFEST_DIR")?.join("web");
    let out = variable("OUT_DIR")?;
    for source in SOURCES {
        println!("cargo::rerun-if-changed=web/{source}");
    }
    let dist = out.join("web");
    if !packages_are_installed(&web) {
        npm(&web, &["ci", "--no-audit", "--no-fund"])?;
    }
    npm(&web, &["run", "build", "--", "--outDir", &dist.to_string_lossy(), "--emptyOutDir"])?;
    embed(&dist, &out.join("assets.rs"))
}

/// npm writes a lock file of its own into `node_modules` at the end of an installation.
fn packages_are_installed(web: &Path) -> bool {
    let modified = |path: &str| fs::metadata(web.join(path)).and_then(|file| file.modified()).ok();
    modified("node_modules/.package-lock.json") >= modified("package-lock.json")
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("npm").args(arguments).current_dir(web).output().map_err(|error| {
        format!("npm could not be run ({error}). Install Node.js 20.19 or newer, which brings npm, then build again.")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("`npm {}` failed:\n{}", arguments.join(" "), String::from_utf8_lossy(&said)))
}

fn embed(dist: &Path, target: &Path) -> Result<(), String> {
    let mut files = vec![("/".to_owned(), dist.join("index.html"))];
    let assets = dist.join("assets");
    for entry in fs::read_dir(&assets).map_err(|error| format!("{}: {error}", assets.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or("a file name is not Unicode")?;
        files.push((format!("/assets/{name}"), path.clone()));
    }
    files.sort();

    let mut source = String::from("static ASSETS: &[Asset] = &[\n");
    for (path, file) in files {
        let content_type = content_type(&file)?;
        writeln!(
            source,
            "    Asset {{ path: {path:?}, content_type: {content_type:?}, bytes: include_bytes!({file:?}) }},"
        )
        .map_err(|error| error.to_string())?;
    }
    source.push_str("];\n");
    fs::write(target, source).map_err(|error| format!("{}: {error}", target.display()))
}

fn content_type(file: &Path) -> Result<&'static str, String> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("webmanifest") => Ok("application/manifest+json"),
        Some("png") => Ok("image/png"),
        _ => Err(format!("{} has no known content type; name it in build.rs", file.display())),
    }
}
