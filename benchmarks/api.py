"""Does the API keep what its OpenAPI document promises? Asked by schemathesis, an independent tester.

    python3 -m venv /tmp/st && /tmp/st/bin/pip install schemathesis
    .venv/bin/python -m benchmarks.api --tester /tmp/st/bin/st [--examples 100] [--seed 1]

The real app over a filled memory, with the real models behind /api/price, behind a password, asked with a token. The
tester is kept out of this environment: it brings a pytest plugin of its own. Exit status: the tester's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from pydantic import SecretStr

from agents.assemble import Hound
from agents.commands import operating, pricing
from framework.log import configure_logging
from framework.settings import load_settings
from framework.web.access import Access
from framework.web.app import create_app
from framework.web.context import DashboardContext
from framework.web.server import serve
from tests.fakes import board

PASSWORD = "only for this run"


def main() -> int:
    """Serve, let the tester ask, and hand on its verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tester", required=True, help="the program st of a schemathesis installation")
    parser.add_argument("--examples", type=int, default=100, help="generated requests per operation")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    configure_logging("error", console=False)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(Path(folder), environ={}).model_copy(update={"password": SecretStr(PASSWORD)})
        with Hound(settings) as hound:
            board.fill(hound.store, 40)
            context = DashboardContext(
                store=hound.store,
                settings=settings,
                log=hound.log_buffer,
                controls=board.Controls(),
                price=lambda texts: pricing.estimates(hound, texts),
                resend=lambda identity: operating.resend(hound, identity),
            )
            server = serve(create_app(context), "127.0.0.1", 0)
            server.wait_until_started()
            token = Access(hound.store, PASSWORD, context.clock).new_token("tester")
            arguments = [
                f"{server.url}api/openapi.json",
                "--header",
                f"Authorization: Bearer {token}",
                "--checks",
                "all",
            ]
            arguments += ["--max-examples", str(options.examples), "--seed", str(options.seed), "--no-color"]
            arguments += ["--request-timeout", "120", "--max-response-time", "120"]  # the machine may be busy
            made_up = subprocess.call([options.tester, "run", *arguments], cwd=folder)
            # Generated identities meet 404 only: once more with a real one, where there is one in the path.
            known = hound.store.opportunities(1)[0].opportunity.id
            Path(folder, "schemathesis.toml").write_text(f'[parameters]\n"path.identity" = "{known}"\n')
            arguments += ["--include-path-regex", "identity"]
            real = subprocess.call([options.tester, "run", *arguments], cwd=folder)
            server.stop()
    return made_up or real


if __name__ == "__main__":
    sys.exit(main())
