"""What is uploaded: small, alone in its zip, of nothing that Amazon Linux 2023 does not have, and what SAM packs too. Run by
`make test-artefact`, which built it."""

import io
import os
import pathlib
import re
import subprocess
import zipfile

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

ROOT = pathlib.Path(__file__).parents[2]
LARGEST = 5_000_000  # bytes
GLIBC_OF_AL2023 = (2, 34)
# Those for threads and for loading are empty since 2.34, and still there.
OF_GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}


@pytest.fixture(scope="module")
def artefact():
    return zipfile.ZipFile(os.environ["ARTEFACT"])


def test_it_is_small_and_alone(artefact):
    assert os.path.getsize(os.environ["ARTEFACT"]) < LARGEST
    (entry,) = artefact.infolist()
    assert entry.filename == "bootstrap"
    assert (entry.external_attr >> 16) & 0o111, "not executable"


def test_it_needs_nothing_that_amazon_linux_2023_lacks(artefact):
    elf = ELFFile(io.BytesIO(artefact.read("bootstrap")))
    libraries = {tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")}
    assert "libc.so.6" in libraries and libraries <= OF_GLIBC, libraries
    (needed,) = [section for section in elf.iter_sections() if isinstance(section, GNUVerNeedSection)]
    versions = [version.name for _, wanted in needed.iter_versions() for version in wanted]
    assert all(re.fullmatch(r"GLIBC_[0-9.]+", version) for version in versions), versions
    newest = max(tuple(map(int, version.removeprefix("GLIBC_").split("."))) for version in versions)
    assert newest <= GLIBC_OF_AL2023, versions


def test_sam_packs_the_very_same(artefact, tmp_path):
    """What it finds built is taken: that it compiles the same by itself is not shown here."""
    parameters = ["Access=iam", "InferenceProfileArn=arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b"]
    parameters += ["DestinationModelArns=arn:aws:bedrock:us-east-1::foundation-model/a.b"]
    sam = ["sam", "build", "--beta-features", "--region", "us-east-1", "--build-dir", str(tmp_path)]
    done = subprocess.run([*sam, "--parameter-overrides", *parameters], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "Function/bootstrap").read_bytes() == artefact.read("bootstrap")
