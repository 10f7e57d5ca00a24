"""A real PostgreSQL server of a test's own, in a temporary folder, reached over a Unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from importlib.util import find_spec
from pathlib import Path


def postgres_folder() -> Path | None:
    """Where the server's programs are (Debian keeps them off the PATH), ``None`` when they or the driver are not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and (on_path := shutil.which("initdb")):
        found = [Path(on_path).resolve()]
    return found[-1].parent if found and find_spec("psycopg") else None


class Postgres:
    """Starts a server; ``new_database`` gives the URL of an empty database."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._owner = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name  # it refuses to run as root
        self.folder = Path(tempfile.mkdtemp(prefix="dealhound-pg-", dir="/tmp"))

    def __enter__(self) -> Postgres:
        if os.getuid() == 0:
            shutil.chown(self.folder, self._owner)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "dealhound", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(self.folder / "log"), "start")
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def new_database(self) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self._run("createdb", "-h", str(self.folder), "-U", "dealhound", name)
        return f"postgresql+psycopg://dealhound@/{name}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        user = self._owner if os.getuid() == 0 else None
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, user=user, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
