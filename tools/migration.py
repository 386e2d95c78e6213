"""`make migration`: what a service's models have that its migrations lack, as the next file.

It brings a PostgreSQL of its own for a moment: neither a running suite nor its data are touched.
"""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from servicekit.launch import services
from servicekit.migrations import upgrade, write_revision
from servicekit.testing.embedded import EmbeddedPostgres
from servicekit.testing.settings import sample_settings


def main() -> int:
    """Write the next migration of one service and print where it is.

    Returns: 0, or 2 when there is no such service.
    """
    parser = argparse.ArgumentParser(prog="make migration", description=__doc__)
    parser.add_argument("service")
    parser.add_argument("message", help="what changes, in a few words: passkeys")
    asked = parser.parse_args()
    if asked.service not in services():
        print(f"no service {asked.service!r}: S={' | '.join(sorted(services()))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="migration-") as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", durable=False)
        try:
            server.start()
            print(write(asked.service, asked.message, server.url("postgres")))
        finally:
            server.destroy()
    return 0


def write(service: str, message: str, database_url: str) -> Path:
    """Bring an empty database to the newest migration and write the difference to the models.

    Returns: the new file.
    """
    entry = services()[service]
    package = entry.module.partition(".")[0]
    cls = import_module(f"{package}.settings").Settings
    settings = sample_settings(cls, package.upper(), database_url=database_url)
    app = entry.load()(settings)
    upgrade(database_url, package)
    return write_revision(database_url, package, app.service.base.metadata, message)


if __name__ == "__main__":
    sys.exit(main())
