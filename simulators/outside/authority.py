"""Test certificate authorities: a bank's (RSA) and a national one's (RSA and SM2), with CRLs.

Keys are made by `openssl` when they are first needed and live in a folder that goes with the
process. The assistant (CA 助手) holds the keys of the certificates it issued, as a USB token would.
"""

import atexit
import secrets
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

SECONDS = 20
SM2_ID = "distid:1234567812345678"  # GM/T 0009: the default user id
PIN = "123456"
MOST = 500  # certificates
COUNTRY = "/C=CN/O=Simulated {}/CN={}"
CA_EXTENSIONS = (
    "basicConstraints=critical,CA:TRUE,pathlen:{}\nkeyUsage=critical,keyCertSign,cRLSign\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
LEAF_EXTENSIONS = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
CRL_CONFIG = (
    "[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/{who}.index\ncrlnumber={folder}/{who}.crlnumber\n"
    "default_md={digest}\ndefault_crl_days=1\n"
)


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run it.

    Raises: RuntimeError with what it said.
    """
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["openssl", *arguments],  # noqa: S607 - the one of the machine
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    return done.stdout


@dataclass
class Issued:
    """A certificate on the assistant's token."""

    id: str
    unit: str
    uscc: str
    serial: str
    algorithm: str
    folder: Path
    revoked: bool = False


@dataclass
class Chain:
    """A root, an issuing authority below it, and both their lists of revoked certificates."""

    name: str
    algorithm: str  # rsa | sm2
    folder: Path
    issued: dict[str, Issued] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make root and issuer."""
        self.folder.mkdir(parents=True)
        self._key("root")
        subject = COUNTRY.format(self.name, f"{self.name} {self.algorithm} root")
        self._request("root", subject)
        self._sign("root", "root", CA_EXTENSIONS.format(1), self_signed=True)
        self._key("issuer")
        self._request("issuer", COUNTRY.format(self.name, f"{self.name} {self.algorithm} issuing"))
        self._sign("issuer", "root", CA_EXTENSIONS.format(0))
        for who in ("root", "issuer"):
            (self.folder / f"{who}.index").touch()
            (self.folder / f"{who}.crlnumber").write_text("01\n")

    @property
    def root(self) -> str:
        """What verifiers trust."""
        return (self.folder / "root.pem").read_text()

    @property
    def crls(self) -> str:
        """Both lists, good for a day."""
        return self._crl("root") + self._crl("issuer")

    def issue(self, unit: str, uscc: str, *, days: int = 365) -> Issued:
        """A certificate for a unit; its subject names the unit and its USCC."""
        name = f"leaf-{secrets.token_hex(6)}"
        self._key(name)
        self._request(name, f"/C=CN/O={unit}/serialNumber={uscc}/CN={unit}")
        self._sign(name, "issuer", LEAF_EXTENSIONS, days=days)
        shown = openssl("x509", "-in", self._path(name, "pem"), "-noout", "-serial")
        serial = shown.decode().strip().partition("=")[2]
        made = Issued(name, unit, uscc, serial, self.algorithm, self.folder)
        self.issued[name] = made
        return made

    def revoke(self, issued: Issued) -> None:
        """Put it on the list."""
        issued.revoked = True
        now = datetime.now(UTC)
        expiry, when = f"{now + timedelta(365):%y%m%d%H%M%SZ}", f"{now:%y%m%d%H%M%SZ}"
        line = f"R\t{expiry}\t{when}\t{issued.serial}\tunknown\t/CN=x\n"
        with (self.folder / "issuer.index").open("a") as index:
            index.write(line)

    def sign(self, issued: Issued, text: str) -> str:
        """What the token hands out: the chain and a signature over the text, in PEM's manner."""
        file = self.folder / f"text-{secrets.token_hex(6)}"
        file.write_bytes(text.encode())
        digest = ["-digest", "sm3", "-pkeyopt", SM2_ID] if self._is_sm2 else ["-digest", "sha256"]
        try:
            raw = openssl(
                "pkeyutl",
                "-sign",
                "-rawin",
                *digest,
                "-inkey",
                self._path(issued.id, "key"),
                "-in",
                str(file),
            )
        finally:
            file.unlink()
        coded = openssl("base64", stdin=raw).decode()
        certificates = "".join(
            (self.folder / f"{n}.pem").read_text() for n in (issued.id, "issuer")
        )
        return f"{certificates}-----BEGIN SIGNATURE-----\n{coded}-----END SIGNATURE-----\n"

    @property
    def _is_sm2(self) -> bool:
        return self.algorithm == "sm2"

    def _path(self, name: str, kind: str) -> str:
        return str(self.folder / f"{name}.{kind}")

    def _key(self, name: str) -> None:
        what = (
            ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2")
            if self._is_sm2
            else ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        )
        openssl("genpkey", *what, "-out", self._path(name, "key"))

    def _digest(self) -> list[str]:
        return ["-sm3", "-sigopt", SM2_ID] if self._is_sm2 else ["-sha256"]

    def _request(self, name: str, subject: str) -> None:
        config = self.folder / "request.cnf"
        config.write_text("[req]\ndistinguished_name=d\nutf8=yes\nstring_mask=utf8only\n[d]\n")
        openssl(
            "req", "-new", "-utf8", "-config", str(config), "-key", self._path(name, "key"),
            "-subj", subject, *self._digest(), "-out", self._path(name, "csr"),
        )  # fmt: skip

    def _sign(
        self, name: str, by: str, extensions: str, *, self_signed: bool = False, days: int = 3650
    ) -> None:
        file = self.folder / f"{name}.ext"
        file.write_text(extensions)
        signer = (
            ("-signkey", self._path(name, "key"))
            if self_signed
            else ("-CA", self._path(by, "pem"), "-CAkey", self._path(by, "key"))
        )
        checked = ("-vfyopt", SM2_ID) if self._is_sm2 else ()
        openssl(
            "x509", "-req", "-in", self._path(name, "csr"), *signer, *checked, *self._digest(),
            "-set_serial", f"0x{secrets.token_hex(15)}", "-days", str(days),
            "-extfile", str(file), "-out", self._path(name, "pem"),
        )  # fmt: skip

    def _crl(self, who: str) -> str:
        config = self.folder / f"{who}.cnf"
        digest = "sm3" if self._is_sm2 else "sha256"
        config.write_text(CRL_CONFIG.format(folder=self.folder, who=who, digest=digest))
        option = ("-sigopt", SM2_ID) if self._is_sm2 else ()
        return openssl(
            "ca", "-gencrl", "-config", str(config), "-cert", self._path(who, "pem"),
            "-keyfile", self._path(who, "key"), "-md", digest, *option,
        ).decode()  # fmt: skip


class Authorities:
    """Every chain of every authority; made when first asked for."""

    ALGORITHMS = {"net-bank": ("rsa",), "ca": ("rsa", "sm2")}  # noqa: RUF012 - a constant

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._chains: dict[tuple[str, str], Chain] = {}
        self._folder: Path | None = None
        self._lock = threading.RLock()

    def chain(self, authority: str, algorithm: str) -> Chain:
        """The chain.

        Raises: KeyError for an authority without it.
        """
        if algorithm not in self.ALGORITHMS[authority]:
            raise KeyError(algorithm)
        with self._lock:
            known = self._chains.get((authority, algorithm))
            if known is None:
                if self._folder is None:
                    self._folder = Path(tempfile.mkdtemp(prefix="outside-ca-"))
                    atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
                folder = self._folder / f"{authority}-{algorithm}"
                known = self._chains[authority, algorithm] = Chain(authority, algorithm, folder)
            return known

    def roots(self, authority: str) -> str:
        """All its roots."""
        with self._lock:
            return "".join(self.chain(authority, a).root for a in self.ALGORITHMS[authority])

    def crls(self, authority: str) -> str:
        """All its lists."""
        with self._lock:
            return "".join(self.chain(authority, a).crls for a in self.ALGORITHMS[authority])

    def issue(
        self, authority: str, algorithm: str, unit: str, uscc: str, *, days: int = 365
    ) -> Issued:
        """A certificate on the token; the token is bounded."""
        with self._lock:
            chain = self.chain(authority, algorithm)
            if len(chain.issued) >= MOST:
                del chain.issued[next(iter(chain.issued))]
            return chain.issue(unit, uscc, days=days)

    def on_token(self, authority: str) -> list[Issued]:
        """What the assistant shows."""
        with self._lock:
            made = [c for (who, _), c in self._chains.items() if who == authority]
            return [i for chain in made for i in chain.issued.values()]

    def sign(self, authority: str, issued_id: str, text: str) -> str:
        """Sign with a certificate on the token.

        Raises: KeyError when it is not there.
        """
        with self._lock:
            issued = next((i for i in self.on_token(authority) if i.id == issued_id), None)
            if issued is None:
                raise KeyError(issued_id)
            return self.chain(authority, issued.algorithm).sign(issued, text)

    def revoke(self, authority: str, issued_id: str) -> None:
        """Revoke a certificate on the token.

        Raises: KeyError when it is not there.
        """
        with self._lock:
            issued = next((i for i in self.on_token(authority) if i.id == issued_id), None)
            if issued is None:
                raise KeyError(issued_id)
            self.chain(authority, issued.algorithm).revoke(issued)
