"""Put what sass built into auth/static/, with licences and checksums. Run by `npm run build`."""

import hashlib
import json
import re
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent / "static"
_IMAGE = re.compile(r"url\(\"?images/([a-z0-9-]+\.svg)\"?\)")


def main() -> None:
    """Copy the style and the images it names, and write SHA256SUMS over them."""
    package = HERE / "node_modules" / "nhsuk-frontend"
    style = (HERE / "build" / "theme.css").read_text("utf-8")
    version = json.loads((package / "package.json").read_text("utf-8"))["version"]
    (STATIC / "images").mkdir(parents=True, exist_ok=True)
    (STATIC / "theme.css").write_text(f"/* nhsuk-frontend {version}, MIT */{style}", "utf-8")
    for name in sorted(set(_IMAGE.findall(style))):
        shutil.copyfile(
            package / "dist" / "nhsuk" / "assets" / "images" / name, STATIC / "images" / name
        )
    built = [STATIC / "LICENCES.txt", STATIC / "theme.css", *(STATIC / "images").iterdir()]
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(STATIC).as_posix()}\n"
        for path in sorted(built)
    ]
    (STATIC / "SHA256SUMS").write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main()
