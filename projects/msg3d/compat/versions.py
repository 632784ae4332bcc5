"""Versions that no mend can help."""

from importlib import metadata

from packaging.version import Version

# package: lowest that works, first that does not
WORKING = {
    "torch": ("2.6", None),  # before 2.6, torch.load ran what a checkpoint asked for
    "mmengine": ("0.10.7", "0.11"),
    "mmcv": ("2.0.0", "2.2"),  # from 2.2 on `import mmaction` fails an assertion
    "mmcv-lite": ("2.0.0", "2.2"),
    "mmaction2": ("1.2.0", "1.3"),
}


def installed(package: str) -> str | None:
    """The version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def check_versions() -> None:
    """Looks at the metadata only, so that it speaks before anything breaks.

    Raises:
        ImportError: a version cannot work, or mmcv or MMAction2 is missing.
    """
    found = {package: installed(package) for package in WORKING}
    for package, version in found.items():
        lowest, beyond = WORKING[package]
        wanted = f"{package}>={lowest}" + (f",<{beyond}" if beyond else "")
        if version is None:
            # A torch or MMAction2 run from its sources may have no metadata.
            continue
        public = Version(Version(version).base_version)  # 2.13.0+cpu, 2.7.0a0+git
        if public < Version(lowest) or (beyond and public >= Version(beyond)):
            raise ImportError(
                f"msg3d cannot work with {package} {version}: install one that it can "
                f'work with, pip install "{wanted}"'
            )
    if found["mmcv"] is None and found["mmcv-lite"] is None:
        raise ImportError(
            'msg3d finds no mmcv: install one, pip install "mmcv-lite>=2.0.0,<2.2"'
        )
