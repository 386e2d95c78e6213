"""`make token`: a token for a service that runs alone, and the little issuer that vouches for it.

`make run-one` starts the issuer where identity would listen. Never where real people are: the key
lies in `var/`, and a production service refuses an issuer on this machine.
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from choice import ROOT
from joserfc.jwk import ECKey
from secret_folder import SecretFolder

from servicekit.testing.issuer import Issuer, serve

PERSON = "01890a5d-ac96-774b-bcce-b302099a8057"
LIFE_SECONDS = 12 * 3600
OFFICERS = {"window", "reviewer", "approver", "admin"}
KNOWN = {
    "name": "林小满",
    "document_type": "resident-card",
    "document_number": "440106199001010015",
    "birthdate": "1990-01-01",
    "gender": "male",
    "phone_number": "19900000066",
    "phone_number_verified": True,
}


def issuer(state: Path) -> Issuer:
    """The issuer of this folder; its key is made once."""
    text = SecretFolder(state / "secrets").text("development-issuer-key", _new_key)
    made = Issuer(public_url=os.environ.get("PUBLIC_URL") or _public_url(state))
    made.key = ECKey.import_key(text)
    made.know(PERSON, **KNOWN)
    return made


def _public_url(state: Path) -> str:
    """The address the suite of this folder was started with; its services ask for that issuer."""
    try:
        return str(json.loads((state / "run.json").read_text())["gateway"])
    except FileNotFoundError:
        return "http://127.0.0.1:8080"


def main() -> int:
    """Be the issuer until SIGTERM: what `make run-one` starts.

    Returns: 0.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with serve(issuer(arguments.state), arguments.port):
        stop.wait()
    return 0


def token() -> int:
    """Print one token.

    Returns: 0, or 1 where tokens of this kind have no place.
    """
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    parser.add_argument("--role", default=os.environ.get("ROLE") or "applicant")
    parser.add_argument("--level", type=int, default=int(os.environ.get("LEVEL") or 2))
    parser.add_argument("--region", default=os.environ.get("REGION") or "44")
    parser.add_argument("--state", type=Path, default=ROOT / "var")
    arguments = parser.parse_args()
    environments = {v for k, v in os.environ.items() if k in {"ENV", "ENVIRONMENT"}}
    environments |= {v for k, v in os.environ.items() if k.endswith("_ENVIRONMENT")}
    if "production" in environments:
        print("a development token is refused in production", file=sys.stderr)
        return 1
    own = issuer(arguments.state)
    if arguments.role in OFFICERS:
        business = os.environ.get("BUSINESS") or "employment-registry.flexible-employment"
        region, roles = arguments.region, [arguments.role]
        text = own.token(
            "officer", region=region, roles=roles, businesses=[business], expires_in=LIFE_SECONDS
        )
    else:
        text = own.token(sub=PERSON, level=arguments.level, expires_in=LIFE_SECONDS)
    print(text)
    return 0


def _new_key() -> str:
    made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
    return str(made.as_pem(private=True).decode())


if __name__ == "__main__":
    sys.exit(token())
