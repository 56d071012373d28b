"""What an installation contains: one package, with its data files."""

from __future__ import annotations

import configparser
from fnmatch import fnmatch
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).resolve().parent.parent
LINKS = ("ops", "evolution", "tasks")


@pytest.fixture
def metadata() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_only_automl_zero_is_installed_at_the_top_level(metadata: configparser.ConfigParser) -> None:
    include = metadata["options.packages.find"]["include"].split()
    packages = find_packages(str(ROOT), include=include)
    assert {name.partition(".")[0] for name in packages} == {"automl_zero"}
    folders = {path.parent for path in (ROOT / "automl_zero").rglob("*.py")}
    assert {ROOT.joinpath(*name.split(".")) for name in packages} == folders


def test_every_data_file_is_installed(metadata: configparser.ConfigParser) -> None:
    patterns = metadata["options.package_data"]
    for path in (ROOT / "automl_zero").rglob("*"):
        if path.is_dir() or path.suffix in {".py", ".pyc"}:
            continue
        package = ".".join(path.parent.relative_to(ROOT).parts)
        assert any(fnmatch(path.name, pattern) for pattern in patterns.get(package, "").split()), path


@pytest.mark.parametrize("name", LINKS)
def test_top_level_links_lead_into_the_package(name: str) -> None:
    link = ROOT / name
    assert not link.exists() or link.resolve() == ROOT / "automl_zero" / name
