# SPDX-License-Identifier: Apache-2.0
"""``node.toml``: who a node is, and where its peers publish."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from countermark.node.files import read_file, write_atomic
from countermark.records.base import LabKey, PartyCode
from countermark.records.errors import InputError, StateError

CONFIG_FILE = "node.toml"
NODE_FORMAT = 1
FILE_SCHEME = "file:"


class NodeConfig(BaseModel):
    """What ``node.toml`` says; unknown fields are errors, because a typo must not pass."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int = Field(ge=1)
    code: PartyCode
    name: str
    origin: str = Field(pattern=r"^[^\s+]+$", description="Name of the log; no space, no plus.")
    lab: LabKey | None = Field(default=None, description="The lab that runs exercises here.")
    statement_key: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9]*:\S+$",
        description="URI of the key that signs statements, if it is not keys/statement.pem.",
    )
    peers: dict[str, str] = Field(
        default_factory=dict,
        description="Where each peer publishes: a folder, relative to this one.",
    )
    witnesses: dict[str, str] = Field(
        default_factory=dict,
        description="Where each peer's witness answers: https://host/prefix.",
    )

    @property
    def device(self) -> str | None:
        """URI of the statement key if a device holds it; nothing if a file does."""
        uri = self.statement_key
        return None if uri is None or uri.startswith(FILE_SCHEME) else uri

    @property
    def statement_file(self) -> str:
        """The file of the statement key, relative to the node's folder, if a file holds it."""
        return (self.statement_key or "file:keys/statement.pem").removeprefix(FILE_SCHEME)


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """The places in a node's folder."""

    root: Path

    @property
    def keys(self) -> Path:
        """Private keys; never published."""
        return self.root / "keys"

    def key(self, name: str) -> Path:
        """Return the file of one private key."""
        return self.keys / f"{name}.pem"

    @property
    def statement_public(self) -> Path:
        """The public half of a statement key that a device holds."""
        return self.keys / "statement.pub"

    @property
    def log(self) -> Path:
        """The node's own log."""
        return self.root / "log"

    @property
    def roster(self) -> Path:
        """The roster's signed files."""
        return self.root / "roster"

    @property
    def runs(self) -> Path:
        """Logs and samples that are not revealed; never published."""
        return self.root / "runs"

    @property
    def index(self) -> Path:
        """The projection of all logs."""
        return self.root / "index.db"

    def mirror(self, code: str) -> Path:
        """Return where the verified copy of a peer's log lies."""
        return self.root / "peers" / code / "log"


def read_config(folder: Path) -> NodeConfig:
    """Read ``node.toml``.

    Raises
    ------
    StateError
        If the folder holds no node, or one of a newer format.
    InputError
        If the file is malformed.
    """
    path = folder / CONFIG_FILE
    data = read_file(path, max_bytes=1024 * 1024)
    if data is None:
        raise StateError(
            "is not a node's folder: it has no node.toml",
            where=str(folder),
            next_step="Make a node with `countermark node init`, or give --node another folder.",
        )
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"is not TOML: {error}", where=str(path), next_step="Mend that line."
        ) from error
    found = value.get("format")
    if isinstance(found, int) and found > NODE_FORMAT:
        raise StateError(
            f"was written by a newer Countermark (format {found}, known {NODE_FORMAT})",
            where=str(path),
            next_step="Use the newer Countermark for this node; nothing was changed.",
        )
    try:
        return NodeConfig.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=str(path),
            next_step="Mend that field; docs/architecture.md lists them.",
        ) from error


def write_config(folder: Path, config: NodeConfig) -> None:
    """Write ``node.toml``."""
    lines = [
        f"{name} = {_toml(value)}"
        for name, value in config.model_dump(
            exclude={"peers", "witnesses"}, exclude_none=True
        ).items()
    ]
    for table, places in (("peers", config.peers), ("witnesses", config.witnesses)):
        lines += ["", f"[{table}]"]
        lines += [f"{_toml(code)} = {_toml(place)}" for code, place in sorted(places.items())]
    write_atomic(folder / CONFIG_FILE, ("\n".join(lines) + "\n").encode())


def _toml(value: object) -> str:
    # JSON's texts and whole numbers are TOML's too, except that TOML also escapes DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
