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

from framework.memory.store import Store


def postgres_folder() -> Path | None:
    """Where the server's programs are (Debian keeps them off the PATH), ``None`` when they or the driver are not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and (on_path := shutil.which("initdb")):
        found = [Path(on_path).resolve()]
    return found[-1].parent if found and find_spec("psycopg") else None


class Postgres:
    """Starts a server; ``new_database`` and ``new_memory`` give the URL of a database of one's own."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._owner = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name  # it refuses to run as root
        self.folder = Path(tempfile.mkdtemp(prefix="dealhound-pg-", dir="/tmp"))
        self._migrated: str | None = None

    def __enter__(self) -> Postgres:
        if os.getuid() == 0:
            shutil.chown(self.folder, self._owner)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "dealhound", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def new_database(self, template: str = "template0") -> str:
        """The URL of a new database, empty or a copy of the one named."""
        name = f"test_{uuid.uuid4().hex}"
        self._run("createdb", "-h", str(self.folder), "-U", "dealhound", "-T", template, name)
        return self._url(name)

    def new_memory(self) -> str:
        """The URL of a new database at the newest schema, migrated once and then copied."""
        if self._migrated is None:
            url = self.new_database()
            Store.open(url).close()
            self._migrated = url.rpartition("/test_")[2].partition("?")[0]
        return self.new_database(f"test_{self._migrated}")

    def stop(self) -> None:
        """End the server as a failing machine does."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def start(self) -> None:
        """Start the server, also again after ``stop``."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        data = str(self.folder / "data")
        self._run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(self.folder / "log"), "start")

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://dealhound@/{name}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        user = self._owner if os.getuid() == 0 else None
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, user=user, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
