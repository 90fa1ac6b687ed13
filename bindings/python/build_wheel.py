"""Builds the wheel from a library that was built before: `build_wheel.py LIBRARY FOLDER`.

A wheel is a zip file with three files of metadata (PEP 427); making it by hand needs neither a build backend nor the network, so that
`cargo xtask demo` works with cargo and Python alone.
"""

import base64
import hashlib
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).parent


def main(library: Path, folder: Path) -> None:
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = project["name"]
    version = tomllib.loads((HERE.parents[1] / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]["version"]
    tag = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
    info = f"{name}-{version}.dist-info"
    files = {f"sesame/{path.name}": path.read_bytes() for path in sorted((HERE / "src" / "sesame").iterdir()) if path.suffix in {".py", ".typed"}}
    files[f"sesame/{library.name}"] = library.read_bytes()
    for licence in ("LICENSE-APACHE", "LICENSE-MIT"):
        files[f"{info}/licenses/{licence}"] = (HERE.parents[1] / licence).read_bytes()
    metadata = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        "License-File: LICENSE-APACHE",
        "License-File: LICENSE-MIT",
        f"Requires-Python: {project['requires-python']}",
        "Description-Content-Type: text/markdown",
    ]
    page = (HERE / "README.md").read_text(encoding="utf-8")
    files[f"{info}/METADATA"] = ("\n".join(metadata) + "\n\n" + page).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: libsesame\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for path, data in files.items()
    )
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            # The same files give the same wheel.
            wheel.writestr(zipfile.ZipInfo(path), data, zipfile.ZIP_DEFLATED, compresslevel=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
